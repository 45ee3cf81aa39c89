"""Live roads against the simulated terminals: the contract, and each fault of theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal, verbs
from attendance_bridge.simulators.zkteco.records import EVENT_SIZES
from tests.contracts.live_contract import LiveContract, LiveRig, eventually
from tests.drivers.test_hikvision_isapi import HikvisionRig
from tests.drivers.test_zkteco_tcp import COMM_KEY, ZktecoRig, make_driver, make_state


class LiveZktecoRig(ZktecoRig, LiveRig):
	def drop(self) -> None:
		self.state.reboot_seconds = 0.2
		verbs.reboot(self.state)


class LiveHikvisionRig(HikvisionRig, LiveRig):
	def drop(self) -> None:
		hikvision_verbs.reboot(self.terminal, 0.2)


class TestZkteco(LiveContract):
	@pytest.fixture(params=[(), ("one-connection",), ("event-pieces",), ("ack-or-end",)], ids=str)
	def rig(self, request: pytest.FixtureRequest) -> Iterator[LiveRig]:
		state = make_state(comm_key=COMM_KEY)
		state.faults |= set(request.param)
		with ZktecoTerminal(state) as terminal:
			yield LiveZktecoRig(state, terminal)

	def test_joined_events(self, rig: LiveZktecoRig) -> None:
		rig.state.faults.add("joined-events")
		with self.listening(rig) as ear:
			for number in range(6):
				rig.punch("5", self.moment(rig, number))
			eventually(lambda: len(ear.heard()) == 6)

	def test_events_that_do_not_count(self, rig: LiveZktecoRig) -> None:
		rig.state.faults.add("other-events")
		with self.listening(rig) as ear:
			rig.punch("5", self.moment(rig))
			eventually(lambda: len(ear.heard()) == 1)
			assert not any(page.gap for page in ear.pages)

	def test_what_the_terminal_did_not_tell_is_a_gap(
		self, rig: LiveZktecoRig, monkeypatch: pytest.MonkeyPatch
	) -> None:
		monkeypatch.setattr("attendance_bridge.drivers.zkteco_tcp.live.ASK_SECONDS", 0.3)
		rig.state.faults.add("missed-events")
		with self.listening(rig) as ear:
			for number in range(3):
				rig.punch("5", self.moment(rig, number))
			eventually(lambda: len(ear.heard()) == 2)
			eventually(lambda: any(page.gap for page in ear.pages))


@pytest.mark.parametrize("size", EVENT_SIZES)
@pytest.mark.parametrize("log_layout", [8, 16, 40])
def test_every_shape_of_event_is_the_punch_of_the_log(size: int, log_layout: int) -> None:
	"""Or it is left to the pull, and said so; never another one."""
	state = ZktecoState(log_layout=log_layout)
	state.event_size = size
	for user_id in ("3", "1", "2", "77"):
		state.add_user(user_id)
	with ZktecoTerminal(state) as terminal:
		rig = LiveZktecoRig(state, terminal)
		rig.driver = lambda: make_driver(terminal.port)  # type: ignore[method-assign]
		with TestZkteco().listening(rig) as ear:
			wall_time = TestZkteco().moment(rig)
			for user_id in ("1", "2", "3", "77"):
				state.record(user_id, wall_time, VerifyMode.FACE, DeviceKey.CHECK_IN)
			eventually(lambda: sum(page.read for page in ear.pages) == 4)
			assert ear.heard() <= state.expected()
			assert len(ear.heard()) == 4 or any(page.gap for page in ear.pages)
			if size not in (10, 14):
				assert ear.heard() == state.expected()


class TestHikvision(LiveContract):
	@pytest.fixture(
		params=[
			(),
			("xml-alerts",),
			("bare-parts",),
			("stream-no-boundary",),
			("replay-all",),
		],
		ids=str,
	)
	def rig(self, request: pytest.FixtureRequest) -> Iterator[LiveRig]:
		opened = LiveHikvisionRig(people=6, days=4)
		for fault in request.param:
			opened.fault(fault)
		yield opened
		opened.close()

	def test_replayed_history_is_not_live(self, rig: LiveHikvisionRig) -> None:
		before = rig.expected()
		with self.listening(rig) as ear:
			rig.punch("5", self.moment(rig))
			eventually(lambda: len(ear.heard()) == 1)
			assert ear.heard(live=False) <= before
			assert ear.heard(live=False)

	def test_pieces_end_anywhere(self, rig: LiveHikvisionRig) -> None:
		rig.fault("stream-odd-pieces")
		rig.state.faults.discard("replay-all")  # at that pace it would take too long
		rig.state.replay_events = 1
		with self.listening(rig) as ear:
			told = {("5", self.moment(rig, number)) for number in range(2)}
			for user_id, wall_time in sorted(told):
				rig.punch(user_id, wall_time)
			eventually(lambda: ear.heard() == told)

	def test_a_part_that_breaks_off(self, rig: LiveHikvisionRig) -> None:
		rig.fault("stream-half-part")
		with self.listening(rig) as ear:
			for number in range(5):
				rig.punch("5", self.moment(rig, number))
			eventually(ear.has_ended)
			assert ear.error is not None
			assert ear.error.retryable

	def test_silence_is_noticed(self, rig: LiveHikvisionRig, monkeypatch: pytest.MonkeyPatch) -> None:
		monkeypatch.setattr("attendance_bridge.drivers.hikvision_isapi.alert_stream.SILENCE_SECONDS", 0.5)
		rig.fault("stream-silent")
		with self.listening(rig) as ear:
			eventually(ear.has_ended)
			assert ear.error is not None
