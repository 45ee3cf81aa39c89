"""What the days of each person come to; the sums are `core.workday.tally`'s."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from attendance_bridge.bench.workdays.days import PersonDay
from attendance_bridge.bench.workdays.sheet import Employee
from attendance_bridge.core.workday import tally as sums

Tally: TypeAlias = sums.Tally[Employee]


def by_person(person_days: Iterable[PersonDay]) -> list[tuple[Tally, list[PersonDay]]]:
	"""The tally of each person with the days that it is made of, in the order of `person_days`."""
	days: dict[str, list[PersonDay]] = defaultdict(list)
	for each in person_days:
		days[each.person.name].append(each)
	return [(tally(of_one), of_one) for of_one in days.values()]


def tally(person_days: Sequence[PersonDay]) -> Tally:
	"""
	:param person_days: of one person, at least one.
	"""
	return sums.tally(
		person_days[0].person, [each.day for each in person_days], (each.hours for each in person_days)
	)
