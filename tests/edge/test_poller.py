"""When which terminal is asked, and which one is left alone."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.lockout import AFTER_REFUSED_PASSWORD, LONGEST_LOCK_OUT
from attendance_bridge.core.pull import PullReport
from attendance_bridge.edge.poller import PATIENCE, Progress
from attendance_bridge.edge.reader import TerminalReader
from attendance_bridge.edge.settings import Device
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal, verbs
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from tests.edge.rig import (
	CHANCE,
	MORNING,
	ZONE,
	Clock,
	Edge,
	Running,
	WatchedPoller,
	eventually,
	hikvision,
	running,
	store_error,
	terminal_with_log,
	zkteco,
)

NO_PORT = 1
"""Of a terminal that is never called."""


def requests(state: HikvisionState) -> int:
	return state.counters.requests.total()


class Witness:
	"""A second terminal, read every ten seconds: once it was read again, the poller has looked around."""

	def __init__(self, clock: Clock) -> None:
		self.state = terminal_with_log(clock, 1, serial="WITNESS")
		self._clock = clock
		self._terminal = HikvisionTerminal(self.state)

	def __enter__(self) -> Witness:
		self._terminal.start()
		return self

	def __exit__(self, *exc_info: object) -> None:
		self._terminal.stop()

	@property
	def device(self) -> Device:
		return hikvision(self._terminal.port, "Witness", poll_seconds=10)

	def is_read(self, poller: WatchedPoller, after: float = 11) -> None:
		"""Wait for the first pull, let `after` seconds pass, and wait for the next."""
		eventually(lambda: poller.pulls["Witness"], "the witness is read at first")
		before = poller.pulls["Witness"]
		self._clock.advance(seconds=after)
		eventually(lambda: poller.pulls["Witness"] > before, "the witness is read")


def _has_pulled(poller: WatchedPoller, name: str, times: int) -> bool:
	return poller.pulls[name] == times


# when it is due


def test_each_terminal_is_read_when_it_is_due(edge: Edge, clock: Clock) -> None:
	with Witness(clock) as witness, HikvisionTerminal(terminal_with_log(clock, 1, serial="RARE")) as terminal:
		poller = edge.poller(witness.device, hikvision(terminal.port, "Rare", poll_seconds=30))
		with running(poller):
			eventually(lambda: poller.pulls["Rare"] == 1)
			witness.is_read(poller)
			witness.is_read(poller)
			assert poller.pulls == {"Rare": 1, "Witness": 3}
			witness.is_read(poller)
			eventually(lambda: poller.pulls["Rare"] == 2)


def test_after_each_pull_whoever_waits_is_called(edge: Edge, clock: Clock) -> None:
	calls: list[int] = []
	with HikvisionTerminal(terminal_with_log(clock, 3)) as terminal:
		poller = edge.poller(hikvision(terminal.port), on_punches=lambda: calls.append(len(edge.held())))
		seen = edge.pulse.wait(-1, 0)
		with running(poller):
			eventually(lambda: calls)
	assert calls == [3]
	assert edge.pulse.wait(-1, 0) > seen
	assert poller.progress == {}


def test_a_fault_of_ours_after_a_pull_is_told_and_the_terminal_is_read_again(
	edge: Edge, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
	def fails(_device: Device) -> None:
		raise ZeroDivisionError

	with Witness(clock) as witness:
		poller = edge.poller(witness.device)
		poller._after_pull = fails
		with running(poller):
			witness.is_read(poller)
	assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
		"Witness: ZeroDivisionError()"
	] * 2


def test_due_times_move_with_a_clock_that_is_set_back(edge: Edge, clock: Clock) -> None:
	with Witness(clock) as witness:
		poller = edge.poller(witness.device)
		with running(poller):
			eventually(lambda: poller.pulls["Witness"] == 1)
			clock.advance(hours=-2)

			def read_after_a_while() -> bool:
				# The poller has to see the step before it sees what follows.
				clock.advance(seconds=0.05)
				return poller.pulls["Witness"] == 2

			eventually(read_after_a_while)
	assert clock() < MORNING - timedelta(hours=1, minutes=50)


def test_no_device_at_all_is_no_trouble(edge: Edge) -> None:
	poller = edge.poller()
	with running(poller):
		assert not poller.catching_up()


# the breaker


def test_five_failures_open_the_breaker_and_other_terminals_go_on(
	edge: Edge, clock: Clock, reserve_port: Callable[[], int]
) -> None:
	dark = hikvision(reserve_port(), "Dark", poll_seconds=1)
	with Witness(clock) as witness:
		poller = edge.poller(dark, witness.device)
		with running(poller):
			eventually(lambda: poller.pulls["Dark"] == 1)
			for failures in (2, 3, 4, 5):
				assert edge.record("Dark").open_until is None
				clock.advance(seconds=1.5)
				eventually(partial(_has_pulled, poller, "Dark", failures))
			record = edge.record("Dark")
			assert (record.failures, record.last_error_code) == (5, Code.UNREACHABLE.value)
			# 30 s, of which chance takes a quarter off here.
			assert record.open_until == clock() + timedelta(seconds=22.5)
			witness.is_read(poller)
			witness.is_read(poller)
			assert poller.pulls["Dark"] == 5
			witness.is_read(poller)
			eventually(lambda: poller.pulls["Dark"] == 6)
			assert edge.record("Dark").open_until == clock() + timedelta(seconds=45)


def test_a_terminal_that_comes_back_starts_from_zero(
	edge: Edge, clock: Clock, reserve_port: Callable[[], int]
) -> None:
	terminal = HikvisionTerminal(terminal_with_log(clock, 2), port=reserve_port())
	poller = edge.poller(hikvision(terminal.port))
	for failures in range(1, 7):
		assert poller.poll("Main gate") is None
		assert edge.record("Main gate").failures == failures
	with terminal:
		report = poller.poll("Main gate")
	assert report is not None
	assert report.complete
	record = edge.record("Main gate")
	assert (record.failures, record.open_until, record.last_error_code) == (0, None, "")
	assert poller.poll("Main gate") is None
	assert (edge.record("Main gate").failures, edge.record("Main gate").open_until) == (1, None)


def test_a_fault_of_our_own_with_one_terminal_does_not_stop_the_others(
	edge: Edge, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
	broken = Device(settings=hikvision(NO_PORT, "Broken").settings, config=None)
	with Witness(clock) as witness:
		poller = edge.poller(broken, witness.device)
		with running(poller):
			eventually(lambda: poller.pulls["Broken"] == 1)
			witness.is_read(poller)
	assert edge.record("Broken").last_error_code == Code.DEVICE_ERROR.value
	assert "Broken" in caplog.text


# refused passwords and locks

FIRST_PAUSE = AFTER_REFUSED_PASSWORD.delay(1, CHANCE).total_seconds()


def test_a_refused_password_is_tried_ever_more_seldom(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 1)
	with HikvisionTerminal(state) as terminal:
		poller = edge.poller(hikvision(terminal.port, password="hunter2-471100"))
		pauses = []
		for _ in range(5):
			poller.poll("Main gate")
			until = edge.record("Main gate").open_until
			assert until is not None
			pauses.append((until - clock()).total_seconds() / 3600)
			clock.advance(seconds=(until - clock()).total_seconds())
	# 1 h, doubled each time; three quarters of it with the chance of the rig.
	assert pauses == [0.75, 1.5, 3, 6, 12]


def test_a_refused_password_is_tried_once_in_half_an_hour(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 1)
	with Witness(clock) as witness, HikvisionTerminal(state) as terminal:
		wrong = hikvision(terminal.port, password="hunter2-471100", poll_seconds=1)
		poller = edge.poller(wrong, witness.device)
		with running(poller):
			eventually(lambda: poller.pulls["Main gate"] == 1)
			assert edge.record("Main gate").last_error_code == Code.AUTH_FAILED.value
			heard = requests(state)
			for _ in range(4):
				witness.is_read(poller, after=FIRST_PAUSE / 4 - 1)
			assert (requests(state), state.counters.credentialed_401) == (heard, 1)
			witness.is_read(poller)
			eventually(lambda: poller.pulls["Main gate"] == 2)
	assert (state.counters.credentialed_401, state.counters.wrong_passwords) == (2, 2)


def test_a_refused_comm_key_is_tried_once_in_half_an_hour(edge: Edge, clock: Clock) -> None:
	state = ZktecoState(zone=ZONE, comm_key=20261, now=clock)
	with Witness(clock) as witness, ZktecoTerminal(state) as terminal:
		poller = edge.poller(zkteco(terminal.port, comm_key=1), witness.device)
		with running(poller):
			eventually(lambda: poller.pulls["Workshop"] == 1)
			assert edge.record("Workshop").last_error_code == Code.AUTH_FAILED.value
			witness.is_read(poller, after=FIRST_PAUSE - 12)
			witness.is_read(poller)
	assert (state.counters["wrong_comm_key"], poller.pulls["Workshop"]) == (1, 1)


def test_a_refusal_of_the_former_password_says_nothing_of_the_new_one(
	edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
	former, corrected = hikvision(NO_PORT, password="a"), hikvision(NO_PORT, password="b")
	poller = edge.poller(former)

	def corrected_meanwhile(_reader: TerminalReader, _device: Device, **_rest: Any) -> PullReport:
		poller.replace([corrected])
		raise DeviceError(Code.AUTH_FAILED)

	monkeypatch.setattr(TerminalReader, "read", corrected_meanwhile)
	assert poller.poll("Main gate") is None
	poller.refused(former, DeviceError(Code.AUTH_FAILED))
	assert edge.record("Main gate").last_error_code == ""
	poller.refused(corrected, DeviceError(Code.AUTH_FAILED))
	assert edge.record("Main gate").last_error_code == Code.AUTH_FAILED.value


def test_who_let_the_former_password_in_has_not_let_the_new_one_in(
	edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
	former, changed = hikvision(NO_PORT, password="a"), hikvision(NO_PORT, password="b")
	poller = edge.poller(former)

	def changed_meanwhile(_reader: TerminalReader, _device: Device, **_rest: Any) -> PullReport:
		poller.replace([changed])
		return PullReport(device_serial="T1")

	monkeypatch.setattr(TerminalReader, "read", changed_meanwhile)
	poller.poll("Main gate")
	assert not poller.is_let_in("Main gate")


def test_a_new_start_of_the_duty_does_not_try_a_refused_password_again(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 1)
	with Witness(clock) as witness, HikvisionTerminal(state) as terminal:
		wrong = hikvision(terminal.port, password="hunter2-471100")
		poller = edge.poller(wrong, witness.device)
		first = Running(poller)
		first.start()
		eventually(lambda: poller.pulls == {"Main gate": 1, "Witness": 1})
		with edge.locked():
			clock.advance(seconds=11)
			error = store_error(first)
		assert (error.code, error.retryable) == (Code.DATABASE_LOCKED, True)
		with running(poller):
			witness.is_read(poller)
	assert (state.counters.credentialed_401, poller.pulls["Main gate"]) == (1, 1)


def test_a_new_agent_tries_a_refused_password_at_once(edge: Edge, clock: Clock) -> None:
	with HikvisionTerminal(terminal_with_log(clock, 1)) as terminal:
		edge.poller(hikvision(terminal.port, password="hunter2-471100")).poll("Main gate")
		with running(edge.poller(hikvision(terminal.port))):
			eventually(lambda: len(edge.held()) == 1)


def test_a_locked_terminal_is_left_alone_until_it_unlocks_over_a_restart_too(
	edge: Edge, clock: Clock
) -> None:
	state = terminal_with_log(clock, 1)
	verbs.lock_out(state, 600)
	with Witness(clock) as witness, HikvisionTerminal(state) as terminal:
		locked = hikvision(terminal.port, poll_seconds=1)
		poller = edge.poller(locked, witness.device)
		with running(poller):
			eventually(lambda: poller.pulls["Main gate"] == 1)
			assert edge.record("Main gate").last_error_code == Code.LOCKED_OUT.value
			until = edge.record("Main gate").open_until
			assert until is not None
			assert timedelta(seconds=590) < until - clock() <= timedelta(seconds=600)
			heard = requests(state)
			witness.is_read(poller, after=300)
		again = edge.poller(locked, witness.device)
		with running(again):
			witness.is_read(again, after=280)
			assert (requests(state), again.pulls["Main gate"]) == (heard, 0)
			# It may owe a backlog, but nobody waits for that.
			assert not again.catching_up()
			verbs.unlock(state)
			witness.is_read(again, after=20)
			eventually(lambda: again.pulls["Main gate"] == 1)
	assert state.counters.credentialed_401 == 0
	assert (edge.record("Main gate").last_error_code, len(edge.held())) == ("", 2)


def test_a_terminal_that_locks_for_ages_is_asked_again_the_next_day(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 1)
	verbs.lock_out(state, 10.0**17)
	with HikvisionTerminal(state) as terminal:
		edge.poller(hikvision(terminal.port)).poll("Main gate")
	assert edge.record("Main gate").last_error_code == Code.LOCKED_OUT.value
	assert edge.record("Main gate").open_until == clock() + LONGEST_LOCK_OUT


def test_another_terminal_at_the_address_is_an_error_with_both_serials(edge: Edge, clock: Clock) -> None:
	other = terminal_with_log(clock, 3, serial="HIK2")
	with Witness(clock) as witness, HikvisionTerminal(other) as terminal:
		poller = edge.poller(hikvision(terminal.port, serial="HIK1"), witness.device)
		with running(poller):
			eventually(lambda: poller.pulls == {"Main gate": 1, "Witness": 1})
	record = edge.record("Main gate")
	assert record.last_error_code == Code.WRONG_DEVICE.value
	assert "found=HIK2, expected=HIK1" in record.last_error_details
	assert {held.punch.device_serial for held in edge.held()} == {"WITNESS"}


# catching up


@pytest.mark.parametrize(
	("progress", "is_backlog"),
	[
		(Progress(done=3, expected=3, pages=1), False),
		(Progress(done=3, expected=None, pages=1), False),
		(Progress(done=30, expected=31, pages=1), True),  # the first page of two
		(Progress(done=31, expected=31, pages=2), True),
		(Progress(done=31, expected=None, pages=2), True),
	],
)
def test_what_a_backlog_is(progress: Progress, is_backlog: bool) -> None:
	assert progress.is_backlog is is_backlog


def test_it_is_catching_up_from_the_beginning_until_every_first_pull_is_over(
	edge: Edge, clock: Clock
) -> None:
	slow = terminal_with_log(clock, 1, serial="SLOW")
	verbs.set_fault(slow, "slow")
	with Witness(clock) as witness, HikvisionTerminal(slow) as terminal:
		poller = edge.poller(witness.device, hikvision(terminal.port, "Slow", timeout=30))
		assert poller.catching_up()  # nobody has even begun
		with running(poller):
			eventually(lambda: poller.pulls["Witness"] == 1)
			assert poller.catching_up()
			terminal.stop()
			eventually(lambda: not poller.catching_up())  # the slow one has failed
			assert edge.record("Slow").last_error_code in (Code.CONNECTION_LOST.value, Code.UNREACHABLE.value)


def test_one_that_breaks_off_in_its_first_pull_still_owes_the_rest(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 60)
	verbs.set_fault(state, "half-closed")
	state.half_close_every = 9
	with HikvisionTerminal(state) as terminal:
		poller = edge.poller(hikvision(terminal.port, poll_seconds=1))
		with running(poller):
			eventually(lambda: poller.pulls["Main gate"] == 1)
			assert edge.record("Main gate").last_error_code == Code.CONNECTION_LOST.value
			assert 0 < len(edge.held()) < 60
			assert poller.catching_up()
			verbs.set_fault(state, "half-closed", on=False)
			clock.advance(seconds=2)
			eventually(lambda: not poller.catching_up())
	assert len(edge.held()) == 60


def test_a_backlog_that_comes_later_is_waited_for_too_but_not_for_ever(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 1)
	with HikvisionTerminal(state) as terminal:
		poller = edge.poller(hikvision(terminal.port, timeout=30, page_size=5))
		with running(poller):
			eventually(lambda: not poller.catching_up())
			for minutes in range(50):
				verbs.punch(state, "7", at=clock() + timedelta(seconds=minutes))
			state.slow_seconds = 0.5
			verbs.set_fault(state, "slow")
			clock.advance(seconds=64)
			eventually(poller.catching_up)
			clock.advance(seconds=PATIENCE.total_seconds() - 1)
			assert poller.catching_up()
			clock.advance(seconds=1)
			assert not poller.catching_up()
			state.slow_seconds = 0.0
			eventually(lambda: len(edge.held()) == 51)
			eventually(lambda: not poller.progress)
			# The next backlog has patience of its own.
			assert not poller.catching_up()


# stopping


def test_a_stop_in_the_middle_of_a_long_pull_loses_nothing(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 100)
	state.slow_seconds = 0.2
	verbs.set_fault(state, "slow")
	with HikvisionTerminal(state) as terminal:
		device = hikvision(terminal.port, page_size=10)
		with running(edge.poller(device)) as handle:
			eventually(lambda: edge.held())
			assert handle.stop() < 3
		read_before = len(edge.held())
		assert 0 < read_before < 100
		assert edge.cursors.watermarks() == {}
		verbs.set_fault(state, "slow", on=False)
		with running(edge.poller(device)):
			eventually(lambda: edge.cursors.watermarks())
	assert len(edge.held()) == 100


def test_terminals_that_nobody_has_begun_to_read_do_not_keep_a_stop_waiting(edge: Edge) -> None:
	with ExitStack() as stack:
		ports = []
		for _ in range(12):
			# Takes connections and never answers.
			listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
			ports.append(listener.getsockname()[1])
		devices = [hikvision(port, f"D{port}", timeout=1.0) for port in ports]
		with running(edge.poller(*devices, workers=1)) as handle:
			eventually(lambda: edge.book.all())
			assert handle.stop() < 4


def test_a_store_that_fails_ends_the_run(edge: Edge, clock: Clock) -> None:
	with Witness(clock) as witness:
		handle = Running(edge.poller(witness.device))
		with edge.locked():
			handle.start()
			assert store_error(handle).code is Code.DATABASE_LOCKED
	assert edge.held() == []
