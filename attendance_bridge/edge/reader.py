"""One contact with one terminal: who are you, what is the time, what is new."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from attendance_bridge import drivers
from attendance_bridge.core.clock import ClockReading, ClockRules, ClockVerdict, judge
from attendance_bridge.core.drift import Doubt, doubt_after_setting, doubt_between, may_correct
from attendance_bridge.core.driver import (
	Capability,
	DeviceInfo,
	Driver,
	LiveDriver,
	Now,
	Page,
	Window,
	read_clock,
)
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.pull import OnPage, PullReport, pull
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.relay import CountReport, CountWish
from attendance_bridge.core.watermark import watermark_after_pull
from attendance_bridge.edge.correcting import Correcting
from attendance_bridge.edge.doubting import DoubtingSink
from attendance_bridge.edge.settings import Device
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.devices import DeviceBook, DeviceRecord
from attendance_bridge.stores.punches import PunchStore

logger = logging.getLogger(__name__)


def open_driver(device: Device, now: Now) -> Driver:
	"""A conversation with a configured terminal; nothing is sent yet."""
	driver_class: Any = drivers.load(device.settings.driver)
	driver: Driver = driver_class(device.config, zone=device.settings.timezone, now=now)
	return driver


class TerminalReader:
	"""Reads terminals into the store, and keeps the book of what was seen of them."""

	def __init__(
		self,
		*,
		punches: PunchStore,
		cursors: SqliteCursors,
		book: DeviceBook,
		clock_rules: ClockRules,
		now: Now,
	) -> None:
		self._punches = punches
		self._cursors = cursors
		self._book = book
		self._clock_rules = clock_rules
		self._correct_clocks = False
		self._largest_correction = timedelta.max
		self._now = now
		self._doubts: dict[str, Doubt] = {}
		"""By name, until the terminal was read to its end: what its clock may have recorded wrong."""

	def go_by(
		self, clock_rules: ClockRules, *, correct_clocks: bool, largest: timedelta = timedelta.max
	) -> None:
		"""Judge clocks by these rules from the next contact on, and set those that are wrong, if wanted.

		:param largest: a clock that is further off is left to a person.
		"""
		self._clock_rules = clock_rules
		self._correct_clocks = correct_clocks
		self._largest_correction = largest

	@property
	def correcting(self) -> Correcting:
		"""The same for those who do not read: when a clock counts as right, and which are to be set."""
		return Correcting(
			rules=self._clock_rules, is_wanted=self._correct_clocks, largest=self._largest_correction
		)

	def enter(self, device: Device) -> None:
		"""Write into the book what the configuration says of a terminal.

		What is held of one whose time zone was corrected is timed anew.
		"""
		before, zone = self._book.find(device.settings.name), device.settings.timezone
		if before is not None and before.serial and before.zone not in ("", zone.key):
			made = self._punches.rezone(before.serial, before.zone, zone)
			logger.info("%s: %d held punches are timed by %s now", device.settings.name, made, zone.key)
		self._book.place(
			device.settings.name,
			driver=device.settings.driver,
			host=device.config.host,
			port=device.config.port,
			role=device.settings.role.value,
			zone=zone.key,
		)
		record = self._book.find(device.settings.name)
		if record is not None and record.serial:
			self._book.keep_policy(record.serial, device.settings.policy)

	def read(
		self,
		device: Device,
		*,
		window: Window | None = None,
		on_page: OnPage | None = None,
		stop: Callable[[], bool] = lambda: False,
	) -> PullReport:
		"""Pull what is new, or what lies in `window`.

		A pull that read to the end earns the terminal its watermark, if its clock can be trusted.

		:returns: the report; its `error` tells what interrupted the pull.
		:raises DeviceError: no pull came about at all.
		:raises StoreError: the punches could not be held.
		"""
		started_at, rules = self._now(), self._clock_rules
		name = device.settings.name
		with open_driver(device, self._now) as driver:
			info, reading = self._meet(device, driver, rules)
			record = self._book.find(name)
			good_until = record.clock_good_until if record else None
			sink = DoubtingSink(self._punches, self._doubts.get(name))
			report = pull(
				info.serial,
				driver,
				self._cursors,
				sink,
				reading=reading,
				window=window,
				is_doubtful=partial(_is_doubtful, reading, rules, good_until, sink),
				on_page=on_page,
				stop=stop,
			)
			if report.complete and window is None:
				self._doubts.pop(name, None)
			if report.complete and self._correct_clocks:
				self._correct_clock(name, driver, info, reading, started_at)
		# Of when it began: whoever has wanted a reading since then has not had theirs.
		self._book.pulled(name, report, at=started_at)
		if report.complete and window is None:
			watermark = watermark_after_pull(started_at, reading, rules)
			if watermark is not None:
				self._cursors.vouch(info.serial, watermark)
		return report

	def count(self, device: Device, wish: CountWish) -> CountReport:
		"""Ask a terminal how many punches it holds; where that is wanted, read it again first.

		:raises DeviceError: it cannot be asked, or breaks off.
		:raises StoreError: what it gave could not be held.
		"""
		zone = device.settings.timezone
		spans = [Window(start=start.astimezone(zone), end=end.astimezone(zone)) for start, end in wish.spans]
		read_again = None
		if wish.again and spans:
			report = self.read(device, window=Window(start=spans[0].start, end=spans[-1].end))
			if report.error is not None:
				raise report.error
			read_again = report.fetched + report.unreadable
		with open_driver(device, self._now) as driver:
			info = driver.identify()
			self._refuse_another(device, info)
			if Capability.COUNT not in driver.spec.capabilities:
				return CountReport(token=wish.token, total=info.punches_held, spans=(), read_again=read_again)
			there = tuple(driver.count(span) for span in spans)
			return CountReport(token=wish.token, total=None, spans=there, read_again=read_again)

	def listen(self, device: Device, stop: Callable[[], bool]) -> Iterator[tuple[Page, Accepted]]:
		"""Hold what a terminal tells as it happens, page by page; each is durable before it is yielded.

		The cursor is not moved and no watermark is earned: only a pull knows that nothing is missing.

		:raises DeviceError: the terminal cannot be listened to (any more).
		:raises StoreError: a page could not be held; it is not acknowledged either.
		"""
		name = device.settings.name
		with open_driver(device, self._now) as driver:
			if not isinstance(driver, LiveDriver) or Capability.LIVE not in driver.spec.capabilities:
				raise DeviceError(Code.NOT_SUPPORTED, what="live")
			info, _reading = self._meet(device, driver, self._clock_rules)
			for page in driver.listen(stop):
				yield page, self._punches.accept(page, info.serial, self._last_look(name))

	def _meet(
		self, device: Device, driver: Driver, rules: ClockRules
	) -> tuple[DeviceInfo, ClockReading | None]:
		"""Who are you, what is the time; written down."""
		started_at = self._now()
		info = driver.identify()
		self._refuse_another(device, info)
		reading = read_clock(driver)
		self._look_for_a_jump(device.settings.name, info, reading, rules)
		self._book.contact(device.settings.name, info, at=started_at, reading=reading, rules=rules)
		self._book.keep_policy(info.serial, device.settings.policy)
		return info, reading

	def _last_look(self, name: str) -> ClockReading | None:
		record, now = self._book.find(name), self._now()
		return look_by_last([record] if record else [], record.serial if record else "", now)

	def _look_for_a_jump(
		self, name: str, info: DeviceInfo, reading: ClockReading | None, rules: ClockRules
	) -> None:
		"""Whether its clock was wrong at the contact before and is right now; before this one is kept."""
		before = self._book.find(name)
		if before is None or before.serial != info.serial or reading is None:
			return
		doubt = doubt_between(before.clock_offset, reading, rules, before.clock_good_until)
		if doubt is not None:
			self._doubts[name] = doubt

	def _correct_clock(
		self,
		name: str,
		driver: Driver,
		info: DeviceInfo,
		reading: ClockReading | None,
		started_at: datetime,
	) -> None:
		"""After the log was read, so that nothing is mixed. A failure leaves the pull as good as it was."""
		rules = self._clock_rules
		if reading is None or not may_correct(reading.offset, rules, largest=self._largest_correction):
			return
		if Capability.SET_CLOCK not in driver.spec.capabilities:
			return
		try:
			set_at = self._now()
			driver.set_clock(set_at)
			# What was made up to the beginning of this pull is here already, judged under the wrong clock.
			self._doubts[name] = doubt_after_setting(reading, set_at, started_at)
			after = read_clock(driver)
			self._book.contact(name, info, at=set_at, reading=after, rules=rules)
		except DeviceError as error:
			logger.warning("%s: its clock could not be set (%s)", name, error.code.value)

	def _refuse_another(self, device: Device, info: DeviceInfo) -> None:
		"""A terminal is its serial number; an address may have come to be another's."""
		expected = device.settings.serial
		if expected and info.serial != expected:
			raise DeviceError(
				Code.WRONG_DEVICE,
				host=device.config.host,
				port=device.config.port,
				found=info.serial,
				expected=expected,
			)


def look_by_last(records: Iterable[DeviceRecord], serial: str, now: datetime) -> ClockReading | None:
	"""The clock of a terminal at this moment, if it has gone on as it went when somebody last looked.

	What comes by itself brings no look at the clock, and must not be believed more than what is pulled.
	"""
	for record in records:
		if record.serial == serial and record.clock_offset is not None:
			return ClockReading(taken_at=now, device_time=now + record.clock_offset)
	return None


def _is_doubtful(
	reading: ClockReading | None,
	rules: ClockRules,
	good_until: datetime | None,
	sink: DoubtingSink,
	punch: Punch,
) -> bool:
	if sink.is_doubtful(punch):
		return True
	return judge(punch.occurred_at, reading, rules, good_until=good_until) is not ClockVerdict.TRUSTED
