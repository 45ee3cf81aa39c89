"""What is known of some Attendances (shift, day off, leave, rules, punches), read all at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import frappe

from attendance_bridge.bench import moments
from attendance_bridge.bench.workdays import shift_rules
from attendance_bridge.bench.workdays.holidays import Holidays
from attendance_bridge.bench.workdays.overtime_rules import DayRules, Rulebook
from attendance_bridge.bench.workdays.shift_rules import ShiftType
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.punch import DeviceKey
from attendance_bridge.core.workday.day import Scan
from attendance_bridge.core.workday.plan import DayPlan, Leave, Shift
from attendance_bridge.core.workday.rules import OvertimeRules

_LOG_TYPES = {each.value: each for each in LogType}
_KEYS = {each.value: each for each in DeviceKey}
_MIDNIGHT = time()
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
	"""One Attendance, ready for the engine."""

	attendance: Any
	"""Its row: name, status, working_hours, bridge_changes …"""
	plan: DayPlan
	scans: Sequence[Scan]
	overtime: OvertimeRules


def lines(attendances: Sequence[Any]) -> list[Line]:
	"""Gather what belongs to submitted Attendances.

	:param attendances: rows with name, employee, company, attendance_date, shift, status and leave_type.
	"""
	if not attendances:
		return []
	first = min(row.attendance_date for row in attendances)
	last = max(row.attendance_date for row in attendances)
	people = _people({row.employee for row in attendances})
	shifts = shift_rules.load()
	rulebook = Rulebook.load()
	holidays = Holidays.load(
		people.values(),
		{shift.holiday_list for shift in shifts.values() if shift.holiday_list},
		first=first,
		last=last,
	)
	checkins = _Checkins.load(list(people), first, last)
	zone = moments.site_zone()
	gathered = []
	for row in attendances:
		person = people.get(row.employee)
		shift = shifts.get(row.shift or "")
		rules = rulebook.choose(
			company=row.company, shift=row.shift, grade=person.grade if person is not None else None
		)
		found = checkins.of(row.employee, row.attendance_date, row.shift)
		off = holidays.of(
			row.attendance_date,
			employee=row.employee,
			company=row.company,
			shift_list=shift.holiday_list if shift is not None else None,
		)
		plan = DayPlan(
			date=row.attendance_date,
			zone=zone,
			shift=_shift(shift, rules, found, row.attendance_date, zone),
			off=off,
			leave=_leave(row),
		)
		gathered.append(
			Line(
				attendance=row,
				plan=plan,
				scans=[_scan(each, zone) for each in found],
				overtime=rules.overtime,
			)
		)
	return gathered


def _people(names: set[str]) -> dict[str, Any]:
	rows = frappe.get_all(
		"Employee",
		filters={"name": ("in", sorted(names))},
		fields=["name", "company", "grade", "holiday_list"],
		order_by=None,
	)
	return {row.name: row for row in rows}


def _leave(row: Any) -> Leave | None:
	if row.status == "On Leave":
		return Leave.FULL
	# Without a leave type it is HRMS's own verdict on the hours, and not a leave.
	return Leave.HALF if row.status == "Half Day" and row.leave_type else None


def _shift(
	shift: ShiftType | None, rules: DayRules, checkins: Sequence[Any], day: date, zone: ZoneInfo
) -> Shift | None:
	if shift is None:
		return None
	counted = shift.rules(rules.breaks)
	times = next((each for each in checkins if each.shift_start and each.shift_end), None)
	if times is None:
		agreed = shift.times.on(day, zone)
		start, end = agreed.start, agreed.end
	else:
		# As it was when the punches came: a Shift Type may have got other times since.
		start, end = _utc(times.shift_start, zone), _utc(times.shift_end, zone)
	# Which punches belong to it is known already: its window lies close around it.
	return Shift(name=shift.times.name, start=start, end=end, opens=start, closes=end, rules=counted)


def _scan(row: Any, zone: ZoneInfo) -> Scan:
	key = _KEYS.get(row.device_key, DeviceKey.UNDEFINED) if row.device_key else DeviceKey.UNDEFINED
	at = _utc(row.time, zone)
	if row.occurred_utc is not None:
		# Of an hour that comes twice only our own log knows which one it was; the check-in may have been
		# corrected since.
		own = row.occurred_utc.replace(tzinfo=timezone.utc)
		at = own if own.astimezone(zone).replace(tzinfo=None) == row.time else at
	return Scan(at, _LOG_TYPES.get(row.log_type), key)


def _utc(value: datetime, zone: ZoneInfo) -> datetime:
	return value.replace(tzinfo=zone).astimezone(timezone.utc)


class _Checkins:
	"""Employee Checkins by employee, date and shift, as HRMS groups them."""

	def __init__(self, rows: Iterable[Any]) -> None:
		self._by_day: dict[tuple[str, date, str | None], list[Any]] = defaultdict(list)
		for row in rows:
			in_shift = row.shift and row.shift_start and not row.offshift
			day = row.shift_start.date() if in_shift else row.time.date()
			self._by_day[row.employee, day, row.shift if in_shift else None].append(row)

	@classmethod
	def load(cls, employees: Sequence[str], first: date, last: date) -> _Checkins:
		"""One statement. A night shift's punches may be of the next date."""
		rows = frappe.db.sql(
			"SELECT c.`employee`, c.`time`, c.`log_type`, c.`shift`, c.`shift_start`, c.`shift_end`,"
			" c.`offshift`, p.`device_key`, p.`occurred_utc`"
			" FROM `tabEmployee Checkin` c LEFT JOIN `tabPunch Log` p ON p.`name` = c.`punch_log`"
			" WHERE c.`employee` IN %(employees)s AND c.`time` >= %(first)s AND c.`time` < %(last)s"
			" ORDER BY c.`employee`, c.`time`",
			{
				"employees": tuple(employees),
				"first": datetime.combine(first, _MIDNIGHT) - _DAY,
				"last": datetime.combine(last, _MIDNIGHT) + 3 * _DAY,
			},
			as_dict=True,
		)
		return cls(rows)

	def of(self, employee: str, day: date, shift: str | None) -> Sequence[Any]:
		return self._by_day.get((employee, day, shift or None), ())
