"""Which Attendances are to be counted: the new ones, and those whose day has changed since.

`bridge_counted_at` is empty while an Attendance is due. Each change adds one to `bridge_changes`, so that a
count which began before the change, and ends after it, does not pass for one of the changed day. HRMS writes
leave, and the hours of half a day of leave, into an Attendance without telling anybody: that shows in its
`modified`, which a count does not touch.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any

import frappe
from frappe.utils import getdate

from attendance_bridge.bench import moments, news

_LOOK_BACK = timedelta(days=2)
"""For what was written silently: longer than a scheduler rests."""
_REWRITTEN = "`modified` >= %s AND `modified` > `bridge_counted_at` AND `docstatus` = 1"


def something_is_due() -> bool:
	return bool(
		frappe.db.sql(
			"SELECT 1 FROM `tabAttendance` WHERE `bridge_counted_at` IS NULL AND `docstatus` = 1 LIMIT 1"
		)
		or frappe.db.sql(
			f"SELECT 1 FROM `tabAttendance` WHERE {_REWRITTEN} LIMIT 1",  # noqa: S608
			(moments.now() - _LOOK_BACK,),
		)
	)


def mark_rewritten() -> None:
	"""Have Attendances counted again that were written to since, by whomever."""
	frappe.db.sql(
		"UPDATE `tabAttendance` SET `bridge_counted_at` = NULL, `bridge_changes` = `bridge_changes` + 1"  # noqa: S608
		f" WHERE {_REWRITTEN}",
		(moments.now() - _LOOK_BACK,),
	)


def mark_days(days: Iterable[tuple[str, date]]) -> None:
	"""Have the Attendances of these employees and dates counted again. One statement.

	Of each employee everything between the first and the last date is marked: to count a day for nothing does
	no harm, and a backlog touches nearly all of them.
	"""
	ranges: dict[str, tuple[date, date]] = {}
	for employee, day in days:
		first, last = ranges.get(employee, (day, day))
		ranges[employee] = (min(first, day), max(last, day))
	if not ranges or not _can_be_marked():
		return
	rows = [[employee, str(first), str(last)] for employee, (first, last) in ranges.items()]
	frappe.db.sql(
		"UPDATE JSON_TABLE(%s, '$[*]' COLUMNS (`employee` VARCHAR(140) PATH '$[0]', `first` DATE PATH '$[1]',"
		" `last` DATE PATH '$[2]')) AS `new` STRAIGHT_JOIN `tabAttendance` AS `a`"
		" ON `a`.`employee` = `new`.`employee` COLLATE utf8mb4_unicode_ci"
		" AND `a`.`attendance_date` BETWEEN `new`.`first` AND `new`.`last`"
		" SET `a`.`bridge_counted_at` = NULL, `a`.`bridge_changes` = `a`.`bridge_changes` + 1"
		" WHERE `a`.`docstatus` = 1",
		json.dumps(rows),
	)


def mark_range(first: date, last: date, company: str | None = None) -> int:
	"""Have every Attendance of these dates counted again, after a rule was changed; returns how many."""
	of_company = " AND `company` = %(company)s" if company else ""
	frappe.db.sql(
		"UPDATE `tabAttendance` SET `bridge_counted_at` = NULL, `bridge_changes` = `bridge_changes` + 1"  # noqa: S608
		f" WHERE `attendance_date` BETWEEN %(first)s AND %(last)s AND `docstatus` = 1{of_company}",
		{"first": first, "last": last, "company": company},
	)
	return int(frappe.db._cursor.rowcount)


def count_range(first: date, last: date, company: str | None = None) -> int:
	"""How many Attendances `mark_range` would mark."""
	of_company = " AND `company` = %(company)s" if company else ""
	((found,),) = frappe.db.sql(
		"SELECT COUNT(*) FROM `tabAttendance`"  # noqa: S608
		f" WHERE `attendance_date` BETWEEN %(first)s AND %(last)s AND `docstatus` = 1{of_company}",
		{"first": first, "last": last, "company": company},
	)
	return int(found)


def mark_dates(
	dates: Collection[date],
	*,
	employees: Collection[str] = (),
	companies: Collection[str] = (),
	shifts: Collection[str] = (),
) -> None:
	"""Have Attendances of just these dates counted again: of these employees, of everybody in these companies
	and of everybody in these shifts. One statement."""
	if not dates or not (employees or companies or shifts) or not _can_be_marked():
		return
	frappe.db.sql(
		"UPDATE `tabAttendance` SET `bridge_counted_at` = NULL, `bridge_changes` = `bridge_changes` + 1"
		" WHERE `attendance_date` IN %(dates)s AND `docstatus` = 1 AND (`employee` IN %(employees)s"
		" OR `company` IN %(companies)s OR `shift` IN %(shifts)s)",
		{
			"dates": tuple(dates),
			"employees": tuple(employees) or ("",),
			"companies": tuple(companies) or ("",),
			"shifts": tuple(shifts) or ("",),
		},
	)


def attendance_made(attendance: Any, method: str | None = None) -> None:
	"""A new one is due, whatever somebody has written into it: read only is a word to browsers."""
	attendance.bridge_counted_at = None


def attendance_changed(attendance: Any, method: str | None = None) -> None:
	"""An Attendance was changed after it was submitted; before that it is due anyway."""
	if not _can_be_marked():
		return
	frappe.db.sql(
		"UPDATE `tabAttendance` SET `bridge_counted_at` = NULL, `bridge_changes` = `bridge_changes` + 1"
		" WHERE `name` = %s",
		attendance.name,
	)


def checkin_changed(checkin: Any, method: str | None = None) -> None:
	"""An Employee Checkin was made, changed or deleted, by whomever."""
	former = checkin.get_doc_before_save()
	days = set(days_of(checkin.employee, checkin.time, checkin.shift_start))
	if former is not None:
		days |= set(days_of(former.employee, former.time, former.shift_start))
	mark_days(days)
	# Also one that came by no terminal changes who is in.
	news.tell(news.What.PUNCHES)


def _can_be_marked() -> bool:
	"""Whether Attendance has our columns: people check in while the app is being installed or migrated, too.

	Once the columns are there everything is due by itself.
	"""
	return bool(frappe.get_meta("Attendance").has_field("bridge_counted_at"))


def days_of(
	employee: str, moment: datetime | str, shift_start: datetime | str | None
) -> list[tuple[str, date]]:
	"""The days that a check-in may belong to: that of its shift, else its own date; the hours after midnight
	may also belong to a night shift that began the day before."""
	own = getdate(moment)
	if shift_start:
		return [(employee, getdate(shift_start))]
	return [(employee, own), (employee, own - timedelta(days=1))]
