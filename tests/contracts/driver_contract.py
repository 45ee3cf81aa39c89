"""What every driver must be able to do, whatever its terminal: inherit `DriverContract` and supply a rig.

A rig is a terminal that a test can play with, speaking the real protocol on a real socket. The contract knows
nothing about the protocol; it counts punches.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.core.driver import Capability, Driver, Page, Window
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.pull import PullReport, pull
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.recording import Recordable, Tape

SECRET = "hunter2-471100"
"""What a rig uses as the wrong password, if its protocol takes text."""

Key = tuple[str, datetime]
"""(device_user_id, wall time): enough to recognise a punch on one terminal."""


def now() -> datetime:
	return datetime.now(timezone.utc)


class Rig(ABC):
	"""One simulated terminal with a log of some hundred punches over several days, and ways to disturb it."""

	zone: ZoneInfo = ZoneInfo("Asia/Dubai")

	@abstractmethod
	def driver(self) -> Driver:
		"""A new conversation with right credentials and short time-outs (about a second)."""

	@abstractmethod
	def driver_with_wrong_password(self) -> Driver:
		"""A new conversation whose credentials the terminal refuses."""

	@abstractmethod
	def driver_to_nowhere(self) -> Driver:
		"""A conversation with a loopback port on which nothing listens."""

	@abstractmethod
	def refused_attempts(self) -> int:
		"""How many wrong credentials the terminal has seen."""

	@abstractmethod
	def expected(self) -> set[Key]:
		"""What the terminal holds, as the terminal knows it."""

	@abstractmethod
	def punch(self, device_user_id: str, wall_time: datetime) -> None:
		"""Somebody punches; the terminal records this naive wall time."""

	@abstractmethod
	def clear(self) -> None:
		"""Empty the terminal's log."""

	@abstractmethod
	def fault(self, name: str) -> None:
		"""Switch on one of: slow, garbage, half-closed, bad-date-row, wrong-clock (an hour fast), reboot."""

	@abstractmethod
	def mend(self) -> None:
		"""Switch every fault off."""

	@abstractmethod
	def bad_rows(self) -> int:
		"""How many unreadable records the fault bad-date-row has put into the log."""

	@abstractmethod
	def left_as_found(self) -> bool:
		"""Whether the terminal is enabled and was never disabled."""

	@abstractmethod
	def secrets(self) -> tuple[str, ...]:
		"""Texts that must never appear anywhere."""


class Held:
	"""A sink and a cursor store in memory, as strict as a durable one."""

	def __init__(self) -> None:
		self.punches: dict[object, Punch] = {}
		self.unreadable: set[str] = set()
		self.cursor = START

	def accept(self, page: Page, device_serial: str, reading: ClockReading | None) -> Accepted:
		before, bad_before = len(self.punches), len(self.unreadable)
		for punch in page.punches:
			assert punch.device_serial == device_serial
			self.punches.setdefault(punch.punch_id, punch)
		self.unreadable |= {row.raw for row in page.unreadable}
		new = len(self.punches) - before
		return Accepted(new=new, known=len(page.punches) - new, unreadable=len(self.unreadable) - bad_before)

	def load(self, device_serial: str) -> Cursor:
		return self.cursor

	def save(self, device_serial: str, cursor: Cursor) -> None:
		self.cursor = Cursor.from_text(cursor.to_text())

	def recorded(self) -> set[Key]:
		return {(punch.device_user_id, punch.wall_time) for punch in self.punches.values()}


