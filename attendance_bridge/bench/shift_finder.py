"""Which shift a check-in falls into: for a whole batch what HRMS finds for one at a time.

HRMS asks the database several times for each moment (`get_actual_start_end_datetime_of_shift`). Here the
assignments of all people of a batch are read once; what a shift means at a moment is left to HRMS's own
functions.

HRMS looks at three shifts: the one at the moment, the next from a day after its start on, the previous from
a day before its end on; the actual windows of neighbours trim one another, and the first of previous,
current, next that contains the moment is taken. It searches for neighbours up to a year away. Only what lies
at exactly one day's distance is looked at here, because no other can matter: a shift with its margins is
shorter than 24 hours (`ShiftType.validate_circular_shift`), so a previous shift that was not on at
`end - 24 h` but earlier is over before the current one can begin, a next one that was not on at
`start + 24 h` but later begins after the current one can end, and where there is no current shift no
neighbour reaches the moment. Where a Shift Type breaks that rule, HRMS's own function is asked.

What is found can change only where a shift, or a margin of one, begins or ends. So it is found once for each
stretch of a day between two such edges, and at each edge, of everybody who has the same shifts around that
day, by default and by assignments.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

import frappe
from hrms.hr.doctype.shift_assignment.shift_assignment import (
	get_actual_start_end_datetime_of_shift,
	get_exact_shift,
	get_shift_details,
	get_shift_for_time,
)

from attendance_bridge.bench import compat

_DAY = timedelta(days=1)
_REACH = timedelta(days=3)
"""How far from a moment an assignment can matter to it, with a day to spare."""
_AROUND = timedelta(days=7)
"""What begins or ends further from a day than this begins or ends at no moment that is looked at: a neighbour
is two days away at most, and assignments count from a day before to a day after a moment."""
_MARGINS = ("begin_check_in_before_shift_start_time", "allow_check_out_after_shift_end_time")

Shift = Any
"""A dict as HRMS makes it: shift_type, start_datetime, end_datetime, actual_start, actual_end, all naive, in
the site's time zone; overtime_type where HRMS knows it."""

_Shifts = tuple[str | None, tuple[tuple[Any, ...], ...]]
"""What somebody's shifts around a day are found from: the default one; of each assignment what it says, and
when it begins and ends if that is near."""


