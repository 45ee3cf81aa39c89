"""People whose punches keep coming at the same moment from the same terminal.

It says that two cards or numbers were used one right after the other, day after day; not who held them.
People who come in one car look the same. So it is something to look at, never a verdict: only a terminal that
has recognised a face or a finger says who stood there, and such a punch is never part of a pattern.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from attendance_bridge.core.punch import VerifyMode

HANDED_ON = frozenset({VerifyMode.CARD, VerifyMode.PASSWORD, VerifyMode.QR})
"""What one person can use for another. Of an unknown mode nothing can be concluded."""

Couple = tuple[str, str]
"""Two people in the order of their names."""


@dataclass(frozen=True, slots=True)
class Touch:
	"""A punch of somebody, as far as it can be one of a pattern."""

	punch: str
	"""Its identity."""
	person: str
	device: str
	at: datetime
	mode: VerifyMode


@dataclass(frozen=True, slots=True, kw_only=True)
class TogetherRules:
	within: timedelta = timedelta(seconds=5)
	"""Two punches this near each other come together."""
	days: int = 5
	"""So many days in a row make a pattern; half as many where something else contradicts. 0: never."""

	@property
	def contradicted_days(self) -> int:
		return max(2, (self.days + 1) // 2)


@dataclass(frozen=True, slots=True)
class DayTogether:
	"""One date: who punched at all, and who together."""

	date: date
	present: frozenset[str]
	couples: Mapping[Couple, tuple[str, ...]]
	"""The punches by which two came together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
	"""Two people who came together on days in a row."""

	couple: Couple
	dates: tuple[date, ...]
	punches: tuple[str, ...]
	contradicted: tuple[date, ...]
	"""Those of the dates on which something else says that one of them was not there."""


def look_at_day(day: date, touches: Iterable[Touch], rules: TogetherRules) -> DayTogether:
	"""Who punched together on a date.

	:param touches: the punches of that date, of everybody, in any order.
	"""
	present: set[str] = set()
	by_device: dict[str, list[Touch]] = defaultdict(list)
	for touch in touches:
		present.add(touch.person)
		if touch.mode in HANDED_ON:
			by_device[touch.device].append(touch)
	couples: dict[Couple, set[str]] = defaultdict(set)
	for of_device in by_device.values():
		of_device.sort(key=lambda touch: (touch.at, touch.punch))
		for place, touch in enumerate(of_device):
			for other in of_device[place + 1 :]:
				if other.at - touch.at > rules.within:
					break
				if other.person != touch.person:
					couples[_couple(touch.person, other.person)] |= {touch.punch, other.punch}
	together = {couple: tuple(sorted(punches)) for couple, punches in couples.items()}
	return DayTogether(day, frozenset(present), together)


def find_patterns(
	days: Sequence[DayTogether],
	rules: TogetherRules,
	contradicted: AbstractSet[tuple[str, date]] = frozenset(),
) -> list[Pattern]:
	"""The couples who came together on enough days in a row, each row by itself.

	A day on which only one of two was there does not end their row: it says nothing about both.

	:param days: in order of time, each once.
	:param contradicted: people and dates of which something else says that they were not there.
	"""
	if rules.days <= 0:
		return []
	often: dict[Couple, int] = defaultdict(int)
	for day in days:
		for couple in day.couples:
			often[couple] += 1
	least = min(rules.days, rules.contradicted_days)
	return [
		pattern
		for couple in sorted(couple for couple, count in often.items() if count >= least)
		for row in _rows(couple, days)
		if len(row) >= least and _is_enough(pattern := _pattern(couple, row, contradicted), rules)
	]


def _couple(one: str, other: str) -> Couple:
	return (one, other) if one < other else (other, one)


def _rows(couple: Couple, days: Sequence[DayTogether]) -> list[list[DayTogether]]:
	rows: list[list[DayTogether]] = [[]]
	for day in days:
		if couple in day.couples:
			rows[-1].append(day)
		elif day.present.issuperset(couple) and rows[-1]:
			rows.append([])
	return rows


def _pattern(
	couple: Couple, row: Sequence[DayTogether], contradicted: AbstractSet[tuple[str, date]]
) -> Pattern:
	return Pattern(
		couple=couple,
		dates=tuple(day.date for day in row),
		punches=tuple(punch for day in row for punch in day.couples[couple]),
		contradicted=tuple(
			day.date for day in row if any((person, day.date) in contradicted for person in couple)
		),
	)


def _is_enough(pattern: Pattern, rules: TogetherRules) -> bool:
	return len(pattern.dates) >= (rules.contradicted_days if pattern.contradicted else rules.days)
