"""What the days of one person come to: days, lateness, hours, overtime, allowances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

from attendance_bridge.core.workday.day import Reason, Status, Workday
from attendance_bridge.core.workday.rules import NOTHING

P = TypeVar("P")

_WORKED = {
	Status.ON_TIME: 1.0,
	Status.CONSIDERED: 1.0,
	Status.LATE: 1.0,
	Status.EARLY_EXIT: 1.0,
	Status.HALF_DAY: 0.5,
	Status.PRESENT: 1.0,
}
_ABSENT = {
	Reason.NO_PUNCH: 1.0,
	Reason.BELOW_ABSENT: 1.0,
	Reason.BELOW_HALF_DAY: 0.5,
	Reason.HALF_LEAVE_HALF_ABSENT: 0.5,
}
_LEAVE = {Reason.LEAVE: 1.0, Reason.HALF_LEAVE: 0.5, Reason.HALF_LEAVE_HALF_ABSENT: 0.5}


@dataclass(frozen=True, kw_only=True)
class Tally(Generic[P]):
	person: P
	"""Whose they are, as the caller calls them."""
	worked: float
	"""Days; a half one counts half, and two shifts of one date are one day."""
	absent: float
	leave: float
	off: int
	"""Holidays and weekly offs."""
	late: int
	"""How often."""
	late_by: timedelta
	"""Of those times, from the start of the shift on."""
	hours: timedelta
	overtime: timedelta
	extra_overtime: timedelta
	overtime_days: int
	allowances: Mapping[str, int]
	"""How often each."""


def tally(person: P, days: Sequence[Workday], hours: Iterable[timedelta]) -> Tally[P]:
	"""
	:param days: of one person.
	:param hours: of each of them; where somebody else has judged a day, not those that the engine found.
	"""
	late = [day for day in days if day.status is Status.LATE]
	return Tally(
		person=person,
		worked=_sum_by_date((day.date, _worked(day)) for day in days),
		absent=_sum_by_date((day.date, _ABSENT.get(day.reason, 0.0)) for day in days),
		leave=_sum_by_date((day.date, _LEAVE.get(day.reason, 0.0)) for day in days),
		off=len({day.date for day in days if day.status in (Status.HOLIDAY, Status.WEEKLY_OFF)}),
		late=len(late),
		late_by=sum((day.late_by for day in late), NOTHING),
		hours=sum(hours, NOTHING),
		overtime=sum((day.overtime for day in days), NOTHING),
		extra_overtime=sum((day.extra_overtime for day in days), NOTHING),
		overtime_days=len({day.date for day in days if day.overtime or day.extra_overtime}),
		allowances=Counter(name for day in days for name in day.allowances),
	)


def _worked(day: Workday) -> float:
	if day.reason is Reason.HALF_LEAVE_HALF_ABSENT:
		return 0.0
	return _WORKED.get(day.status, 0.0)


def _sum_by_date(shares: Iterable[tuple[date, float]]) -> float:
	"""A date is one day at most, also with two shifts in it; of two different ones the greater counts."""
	greatest: dict[date, float] = {}
	for day, share in shares:
		if share > greatest.get(day, 0.0):
			greatest[day] = share
	return sum(greatest.values(), 0.0)
