"""What approved hours and allowances are worth by the Overtime Rules, by employee and salary component."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench.workdays.overtime_rules import Rulebook

FIXED, OF_SALARY = "Fixed Amount", "Share of the Salary"
_HOUR = 3600


@dataclass(slots=True, kw_only=True)
class Due:
	"""What one employee has coming under one salary component."""

	hours: float = 0.0
	times: int = 0
	"""How many allowances."""
	amount: float = 0.0
	"""In the currency of the salary, not rounded."""


@dataclass(slots=True, kw_only=True)
class Account:
	"""What one employee has coming, and why something of it cannot be paid."""

	sums: dict[str, Due] = field(default_factory=dict)
	notes: list[str] = field(default_factory=list)

	def of(self, component: str) -> Due:
		return self.sums.setdefault(component, Due())

	def note(self, text: str) -> None:
		if text not in self.notes:
			self.notes.append(text)


class Rates:
	"""Rules, people and salaries. Four statements."""

	def __init__(self, rulebook: Rulebook, people: Iterable[Any], bases: Mapping[str, list[Any]]) -> None:
		self._rulebook = rulebook
		self._people = {row.name: row for row in people}
		self._bases = bases

	@classmethod
	def load(cls, employees: Collection[str]) -> Rates:
		names = ("in", sorted(employees) or [""])
		people = frappe.get_all(
			"Employee", filters={"name": names}, fields=["name", "grade", "relieving_date"], order_by=None
		)
		assigned = frappe.get_all(
			"Salary Structure Assignment",
			filters={"employee": names, "docstatus": 1},
			fields=["employee", "from_date", "base", "currency"],
			order_by="from_date",
		)
		bases: dict[str, list[Any]] = {}
		for row in assigned:
			bases.setdefault(row.employee, []).append(row)
		return cls(Rulebook.load(), people, bases)

	def while_employed(self, employee: str, wanted: date) -> date:
		"""A date, or the last one of somebody who left before it: HRMS pays nobody later."""
		left = self._people[employee].relieving_date
		return min(wanted, left) if left else wanted

	def currency(self, employee: str, on: date) -> str | None:
		assigned = self._assigned(employee, on)
		return assigned.currency if assigned is not None else None

	def accounts(self, days: Iterable[Any], company: str) -> dict[str, Account]:
		"""What each employee has coming.

		:param days: approved rows of Overtime Approval Day.
		"""
		accounts: dict[str, Account] = {}
		for day in days:
			account = accounts.setdefault(day.employee, Account())
			rule = self._rulebook.fitting(
				company=company, shift=day.shift, grade=self._people[day.employee].grade
			)
			if not day.overtime_type:
				self._add_hours(account, day, rule)
			self._add_allowances(account, day, rule)
		return accounts

	def _add_hours(self, account: Account, day: Any, rule: Any) -> None:
		if not (day.approved_overtime or day.approved_extra_overtime):
			return
		if rule is None or not rule.hour_is_worth:
			account.note(_("No Overtime Rule says what an hour is worth."))
			return
		hourly = self._hourly(rule, day)
		if hourly is None:
			account.note(_("No Salary Structure Assignment with a base."))
			return
		on_day_off = rule.day_off_multiplier if day.day_off else 0
		for seconds, component, multiplier in (
			(day.approved_overtime, rule.overtime_component, rule.overtime_multiplier),
			(
				day.approved_extra_overtime,
				rule.extra_overtime_component or rule.overtime_component,
				rule.extra_overtime_multiplier,
			),
		):
			if seconds:
				due = account.of(component)
				due.hours += seconds / _HOUR
				due.amount += seconds / _HOUR * hourly * (on_day_off or multiplier)

	def _hourly(self, rule: Any, day: Any) -> float | None:
		if rule.hour_is_worth == FIXED:
			return float(rule.hourly_rate or 0)
		assigned = self._assigned(day.employee, day.attendance_date)
		if assigned is None or not assigned.base or not rule.base_hours:
			return None
		return float(assigned.base) / float(rule.base_hours)

	def _add_allowances(self, account: Account, day: Any, rule: Any) -> None:
		if not day.approve_allowances or rule is None:
			return
		for name in _names(day.allowances):
			paid = next((row for row in rule.allowances if row.allowance.strip() == name), None)
			if paid is not None and paid.salary_component and paid.amount:
				due = account.of(paid.salary_component)
				due.times += 1
				due.amount += float(paid.amount)

	def _assigned(self, employee: str, on: date) -> Any:
		rows = [row for row in self._bases.get(employee, ()) if row.from_date <= on]
		return rows[-1] if rows else None


def _names(allowances: str | None) -> Iterator[str]:
	return (name for name in (allowances or "").split(", ") if name)