class DriverContract(ABC):
	@pytest.fixture
	@abstractmethod
	def rig(self) -> Iterator[Rig]: ...

	def pull(self, rig: Rig, held: Held, *, pages: int | None = None) -> PullReport:
		taken = 0

		def stop() -> bool:
			nonlocal taken
			taken += 1
			return pages is not None and taken >= pages

		with rig.driver() as driver:
			return pull(driver.identify().serial, driver, held, held, stop=stop)

	# --- the whole log

	def test_every_punch_arrives_as_it_was_recorded(self, rig: Rig) -> None:
		held = Held()
		report = self.pull(rig, held)
		assert report.complete
		assert held.recorded() == rig.expected()
		assert report.new == len(rig.expected())
		assert rig.left_as_found()

	def test_a_second_pull_brings_nothing_new(self, rig: Rig) -> None:
		held = Held()
		self.pull(rig, held)
		again = self.pull(rig, held)
		assert (again.complete, again.new) == (True, 0)

	def test_a_pull_from_the_beginning_brings_nothing_new(self, rig: Rig) -> None:
		held = Held()
		self.pull(rig, held)
		held.cursor = START
		report = self.pull(rig, held)
		assert (report.new, report.known) == (0, len(rig.expected()))

	def test_a_new_punch_is_found_from_the_cursor(self, rig: Rig) -> None:
		held = Held()
		self.pull(rig, held)
		wall_time = datetime.now(rig.zone).replace(tzinfo=None, microsecond=0)
		rig.punch("00042", wall_time)
		assert self.pull(rig, held).new == 1
		assert ("00042", wall_time) in held.recorded()

	def test_the_same_punch_twice_is_one_punch(self, rig: Rig) -> None:
		held = Held()
		self.pull(rig, held)
		wall_time = datetime.now(rig.zone).replace(tzinfo=None, microsecond=0)
		rig.punch("5", wall_time)
		rig.punch("5", wall_time)
		assert self.pull(rig, held).new == 1

	def test_a_punch_with_an_older_time_is_not_missed(self, rig: Rig) -> None:
		"""The clock went back: the log goes on with times before its last."""
		held = Held()
		self.pull(rig, held)
		wall_time = max(moment for _, moment in rig.expected() if moment.year < 2050) - timedelta(minutes=7)
		rig.punch("6", wall_time)
		assert self.pull(rig, held).complete
		assert ("6", wall_time) in held.recorded()

	def test_resuming_from_every_cursor_loses_nothing(self, rig: Rig) -> None:
		"""The agent is stopped after each page, and each time another conversation goes on."""
		held = Held()
		for _ in range(1000):
			if self.pull(rig, held, pages=1).new == 0 and held.recorded() == rig.expected():
				break
		assert held.recorded() == rig.expected()

	def test_an_empty_log(self, rig: Rig) -> None:
		rig.clear()
		held = Held()
		report = self.pull(rig, held)
		assert (report.complete, report.fetched, report.pages >= 1) == (True, 0, True)
		wall_time = datetime.now(rig.zone).replace(tzinfo=None, microsecond=0)
		rig.punch("1", wall_time)
		assert self.pull(rig, held).new == 1

	def test_a_cleared_log_is_read_again(self, rig: Rig) -> None:
		held = Held()
		self.pull(rig, held)
		before = held.recorded()
		rig.clear()
		wall_time = datetime.now(rig.zone).replace(tzinfo=None, microsecond=0)
		rig.punch("1", wall_time)
		self.pull(rig, held)
		assert held.recorded() == before | {("1", wall_time)}

	def test_a_foreign_cursor_means_from_the_beginning(self, rig: Rig) -> None:
		held = Held()
		held.cursor = Cursor({"made_by": "another driver", "records": "many", "serial_no": -3})
		self.pull(rig, held)
		assert held.recorded() == rig.expected()

	def test_a_window_takes_what_lies_in_it(self, rig: Rig) -> None:
		days = sorted({moment.date() for _, moment in rig.expected() if 2010 < moment.year < 2050})
		start = datetime.combine(days[1], datetime.min.time())
		window = Window(
			start=start.replace(tzinfo=rig.zone), end=(start + timedelta(days=1)).replace(tzinfo=rig.zone)
		)
		held = Held()
		with rig.driver() as driver:
			report = pull(driver.identify().serial, driver, held, held, window=window)
		wanted = {key for key in rig.expected() if start <= key[1] < start + timedelta(days=1)}
		assert report.complete
		assert held.recorded() == wanted
		assert held.cursor == START

	# --- the terminal's clock

	def test_the_clock_is_read_in_the_terminals_zone(self, rig: Rig) -> None:
		with rig.driver() as driver:
			reading = driver.read_clock()
		assert reading.device_time.utcoffset() == timedelta(hours=4)
		assert abs(reading.offset) < timedelta(seconds=10)

	def test_a_wrong_clock_is_seen_and_set(self, rig: Rig) -> None:
		rig.fault("wrong-clock")
		with rig.driver() as driver:
			assert timedelta(minutes=59) < driver.read_clock().offset < timedelta(minutes=61)
		if Capability.SET_CLOCK in type(driver).spec.capabilities:
			with rig.driver() as driver:
				driver.set_clock(now())
				assert abs(driver.read_clock().offset) < timedelta(seconds=10)

	# --- a terminal that misbehaves

	def test_one_bad_row_loses_no_other(self, rig: Rig) -> None:
		rig.fault("bad-date-row")
		held = Held()
		report = self.pull(rig, held)
		assert report.complete
		assert held.recorded() == rig.expected()
		assert 0 < report.unreadable <= rig.bad_rows()

	def test_a_wrong_password_is_tried_once(self, rig: Rig) -> None:
		with rig.driver_with_wrong_password() as driver:
			for act in (driver.identify, driver.read_clock, lambda: list(driver.fetch(START))):
				with pytest.raises(DeviceError) as caught:
					act()
				assert caught.value.code in (Code.AUTH_FAILED, Code.LOCKED_OUT)
				assert not caught.value.retryable
		assert rig.refused_attempts() == 1

	def test_nobody_there(self, rig: Rig) -> None:
		with rig.driver_to_nowhere() as driver, pytest.raises(DeviceError) as caught:
			driver.identify()
		assert (caught.value.code, caught.value.retryable) == (Code.UNREACHABLE, True)

	@pytest.mark.parametrize("fault", ["slow", "garbage", "half-closed"])
	def test_trouble_is_named_and_nothing_is_lost(self, rig: Rig, fault: str) -> None:
		held = Held()
		rig.fault(fault)
		codes = {
			"slow": {Code.TIMEOUT},
			"garbage": {Code.GARBAGE, Code.CONNECTION_LOST, Code.UNREACHABLE, Code.TIMEOUT, Code.TOO_LARGE},
			"half-closed": {Code.CONNECTION_LOST, Code.GARBAGE},
		}[fault]
		try:
			report = self.pull(rig, held)
			error = report.error
		except DeviceError as caught:
			error = caught
		assert error is not None
		assert error.code in codes
		assert held.recorded() <= rig.expected()
		rig.mend()
		self.pull(rig, held)
		assert held.recorded() == rig.expected()
		assert rig.left_as_found()

	# --- what must not be seen

	def test_no_secret_in_any_log_or_repr(self, rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
		caplog.set_level(logging.DEBUG)
		shown: list[str] = []
		for driver in (rig.driver(), rig.driver_with_wrong_password()):
			tape = Tape()
			if isinstance(driver, Recordable):
				driver.overhear(tape)
			with driver:
				shown += [repr(driver), repr(vars(driver))]
				try:
					driver.identify()
				except DeviceError as error:
					shown += [
						repr(error),
						str(error),
						str(error.details),
						repr(error.__cause__),
						repr(error.__context__),
					]
			# What is on a tape is redacted later; a password is not on it even before.
			shown += [repr(tape), repr(tape.notes), repr([dict(note.facts) for note in tape.notes])]
		shown += [record.getMessage() for record in caplog.records]
		for secret in rig.secrets():
			assert secret not in "\n".join(shown)
