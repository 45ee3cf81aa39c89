"""Times that a wrong clock has recorded, set right by what the clock was measured to be off; and back again.

The punch stays as it came: its wall time, its record, its identity. What is re-timed is where it counts, and
from there everything is decided anew. So is what a corrected time zone makes of punches that are held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _

from attendance_bridge.bench import background, clock_guard, devices, moments, punch_rows
from attendance_bridge.bench.checkins import ADOPTED, ADOPTED_OTHER_LOG_TYPE
from attendance_bridge.bench.reviewing import leave_trace
from attendance_bridge.bench.turn import alone
from attendance_bridge.core import drift
from attendance_bridge.core.clock import ClockVerdict

MOST_OF_A_DEVICE = 20_000
"""Punches that one click on a terminal takes."""
BATCH = 1000

BY_CLOCK = tuple(verdict.value for verdict in ClockVerdict if verdict is not ClockVerdict.TRUSTED)

_QUARANTINED, _CHECKED_IN, _IGNORED = "Quarantined", "Checked in", "Ignored"
_DECIDED_ANEW = ("Received", "Pending", "Unmapped", "Quarantined", "Rejected")
_COLUMNS = f"{punch_rows.OBSERVATION_COLUMNS}, `device`, `status`, `status_reason`, `employee_checkin`"
_CLEAN: dict[str, Any] = {
	"status": "Received",
	**dict.fromkeys(
		("status_reason", "employee", "employee_name", "department", "log_type", "log_type_reason")
	),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Retimed:
	punches: int
	left: int
	"""Those that stay as they are: nothing was measured, or the time that would come out cannot be right; and
	at an undoing, those whose attendance is marked already."""


def retime(punches: Sequence[str]) -> Retimed:
	"""Re-time quarantined punches by what the clocks of their terminals were measured to be off."""
	rules = devices.rules().clock
	rows = list(_locked(punches, f"`status` = '{_QUARANTINED}'"))
	found = [
		(row, by)
		for row in rows
		# One that was re-timed and is in quarantine all the same would only come back there.
		if (by := _retiming(row, rules)) is not None and by != timedelta(seconds=row.retimed_by or 0.0)
	]
	for by in {by for _row, by in found}:
		of_this = [row for row, each in found if each == by]
		_write([(row, {**_CLEAN, **_times(row, by)}) for row in of_this], _QUARANTINED)
		words = _("re-timed this punch by {0} seconds, what the clock was measured to be off")
		leave_trace([row.name for row in of_this], words.format(round(by.total_seconds())))
		_note_each(of_this, "Re-timed", -by.total_seconds())
	if found:
		background.queue_carry_on()
	return Retimed(punches=len(found), left=len(rows) - len(found))


def retime_device(device: str) -> Retimed:
	"""Re-time all punches of a terminal that its clock keeps in quarantine, at most MOST_OF_A_DEVICE."""
	names = frappe.db.sql_list(
		"SELECT `name` FROM `tabPunch Log` WHERE `device` = %s AND `status` = %s AND `status_reason` IN %s"
		" ORDER BY `occurred_utc` LIMIT %s",
		(device, _QUARANTINED, BY_CLOCK, MOST_OF_A_DEVICE),
	)
	parts = [retime(names[start : start + BATCH]) for start in range(0, len(names), BATCH)]
	return Retimed(punches=sum(part.punches for part in parts), left=sum(part.left for part in parts))


def undo(punches: Sequence[str]) -> Retimed:
	"""Take re-timing back: punches count where their terminals recorded them, and are decided anew.

	A check-in that came of it is deleted, as the user may; one of a day whose attendance is marked stays.

	:raises frappe.PermissionError: the user may not delete check-ins.
	"""
	rows = list(_locked(punches, "`retimed_by` <> 0"))
	undone = [row for row in rows if _without_checkin(row)]
	# What a person has set aside stays so.
	set_aside = [row for row in undone if row.status == _IGNORED]
	_write([(row, _times(row, timedelta(0))) for row in set_aside], _IGNORED)
	others = [row for row in undone if row.status != _IGNORED]
	# Deleting a check-in has changed the status of its punch.
	for status in {row.status for row in others} | {_IGNORED}:
		_write(
			[(row, {**_CLEAN, "employee_checkin": None, **_times(row, timedelta(0))}) for row in others],
			status,
		)
	leave_trace([row.name for row in undone], _("took the re-timing of this punch back"))
	_note_each(undone, "Re-timing Undone", 0.0)
	if undone:
		background.queue_carry_on()
	return Retimed(punches=len(undone), left=len(rows) - len(undone))


def count_by_clock(device: str) -> int:
	"""How many punches of a terminal its clock keeps in quarantine."""
	return int(
		frappe.db.sql(
			"SELECT COUNT(*) FROM `tabPunch Log` WHERE `device` = %s AND `status` = %s"
			" AND `status_reason` IN %s",
			(device, _QUARANTINED, BY_CLOCK),
		)[0][0]
	)


def rezone(device: str, former: str, zone: str) -> int:
	"""Background job: the time zone of a terminal was corrected; what is held of it is timed anew.

	Check-ins stay as they are. Punch ids do not change: no zone is in them. Commits batch by batch.

	:returns: how many punches were timed anew.
	"""
	made = 0
	while rezoned := alone(lambda: _rezone_batch(device, ZoneInfo(former), ZoneInfo(zone))):
		made += rezoned
	kept = frappe.db.count("Punch Log", {"device": device, "time_zone": former, "status": _CHECKED_IN})
	words = _("{0} → {1}. {2} punches that are check-ins already keep their time.").format(former, zone, kept)
	clock_guard.note(device, "Time Zone Changed", punches=made, note=words)
	background.queue_carry_on()
	return made


def _rezone_batch(device: str, former: ZoneInfo, zone: ZoneInfo) -> int:
	rows = frappe.db.sql(
		f"SELECT {_COLUMNS} FROM `tabPunch Log` WHERE `device` = %s AND `time_zone` = %s"  # noqa: S608
		" AND `status` IN %s ORDER BY `name` LIMIT %s FOR UPDATE",
		(device, former.key, (*_DECIDED_ANEW, _IGNORED), BATCH),
		as_dict=True,
	)
	for status in {row.status for row in rows}:
		clean = {} if status == _IGNORED else _CLEAN
		of_this = [row for row in rows if row.status == status]
		_write([(row, {**clean, **_in_zone(row, former, zone)}) for row in of_this], status)
	return len(rows)


def _in_zone(row: Any, former: ZoneInfo, zone: ZoneInfo) -> dict[str, Any]:
	observed = punch_rows.observation(row)
	row["time_zone"] = zone.key
	times = _times(row, observed.retimed_by)
	if observed.reading is not None:
		reading = drift.rezoned(observed.reading, former, zone)
		times["clock_offset"] = reading.offset.total_seconds()
	return {"time_zone": zone.key, "clock_offset": row.clock_offset, **times}


def _retiming(row: Any, rules: Any) -> timedelta | None:
	observed = punch_rows.observation(row)
	reading = observed.reading
	if reading is None:
		return None
	return drift.retiming(
		observed.punch.occurred_at,
		observed.clock_jumped_by or reading.offset,
		read_at=reading.taken_at,
		good_until=observed.clock_good_until,
		rules=rules,
	)


def _times(row: Any, by: timedelta) -> dict[str, Any]:
	"""The columns that say when a punch was, `by` later than its terminal has it."""
	moment: datetime = punch_rows.punch_of(row).occurred_utc + by
	return {
		"retimed_by": by.total_seconds(),
		"occurred_utc": moments.to_utc(moment),
		"occurred_at": moments.to_site(moment),
	}


def _without_checkin(row: Any) -> bool:
	"""Take a punch's check-in away if it was made of it; False if it must stay."""
	checkin = row.employee_checkin
	adopted = (row.status_reason or "") in (ADOPTED, ADOPTED_OTHER_LOG_TYPE)
	if not checkin or row.status != _CHECKED_IN or adopted:
		return True
	if frappe.db.get_value("Employee Checkin", checkin, "attendance"):
		return False
	frappe.delete_doc("Employee Checkin", checkin)
	return True


def _locked(punches: Sequence[str], condition: str) -> Iterator[Any]:
	for chunk in punch_rows.chunks(sorted(set(punches))):
		yield from frappe.db.sql(
			f"SELECT {_COLUMNS} FROM `tabPunch Log` WHERE `name` IN %s AND {condition} FOR UPDATE",  # noqa: S608
			(chunk,),
			as_dict=True,
		)


def _write(changes: Iterable[tuple[Any, dict[str, Any]]], standing: str) -> None:
	found = list(changes)
	if found:
		columns = tuple(found[0][1])
		rows = [(row.name, *(values[column] for column in columns)) for row, values in found]
		punch_rows.update(columns, rows, standing=standing)


def _note_each(rows: Iterable[Any], kind: str, offset: float) -> None:
	"""On record once a terminal."""
	of_device: dict[str, int] = {}
	for row in rows:
		if row.device:
			of_device[row.device] = of_device.get(row.device, 0) + 1
	for device, punches in of_device.items():
		clock_guard.note(device, kind, punches=punches, clock_offset=offset, requested_by=frappe.session.user)