class ShiftFinder:
	"""Finds shifts of some people between two moments; later changes of assignments are not seen."""

	def __init__(self, employees: Collection[str], first: datetime, last: datetime) -> None:
		"""
		:param first: the earliest moment that will be asked for, naive, in the site's time zone.
		:param last: the latest.
		"""
		self._assignments = _read_assignments(employees, first, last)
		self._default_shifts = _read_default_shifts(employees)
		shift_types = _read_shift_types()
		self._asks_hrms = any(map(_overlaps_itself, shift_types))
		self._edges = sorted({edge for shift in shift_types for edge in _edges(shift)})
		self._assigned_fields = ("shift_type", *compat.overtime_fields("Shift Assignment"))
		self._found: dict[tuple[_Shifts, datetime], Shift] = {}
		self._stretches: dict[tuple[_Shifts, date, int, int], Shift] = {}

	def find(self, employee: str, moment: datetime) -> Shift:
		"""As `get_actual_start_end_datetime_of_shift(employee, moment, True)`; empty if there is no shift.

		:param moment: in whole seconds. What is returned is shared: nobody changes it.
		"""
		if self._asks_hrms:
			return get_actual_start_end_datetime_of_shift(employee, moment, True)
		time = timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second)
		stretch = bisect_left(self._edges, time), bisect_right(self._edges, time)  # they differ at an edge
		day = moment.date()
		shifts = self._shifts_around(employee, day)
		key = (shifts, day, *stretch)
		if key not in self._stretches:
			self._stretches[key] = self._find(shifts, employee, moment)
		return self._stretches[key]

	def _shifts_around(self, employee: str, day: date) -> _Shifts:
		default = self._default_shifts.get(employee)
		assignments = self._assignments.get(employee)
		if not assignments:
			return default, ()
		first, last = day - _AROUND, day + _AROUND
		return default, tuple(
			(
				*(assignment[field] for field in self._assigned_fields),
				assignment.start_date if assignment.start_date > first else None,
				assignment.end_date if assignment.end_date and assignment.end_date < last else None,
			)
			for assignment in assignments
			if assignment.start_date <= last and (assignment.end_date is None or assignment.end_date >= first)
		)

	def _find(self, shifts: _Shifts, employee: str, moment: datetime) -> Shift:
		current = self._shift_at(employee, moment)
		if not current:
			return {}
		next_shift = self._neighbour(shifts, employee, current.start_datetime + _DAY)
		previous = self._neighbour(shifts, employee, current.end_datetime - _DAY)
		if previous:
			current.actual_start = max(current.actual_start, previous.end_datetime)
			previous.actual_end = min(previous.actual_end, current.actual_start)
		if next_shift:
			next_shift.actual_start = max(next_shift.actual_start, current.end_datetime)
			current.actual_end = min(current.actual_end, next_shift.actual_start)
		return get_exact_shift([previous, current, next_shift], moment)

	def _neighbour(self, shifts: _Shifts, employee: str, moment: datetime) -> Shift:
		# Everybody who punches within one shift shares its neighbours; a copy, because they get trimmed.
		key = (shifts, moment)
		if key not in self._found:
			self._found[key] = self._shift_at(employee, moment)
		return self._found[key].copy()

	def _shift_at(self, employee: str, moment: datetime) -> Shift:
		assigned = self._assigned(employee, moment.date())
		shift = get_shift_for_time(assigned, moment) if assigned else None
		return shift or get_shift_details(self._default_shifts.get(employee), moment) or frappe._dict()

	def _assigned(self, employee: str, day: date) -> list[Any]:
		"""The assignments that HRMS would look at: a day more at both ends, for shifts over midnight."""
		yesterday, tomorrow = day - _DAY, day + _DAY
		return [
			assignment
			for assignment in self._assignments.get(employee, ())
			if assignment.start_date <= tomorrow
			and (assignment.end_date is None or yesterday <= assignment.end_date)
		]


def _read_assignments(employees: Collection[str], first: datetime, last: datetime) -> dict[str, list[Any]]:
	assignments: dict[str, list[Any]] = defaultdict(list)
	if not employees:
		return assignments
	rows = frappe.get_all(
		"Shift Assignment",
		filters={
			"employee": ("in", sorted(employees)),
			"docstatus": 1,
			"status": "Active",
			"start_date": ("<=", (last + _REACH).date()),
		},
		or_filters=[["end_date", ">=", (first - _REACH).date()], ["end_date", "is", "not set"]],
		fields=[
			"name",
			"employee",
			"shift_type",
			"start_date",
			"end_date",
			*compat.overtime_fields("Shift Assignment"),
		],
		# The order in which the index on `employee` hands them to HRMS: the first of equals is taken.
		order_by="name",
	)
	for row in rows:
		assignments[row.employee].append(row)
	return assignments


def _read_default_shifts(employees: Collection[str]) -> dict[str, str]:
	if not employees:
		return {}
	rows = frappe.get_all(
		"Employee",
		filters={"name": ("in", sorted(employees)), "default_shift": ("is", "set")},
		fields=["name", "default_shift"],
		order_by=None,
	)
	return {row.name: row.default_shift for row in rows}


def _read_shift_types() -> list[Any]:
	return frappe.get_all("Shift Type", fields=["start_time", "end_time", *_MARGINS], order_by=None)


def _overlaps_itself(shift: Any) -> bool:
	length = shift.end_time - shift.start_time
	if length <= timedelta(0):
		length += _DAY
	return length + timedelta(minutes=sum(shift[margin] or 0 for margin in _MARGINS)) >= _DAY


def _edges(shift: Any) -> tuple[timedelta, ...]:
	"""The times of day at which a shift and its margins begin and end."""
	before, after = (timedelta(minutes=shift[margin] or 0) for margin in _MARGINS)
	edges = (shift.start_time - before, shift.start_time, shift.end_time, shift.end_time + after)
	return tuple(edge % _DAY for edge in edges)
