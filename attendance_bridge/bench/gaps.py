"""What a terminal holds and we do not: found by its own count, or by reading again where it cannot count."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

import frappe

from attendance_bridge.bench import conversation, devices, moments
from attendance_bridge.bench.terminal import meet
from attendance_bridge.core.clock import EARLIEST_PLAUSIBLE_YEAR
from attendance_bridge.core.driver import Capability, Driver, Window

DAYS = 14
"""How far back the look goes, day by day."""
PATIENCE_SECONDS = 600
"""How long a look waits for a pull that is under way."""


def find(device: str) -> Window | None:
	"""The range of time in which a terminal may hold punches that are not here; None if it surely holds none.

	:param device: name of a Device Configuration.
	:raises DeviceError: it cannot be asked, or is being read.
	"""
	zone = moments.zone_of(device)
	today = moments.utc_now().astimezone(zone).date()
	with conversation.alone_with(device, PATIENCE_SECONDS), devices.open_driver(device) as driver:
		info = meet(device, driver).info
		if Capability.COUNT in driver.spec.capabilities:
			missing = [day for day in _last_days(today, zone) if _is_missing_some(driver, info.serial, day)]
			return Window(start=missing[0].start, end=missing[-1].end) if missing else None
	there, here = info.punches_held, _held(info.serial)
	if there == here:
		return None
	# More than ever came here: everything. Less, or it does not say: it was cleared, and a gap may hide.
	earliest = date(EARLIEST_PLAUSIBLE_YEAR, 1, 1) if (there or 0) > here else today - timedelta(days=DAYS)
	return Window(start=_midnight(earliest, zone), end=_midnight(today + timedelta(days=1), zone))


def _is_missing_some(driver: Driver, serial: str, window: Window) -> bool:
	there = driver.count(window)
	return bool(there) and there > _held_within(serial, window)


def _held_within(serial: str, window: Window) -> int:
	(count,) = frappe.db.sql(
		"SELECT COUNT(*) FROM `tabPunch Log`"
		" WHERE `device_serial` = %s AND `occurred_utc` >= %s AND `occurred_utc` < %s",
		(serial, moments.to_utc(window.start), moments.to_utc(window.end)),
	)[0]
	return int(count)


def _held(serial: str) -> int:
	"""Records of a terminal that are here, readable or not."""
	(count,) = frappe.db.sql(
		"SELECT (SELECT COUNT(*) FROM `tabPunch Log` WHERE `device_serial` = %(serial)s)"
		" + (SELECT COUNT(*) FROM `tabUnreadable Record` WHERE `device_serial` = %(serial)s)",
		{"serial": serial},
	)[0]
	return int(count)


def _last_days(today: date, zone: tzinfo) -> list[Window]:
	days = [today - timedelta(days=ago) for ago in range(DAYS, 0, -1)]
	return [Window(start=_midnight(day, zone), end=_midnight(day + timedelta(days=1), zone)) for day in days]


def _midnight(day: date, zone: tzinfo) -> datetime:
	return datetime.combine(day, time.min, zone)
