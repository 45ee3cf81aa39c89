# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import moments
from attendance_bridge.bench.overtime import standing
from attendance_bridge.bench.overtime.standing import Standing
from attendance_bridge.bench.report_column import column, figure, harmless, harmless_cell
from attendance_bridge.bench.workdays import choice, days
from attendance_bridge.bench.workdays.tally import Tally, by_person
from attendance_bridge.bench.workdays.told import hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
	"""One person in a range of dates."""

	sums: Tally
	first: date
	last: date
	numbers: Any
	"""Row of Employee with employee_number, attendance_device_id and branch."""
	stands: Standing


Figure = Callable[[Line], Any]

FIGURES: Mapping[str, tuple[str, Figure]] = {
	"Employee": ("Data", lambda line: line.sums.person.name),
	"Employee Name": ("Data", lambda line: line.sums.person.employee_name),
	"Employee Number": ("Data", lambda line: line.numbers.employee_number),
	"Device ID": ("Data", lambda line: line.numbers.attendance_device_id),
	"Company": ("Data", lambda line: line.sums.person.company),
	"Department": ("Data", lambda line: line.sums.person.department),
	"Designation": ("Data", lambda line: line.sums.person.designation),
	"Branch": ("Data", lambda line: line.numbers.branch),
	"From Date": ("Date", lambda line: line.first),
	"To Date": ("Date", lambda line: line.last),
	"Days Worked": ("Float", lambda line: line.sums.worked),
	"Days Absent": ("Float", lambda line: line.sums.absent),
	"Days of Leave": ("Float", lambda line: line.sums.leave),
	"Days Off": ("Int", lambda line: line.sums.off),
	"Times Late": ("Int", lambda line: line.sums.late),
	"Minutes Late": ("Int", lambda line: int(line.sums.late_by.total_seconds() // 60)),
	"Hours": ("Float", lambda line: hours(line.sums.hours)),
	"Overtime": ("Float", lambda line: hours(line.sums.overtime)),
	"Extra Overtime": ("Float", lambda line: hours(line.sums.extra_overtime)),
	"Allowances": ("Data", lambda line: ", ".join(map(": ".join, _counts(line)))),
	"Approved Overtime": ("Float", lambda line: hours(timedelta(seconds=line.stands.approved))),
}
"""By the words of Payroll Export Column: type and value."""


def execute(filters: dict[str, Any] | None = None) -> tuple[Any, ...]:
	"""One row a person, for a payroll program: the columns are always there and always in this order."""
	chosen = choice.of_filters(filters)
	columns = _chosen_columns((filters or {}).get("profile"))
	numbers = _numbers(chosen.employees)
	standings = standing.of(chosen.employees, chosen.first, chosen.last)
	nothing = Standing()
	found = days.load(chosen.employees, chosen.first, chosen.last, now=moments.utc_now(), punches_of=())
	lines = [
		Line(
			sums=sums,
			first=chosen.first,
			last=chosen.last,
			numbers=numbers[sums.person.name],
			stands=standings.get(sums.person.name, nothing),
		)
		for sums, _days in by_person(found)
	]
	rows = harmless(
		{f"column_{place}": value(line) for place, (_header, _kind, value) in enumerate(columns)}
		for line in lines
	)
	headers = [
		column(
			harmless_cell(header),
			f"column_{place}",
			kind,
			130,
			**({"precision": 2} if kind == "Float" else {}),
		)
		for place, (header, kind, _value) in enumerate(columns)
	]
	return headers, rows, None, _chart(lines), _summary(lines)


def _chart(lines: list[Line]) -> dict[str, Any] | None:
	"""Hours by department."""
	ordinary: dict[str, timedelta] = defaultdict(timedelta)
	over: dict[str, timedelta] = defaultdict(timedelta)
	for line in lines:
		department = harmless_cell(line.sums.person.department) or _("No Department")
		overtime = line.sums.overtime + line.sums.extra_overtime
		over[department] += overtime
		ordinary[department] += max(line.sums.hours - overtime, timedelta())
	if not lines:
		return None
	departments = sorted(ordinary)
	return {
		"type": "bar",
		"colors": ["blue", "orange"],
		"barOptions": {"stacked": True},
		"data": {
			"labels": departments,
			"datasets": [
				{"name": _("Ordinary Hours"), "values": [hours(ordinary[name]) for name in departments]},
				{"name": _("Overtime"), "values": [hours(over[name]) for name in departments]},
			],
		},
	}


def _summary(lines: list[Line]) -> list[dict[str, Any]]:
	sums = [line.sums for line in lines]
	worked = sum((each.hours for each in sums), timedelta())
	overtime = sum((each.overtime + each.extra_overtime for each in sums), timedelta())
	return [
		figure(_("People"), len(sums), "Blue"),
		figure(_("Days Worked"), f"{sum(each.worked for each in sums):g}", "Green"),
		figure(_("Hours"), f"{hours(worked):.2f}", "Blue"),
		figure(_("Hours of Overtime"), f"{hours(overtime):.2f}", "Orange"),
	]


def _counts(line: Line) -> list[tuple[str, str]]:
	return [(name, str(count)) for name, count in sorted(line.sums.allowances.items())]


def _chosen_columns(profile: str | None) -> list[tuple[str, str, Figure]]:
	"""Header, type and value of each column. Without a profile the headers are not translated: a program
	reads them."""
	if not profile:
		return [(name, kind, figure) for name, (kind, figure) in FIGURES.items()]
	document = frappe.get_doc("Payroll Export Profile", profile)
	document.check_permission("read")
	return [_column_of(row) for row in document.columns]


def _column_of(row: Any) -> tuple[str, str, Figure]:
	header = (row.header or row.source).strip()
	if row.source == "Allowances" and row.allowance:
		wanted = row.allowance.strip()
		return header, "Int", lambda line: line.sums.allowances.get(wanted, 0)
	kind, figure = FIGURES[row.source]
	return header, kind, figure


def _numbers(employees: tuple[str, ...]) -> dict[str, Any]:
	rows = frappe.get_all(
		"Employee",
		filters={"name": ("in", employees or ("",))},
		fields=["name", "employee_number", "attendance_device_id", "branch"],
		order_by=None,
	)
	return {row.name: row for row in rows}
