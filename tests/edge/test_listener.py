"""The listener beside the poller: one punch by both roads, gaps read at once, one password try, bounded."""

from __future__ import annotations

import json
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from attendance_bridge.core.clock import ClockRules, ClockVerdict, judge
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Page
from attendance_bridge.core.errors import Code
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.retry import Backoff
from attendance_bridge.drivers.hikvision_isapi import alert_stream
from attendance_bridge.drivers.zkteco_tcp import live as zk_live
from attendance_bridge.edge import listener as listener_module
from attendance_bridge.edge.listener import Listener, Standing
from attendance_bridge.edge.reader import TerminalReader
from attendance_bridge.edge.settings import Device
from tests.drivers.stream_server import CHALLENGE, DEVICE_INFO, StreamServer, answer
from tests.drivers.zk_wire_terminal import WireTerminal, event, text_record
from tests.edge.rig import (
	ZONE,
	Clock,
	Edge,
	WatchedPoller,
	eventually,
	hikvision,
	running,
	store_error,
	zkteco,
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(listener_module, "LOOK_EVERY_SECONDS", 0.02)
	monkeypatch.setattr(
		listener_module, "BACKOFF", replace(listener_module.BACKOFF, base=timedelta(seconds=0.02))
	)
	monkeypatch.setattr(zk_live, "LOOK_SECONDS", 0.02)
	monkeypatch.setattr(alert_stream, "LOOK_SECONDS", 0.02)


def live(device: Device) -> Device:
	return replace(device, settings=replace(device.settings, live=True, poll_seconds=3600))


class Premises:
	"""An agent's poller and listener."""

	def __init__(self, edge: Edge, *devices: Device, most: int = 8) -> None:
		self.devices = devices
		self.woken: Counter[str] = Counter()
		self.poller: WatchedPoller = edge.poller(*devices, on_punches=lambda: self._wake("poller"))
		self.listener = Listener(
			lambda: self.devices,
			edge.reader(),
			self.poller,
			most=most,
			now=edge.clock,
			pulse=edge.pulse,
			on_punches=lambda: self._wake("listener"),
			chance=lambda: 0.5,
		)

	def _wake(self, who: str) -> None:
		self.woken[who] += 1

	def stands(self, standing: Standing, name: str = "Workshop") -> Callable[[], bool]:
		return lambda: name in self.listener.states and self.listener.states[name].standing is standing


def wall(clock: Clock) -> tuple[int, ...]:
	local = clock().astimezone(ZONE)
	return (local.year - 2000, local.month, local.day, local.hour, local.minute, local.second)


@pytest.fixture
def terminal() -> Iterator[WireTerminal]:
	with WireTerminal() as opened:
		yield opened


def held_ids(edge: Edge) -> list[str]:
	return sorted(each.punch.device_user_id for each in edge.held())


def test_a_punch_is_held_as_it_happens(edge: Edge, clock: Clock, terminal: WireTerminal) -> None:
	premises = Premises(edge, live(zkteco(terminal.port)))
	with running(premises.poller), running(premises.listener):
		eventually(premises.stands(Standing.LISTENING))
		# One reading let the listener in, one reads what happened before it listened.
		eventually(lambda: premises.poller.pulls["Workshop"] == 2)
		terminal.tell(event(text_record("31", wall(clock))))
		eventually(lambda: held_ids(edge) == ["31"])
		eventually(lambda: terminal.acknowledged == 1)
		assert premises.woken["listener"] == 1
		state = premises.listener.states["Workshop"]
		assert (state.events, state.replayed, state.gaps, state.event_at) == (1, 0, 0, clock())
		assert premises.poller.pulls["Workshop"] == 2
	assert terminal.connections <= 2


def test_a_page_is_durable_when_it_is_handed_on(edge: Edge, clock: Clock, terminal: WireTerminal) -> None:
	heard = edge.reader().listen(live(zkteco(terminal.port)), lambda: False)
	next(heard)
	terminal.tell(event(text_record("31", wall(clock))))
	page, accepted = next(each for each in heard if each[0].punches)
	assert (len(page.punches), accepted.new, held_ids(edge)) == (1, 1, ["31"])
	assert terminal.acknowledged == 0
	heard.close()


def test_the_same_punch_by_both_roads_is_one(edge: Edge, clock: Clock, terminal: WireTerminal) -> None:
	premises = Premises(edge, live(zkteco(terminal.port)))
	told = event(text_record("31", wall(clock)))
	with running(premises.poller), running(premises.listener):
		eventually(lambda: premises.poller.pulls["Workshop"] == 2)
		terminal.tell(told)
		terminal.tell(told)
		eventually(lambda: terminal.acknowledged == 2)
		year, month, day, hour, minute, second = wall(clock)
		encoded = ((year * 12 + month - 1) * 31 + day - 1) * 86_400 + (hour * 60 + minute) * 60 + second
		terminal.records, terminal.held = struct.pack("<H24sBIB8x", 1, b"31", 1, encoded, 0), 1
		premises.poller.hurry("Workshop")
		eventually(lambda: premises.poller.pulls["Workshop"] == 3)
		assert held_ids(edge) == ["31"]
		assert (edge.record("Workshop").last_pull_new, edge.record("Workshop").last_pull_known) == (0, 1)
		assert premises.woken["listener"] == 1


def test_after_a_drop_it_comes_back_and_the_gap_is_read(edge: Edge, terminal: WireTerminal) -> None:
	premises = Premises(edge, live(zkteco(terminal.port)))
	with running(premises.poller), running(premises.listener):
		for pulls in (2, 3, 4):
			eventually(premises.stands(Standing.LISTENING))
			eventually(lambda pulls=pulls: premises.poller.pulls["Workshop"] == pulls)
			eventually(terminal.registered.is_set)
			terminal.hang_up()
			eventually(lambda pulls=pulls: premises.listener.states["Workshop"].gaps == pulls - 1)
	assert edge.record("Workshop").last_error_code == ""


def test_what_could_not_be_read_is_pulled(edge: Edge, clock: Clock, terminal: WireTerminal) -> None:
	premises = Premises(edge, live(zkteco(terminal.port)))
	with running(premises.poller), running(premises.listener):
		eventually(lambda: premises.poller.pulls["Workshop"] == 2)
		clock.advance(minutes=1)
		for gaps in (1, 2, 3):
			terminal.tell(event(b"?"))
			eventually(lambda gaps=gaps: premises.listener.states["Workshop"].gaps == gaps)
		eventually(lambda: premises.poller.pulls["Workshop"] == 3)
		# Those that came at once after it are read together, a little later.
		clock.advance(seconds=listener_module.GAP_PAUSE.total_seconds())
		eventually(lambda: premises.poller.pulls["Workshop"] == 4)


def test_a_clock_that_is_off_spoils_a_live_punch_as_it_does_a_pulled_one(
	edge: Edge, clock: Clock, terminal: WireTerminal
) -> None:
	premises = Premises(edge, live(zkteco(terminal.port)))
	with running(premises.poller), running(premises.listener):
		eventually(premises.stands(Standing.LISTENING))
		terminal.tell(event(text_record("31", wall(clock))))
		eventually(lambda: held_ids(edge) == ["31"])
	(observation,) = edge.punches.undecided(10)
	assert observation.reading is not None
	offset = observation.reading.offset
	assert offset < -timedelta(days=365), "this terminal shows the year 2000"
	verdict = judge(observation.punch.occurred_at, observation.reading, ClockRules())
	assert verdict is not ClockVerdict.TRUSTED


def test_more_than_may_be_listened_to_are_read(edge: Edge) -> None:
	with WireTerminal(serial="A") as one, WireTerminal(serial="B") as other:
		devices = [live(zkteco(one.port, "One")), live(zkteco(other.port, "Other"))]
		premises = Premises(edge, *devices, most=1)
		with running(premises.poller), running(premises.listener):
			eventually(premises.stands(Standing.LISTENING, "One"))
			eventually(premises.stands(Standing.WAITING, "Other"))
			assert not other.registered.is_set()
			eventually(lambda: premises.poller.pulls["Other"] == 1)


def test_it_goes_by_the_configuration_of_the_moment(edge: Edge, terminal: WireTerminal) -> None:
	device = live(zkteco(terminal.port))
	premises = Premises(edge, device)
	with running(premises.poller), running(premises.listener):
		eventually(premises.stands(Standing.LISTENING))
		premises.devices = (replace(device, settings=replace(device.settings, live=False)),)
		eventually(lambda: premises.listener.states == {})
		eventually(lambda: not terminal.registered.is_set())
		premises.devices = (device,)
		eventually(premises.stands(Standing.LISTENING))


def test_a_terminal_that_tells_nothing_is_only_read(edge: Edge, terminal: WireTerminal) -> None:
	terminal.refuses_events = 0xFFFF
	premises = Premises(edge, live(zkteco(terminal.port)))
	with running(premises.poller), running(premises.listener):
		eventually(premises.stands(Standing.NOT_SUPPORTED))
		assert premises.listener.states["Workshop"].code == Code.NOT_SUPPORTED.value
	assert edge.record("Workshop").last_error_code == ""


def test_a_driver_that_cannot_listen_is_only_read(edge: Edge, terminal: WireTerminal) -> None:
	device = live(zkteco(terminal.port))
	premises = Premises(edge, replace(device, settings=replace(device.settings, driver="edge_camera")))
	with running(premises.listener):
		assert premises.listener.states == {}


def test_one_that_ends_without_a_word_is_not_called_again_at_once(
	edge: Edge, terminal: WireTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
	premises = Premises(edge, live(zkteco(terminal.port)))
	calls: list[Device] = []

	def ends(_reader: TerminalReader, device: Device, _stop: object) -> Iterator[tuple[Page, Accepted]]:
		calls.append(device)
		yield Page(punches=(), cursor=START), Accepted(new=0, known=0)

	monkeypatch.setattr(TerminalReader, "listen", ends)
	monkeypatch.setattr(listener_module, "BACKOFF", Backoff(base=timedelta(hours=1), cap=timedelta(hours=1)))
	with running(premises.poller), running(premises.listener):
		eventually(premises.stands(Standing.PAUSED))
		eventually(lambda: premises.poller.pulls["Workshop"] == 2)
		state = premises.listener.states["Workshop"]
		assert (state.code, state.gaps, len(calls)) == (Code.CONNECTION_LOST.value, 1, 1)


def test_a_fault_of_ours_does_not_leave_a_terminal_unheard(
	edge: Edge, terminal: WireTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
	premises = Premises(edge, live(zkteco(terminal.port)))
	monkeypatch.setattr(listener_module, "sentence", lambda *_args: 1 / 0)
	monkeypatch.setattr(
		listener_module, "BACKOFF", replace(listener_module.BACKOFF, cap=timedelta(seconds=0.02))
	)
	with running(premises.poller), running(premises.listener):
		eventually(premises.stands(Standing.LISTENING))
		eventually(terminal.registered.is_set)
		terminal.hang_up()
		eventually(lambda: premises.listener.states["Workshop"].gaps == 1)
		eventually(premises.stands(Standing.LISTENING))


# --- passwords


def hik_event(user: str, at: datetime, *, current: bool = True) -> bytes:
	told = {
		"eventType": "AccessControllerEvent",
		"dateTime": at.astimezone(ZONE).isoformat(timespec="seconds"),
		"AccessControllerEvent": {
			"majorEventType": 5,
			"subEventType": 75,
			"employeeNoString": user,
			"currentEvent": current,
		},
	}
	return b"--b\r\nContent-Type: application/json\r\n\r\n" + json.dumps(told).encode() + b"\r\n"


class Hikvision:
	"""A terminal with an empty log, whose stream a test fills."""

	def __init__(self) -> None:
		self.lets_in = True
		self.refuses_stream = False
		self.stream: socket.socket | None = None

	def __call__(self, request: str, body: bytes, connection: socket.socket) -> None:
		path = request.split()[1]
		is_refused = not self.lets_in or (self.refuses_stream and "alertStream" in path)
		if "Authorization" not in request or (is_refused and "userCheck" not in path):
			connection.sendall(CHALLENGE)
		elif "deviceInfo" in path:
			connection.sendall(answer(DEVICE_INFO))
		elif "System/time" in path:
			connection.sendall(answer(b"<Time><localTime>2026-11-20T08:00:00+04:00</localTime></Time>"))
		elif "alertStream" in path:
			connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n")
			self.stream = connection
		elif b"AcsEventCond" in body:
			connection.sendall(answer(b'{"AcsEvent": {"responseStatusStrg": "OK", "totalMatches": 0}}'))
		else:
			connection.sendall(answer(b"", "404 Not Found"))


def tries(server: StreamServer) -> int:
	return sum("Authorization" in request for request in server.asked)


def test_a_wrong_password_is_tried_by_the_poller_only(edge: Edge) -> None:
	hik = Hikvision()
	hik.lets_in = False
	with StreamServer(hik) as server:
		premises = Premises(edge, live(hikvision(server.port)))
		with running(premises.poller), running(premises.listener):
			eventually(lambda: premises.poller.pulls["Main gate"] == 1)
			eventually(premises.stands(Standing.WAITING, "Main gate"))
			edge.clock.advance(minutes=5)
			assert tries(server) == 1
	assert edge.record("Main gate").last_error_code == Code.AUTH_FAILED.value


def test_a_password_that_the_stream_refuses_is_not_tried_by_the_poller_either(edge: Edge) -> None:
	hik = Hikvision()
	hik.refuses_stream = True
	with StreamServer(hik) as server:
		device = live(hikvision(server.port))
		premises = Premises(edge, replace(device, settings=replace(device.settings, poll_seconds=60)))
		with running(premises.poller), running(premises.listener):
			eventually(lambda: edge.record("Main gate").last_error_code == Code.AUTH_FAILED.value)
			eventually(premises.stands(Standing.WAITING, "Main gate"))
			asked = len(server.asked)
			edge.clock.advance(minutes=10)
			premises.poller.hurry("Main gate")
			assert premises.poller.pulls["Main gate"] == 1
			assert len(server.asked) == asked


def test_history_that_is_replayed_is_held_and_not_announced(edge: Edge, clock: Clock) -> None:
	hik = Hikvision()
	with StreamServer(hik) as server:
		premises = Premises(edge, live(hikvision(server.port)))
		with running(premises.poller), running(premises.listener):
			eventually(premises.stands(Standing.LISTENING, "Main gate"))
			eventually(lambda: hik.stream is not None)
			assert hik.stream is not None
			hik.stream.sendall(hik_event("7", clock() - timedelta(days=2), current=False))
			eventually(lambda: held_ids(edge) == ["7"])
			eventually(lambda: premises.listener.states["Main gate"].replayed == 1)
			assert premises.listener.states["Main gate"].event_at is None
			hik.stream.sendall(hik_event("8", clock()))
			eventually(lambda: held_ids(edge) == ["7", "8"])
			eventually(lambda: premises.listener.states["Main gate"].event_at == clock())


# --- the store


def test_what_cannot_be_held_is_not_acknowledged(edge: Edge, clock: Clock, terminal: WireTerminal) -> None:
	premises = Premises(edge, live(zkteco(terminal.port)))
	with running(premises.poller):
		with running(premises.listener) as handle:
			eventually(lambda: premises.poller.pulls["Workshop"] == 2)
			eventually(premises.stands(Standing.LISTENING))
			with edge.locked():
				terminal.tell(event(text_record("31", wall(clock))))
				assert store_error(handle).retryable
		assert terminal.acknowledged == 0
		assert held_ids(edge) == []
		with running(premises.listener):
			eventually(premises.stands(Standing.LISTENING))
			terminal.tell(event(text_record("31", wall(clock))))
			eventually(lambda: held_ids(edge) == ["31"])


def test_it_stops_soon(edge: Edge, terminal: WireTerminal) -> None:
	premises = Premises(edge, live(zkteco(terminal.port)))
	with running(premises.poller), running(premises.listener) as handle:
		eventually(premises.stands(Standing.LISTENING))
		assert handle.stop() < 2
	assert not terminal.registered.is_set()
