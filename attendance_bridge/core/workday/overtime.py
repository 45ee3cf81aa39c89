"""How much of a day's work is overtime, how much extra overtime, and what it gives a right to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone

from attendance_bridge.core.clock import localise
from attendance_bridge.core.workday.plan import DayPlan
from attendance_bridge.core.workday.rules import NOTHING, DaysOff, OvertimeRules
from attendance_bridge.core.workday.stretches import Stretch


@dataclass(frozen=True, slots=True)
class Overtime:
	begins: datetime | None = None
	"""When it began, in UTC; None if there was none."""
	extra_begins: datetime | None = None
	span: timedelta = NOTHING
	extra: timedelta = NOTHING
	allowances: frozenset[str] = frozenset()


NONE = Overtime()


def find_overtime(
	stretches: Sequence[Stretch], worked: timedelta, plan: DayPlan, rules: OvertimeRules
) -> Overtime:
	"""Split work into its ordinary part, overtime and extra overtime.

	:param stretches: of work, in order of time.
	:param worked: what they come to after breaks were taken off; overtime is never more.
	"""
	if not stretches:
		return NONE
	begins, extra_begins = _borders(stretches[0][0], plan, rules)
	extra = _after(extra_begins, stretches)
	span = _after(begins, stretches) - extra
	too_much = span + extra - max(worked - rules.standard, NOTHING)
	if too_much > NOTHING:
		# What is not overtime after all is taken from its beginning: the ordinary hours are filled up first.
		from_span = min(span, too_much)
		span, extra = span - from_span, extra - (too_much - from_span)
	if span + extra < rules.minimum:
		return NONE
	allowances = frozenset(name for name, least in rules.allowances.items() if NOTHING < least <= extra)
	span, extra = rules.rounding(span), rules.rounding(extra)
	return Overtime(begins if span else None, extra_begins if extra else None, span, extra, allowances)


def _borders(first_in: datetime, plan: DayPlan, rules: OvertimeRules) -> tuple[datetime, datetime]:
	"""From when on work is overtime, and extra overtime."""
	begins, extra_begins = _at(plan, rules.begins), _at(plan, rules.extra_begins)
	shift = plan.shift
	if shift is not None and (shift.start >= begins or shift.end > _at(plan, time.max)):
		begins, extra_begins = shift.end, shift.end + (extra_begins - begins)
	elif shift is not None and not rules.within_shift:
		begins, extra_begins = max(begins, shift.end), max(extra_begins, shift.end)
	if plan.off is not None and not plan.off.is_half and rules.days_off is DaysOff.ALL_OVERTIME:
		begins = min(begins, first_in)
	return begins, extra_begins


def _at(plan: DayPlan, at: time) -> datetime:
	return localise(datetime.combine(plan.date, at), plan.zone).astimezone(timezone.utc)


def _after(border: datetime, stretches: Sequence[Stretch]) -> timedelta:
	return sum((end - max(begin, border) for begin, end in stretches if end > border), NOTHING)
