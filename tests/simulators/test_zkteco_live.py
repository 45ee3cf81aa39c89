"""Live capture of the simulated ZKTeco terminal, by a client that this project did not write: pyzk from PyPI.

pyzk takes one frame for one segment; where frames are torn or joined, the few lines of `Raw` read them.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal, verbs
from attendance_bridge.simulators.zkteco.records import EVENT_SIZES
from tests.simulators.test_zkteco_simulator import Raw, client, packet

EVENT_REGISTER, ACK_OK, SIZES_READ = 500, 2000, 50
BERLIN = ZoneInfo("Europe/Berlin")


@contextmanager
def a_terminal(*faults: str, **options: Any) -> Iterator[ZktecoTerminal]:
	state = ZktecoState(faults=faults, **options)
	for user_id in ("101", "0102" if not state.numeric_ids else "102"):
		state.add_user(user_id)
	with ZktecoTerminal(state) as terminal:
		yield terminal


@contextmanager
def listening(terminal: ZktecoTerminal, *, udp: bool = False) -> Iterator[list[Any]]:
	"""What pyzk's live_capture yields, but for its time-outs."""
	heard: list[Any] = []
	with client(terminal, udp=udp) as zk:
		zk.connect()

		def capture() -> None:
			heard.extend(filter(None, zk.live_capture(new_timeout=0.2)))

		zk.end_live_capture = True
		thread = threading.Thread(target=capture, daemon=True)
		thread.start()
		# It has read the answer then, which it would not tell from an event that arrives with it.
		_until(lambda: not zk.end_live_capture)
		yield heard
		zk.end_live_capture = True
		thread.join(5)
		assert not thread.is_alive()
		zk.disconnect()


class Listener(Raw):
	"""Frames as they come, however they are torn or joined."""

	def register(self) -> None:
		self.connect()
		self.ask(EVENT_REGISTER, struct.pack("<I", 1))

	def next_event(self) -> tuple[int, bytes]:
		"""(kind, data); it is not acknowledged."""
		session_id = self.session_id
		code, data = self.receive()
		assert code == EVENT_REGISTER
		kind, self.session_id = self.session_id, session_id
		return kind, data

	def acknowledge(self) -> None:
		self.socket.sendall(packet(ACK_OK, self.session_id, 0))


@pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
def test_punches_are_told_as_they_happen_and_acknowledged(udp: bool) -> None:
	with a_terminal() as terminal, listening(terminal, udp=udp) as heard:
		began = time.monotonic()
		row = verbs.punch_now(
			terminal.state, "0102", verify_mode=VerifyMode.FINGER, device_key=DeviceKey.CHECK_OUT
		)
		_until(lambda: len(heard) == 1)
		assert time.monotonic() - began < 5
		(event,) = heard
		assert row is not None
		assert (event.user_id, event.timestamp, event.status, event.punch) == ("0102", row.wall_time, 1, 1)
		_until(lambda: terminal.state.counters["event_acknowledged"] >= 1)


@pytest.mark.parametrize("size", EVENT_SIZES)
def test_every_size_of_an_event(size: int) -> None:
	with a_terminal() as terminal, Listener(terminal) as listener:
		terminal.state.event_size = size
		listener.register()
		row = verbs.punch_now(terminal.state, "101")
		assert row is not None
		kind, data = listener.next_event()
		assert (kind, len(data)) == (1, size)
		ids = {10: "<H", 12: "<I", 14: "<H"}
		head = struct.calcsize(ids.get(size, "<24s"))
		(user_id,) = struct.unpack_from(ids.get(size, "<24s"), data)
		assert (str(user_id) if size < 32 else user_id.split(b"\0")[0].decode()) == "101"
		year, month, day, hour, minute, second = data[head + 2 : head + 8]
		assert datetime(2000 + year, month, day, hour, minute, second) == row.wall_time


@pytest.mark.parametrize("size", [12, 32, 36, 52])
def test_pyzk_reads_the_sizes_that_it_knows(size: int) -> None:
	with a_terminal() as terminal, listening(terminal) as heard:
		terminal.state.event_size = size
		verbs.punch_now(terminal.state, "101")
		_until(lambda: len(heard) == 1)
		assert heard[0].user_id == "101"


def test_torn_and_joined_frames() -> None:
	with a_terminal("event-pieces", "joined-events") as terminal, Listener(terminal) as listener:
		listener.register()
		verbs.punch_now(terminal.state, "101")
		time.sleep(0.05)
		listener.socket.settimeout(0.1)
		with pytest.raises(TimeoutError):
			listener.socket.recv(1)
		listener.socket.settimeout(5)
		verbs.punch_now(terminal.state, "0102")
		told = [listener.next_event()[1][:4].rstrip(b"\0") for _ in range(2)]
		assert told == [b"101", b"0102"]


