"""What the charts of the workspace tell of Attendances; each counts what its reader may see."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.desk.reportview import build_match_conditions
from frappe.utils import cint, get_first_day, get_last_day, getdate

from attendance_bridge.bench import moments

MOST_DAYS = 92
MOST_DEPARTMENTS = 12

_KINDS = (
	# Late is what was counted; of a day that was not yet, what HRMS says.
	"CASE WHEN `status` = 'Absent' THEN 'absent' WHEN `status` = 'On Leave' THEN 'leave'"
	" WHEN `bridge_day_status` = 'Late' OR (`bridge_day_status` IS NULL AND `late_entry` = 1) THEN 'late'"
	" ELSE 'present' END"
)


def attendance_by_day(days: int, company: str | None = None) -> dict[str, Any]:
	"""People present, late, absent and on leave on each of the last days, as a chart's data.

	Today is left out: HRMS judges it when it is over.
	"""
	days = max(1, min(cint(days), MOST_DAYS))
	last = moments.now().date() - timedelta(days=1)
	first = last - timedelta(days=days - 1)
	counts: Counter[tuple[str, date]] = Counter()
	for day, kind, count in _select(
		f"`attendance_date`, {_KINDS} AS `kind`, COUNT(DISTINCT `employee`)",
		(first, last),
		company,
		"GROUP BY `attendance_date`, `kind`",
	):
		counts[kind, day] += count
	dates = [first + timedelta(days=number) for number in range(days)]
	names = {"present": _("Present"), "late": _("Late"), "absent": _("Absent"), "leave": _("On Leave")}
	return {
		"labels": [frappe.utils.format_date(day, "d MMM") for day in dates],
		"datasets": [
			{"name": name, "values": [counts[kind, day] for day in dates]} for kind, name in names.items()
		],
	}


def overtime_by_department(month: date | None = None, company: str | None = None) -> dict[str, Any]:
	"""Hours of overtime of a month, the departments with the most of it first, as a chart's data.

	:param month: any date in it; this month by default.
	"""
	day = month or moments.now().date()
	rows = _select(
		"COALESCE(`department`, ''), SUM(`bridge_overtime`), SUM(`bridge_extra_overtime`)",
		(getdate(get_first_day(day)), getdate(get_last_day(day))),
		company,
		"AND (`bridge_overtime` > 0 OR `bridge_extra_overtime` > 0) GROUP BY COALESCE(`department`, '')"
		" ORDER BY SUM(COALESCE(`bridge_overtime`, 0) + COALESCE(`bridge_extra_overtime`, 0)) DESC"
		f" LIMIT {MOST_DEPARTMENTS}",
	)
	return {
		"labels": [department or _("No Department") for department, *_spans in rows],
		"datasets": [
			{"name": _("Overtime"), "values": [_hours(row[1]) for row in rows]},
			{"name": _("Extra Overtime"), "values": [_hours(row[2]) for row in rows]},
		],
	}


def _hours(seconds: Any) -> float:
	return round(float(seconds or 0) / 3600, 1)


def _select(columns: str, dates: tuple[date, date], company: str | None, rest: str) -> list[tuple[Any, ...]]:
	condition = "`docstatus` = 1 AND `attendance_date` BETWEEN %(first)s AND %(last)s"
	if company:
		condition += " AND `company` = %(company)s"
	visible = build_match_conditions("Attendance") or ""
	if visible:
		# Parameters are bound with percent signs.
		condition += f" AND ({visible})".replace("%", "%%")
	rows: list[tuple[Any, ...]] = frappe.db.sql(
		f"SELECT {columns} FROM `tabAttendance` WHERE {condition} {rest}",  # noqa: S608
		{"first": dates[0], "last": dates[1], "company": company},
	)
	return rows
