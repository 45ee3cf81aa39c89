# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from frappe import _

from attendance_bridge.bench import moments
from attendance_bridge.bench.overtime import standing
from attendance_bridge.bench.overtime.standing import Standing
from attendance_bridge.bench.report_column import column, employee_columns, figure, harmless
from attendance_bridge.bench.workdays import choice, days
from attendance_bridge.bench.workdays.days import PersonDay
from attendance_bridge.bench.workdays.tally import Tally, by_person
from attendance_bridge.bench.workdays.told import hours

_SHOWN_IN_CHART = 20


def execute(filters: dict[str, Any] | None = None) -> tuple[Any, ...]:
	"""Columns, rows, no message, chart and summary: the overtime of each person who made some."""
	chosen = choice.of_filters(filters)
	found = days.load(chosen.employees, chosen.first, chosen.last, now=moments.utc_now(), punches_of=())
	standings = standing.of(chosen.employees, chosen.first, chosen.last)
	nothing = Standing()
	sums = [
		(each, _without_attendance(of_one))
		for each, of_one in by_person(found)
		if each.overtime_days or standings.get(each.person.name, nothing) != nothing
	]
	allowances = sorted({name for each, _without in sums for name in each.allowances})
	rows = harmless(_row(each, without, standings.get(each.person.name, nothing)) for each, without in sums)
	return _columns(allowances), rows, None, _chart(rows), _summary(rows)


def _columns(allowances: list[str]) -> list[dict[str, Any]]:
	return [
		*employee_columns(_("Employee"), _("Employee Name"), _("Department")),
		column(_("Days with Overtime"), "days", "Int", 170),
		column(_("Overtime"), "overtime", "Float", 100, precision=2),
		column(_("Extra Overtime"), "extra_overtime", "Float", 130, precision=2),
		column(_("Hours of Overtime"), "total", "Float", 150, precision=2),
		*(column(_allowance(name), _field(name), "Int", 120) for name in allowances),
		column(_("Without Attendance"), "without_attendance", "Float", 150, precision=2),
		column(_("Waiting"), "waiting", "Float", 100, precision=2),
		column(_("Approved"), "approved", "Float", 100, precision=2),
		column(_("Rejected"), "rejected", "Float", 100, precision=2),
		column(_("Paid"), "paid", "Float", 100, precision=2),
		column(_("Days Changed Since"), "changed", "Int", 150),
	]


def _allowance(name: str) -> str:
	return _(name.replace("_", " ").title())


def _field(allowance: str) -> str:
	return f"allowance_{allowance}"


def _without_attendance(person_days: Iterable[PersonDay]) -> timedelta:
	"""Overtime that nobody can approve yet: of days that HRMS has not judged, or never will (a day off)."""
	return sum(
		(each.day.overtime + each.day.extra_overtime for each in person_days if not each.attendance),
		timedelta(),
	)


def _row(sums: Tally, without: timedelta, stands: Standing) -> dict[str, Any]:
	return {
		"employee": sums.person.name,
		"employee_name": sums.person.employee_name,
		"department": sums.person.department,
		"days": sums.overtime_days,
		"overtime": hours(sums.overtime),
		"extra_overtime": hours(sums.extra_overtime),
		"total": hours(sums.overtime + sums.extra_overtime),
		**{_field(name): count for name, count in sums.allowances.items()},
		"without_attendance": hours(without),
		**{
			name: round(getattr(stands, name) / 3600, 2)
			for name in ("waiting", "approved", "rejected", "paid")
		},
		"changed": stands.changed,
	}


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	most = sorted(rows, key=lambda row: -row["total"])[:_SHOWN_IN_CHART]
	if not most:
		return None
	return {
		"type": "bar",
		"colors": ["blue", "orange"],
		"barOptions": {"stacked": True},
		"data": {
			"labels": [row["employee_name"] for row in most],
			"datasets": [
				{"name": _("Overtime"), "values": [row["overtime"] for row in most]},
				{"name": _("Extra Overtime"), "values": [row["extra_overtime"] for row in most]},
			],
		},
	}


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	overtime = sum(row["overtime"] for row in rows)
	extra = sum(row["extra_overtime"] for row in rows)
	return [
		figure(_("People"), len(rows), "Blue"),
		figure(_("Overtime"), f"{overtime:.2f}", "Blue"),
		figure(_("Extra Overtime"), f"{extra:.2f}", "Orange"),
	]