def test_other_events_come_in_between() -> None:
	with a_terminal("other-events") as terminal, Listener(terminal) as listener:
		listener.register()
		verbs.punch_now(terminal.state, "101")
		assert [listener.next_event()[0] for _ in range(2)] == [1 << 8, 1]


def test_an_event_that_nobody_acknowledges_ends_the_connection() -> None:
	with a_terminal("ack-or-end") as terminal:
		terminal.state.ack_seconds = 60.0
		with Listener(terminal) as listener:
			listener.register()
			for number in (1, 2, 3):
				verbs.punch_now(terminal.state, "101")
				listener.next_event()
				listener.acknowledge()
				_until(lambda number=number: terminal.state.counters["event_acknowledged"] == number)  # type: ignore[misc]
			terminal.state.ack_seconds = 0.05
			time.sleep(0.2)
			assert terminal.open_sessions == 1
			verbs.punch_now(terminal.state, "101")
			listener.next_event()
			with pytest.raises(EOFError):
				listener.receive()
		assert terminal.state.counters["unacknowledged"] == 1


@pytest.mark.parametrize("fault", ["missed-events", "event-drops"])
def test_every_third_event_is_lost_but_not_its_punch(fault: str) -> None:
	with a_terminal(fault) as terminal, Listener(terminal) as listener:
		listener.register()
		for user_id in ("101", "0102", "101"):
			verbs.punch_now(terminal.state, user_id)
		assert [listener.next_event()[1][:4].rstrip(b"\0") for _ in range(2)] == [b"101", b"0102"]
		if fault == "event-drops":
			with pytest.raises(EOFError):
				listener.receive()
		assert terminal.state.punches_held() == 3
		assert terminal.state.counters["event_lost"] == 1


def test_one_connection_at_a_time_the_second_waits() -> None:
	with a_terminal("one-connection") as terminal, Listener(terminal) as first:
		first.register()
		with Raw(terminal) as second:
			second.socket.settimeout(0.3)
			with pytest.raises(TimeoutError):
				second.connect()
		first.socket.shutdown(socket.SHUT_RDWR)
		_until(lambda: terminal.open_sessions == 0)
		with Raw(terminal) as third:
			third.connect()
			assert third.ask(SIZES_READ)[0] == ACK_OK


def test_one_connection_at_a_time_the_second_is_turned_away() -> None:
	with a_terminal("second-refused") as terminal, Listener(terminal) as first:
		first.register()
		with Raw(terminal) as second, pytest.raises((EOFError, ConnectionError)):
			second.connect()
		assert first.ask(SIZES_READ)[0] == ACK_OK
	assert terminal.state.counters["turned_away_client"] == 1


def test_a_restart_ends_listening() -> None:
	with a_terminal() as terminal:
		terminal.state.reboot_seconds = 0.1
		with Listener(terminal) as listener:
			listener.register()
			verbs.reboot(terminal.state)
			with pytest.raises((EOFError, ConnectionError)):
				listener.receive()
		_until(lambda: "reboot" not in terminal.state.faults)
		with listening(terminal) as heard:
			verbs.punch_now(terminal.state, "101")
			_until(lambda: len(heard) == 1)


def test_a_clock_without_summer_time() -> None:
	now = datetime(2026, 7, 1, 10, 0, tzinfo=timezone.utc)
	knows = ZktecoState(zone=BERLIN, now=lambda: now)
	knows_not = ZktecoState(zone=BERLIN, now=lambda: now, faults={"no-dst"})
	assert knows.wall_now() == datetime(2026, 7, 1, 12)
	assert knows_not.wall_now() == datetime(2026, 7, 1, 11)


def test_a_full_log_overwrites_its_oldest_rows() -> None:
	with a_terminal() as terminal, client(terminal) as zk:
		state = terminal.state
		state.log_capacity = 3
		zk.connect()
		for minute in range(5):
			state.record("101", datetime(2026, 11, 2, 8, minute), VerifyMode.FACE, DeviceKey.CHECK_IN)
			if minute == 1:
				assert len(zk.get_attendance()) == 2
		assert [row.timestamp.minute for row in zk.get_attendance()] == [2, 3, 4]
		assert [row.wall_time.minute for row in state.overwritten] == [0, 1]
		zk.read_sizes()
		assert (zk.records, zk.rec_cap, zk.rec_av) == (3, 3, 0)
		zk.disconnect()


def _until(condition: Callable[[], bool], timeout: float = 10.0) -> None:
	end = time.monotonic() + timeout
	while not condition():
		assert time.monotonic() < end
		time.sleep(0.005)
