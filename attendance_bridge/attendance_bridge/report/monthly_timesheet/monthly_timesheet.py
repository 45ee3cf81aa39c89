# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from frappe import _
from frappe.utils import formatdate

from attendance_bridge.bench import moments
from attendance_bridge.bench.report_column import column, employee_columns
from attendance_bridge.bench.workdays import choice, days, words
from attendance_bridge.bench.workdays.choice import Choice
from attendance_bridge.bench.workdays.days import PersonDay
from attendance_bridge.bench.workdays.tally import Tally, by_person
from attendance_bridge.bench.workdays.told import hours


def execute(filters: dict[str, Any] | None = None) -> tuple[Any, ...]:
	"""Columns, rows, the meaning of the letters and a chart of one month."""
	chosen = choice.of_filters(filters)
	found = days.load(chosen.employees, chosen.first, chosen.last, now=moments.utc_now())
	rows = [_row(sums, person_days) for sums, person_days in by_person(found)]
	return _columns(chosen), rows, _legend(), _chart(chosen, found)


def _columns(chosen: Choice) -> list[dict[str, Any]]:
	return [
		*employee_columns(_("Employee"), _("Employee Name"), _("Department")),
		*(
			column(f"{day.day} {_(formatdate(day, 'EEE'))}", _field(day), "Data", 78)
			for day in _dates(chosen.first, chosen.last)
		),
		column(_("Days"), "days", "Float", 70, precision=1),
		column(_("Late"), "late", "Int", 65),
		column(_("Absent"), "absent", "Float", 75, precision=1),
		column(_("On Leave"), "leave", "Float", 85, precision=1),
		column(_("Hours"), "hours", "Float", 80, precision=2),
		column(_("Overtime"), "overtime", "Float", 90, precision=2),
		column(_("Extra Overtime"), "extra_overtime", "Float", 120, precision=2),
	]


def _dates(first: date, last: date) -> list[date]:
	return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _field(day: date) -> str:
	return f"day_{day.day}"


def _row(sums: Tally, person_days: list[PersonDay]) -> dict[str, Any]:
	row: dict[str, Any] = {
		"employee": sums.person.name,
		"employee_name": sums.person.employee_name,
		"department": sums.person.department,
		"days": sums.worked,
		"late": sums.late,
		"absent": sums.absent,
		"leave": sums.leave,
		"hours": hours(sums.hours),
		"overtime": hours(sums.overtime),
		"extra_overtime": hours(sums.extra_overtime),
	}
	for each in person_days:
		field = _field(each.day.date)
		# Two shifts of one date stand in one cell.
		row[field] = " / ".join(filter(None, (row.get(field), _cell(each))))
	return row


def _cell(each: PersonDay) -> str:
	letter = _(words.LETTER[each.day.status], context="Letter of a day")
	return f"{letter} {hours(each.hours):g}" if each.hours else letter


def _legend() -> str:
	return ", ".join(
		f"<b>{_(letter, context='Letter of a day')}</b> {_(words.STATUS[status])}"
		for status, letter in words.LETTER.items()
		if letter
	)


def _chart(chosen: Choice, found: list[PersonDay]) -> dict[str, Any]:
	dates = _dates(chosen.first, chosen.last)
	worked: dict[date, timedelta] = defaultdict(timedelta)
	over: dict[date, timedelta] = defaultdict(timedelta)
	for each in found:
		overtime = each.day.overtime + each.day.extra_overtime
		worked[each.day.date] += each.hours - min(overtime, each.hours)
		over[each.day.date] += overtime
	return {
		"type": "bar",
		"colors": ["blue", "orange"],
		"barOptions": {"stacked": True},
		"data": {
			"labels": [str(day.day) for day in dates],
			"datasets": [
				{"name": _("Ordinary Hours"), "values": [hours(worked[day]) for day in dates]},
				{"name": _("Overtime"), "values": [hours(over[day]) for day in dates]},
			],
		},
	}
