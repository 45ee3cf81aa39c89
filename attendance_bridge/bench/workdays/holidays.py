"""Which dates are holidays and weekly offs for whom, read for many people at once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import frappe

from attendance_bridge.bench import compat
from attendance_bridge.core.workday.plan import Off

Lists = Mapping[str, Sequence[tuple[date, str]]]
"""By employee and by company, from when on which Holiday List counts, in order of time."""


class Holidays:
	"""The Holiday Lists of some people, for a range of dates.

	Which list counts is HRMS's rule: that of the shift, else that of the employee, else that of the company.
	"""

	def __init__(
		self,
		lists: Lists,
		days: Mapping[str, Mapping[date, Off]],
	) -> None:
		"""
		:param days: by list.
		"""
		self._lists = lists
		self._days = days

	@classmethod
	def load(cls, people: Iterable[Any], shift_lists: Iterable[str], *, first: date, last: date) -> Holidays:
		"""Two statements.

		:param people: rows of Employee with name and holiday_list.
		:param shift_lists: the lists that Shift Types name.
		"""
		lists = lists_of(list(people))
		names = {name for each in lists.values() for _, name in each} | set(shift_lists)
		return cls(lists, days_of(names, first, last))

	def of(self, day: date, *, employee: str, company: str | None, shift_list: str | None) -> Off | None:
		"""Whether a date is off for somebody, and as what."""
		name = shift_list or self._list_of(employee, day) or self._list_of(company or "", day)
		return self._days[name].get(day) if name in self._days else None

	def _list_of(self, owner: str, day: date) -> str | None:
		lists = self._lists.get(owner)
		if not lists:
			return None
		place = bisect_right(lists, day, key=lambda each: each[0])
		return lists[place - 1][1] if place else None


def days_of(
	lists: Collection[str], first: date = date.min, last: date = date.max
) -> dict[str, dict[date, Off]]:
	"""The days off of some Holiday Lists, by list. One statement."""
	rows = frappe.get_all(
		"Holiday",
		filters={
			"parenttype": "Holiday List",
			"parent": ("in", sorted(lists) or [""]),
			"holiday_date": ("between", (first, last)),
		},
		fields=["parent", "holiday_date", "weekly_off", *compat.half_holiday_field()],
		order_by=None,
	)
	days: dict[str, dict[date, Off]] = defaultdict(dict)
	for row in rows:
		days[row.parent][row.holiday_date] = off_of(row)
	return days


def off_of(row: Any) -> Off:
	""":param row: of a Holiday List; on v15 none has `is_half_day`."""
	if row.get("is_half_day"):
		return Off.HALF_WEEKLY_OFF if row.weekly_off else Off.HALF_HOLIDAY
	return Off.WEEKLY_OFF if row.weekly_off else Off.HOLIDAY


def lists_of(people: Collection[Any]) -> Lists:
	"""The Holiday Lists of some people and of all companies: who has changed from one to another has days of
	both. One statement.

	:param people: rows of Employee with name and holiday_list.
	"""
	assigned = compat.assigned_holiday_lists([row.name for row in people])
	if assigned is not None:
		return assigned
	lists = {row.name: [(date.min, row.holiday_list)] for row in people if row.holiday_list}
	defaults = frappe.get_all(
		"Company",
		filters={"default_holiday_list": ("is", "set")},
		fields=["name", "default_holiday_list"],
		order_by=None,
	)
	lists.update({row.name: [(date.min, row.default_holiday_list)] for row in defaults})
	return lists
