"""What was agreed with people for a date: their shifts and their leave, read for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from typing import NamedTuple, TypeVar

import frappe

from attendance_bridge.bench import people_spans
from attendance_bridge.bench.workdays.sheet import Employee
from attendance_bridge.core.workday.plan import Leave


class _Assignment(NamedTuple):
	employee: str
	shift_type: str
	start_date: date
	end_date: date | None


class _Leave(NamedTuple):
	employee: str
	from_date: date
	to_date: date
	half_day: int
	half_day_date: date | None


_Row = TypeVar("_Row", _Assignment, _Leave)


class Agreed:
	"""Shift Assignments and approved Leave Applications of some people between two dates."""

	def __init__(self, assignments: Iterable[_Assignment], leaves: Iterable[_Leave]) -> None:
		self._assignments = _by_employee(assignments)
		self._leaves = _by_employee(leaves)

	@classmethod
	def load(cls, employees: Collection[str], first: date, last: date) -> Agreed:
		"""Two statements."""
		values = {"employees": tuple(employees) or ("",), "first": first, "last": last}
		assignments = frappe.db.sql(
			"SELECT `employee`, `shift_type`, `start_date`, `end_date` FROM `tabShift Assignment`"
			" WHERE `employee` IN %(employees)s AND `docstatus` = 1 AND `status` = 'Active'"
			" AND `start_date` <= %(last)s AND (`end_date` IS NULL OR `end_date` >= %(first)s)"
			" ORDER BY `start_date`",
			values,
		)
		leaves = people_spans.read(
			"SELECT `employee`, `from_date`, `to_date`, `half_day`, `half_day_date`"
			" FROM `tabLeave Application` WHERE `employee` IN %(employees)s AND `docstatus` = 1"
			" AND `status` = 'Approved' AND `from_date` <= %(last)s AND `to_date` >= %(first)s",
			values,
			as_dict=False,
		)
		return cls(map(_Assignment._make, assignments), map(_Leave._make, leaves))

	def shifts(self, person: Employee, day: date) -> list[str]:
		"""The shifts of a date: those assigned, else the default one of the employee."""
		assigned = [
			row.shift_type
			for row in self._assignments.get(person.name, ())
			if row.start_date <= day and (row.end_date is None or day <= row.end_date)
		]
		if assigned:
			return list(dict.fromkeys(assigned))
		return [person.default_shift] if person.default_shift else []

	def leave(self, employee: str, day: date) -> Leave | None:
		for row in self._leaves.get(employee, ()):
			if row.from_date <= day <= row.to_date:
				only_half = row.half_day and day == (row.half_day_date or row.from_date)
				return Leave.HALF if only_half else Leave.FULL
		return None


def _by_employee(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
	found: dict[str, list[_Row]] = defaultdict(list)
	for row in rows:
		found[row.employee].append(row)
	return found
