"""What is expected of a person on a date: a shift, a holiday, a leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from enum import Enum

from attendance_bridge.core.clock import localise
from attendance_bridge.core.workday.day import Scan
from attendance_bridge.core.workday.rules import ShiftRules


class Off(str, Enum):
	"""Why a date is no working day, or only half of one."""

	HOLIDAY = "holiday"
	WEEKLY_OFF = "weekly_off"
	HALF_HOLIDAY = "half_holiday"
	"""Half of the shift is expected; nothing says which half."""
	HALF_WEEKLY_OFF = "half_weekly_off"

	@property
	def is_half(self) -> bool:
		return self in (Off.HALF_HOLIDAY, Off.HALF_WEEKLY_OFF)


class Leave(str, Enum):
	FULL = "full"
	HALF = "half"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
	"""One shift of one date. All moments aware, in UTC."""

	name: str
	start: datetime
	end: datetime
	opens: datetime
	"""From here on a punch belongs to it."""
	closes: datetime
	"""And up to here, excluded."""
	rules: ShiftRules = field(default_factory=ShiftRules)

	def __post_init__(self) -> None:
		if not self.opens <= self.start < self.end <= self.closes:
			raise ValueError("a shift opens, starts, ends and closes in this order")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
	"""What is expected on a date. Two shifts on one date are two plans."""

	date: date
	zone: tzinfo
	"""In which the date and the times of day of the rules are meant."""
	shift: Shift | None = None
	off: Off | None = None
	leave: Leave | None = None
	present: bool = False
	"""Somebody has said that the person was there, whether punches tell of it or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftTimes:
	"""A shift as it is agreed: the same times of day on every date."""

	name: str
	start: time
	end: time
	"""Of the next date if it is not later than `start`."""
	opens_before: timedelta = timedelta(hours=1)
	closes_after: timedelta = timedelta(hours=1)
	rules: ShiftRules = field(default_factory=ShiftRules)

	def on(self, day: date, zone: tzinfo) -> Shift:
		"""The shift that starts on a date. A clock change in it makes it longer or shorter."""
		last_day = day if self.end > self.start else day + timedelta(days=1)
		start, end = _utc(day, self.start, zone), _utc(last_day, self.end, zone)
		return Shift(
			name=self.name,
			start=start,
			end=end,
			opens=start - self.opens_before,
			closes=end + self.closes_after,
			rules=self.rules,
		)


def _utc(day: date, at: time, zone: tzinfo) -> datetime:
	return localise(datetime.combine(day, at), zone).astimezone(timezone.utc)


def trimmed(shifts: Iterable[Shift]) -> list[Shift]:
	"""Shifts of one person in order of time, their windows made not to overlap, as HRMS does.

	A shift opens at the earliest when the one before it ends, and closes at the latest when the next opens.

	:raises ValueError: two of them overlap in working time itself.
	"""
	result: list[Shift] = []
	for shift in sorted(shifts, key=lambda each: each.start):
		if result:
			before = result[-1]
			if shift.start < before.end:
				raise ValueError(f"{before.name} has not ended when {shift.name} starts")
			opens = max(shift.opens, before.end)
			result[-1] = replace(before, closes=min(before.closes, opens))
			shift = replace(shift, opens=opens)
		result.append(shift)
	return result


def share_out(scans: Iterable[Scan], shifts: Sequence[Shift]) -> tuple[list[list[Scan]], list[Scan]]:
	"""Give each punch to the shift in whose window it falls.

	:param shifts: as `trimmed` gives them.
	:returns: the punches of each shift in order of time, and those that fall into none.
	"""
	shares: list[list[Scan]] = [[] for _ in shifts]
	outside: list[Scan] = []
	place = 0
	for scan in sorted(scans, key=lambda each: each.at):
		while place < len(shifts) and scan.at >= shifts[place].closes:
			place += 1
		fits = place < len(shifts) and scan.at >= shifts[place].opens
		(shares[place] if fits else outside).append(scan)
	return shares, outside
