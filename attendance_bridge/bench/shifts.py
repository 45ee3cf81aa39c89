"""How far HRMS may judge a shift: `Shift Type.last_sync_of_checkin` follows the watermarks of the terminals.

HRMS marks people Absent up to that time. It is moved to the least watermark of all enabled terminals that
serve the shift, not past a punch that waits for its decision or its check-in, and never back. A shift that
no terminal serves is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import frappe

from attendance_bridge.bench import messages, moments
from attendance_bridge.bench.turn import alone
from attendance_bridge.core.watermark import shift_watermark

REASON_FIELD = "attendance_bridge_status"
"""The custom field of Shift Type that tells people how far attendance can be judged, and why not further."""


class Holder(str, Enum):
	"""What keeps a shift from being judged later than it may be."""

	NEVER_READ = "never_read"
	"""A terminal that serves it was not read to its end yet under a right clock."""
	DEVICE = "device"
	"""The terminal with the least watermark."""
	WAITING_PUNCH = "waiting_punch"
	"""A punch that is held, and not yet decided or no check-in yet."""
	HRMS = "hrms"
	"""Auto Update Last Sync is on: HRMS moves the time by itself, whether terminals were read or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftStanding:
	"""How far one shift is vouched for, and by what it is held there."""

	shift: str
	until: datetime | None
	"""Aware; None while nothing is vouched for."""
	holder: Holder
	device: str
	"""The terminal with the least watermark."""


def move_all() -> list[ShiftStanding]:
	"""Bring every shift that terminals serve up to date; returns how each stands. Commits.

	In a turn, so that watermarks and waiting punches are read as of one moment: a punch is held before its
	terminal's watermark passes it.
	"""
	return alone(_move_all)


def standings() -> list[ShiftStanding]:
	"""How each shift that enabled terminals serve stands; nothing is moved."""
	waiting = _oldest_waiting()
	auto = set(
		frappe.get_all("Shift Type", filters={"auto_update_last_sync": 1}, pluck="name", order_by=None)
	)
	return [
		_standing(shift, devices, waiting, moved_by_hrms=shift in auto)
		for shift, devices in sorted(_devices_by_shift().items())
	]


def _move_all() -> list[ShiftStanding]:
	found = standings()
	for standing in found:
		if standing.until is not None and standing.holder is not Holder.HRMS:
			_move(standing.shift, moments.to_site(standing.until))
		_explain(standing)
	_explain_no_more(standing.shift for standing in found)
	return found


def _standing(
	shift: str, devices: Iterable[Any], waiting: datetime | None, *, moved_by_hrms: bool
) -> ShiftStanding:
	least = min(
		devices, key=lambda device: (device.watermark is not None, device.watermark or 0, device.name)
	)
	until = shift_watermark(
		moments.from_site(device.watermark) if device.watermark else None for device in devices
	)
	holder = Holder.DEVICE if until is not None else Holder.NEVER_READ
	if until is not None and waiting is not None and waiting < until:
		until, holder = waiting, Holder.WAITING_PUNCH
	if moved_by_hrms:
		holder = Holder.HRMS
	return ShiftStanding(shift=shift, until=until, holder=holder, device=least.name)


def _devices_by_shift() -> dict[str, list[Any]]:
	served: dict[str, list[Any]] = defaultdict(list)
	rows = frappe.db.sql(
		"SELECT `device`.`name`, `device`.`watermark`, `served`.`shift_type`"
		" FROM `tabDevice Shift` AS `served` JOIN `tabDevice Configuration` AS `device`"
		" ON `served`.`parent` = `device`.`name` AND `served`.`parenttype` = 'Device Configuration'"
		" WHERE `device`.`enabled` = 1",
		as_dict=True,
	)
	for row in rows:
		served[row.shift_type].append(row)
	return served


def _oldest_waiting() -> datetime | None:
	"""The moment of the oldest punch that is neither a check-in nor decided to be none."""
	oldest = [
		moment
		for status in ("Received", "Pending")
		for (moment,) in frappe.db.sql(
			"SELECT `occurred_utc` FROM `tabPunch Log` WHERE `status` = %s ORDER BY `occurred_utc` LIMIT 1",
			status,
		)
	]
	return moments.from_utc(min(oldest)) if oldest else None


def _move(shift: str, until: datetime) -> None:
	# The condition stands in the statement: somebody may have moved it by hand since it was read.
	frappe.db.sql(
		"UPDATE `tabShift Type` SET `last_sync_of_checkin` = %s"
		" WHERE `name` = %s AND (`last_sync_of_checkin` IS NULL OR `last_sync_of_checkin` < %s)",
		(until, shift, until),
	)
	frappe.clear_document_cache("Shift Type", shift)


def _explain(standing: ShiftStanding) -> None:
	if not frappe.get_meta("Shift Type").has_field(REASON_FIELD):
		return
	frappe.db.set_value(
		"Shift Type", standing.shift, REASON_FIELD, messages.shift_standing(standing), update_modified=False
	)


def _explain_no_more(served: Iterable[str]) -> None:
	"""Take the words away from shifts that no enabled terminal serves any more."""
	if not frappe.get_meta("Shift Type").has_field(REASON_FIELD):
		return
	explained = frappe.get_all(
		"Shift Type", filters={REASON_FIELD: ("is", "set")}, pluck="name", order_by=None
	)
	for shift in set(explained).difference(served):
		frappe.db.set_value("Shift Type", shift, REASON_FIELD, None, update_modified=False)
