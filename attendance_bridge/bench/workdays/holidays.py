"""Which dates are holidays and weekly offs for whom, read for many people at once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import frappe

from attendance_bridge.bench import compat
from attendance_bridge.core.workday.plan import Off


class Holidays:
	"""The Holiday Lists of some people, for a range of dates.

	Which list counts is HRMS's rule: that of the shift, else that of the employee, else that of the company.
	"""

	def __init__(
		self,
		lists: Mapping[str, list[tuple[date, str]]],
		days: Mapping[str, Mapping[date, Off]],
	) -> None:
		"""
		:param lists: by employee and by company, from when on which list counts, in order of time.
		:param days: by list.
		"""
		self._lists = lists
		self._days = days

	@classmethod
	def load(cls, people: Iterable[Any], shift_lists: Iterable[str], *, first: date, last: date) -> Holidays:
		"""Two statements, one more where lists are assigned (v16).

		:param people: rows of Employee with name, company and holiday_list.
		:param shift_lists: the lists that Shift Types name.
		"""
		lists = _lists(list(people))
		names = {name for each in lists.values() for _, name in each} | set(shift_lists)
		rows = frappe.get_all(
			"Holiday",
			filters={
				"parenttype": "Holiday List",
				"parent": ("in", sorted(names) or [""]),
				"holiday_date": ("between", (first, last)),
			},
			fields=["parent", "holiday_date", "weekly_off"],
			order_by=None,
		)
		days: dict[str, dict[date, Off]] = defaultdict(dict)
		for row in rows:
			days[row.parent][row.holiday_date] = Off.WEEKLY_OFF if row.weekly_off else Off.HOLIDAY
		return cls(lists, days)

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


def _lists(people: list[Any]) -> dict[str, list[tuple[date, str]]]:
	companies = {row.company for row in people if row.company}
	assigned = compat.assigned_holiday_lists({row.name for row in people} | companies)
	if assigned is not None:
		return assigned
	lists = {row.name: [(date.min, row.holiday_list)] for row in people if row.holiday_list}
	defaults = frappe.get_all(
		"Company",
		filters={"name": ("in", sorted(companies) or [""]), "default_holiday_list": ("is", "set")},
		fields=["name", "default_holiday_list"],
		order_by=None,
	)
	lists.update({row.name: [(date.min, row.default_holiday_list)] for row in defaults})
	return lists
