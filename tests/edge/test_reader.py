"""One contact with one terminal: what is earned by it, and what is not."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.clock import ClockRules
from attendance_bridge.core.driver import Page, Window
from attendance_bridge.core.errors import Code, DeviceError, StoreError
from attendance_bridge.core.pull import PullReport
from attendance_bridge.simulators.hikvision import HikvisionTerminal, verbs
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from tests.edge.rig import MORNING, ZONE, Clock, Edge, hikvision, terminal_with_log, zkteco


def test_a_complete_pull_under_a_right_clock_earns_the_watermark(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 40)

	def on_page(page: Page, report: PullReport) -> None:
		clock.advance(seconds=1)

	with HikvisionTerminal(state) as terminal:
		report = edge.reader().read(hikvision(terminal.port), on_page=on_page)
	assert (report.complete, report.new, report.pages > 1) == (True, 40, True)
	# Of when the reading began: what happened since may have been missed.
	assert edge.cursors.watermark("HIK1") == MORNING
	assert edge.record("Main gate").last_seen_at == MORNING
	# So a site that wanted a reading in the middle of this one does not take it for its own.
	assert edge.record("Main gate").last_pull_at == MORNING


def test_the_watermark_follows_the_pulls(edge: Edge, clock: Clock) -> None:
	with HikvisionTerminal(terminal_with_log(clock, 1)) as terminal:
		edge.reader().read(hikvision(terminal.port))
		clock.advance(minutes=3)
		edge.reader().read(hikvision(terminal.port))
	assert edge.cursors.watermark("HIK1") == MORNING + timedelta(minutes=3)


def test_a_wrong_clock_earns_none(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 2)
	verbs.set_fault(state, "wrong-clock")
	with HikvisionTerminal(state) as terminal:
		report = edge.reader().read(hikvision(terminal.port))
	assert (report.complete, report.doubtful) == (True, 2)
	assert edge.cursors.watermarks() == {}
	assert edge.record("Main gate").clock_offset == timedelta(hours=1)


def test_a_clock_within_the_tolerance_is_right_enough(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 1)
	verbs.jump_clock(state, timedelta(seconds=-119))
	with HikvisionTerminal(state) as terminal:
		edge.reader().read(hikvision(terminal.port))
	assert edge.cursors.watermark("HIK1") == MORNING


@pytest.mark.parametrize(
	("minutes", "corrected"),
	[(30, True), (-30, True), (50, False)],  # the site allows three quarters of an hour
)
def test_a_clock_is_corrected_within_the_bound(
	edge: Edge, clock: Clock, minutes: int, corrected: bool
) -> None:
	state = terminal_with_log(clock, 1)
	verbs.jump_clock(state, timedelta(minutes=minutes))
	reader = edge.reader()
	reader.go_by(ClockRules(), correct_clocks=True, largest=timedelta(minutes=45))
	with HikvisionTerminal(state) as terminal:
		reader.read(hikvision(terminal.port))
		reader.read(hikvision(terminal.port))
	offset = edge.record("Main gate").clock_offset
	assert offset == (timedelta(0) if corrected else timedelta(minutes=minutes))


def test_a_pull_that_breaks_off_keeps_what_came_and_earns_none(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 60)
	verbs.set_fault(state, "half-closed")
	state.half_close_every = 9
	with HikvisionTerminal(state) as terminal:
		report = edge.reader().read(hikvision(terminal.port))
		assert report.error is not None
		assert report.error.code is Code.CONNECTION_LOST
		assert 0 < report.new < 60
		assert edge.cursors.watermarks() == {}
		assert edge.record("Main gate").last_pull_complete is False
		verbs.set_fault(state, "half-closed", on=False)
		rest = edge.reader().read(hikvision(terminal.port))
	assert (rest.complete, report.new + rest.new, rest.known) == (True, 60, 0)
	assert edge.cursors.watermark("HIK1") == MORNING


def test_a_pull_that_is_stopped_earns_none(edge: Edge, clock: Clock) -> None:
	with HikvisionTerminal(terminal_with_log(clock, 60)) as terminal:
		report = edge.reader().read(hikvision(terminal.port), stop=lambda: True)
	assert (report.stopped, report.pages) == (True, 1)
	assert edge.cursors.watermarks() == {}


def test_a_window_moves_neither_cursor_nor_watermark(edge: Edge, clock: Clock) -> None:
	window = Window(start=clock() - timedelta(minutes=10), end=clock() - timedelta(minutes=5))
	with HikvisionTerminal(terminal_with_log(clock, 20)) as terminal:
		assert edge.reader().read(hikvision(terminal.port), window=window).new == 5
		assert edge.cursors.watermarks() == {}
		assert edge.reader().read(hikvision(terminal.port)).new == 15


def test_another_terminal_at_the_address_is_refused_and_not_read(edge: Edge, clock: Clock) -> None:
	with HikvisionTerminal(terminal_with_log(clock, 3, serial="HIK2")) as terminal:
		device = hikvision(terminal.port, serial="HIK1")
		with pytest.raises(DeviceError) as caught:
			edge.reader().read(device)
	assert caught.value.code is Code.WRONG_DEVICE
	assert (caught.value.details["found"], caught.value.details["expected"]) == ("HIK2", "HIK1")
	assert edge.held() == []
	assert edge.record("Main gate").serial == ""


def test_the_right_serial_number_is_read(edge: Edge, clock: Clock) -> None:
	with HikvisionTerminal(terminal_with_log(clock, 3)) as terminal:
		assert edge.reader().read(hikvision(terminal.port, serial="HIK1")).new == 3


def test_a_store_that_fails_is_an_error_and_the_cursor_stays(edge: Edge, clock: Clock) -> None:
	with HikvisionTerminal(terminal_with_log(clock, 3)) as terminal:
		with edge.locked(), pytest.raises(StoreError) as caught:
			edge.reader().read(hikvision(terminal.port))
		assert caught.value.code is Code.DATABASE_LOCKED
		assert edge.reader().read(hikvision(terminal.port)).new == 3


def test_a_zkteco_terminal_is_read_the_same_way(edge: Edge, clock: Clock) -> None:
	state = ZktecoState(serial="ZK1", zone=ZONE, comm_key=20261, now=clock)
	state.add_user("007", name="Somebody")
	with ZktecoTerminal(state) as terminal:
		device = zkteco(terminal.port, comm_key=20261)
		assert edge.reader().read(device).complete
		assert edge.cursors.watermark("ZK1") == MORNING
		assert edge.record("Workshop").clock_offset == timedelta(0)


def test_a_corrected_time_zone_times_what_is_held_anew(edge: Edge, clock: Clock) -> None:
	"""As on a site: what is no check-in yet was recorded by the zone that hangs on that wall."""
	state = terminal_with_log(clock, 2)
	with HikvisionTerminal(state) as terminal:
		device, reader = hikvision(terminal.port), edge.reader()
		reader.enter(device)
		reader.read(device)
	before = [held.punch for held in edge.held()]
	corrected = dataclasses.replace(device.settings, timezone=ZoneInfo("Asia/Kolkata"))
	reader.enter(dataclasses.replace(device, settings=corrected))
	after = [held.punch for held in edge.held()]
	assert [each.punch_id for each in after] == [each.punch_id for each in before]
	offsets = {one.occurred_utc - other.occurred_utc for one, other in zip(before, after, strict=True)}
	assert offsets == {timedelta(minutes=90)}
	assert edge.record("Main gate").clock_offset is None


def offsets(edge: Edge) -> list[timedelta]:
	"""How far ahead the clock of each punch is taken to have been, in order of recording."""
	return [each.reading.offset for each in edge.punches.undecided(99) if each.reading is not None]


def test_what_a_clock_recorded_that_was_set_between_two_contacts_is_doubtful(
	edge: Edge, clock: Clock
) -> None:
	state = terminal_with_log(clock, 1)
	with HikvisionTerminal(state) as terminal:
		device, reader = hikvision(terminal.port), edge.reader()
		reader.read(device)
		clock.advance(minutes=60)
		verbs.jump_clock(state, timedelta(minutes=-30))
		reader.read(device)  # seen wrong
		clock.advance(minutes=10)
		verbs.punch(state, "7")
		verbs.jump_clock(state, timedelta(minutes=30))  # set at its keypad
		clock.advance(minutes=10)
		assert reader.read(device).doubtful == 1
		clock.advance(minutes=10)
		verbs.punch(state, "7")
		assert reader.read(device).doubtful == 0
	assert offsets(edge) == [timedelta(0), timedelta(minutes=-30), timedelta(0)]


def test_what_comes_after_a_correction_is_beyond_doubt(edge: Edge, clock: Clock) -> None:
	state = terminal_with_log(clock, 1)
	with HikvisionTerminal(state) as terminal:
		device, reader = hikvision(terminal.port), edge.reader()
		reader.go_by(ClockRules(), correct_clocks=True)
		reader.read(device)
		clock.advance(minutes=60)
		verbs.jump_clock(state, timedelta(minutes=-30))
		reader.read(device)  # seen wrong, and set
		assert edge.record("Main gate").clock_offset == timedelta(0)
		clock.advance(minutes=5)
		verbs.punch(state, "7")
		assert reader.read(device).doubtful == 0
	assert offsets(edge) == [timedelta(0), timedelta(0)]
