"""Overtime Rules: which of them is for whom, and what it says in the words of `core.workday`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any

import frappe
from frappe.utils import get_time

from attendance_bridge.core.workday.rules import BreakRules, DaysOff, OvertimeRules, Rounding, RoundingMode

FITS = ("company", "shift_type", "employee_grade")
"""The fields that say for whom a rule is; empty means everybody."""

_WEIGHT = {"shift_type": 4, "employee_grade": 2, "company": 1}
"""A rule for a shift is nearer to the day than one for a grade, and that than one for a company."""

_ROUNDING = {"Down": RoundingMode.DOWN, "Nearest": RoundingMode.NEAREST, "Up": RoundingMode.UP}
_DAYS_OFF = {"All of It Is Overtime": DaysOff.ALL_OVERTIME, "As on Any Other Day": DaysOff.AS_USUAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRules:
	"""What an Overtime Rule says: overtime, and the breaks that go into the hours."""

	overtime: OvertimeRules = field(default_factory=OvertimeRules)
	breaks: BreakRules = field(default_factory=BreakRules)


DEFAULT = DayRules()
"""What holds where no rule fits."""


class Rulebook:
	"""Every enabled rule, read once for a batch. Two statements."""

	def __init__(self, rows: Iterable[Any]) -> None:
		self._rules = sorted(
			((row, _weight(row), read(row)) for row in rows), key=lambda rule: (-rule[1], rule[0].name)
		)
		self._chosen: dict[tuple[str | None, ...], tuple[Any, DayRules]] = {}

	@classmethod
	def load(cls) -> Rulebook:
		rows = frappe.get_all("Overtime Rule", filters={"enabled": 1}, fields=["*"], order_by="name")
		allowances = frappe.get_all(
			"Overtime Allowance",
			filters={"parenttype": "Overtime Rule"},
			fields=["parent", "allowance", "from_hours", "salary_component", "amount"],
			order_by="parent, idx",
		)
		for row in rows:
			row.allowances = [each for each in allowances if each.parent == row.name]
		return cls(rows)

	def choose(self, *, company: str | None, shift: str | None, grade: str | None) -> DayRules:
		"""The rule for a person on a day: of those that fit, the one that says most."""
		return self._choose(company, shift, grade)[1]

	def fitting(self, *, company: str | None, shift: str | None, grade: str | None) -> Any:
		"""The row of that rule, with its allowances; None where no rule fits."""
		return self._choose(company, shift, grade)[0]

	def _choose(self, *key: str | None) -> tuple[Any, DayRules]:
		if key not in self._chosen:
			given = dict(zip(FITS, key, strict=True))
			fitting = ((row, rules) for row, _, rules in self._rules if _fits(row, given))
			self._chosen[key] = next(fitting, (None, DEFAULT))
		return self._chosen[key]


def read(rule: Any) -> DayRules:
	"""An Overtime Rule, a document or a row, as the engine reads it.

	:raises ValueError: its times of day or its steps make no sense.
	"""
	return DayRules(
		overtime=OvertimeRules(
			begins=_time(rule.overtime_begins),
			extra_begins=_time(rule.extra_overtime_begins),
			within_shift=bool(rule.within_shift),
			standard=timedelta(hours=rule.standard_hours or 0),
			minimum=timedelta(minutes=rule.minimum_minutes or 0),
			rounding=Rounding(
				step=timedelta(minutes=rule.rounding_minutes or 1),
				mode=_ROUNDING[rule.rounding_mode or "Down"],
			),
			days_off=_DAYS_OFF[rule.days_off],
			allowances={
				row.allowance.strip(): timedelta(hours=row.from_hours or 0) for row in rule.allowances
			},
		),
		breaks=BreakRules(
			by_key_unpaid=bool(rule.breaks_by_key_unpaid),
			paid=timedelta(minutes=rule.paid_break_minutes or 0),
			deducted=timedelta(minutes=rule.deducted_break_minutes or 0),
			deducted_over=timedelta(hours=rule.deducted_over_hours or 0),
		),
	)


def _time(value: Any) -> time:
	# Time fields come as text, as time or as timedelta, by the road that they took.
	return get_time(value)  # type: ignore[no-any-return]


def _weight(row: Any) -> int:
	return sum(weight for name, weight in _WEIGHT.items() if row.get(name))


def _fits(row: Any, given: dict[str, str | None]) -> bool:
	return all(not row.get(name) or row.get(name) == given[name] for name in FITS)
