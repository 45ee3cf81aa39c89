"""One contact with one terminal: who are you, what is the time, what is new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import frappe

from attendance_bridge.bench import conversation, devices, moments
from attendance_bridge.bench.gathering import Gathering
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.core.clock import ClockReading, ClockRules, ClockVerdict, judge
from attendance_bridge.core.driver import Capability, DeviceInfo, Driver, Window, read_clock
from attendance_bridge.core.pull import OnPage, PullReport, pull
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.watermark import watermark_after_pull


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
			is_doubtful=partial(_is_doubtful, contact.reading, rules, _good_until(device)),
			on_page=on_page,
			stop=stop,
		)
		if report.complete:
			_correct_clock(contact, rules)
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


def _correct_clock(contact: Contact, rules: ClockRules) -> None:
	"""Set a clock that is wrong, if the settings say so: after the log was read, so that nothing is mixed."""
	wrong = contact.reading is not None and abs(contact.reading.offset) > rules.tolerance
	settable = Capability.SET_CLOCK in contact.driver.spec.capabilities
	if wrong and settable and frappe.db.get_single_value("Attendance Bridge Settings", "correct_clocks"):
		contact.driver.set_clock(moments.utc_now())


def _good_until(device: str) -> datetime | None:
	"""The last moment at which the terminal's clock was seen to be right."""
	held = frappe.db.get_value("Device Configuration", device, "clock_good_until")
	return moments.from_site(held) if held else None


def _is_doubtful(
	reading: ClockReading | None, rules: ClockRules, good_until: datetime | None, punch: Punch
) -> bool:
	return judge(punch.occurred_at, reading, rules, good_until=good_until) is not ClockVerdict.TRUSTED
