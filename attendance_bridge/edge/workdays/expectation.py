"""What is expected of one person on each date: shifts, days off, leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta, tzinfo

from attendance_bridge.core.person import Person
from attendance_bridge.core.workday.plan import Leave, Off, Shift, trimmed
from attendance_bridge.edge.workdays.settings import AgreedShift, WorkingDays
from attendance_bridge.stores.agreements import Agreed, Mark, MarkKind

_DAY = timedelta(days=1)
_LEAVES = {MarkKind.LEAVE: Leave.FULL, MarkKind.HALF_LEAVE: Leave.HALF}


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
	"""A shift that somebody is to work."""

	day: date
	agreed: AgreedShift
	shift: Shift


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
	person: Person
	rules: WorkingDays
	agreed: Agreed
	zone: tzinfo
	known_since: date | None
	"""The date of their first check-in; None: there is none. Nobody is waited for before, unless a shift was
	assigned to them by name."""

	def shifts(self, first: date, last: date) -> list[Due]:
		"""Those that begin between two dates, in order of time, their windows made not to overlap.

		Of two that overlap in working time the one that was assigned last counts.
		"""
		kept: list[Due] = []
		before: list[Due] = []
		for number in range((last - first).days + 1):
			day = first + number * _DAY
			today: list[Due] = []
			for agreed in self._of(day):
				due = _due(day, agreed, self.zone)
				# No shift is longer than a day: what began the day before yesterday has ended.
				if due is not None and not any(_overlap(due, other) for other in (*before, *today)):
					today.append(due)
			kept += today
			before = today
		kept.sort(key=lambda due: due.shift.start)
		shifts = trimmed(_opened_in_the_middle([due.shift for due in kept]))
		return [
			Due(day=due.day, agreed=due.agreed, shift=shift) for due, shift in zip(kept, shifts, strict=True)
		]

	def _of(self, day: date) -> Iterable[AgreedShift]:
		"""Those of a date, the one that was assigned last first."""
		names: dict[str, None] = {}
		for assignment in self.agreed.assignments:
			if not assignment.holds(day):
				continue
			names[assignment.shift] = None
			if not assignment.besides:
				break
		else:
			if self.known_since is not None and day >= self.known_since:
				everyday = self.person.shift if self.person.shift in self.rules.shifts else ""
				names[everyday or self.rules.default_shift] = None
		return [self.rules.shifts[name] for name in names if name in self.rules.shifts]

	def off(self, day: date, shift: AgreedShift | None) -> Off | None:
		mark = self.mark(day)
		if mark is not None and mark.kind is MarkKind.OFF:
			return Off.WEEKLY_OFF
		if day in self.rules.holidays:
			return Off.HOLIDAY
		weekly_off = self.rules.weekly_off if shift is None else shift.weekly_off
		return Off.WEEKLY_OFF if day.weekday() in weekly_off else None

	def leave(self, day: date) -> Leave | None:
		mark = self.mark(day)
		return _LEAVES.get(mark.kind) if mark is not None else None

	def mark(self, day: date) -> Mark | None:
		return self.agreed.marks.get(day)


def _due(day: date, agreed: AgreedShift, zone: tzinfo) -> Due | None:
	"""None for a shift that lies in the hour that a clock change leaves out."""
	try:
		return Due(day=day, agreed=agreed, shift=agreed.times.on(day, zone))
	except ValueError:
		return None


def _opened_in_the_middle(shifts: list[Shift]) -> Iterator[Shift]:
	"""No shift opens before the middle of the time between it and the one before: who stays a little longer
	in the one has not come early to the other.
	"""
	before: Shift | None = None
	for shift in shifts:
		middle = before.end + (shift.start - before.end) / 2 if before is not None else shift.opens
		yield replace(shift, opens=max(shift.opens, middle))
		before = shift


def _overlap(one: Due, other: Due) -> bool:
	return one.shift.start < other.shift.end and other.shift.start < one.shift.end
