"""How a working day is counted: what a company says once, by shift, grade or for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import Enum
from types import MappingProxyType

NOTHING = timedelta(0)


class Pairing(str, Enum):
	"""What makes an IN and an OUT; the two choices of HRMS's Shift Type."""

	ALTERNATING = "alternating"
	"""IN, OUT, IN, OUT …, whatever the punches say of themselves."""
	STRICT = "strict"
	"""By the log type of each punch."""


class Counting(str, Enum):
	"""Which time counts as worked; the two choices of HRMS's Shift Type."""

	FIRST_TO_LAST = "first_to_last"
	EVERY_PAIR = "every_pair"


class RoundingMode(str, Enum):
	DOWN = "down"
	NEAREST = "nearest"
	"""Half a step counts as a whole one."""
	UP = "up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding:
	"""Steps in which a span of time is counted."""

	step: timedelta = timedelta(minutes=1)
	mode: RoundingMode = RoundingMode.DOWN

	def __post_init__(self) -> None:
		if self.step <= NOTHING:
			raise ValueError("the step of a rounding is longer than nothing")

	def __call__(self, span: timedelta) -> timedelta:
		whole, rest = divmod(span, self.step)
		if rest and (
			self.mode is RoundingMode.UP or (self.mode is RoundingMode.NEAREST and rest * 2 >= self.step)
		):
			whole += 1
		return whole * self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakRules:
	"""Breaks that are taken by key or by leaving, and one that is taken off by itself."""

	by_key_unpaid: bool = False
	"""Whether the time between the keys Break Out and Break In is no work, where the first to the last
	punch counts. (Where every pair counts, it is none anyway.) HRMS does not take it off."""
	paid: timedelta = NOTHING
	"""So much of a day's break counts as worked after all."""
	deducted: timedelta = NOTHING
	"""Taken off a long day by itself, less the breaks that were taken."""
	deducted_over: timedelta = timedelta(hours=6)
	"""A day is long if more than this was worked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRules:
	"""What Shift Type of HRMS says about counting, with its meanings."""

	pairing: Pairing = Pairing.ALTERNATING
	counting: Counting = Counting.FIRST_TO_LAST
	late_grace: timedelta | None = NOTHING
	"""Who comes later than this after the start is late; None: nobody is."""
	early_grace: timedelta | None = NOTHING
	"""Who leaves earlier than this before the end leaves early; None: nobody does."""
	half_day_below: timedelta = NOTHING
	"""Less work than this is half a day; nothing: no such rule."""
	absent_below: timedelta = NOTHING
	"""Less work than this is none; nothing: no such rule."""
	breaks: BreakRules = field(default_factory=BreakRules)
	rounding: Rounding | None = None
	"""Of the hours worked; None: to the second."""


class DaysOff(str, Enum):
	"""What work on a holiday or a weekly off is."""

	ALL_OVERTIME = "all_overtime"
	AS_USUAL = "as_usual"


DEFAULT_ALLOWANCES: Mapping[str, timedelta] = MappingProxyType(
	{"snacks": timedelta(hours=1), "night_bill": timedelta(hours=5)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OvertimeRules:
	"""From when on work is overtime, and from when on extra overtime.

	The two are told apart, not counted twice: from 17:00 to 21:00 are two hours of overtime and two of extra
	overtime under the defaults.

	The times of day hold for a shift that begins before `begins` and ends on its own date. For every other
	shift, a night shift for instance, they have no meaning; there overtime begins with the end of the shift,
	and extra overtime as much later as one time of day is after the other. Neither begins before the end of
	the shift, unless `within_shift`.
	"""

	begins: time = time(17)
	extra_begins: time = time(19)
	within_shift: bool = False
	"""Whether work before the end of the shift can be overtime at all."""
	standard: timedelta = NOTHING
	"""Work below this is no overtime, however late the hour: who came late works it off first."""
	minimum: timedelta = NOTHING
	"""Overtime and extra overtime together are nothing if they come to less than this."""
	rounding: Rounding = field(default_factory=Rounding)
	"""Of each of the two."""
	days_off: DaysOff = DaysOff.ALL_OVERTIME
	allowances: Mapping[str, timedelta] = field(default_factory=lambda: DEFAULT_ALLOWANCES)
	"""By name, what extra overtime of at least this length gives a right to."""

	def __post_init__(self) -> None:
		if self.extra_begins <= self.begins:
			raise ValueError("extra overtime begins after overtime, on the same day")
