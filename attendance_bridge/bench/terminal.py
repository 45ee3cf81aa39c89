"""One contact with one terminal: who are you, what is the time, what is new."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import frappe

from attendance_bridge.bench import clock_guard, conversation, devices, moments
from attendance_bridge.bench.clock_guard import GuardedClock
from attendance_bridge.bench.gathering import Gathering
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.core import drift
from attendance_bridge.core.clock import ClockReading, ClockRules, ClockVerdict, judge
from attendance_bridge.core.driver import Capability, DeviceInfo, Driver, Window, read_clock
from attendance_bridge.core.errors import DeviceError
from attendance_bridge.core.pull import OnPage, PullReport, pull
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.watermark import watermark_after_pull

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
	"""What a terminal said of itself when the conversation began."""

	driver: Driver
	info: DeviceInfo
	reading: ClockReading | None


def read(
	device: str,
	*,
	window: Window | None = None,
	on_page: OnPage | None = None,
	stop: Callable[[], bool] = lambda: False,
) -> PullReport:
	"""Pull what is new on a terminal, or what lies in `window`, into Punch Log.

	A pull that read to the end earns the terminal its watermark, if its clock can be trusted. State and
	punches are committed as they come.

	:param device: name of a Device Configuration.
	:returns: the report; its `error` tells what interrupted the pull.
	:raises DeviceError: no pull came about at all; BUSY with `by_us` while somebody else reads it.
	:raises StoreError: the punches could not be held.
	"""
	started_at, rules = moments.utc_now(), devices.rules().clock
	with conversation.alone_with(device), devices.open_driver(device) as driver:
		contact = meet(device, driver)
		log = PunchLog(device)
		report = pull(
			contact.info.serial,
			Gathering(driver),
			log,
			log,
			reading=contact.reading,
			window=window,
			is_doubtful=_doubts(contact.reading, rules, clock_guard.clock(device)),
			on_page=on_page,
			stop=stop,
		)
		if report.complete:
			_correct_clock(device, contact, rules, started_at)
	# Somebody may have saved the form meanwhile: what is written behind an older snapshot may be refused.
	frappe.db.commit()  # nosemgrep
	devices.pulled(device, report, at=moments.utc_now())
	if report.complete and window is None:
		watermark = watermark_after_pull(started_at, contact.reading, rules)
		if watermark is not None:
			devices.vouch(device, contact.info.serial, watermark)
	# All that the watermark vouches for is held by now.
	frappe.db.commit()  # nosemgrep
	return report


def meet(device: str, driver: Driver) -> Contact:
	"""Ask a terminal who it is and what its clock says, and write it down. Commits.

	:raises DeviceError: it does not answer, or WRONG_DEVICE.
	"""
	info = driver.identify()
	devices.check_serial(device, info)
	contact = Contact(driver=driver, info=info, reading=read_clock(driver))
	# As in `read`: the terminal took its time to answer.
	frappe.db.commit()  # nosemgrep
	devices.contacted(device, info, contact.reading, at=moments.utc_now())
	# What was learnt of the terminal holds, whatever becomes of the pull.
	frappe.db.commit()  # nosemgrep
	return contact


def _correct_clock(device: str, contact: Contact, rules: ClockRules, started_at: datetime) -> None:
	"""Set a clock that is wrong, if the settings say so: after the log was read, so that nothing is mixed.

	One that is further off than the settings allow is left to a person. A terminal that does not take it
	leaves the pull as good as it was.
	"""
	reading = contact.reading
	if reading is None or drift.is_right(reading, rules) or not clock_guard.corrects_by_itself():
		return
	if Capability.SET_CLOCK not in contact.driver.spec.capabilities:
		return
	if not drift.may_correct(reading.offset, rules, largest=clock_guard.largest_correction()):
		clock_guard.note_no_correction(device, reading)
		return
	try:
		devices.set_clock(device, contact.driver, reading, started_at)
	except DeviceError as error:
		logger.warning("%s: its clock could not be set: %s", device, error)


def _doubts(reading: ClockReading | None, rules: ClockRules, clock: GuardedClock) -> Callable[[Punch], bool]:
	arrival = clock.arrivals(reading, clock.state.good_until, rules)

	def is_doubtful(punch: Punch) -> bool:
		good_until, jumped_by = arrival(punch.occurred_at)
		verdict = judge(punch.occurred_at, reading, rules, good_until=good_until, jumped_by=jumped_by)
		return verdict is not ClockVerdict.TRUSTED

	return is_doubtful
