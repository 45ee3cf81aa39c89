# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from frappe import _

from attendance_bridge.bench import moments
from attendance_bridge.bench.report_column import column, employee_columns, figure, harmless
from attendance_bridge.bench.workdays import choice, days, words
from attendance_bridge.bench.workdays.days import PersonDay
from attendance_bridge.bench.workdays.told import hours
from attendance_bridge.core.workday.day import Status

_HERE = frozenset(
	{
		Status.ON_TIME,
		Status.CONSIDERED,
		Status.LATE,
		Status.EARLY_EXIT,
		Status.HALF_DAY,
		Status.PRESENT,
	}
)
_COLOURS = {
	Status.ON_TIME: "green",
	Status.CONSIDERED: "cyan",
	Status.LATE: "orange",
	Status.EARLY_EXIT: "yellow",
	Status.HALF_DAY: "light-blue",
	Status.PRESENT: "green",
	Status.ABSENT: "red",
	Status.MISSING: "pink",
	Status.EXPECTED: "light-gray",
	Status.ON_LEAVE: "blue",
	Status.HOLIDAY: "purple",
	Status.WEEKLY_OFF: "gray",
	Status.NOT_SCHEDULED: "darkgrey",
}


def execute(filters: dict[str, Any] | None = None) -> tuple[Any, ...]:
	"""Columns, rows, no message, chart and summary of one date."""
	chosen = choice.of_filters(filters)
	found = days.load(chosen.employees, chosen.first, chosen.last, now=moments.utc_now())
	zone = moments.site_zone()
	rows = harmless(_row(each, zone) for each in found)
	return _columns(), rows, None, _chart(found), _summary(found)


def _columns() -> list[dict[str, Any]]:
	return [
		*employee_columns(_("Employee"), _("Employee Name"), _("Department")),
		column(_("Shift"), "shift", "Link", 120, options="Shift Type"),
		column(_("Day"), "status", "Data", 110),
		column(_("Why"), "reason", "Data", 210),
		column(_("First In"), "first_in", "Datetime", 190),
		column(_("Last Out"), "last_out", "Datetime", 190),
		column(_("Hours"), "hours", "Float", 80, precision=2),
		column(_("Overtime"), "overtime", "Float", 90, precision=2),
		column(_("Extra Overtime"), "extra_overtime", "Float", 120, precision=2),
		column(_("Punches"), "punches", "Int", 80),
		column(_("Attendance"), "attendance", "Link", 150, options="Attendance"),
		column(_("In HRMS"), "judged", "Data", 100),
		column(_("To Look At"), "anomalies", "Data", 200),
	]


def _row(each: PersonDay, zone: ZoneInfo) -> dict[str, Any]:
	day, person = each.day, each.person
	return {
		"employee": person.name,
		"employee_name": person.employee_name,
		"department": person.department,
		"shift": day.shift,
		"status": _(words.STATUS[day.status]),
		"reason": _(words.REASON[day.reason]),
		"first_in": moments.to_site(day.first_in, zone) if day.first_in else None,
		"last_out": moments.to_site(day.last_out, zone) if day.last_out else None,
		"hours": hours(each.hours),
		"overtime": hours(day.overtime),
		"extra_overtime": hours(day.extra_overtime),
		"punches": len(day.scans),
		"attendance": each.attendance,
		"judged": _(each.judged) if each.judged else "",
		"anomalies": ", ".join(_(words.to_look_at(code)) for code in sorted(each.to_look_at)),
	}


def _chart(found: list[PersonDay]) -> dict[str, Any] | None:
	counts = Counter(each.day.status for each in found)
	shown = [status for status in Status if counts[status]]
	if not shown:
		return None
	return {
		"type": "donut",
		"colors": [_COLOURS[status] for status in shown],
		"data": {
			"labels": [_(words.STATUS[status]) for status in shown],
			"datasets": [{"name": _("People"), "values": [counts[status] for status in shown]}],
		},
	}


def _summary(found: list[PersonDay]) -> list[dict[str, Any]]:
	counts = Counter(each.day.status for each in found)
	overtime = sum((each.day.overtime + each.day.extra_overtime for each in found), timedelta())
	return [
		figure(_("Here"), sum(counts[status] for status in _HERE), "Green"),
		figure(_("Late"), counts[Status.LATE], "Orange"),
		figure(_("Absent"), counts[Status.ABSENT], "Red"),
		figure(_("Missing"), counts[Status.MISSING], "Red"),
		figure(_("On Leave"), counts[Status.ON_LEAVE], "Blue"),
		figure(_("Hours of Overtime"), f"{hours(overtime):.2f}", "Blue"),
	]
