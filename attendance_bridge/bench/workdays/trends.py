"""What the charts of the workspace tell of Attendances; each counts what its reader may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.desk.reportview import build_match_conditions
from frappe.utils import cint, get_first_day, get_last_day, getdate

from attendance_bridge.bench import moments

MOST_DAYS = 92
MOST_DEPARTMENTS = 5
"""More, and a chart has no place for their names."""
_WHOLE_HOURS_FROM = 10

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
	"""Hours of overtime of a month, the departments with the most of it first, then all others together, as a
	chart's data.

	:param month: any date in it; this month by default.
	"""
	day = month or moments.now().date()
	rows = _select(
		"COALESCE(`department`, '') AS `of`, COALESCE(SUM(`bridge_overtime`), 0),"
		" COALESCE(SUM(`bridge_extra_overtime`), 0)",
		(getdate(get_first_day(day)), getdate(get_last_day(day))),
		company,
		"AND (`bridge_overtime` > 0 OR `bridge_extra_overtime` > 0) GROUP BY `of`",
	)
	if not rows:
		return {}  # Frappe says "No Data"; to a chart without labels it says nothing
	rows.sort(key=lambda row: (-row[1] - row[2], row[0]))
	shown, others = rows[:MOST_DEPARTMENTS], rows[MOST_DEPARTMENTS:]
	labels, spans = _short([row[0] for row in shown]), [row[1:] for row in shown]
	if others:
		labels.append(_("All Others"))
		spans.append((sum(row[1] for row in others), sum(row[2] for row in others)))
	return {
		"labels": labels,
		"datasets": [
			{"name": _("Overtime"), "values": [_hours(overtime) for overtime, _extra in spans]},
			{"name": _("Extra Overtime"), "values": [_hours(extra) for _overtime, extra in spans]},
		],
	}


def _short(departments: Sequence[str]) -> list[str]:
	"""Their names without the abbreviation of the company behind, unless two are alike then."""
	names = dict(
		frappe.db.sql(
			"SELECT `name`, `department_name` FROM `tabDepartment` WHERE `name` IN %s",
			(tuple(departments) or ("",),),
		)
	)
	alike = Counter(names.values())
	return [
		(names[each] if alike[names.get(each)] == 1 else each) or _("No Department") for each in departments
	]


def _hours(seconds: Any) -> float:
	hours = float(seconds) / 3600
	return round(hours) if hours >= _WHOLE_HOURS_FROM else round(hours, 1)


def _select(columns: str, dates: tuple[date, date], company: str | None, rest: str) -> list[tuple[Any, ...]]:
	condition = "`docstatus` = 1 AND `attendance_date` BETWEEN %(first)s AND %(last)s"
	if company:
		condition += " AND `company` = %(company)s"
	visible = build_match_conditions("Attendance") or ""
	if visible:
		# Parameters are bound with percent signs.
		condition += f" AND ({visible})".replace("%", "%%")
	rows = frappe.db.sql(
		f"SELECT {columns} FROM `tabAttendance` WHERE {condition} {rest}",  # noqa: S608
		{"first": dates[0], "last": dates[1], "company": company},
	)
	return list(rows)
