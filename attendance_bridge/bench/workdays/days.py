"""The working days of some people between two dates, those with an Attendance and those without one yet.

HRMS's Attendance has the last word on a day that it has judged. A day without one is worked out from
check-ins as they stand, and nobody is called absent in it while the terminals of the shift may still hold a
punch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.bench import moments
from attendance_bridge.bench.workdays.agreed import Agreed
from attendance_bridge.bench.workdays.sheet import Sheet
from attendance_bridge.core.workday.day import Workday
from attendance_bridge.core.workday.engine import work_out
from attendance_bridge.core.workday.plan import Leave

_DAY = timedelta(days=1)
MOST_PERSON_DAYS = 200_000
"""In one question; a month of 6,000 people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDay:
	"""One person on one date, in one shift."""

	person: Any
	"""Row of Employee: see `sheet.PERSON`."""
	day: Workday
	attendance: str
	"""Name of the Attendance; empty if there is none yet."""
	hours: timedelta
	"""Worked: HRMS's own number where it has one, so that reports and salary slips agree."""
	judged: str
	"""What HRMS says of the day: Present, Absent, Half Day, On Leave, Work From Home; empty without one."""


def load(employees: Collection[str], first: date, last: date, *, now: datetime) -> list[PersonDay]:
	"""Every day of these people, in the order of the people given and of time.

	The number of statements does not depend on how many people or days there are.

	:param now: the present moment, aware.
	:raises ValueError: more than MOST_PERSON_DAYS are asked for.
	"""
	if len(employees) * ((last - first).days + 1) > MOST_PERSON_DAYS:
		raise ValueError(f"more than {MOST_PERSON_DAYS} days of people at once")
	sheet = Sheet.load(employees, first, last)
	agreed = Agreed.load(employees, first, last)
	judged = _attendances(employees, first, last)
	vouched = _vouched(now)
	found = []
	for name in employees:
		person = sheet.people.get(name)
		if person is None:
			continue
		for day in _dates(person, first, last):
			rows = judged.get((name, day)) or _unjudged(person, day, sheet, agreed)
			for row in rows:
				line = sheet.line(row)
				as_of = None if row.name else vouched.get(row.shift or "", now)
				worked_out = work_out(line.plan, line.scans, line.overtime, as_of=as_of)
				found.append(
					PersonDay(
						person=person,
						day=worked_out,
						hours=timedelta(hours=row.working_hours) if row.working_hours else worked_out.worked,
						attendance=row.name,
						judged=row.status if row.name else "",
					)
				)
	return found


def _dates(person: Any, first: date, last: date) -> Iterator[date]:
	"""The dates on which somebody belongs to the company."""
	day = max(first, person.date_of_joining or first)
	end = min(last, person.relieving_date or last)
	while day <= end:
		yield day
		day += _DAY


def _attendances(employees: Collection[str], first: date, last: date) -> dict[tuple[str, date], list[Any]]:
	rows = frappe.db.sql(
		"SELECT `name`, `employee`, `company`, `attendance_date`, `shift`, `status`, `leave_type`,"
		" `working_hours`"
		" FROM `tabAttendance` WHERE `employee` IN %s AND `attendance_date` BETWEEN %s AND %s"
		" AND `docstatus` = 1 ORDER BY `in_time`, `name`",
		(tuple(employees) or ("",), first, last),
		as_dict=True,
	)
	found: dict[tuple[str, date], list[Any]] = defaultdict(list)
	for row in rows:
		found[row.employee, row.attendance_date].append(row)
	return found


def _unjudged(person: Any, day: date, sheet: Sheet, agreed: Agreed) -> list[Any]:
	"""Rows as of Attendances that are not there yet."""
	punched = sheet.shifts_punched(person.name, day)
	shifts: list[str | None] = [*agreed.shifts(person, day)]
	shifts += sorted(shift for shift in punched if shift and shift not in shifts)
	if None in punched and not shifts:
		shifts = [None]
	leave = agreed.leave(person.name, day)
	return [
		frappe._dict(
			name="",
			employee=person.name,
			company=person.company,
			attendance_date=day,
			shift=shift,
			status={Leave.FULL: "On Leave", Leave.HALF: "Half Day", None: ""}[leave],
			leave_type="?" if leave else None,
			working_hours=None,
		)
		for shift in shifts or [None]
	]


def _vouched(now: datetime) -> dict[str, datetime]:
	"""By shift that HRMS judges, up to when all punches are known to be here; at most the present."""
	rows = frappe.get_all(
		"Shift Type",
		filters={"enable_auto_attendance": 1, "last_sync_of_checkin": ("is", "set")},
		fields=["name", "last_sync_of_checkin"],
		order_by=None,
	)
	return {row.name: min(now, moments.from_site(row.last_sync_of_checkin)) for row in rows}
