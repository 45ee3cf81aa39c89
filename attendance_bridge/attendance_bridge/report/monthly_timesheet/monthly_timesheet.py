# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from frappe import _
from frappe.utils import escape_html, formatdate

from attendance_bridge.bench import moments
from attendance_bridge.bench.report_column import column, employee_columns, figure, harmless
from attendance_bridge.bench.workdays import choice, days, words
from attendance_bridge.bench.workdays.choice import Choice
from attendance_bridge.bench.workdays.days import PersonDay
from attendance_bridge.bench.workdays.tally import Tally, by_person
from attendance_bridge.bench.workdays.told import hours
from attendance_bridge.core.workday.day import Status


def execute(filters: dict[str, Any] | None = None) -> tuple[Any, ...]:
	"""Columns, rows, the meaning of the letters, chart and summary of one month."""
	chosen = choice.of_filters(filters)
	found = days.load(chosen.employees, chosen.first, chosen.last, now=moments.utc_now(), punches_of=())
	people = by_person(found)
	letters = {
		status: _(letter, context=words.LETTER_CONTEXT) for status, letter in words.LETTER.items() if letter
	}
	rows = harmless(_row(sums, person_days, letters) for sums, person_days in people)
	sums_of_all = [sums for sums, _days in people]
	return _columns(chosen), rows, _legend(letters), _chart(chosen, found), _summary(sums_of_all)


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


def _row(sums: Tally, person_days: list[PersonDay], letters: Mapping[Status, str]) -> dict[str, Any]:
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
		cell = letters.get(each.day.status, "")
		if each.hours:
			cell = f"{cell} {hours(each.hours):g}".strip()
		field = _field(each.day.date)
		# Two shifts of one date stand in one cell.
		row[field] = f"{row[field]} / {cell}" if row.get(field) and cell else row.get(field) or cell
	return row


def _legend(letters: Mapping[Status, str]) -> str:
	"""One letter may stand for two words."""
	meanings: dict[str, list[str]] = defaultdict(list)
	for status, letter in letters.items():
		meanings[letter].append(_(words.STATUS[status]))
	return ", ".join(
		f"<b>{escape_html(letter)}</b> {escape_html(' / '.join(meant))}" for letter, meant in meanings.items()
	)


def _summary(sums: Sequence[Tally]) -> list[dict[str, Any]]:
	overtime = sum((each.overtime + each.extra_overtime for each in sums), timedelta())
	return [
		figure(_("People"), len(sums), "Blue"),
		figure(_("Days"), f"{sum(each.worked for each in sums):g}", "Green"),
		figure(_("Absent"), f"{sum(each.absent for each in sums):g}", "Red"),
		figure(_("Hours"), f"{hours(sum((each.hours for each in sums), timedelta())):.2f}", "Blue"),
		figure(_("Hours of Overtime"), f"{hours(overtime):.2f}", "Orange"),
	]


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
