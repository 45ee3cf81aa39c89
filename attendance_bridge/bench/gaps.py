"""What a terminal holds and we do not: found by its own count, or by reading again where it cannot count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

import frappe

from attendance_bridge.bench import clock_guard, conversation, devices, moments
from attendance_bridge.bench.terminal import meet
from attendance_bridge.core.clock import EARLIEST_PLAUSIBLE_YEAR
from attendance_bridge.core.driver import Capability, Driver, Window

DAYS = 14
"""How far back the look goes, day by day."""
PATIENCE_SECONDS = 600
"""How long a look waits for a pull that is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
	"""What a terminal says it holds, and how much of it is here."""

	there: int | None
	"""None where it does not say."""
	here: int
	window: Window | None
	"""The range of time in which it may hold punches that are not here; None if it surely holds none."""


def count(device: str) -> Count:
	"""Compare what a terminal holds with what is here.

	:param device: name of a Device Configuration.
	:raises DeviceError: it cannot be asked, or is being read.
	"""
	zone = moments.zone_of(device)
	today = moments.utc_now().astimezone(zone).date()
	with conversation.alone_with(device, PATIENCE_SECONDS), devices.open_driver(device) as driver:
		info = meet(device, driver).info
		if Capability.COUNT in driver.spec.capabilities:
			return _count_by_days(driver, info.serial, last_days(today, zone))
	there, here = info.punches_held, held(info.serial)
	if there == here:
		return Count(there=there, here=here, window=None)
	# More than ever came here: everything. Less, or it does not say: it was cleared, and a gap may hide.
	earliest = date(EARLIEST_PLAUSIBLE_YEAR, 1, 1) if (there or 0) > here else today - timedelta(days=DAYS)
	window = Window(start=midnight(earliest, zone), end=midnight(today + timedelta(days=1), zone))
	return Count(there=there, here=here, window=window)


def _count_by_days(driver: Driver, serial: str, days: list[Window]) -> Count:
	return compare_by_days(serial, days, [driver.count(day) for day in days])


def compare_by_days(serial: str, days: list[Window], said: list[int | None]) -> Count:
	"""What a terminal says it holds in each of some days, beside what is here; a day of which it says nothing
	counts as here."""
	here = [_held_within(serial, day) for day in days]
	there = [held if number is None else number for number, held in zip(said, here, strict=True)]
	missing = [day for day, more, less in zip(days, there, here, strict=True) if more > less]
	return Count(
		there=None if all(number is None for number in said) else sum(there),
		# A day that was cleared on the terminal must not hide another one's gap.
		here=sum(min(more, less) for more, less in zip(there, here, strict=True)),
		window=Window(start=missing[0].start, end=missing[-1].end) if missing else None,
	)


def _held_within(serial: str, window: Window) -> int:
	"""By the time that the terminal itself has: what was re-timed here counts where it was recorded."""
	values = {"serial": serial, "start": moments.to_utc(window.start), "end": moments.to_utc(window.end)}
	(count,) = frappe.db.sql(
		"SELECT COUNT(*) FROM `tabPunch Log` WHERE `device_serial` = %(serial)s"
		" AND `occurred_utc` >= %(start)s AND `occurred_utc` < %(end)s AND `retimed_by` = 0",
		values,
	)[0]
	# Seldom anything was; and no index leads to it.
	if frappe.db.exists(clock_guard.LOG, {"kind": "Re-timed"}):
		(retimed,) = frappe.db.sql(
			"SELECT COUNT(*) FROM `tabPunch Log` WHERE `device_serial` = %(serial)s AND `retimed_by` <> 0"
			" AND TIMESTAMPADD(SECOND, -`retimed_by`, `occurred_utc`) >= %(start)s"
			" AND TIMESTAMPADD(SECOND, -`retimed_by`, `occurred_utc`) < %(end)s",
			values,
		)[0]
		count += retimed
	return int(count)


def held(serial: str) -> int:
	"""Records of a terminal that are here, readable or not."""
	(count,) = frappe.db.sql(
		"SELECT (SELECT COUNT(*) FROM `tabPunch Log` WHERE `device_serial` = %(serial)s)"
		" + (SELECT COUNT(*) FROM `tabUnreadable Record` WHERE `device_serial` = %(serial)s)",
		{"serial": serial},
	)[0]
	return int(count)


def last_days(today: date, zone: tzinfo) -> list[Window]:
	"""The days before today at a terminal, the oldest first."""
	days = [today - timedelta(days=ago) for ago in range(DAYS, 0, -1)]
	return [Window(start=midnight(day, zone), end=midnight(day + timedelta(days=1), zone)) for day in days]


def midnight(day: date, zone: tzinfo) -> datetime:
	"""When a day begins there."""
	return datetime.combine(day, time.min, zone)
