"""Time at a terminal: its zone, the repeated hour, how wrong its clock is, and which punches that spoils.

A terminal records wall time. The administrator says which zone hangs on that wall; only then is there a
moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from enum import Enum

EARLIEST_PLAUSIBLE_YEAR = 2010
"""Terminals that lost their battery restart in 1970, 2000 or 2008; no punch still to be paid is that old."""

NO_TIME = timedelta(0)

NEIGHBOURHOOD = timedelta(hours=3)
"""Records further apart than this tell nothing about each other's pass through a repeated hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
	"""One look at a terminal's clock."""

	taken_at: datetime
	"""Our time when the terminal answered, aware."""
	device_time: datetime
	"""What the terminal said, aware in the zone that is configured for it."""

	@property
	def offset(self) -> timedelta:
		"""How far the terminal is ahead (positive) or behind (negative)."""
		return self.device_time - self.taken_at


class ClockVerdict(str, Enum):
	"""Why the time of a punch is, or is not, fit to pay by."""

	TRUSTED = "trusted"
	CLOCK_OFF = "clock_off"
	"""The terminal's clock was wrong by more than the tolerance when the punch was read."""
	IN_THE_FUTURE = "in_the_future"
	BEFORE_TIME = "before_time"
	"""Earlier than any terminal in use could have recorded: the clock had been reset."""
	CLOCK_JUMPED = "clock_jumped"
	"""The clock was wrong at one contact and right at the next: somebody set it in between, nobody knows
	when, and the punch may be of before or after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRules:
	tolerance: timedelta = timedelta(seconds=120)
	"""A clock that is off by at most this much is taken at its word."""


def localise(wall_time: datetime, zone: tzinfo, *, utc_offset: timedelta | None = None) -> datetime:
	"""Put `wall_time` (naive) into `zone`, with `fold` set only where it means something.

	:param utc_offset: the offset that the terminal itself stated, if it did. It only chooses between the two
		passes of a repeated hour: the configured zone is the authority on everything else, because
		installers set the wall clock with care and the terminal's zone by accident.
	"""
	first = wall_time.replace(tzinfo=zone, fold=0, microsecond=0)
	if utc_offset is None or first.utcoffset() == utc_offset or not is_repeated(first):
		return first
	second = first.replace(fold=1)
	return second if second.utcoffset() == utc_offset else first


def is_repeated(moment: datetime) -> bool:
	"""Whether the wall time of `moment` (aware) occurs twice in its zone."""
	first, second = moment.replace(fold=0).utcoffset(), moment.replace(fold=1).utcoffset()
	return first is not None and second is not None and first > second


def is_skipped(moment: datetime) -> bool:
	"""Whether the wall time of `moment` (aware) never occurs in its zone: clocks were put forward over it."""
	first, second = moment.replace(fold=0).utcoffset(), moment.replace(fold=1).utcoffset()
	return first is not None and second is not None and first < second


def error_of(recorded_at: datetime, offset: timedelta, read_at: datetime) -> timedelta:
	"""How far ahead of its moment a recorded time is, under a clock that was seen to be off.

	That is the offset, but for a wall time that its zone skips: that one stands for a moment by the time from
	before the change, which the clock goes on showing when it did not follow. Then it is right as it stands.

	:param recorded_at: aware, in the zone of the terminal.
	:param offset: how far the clock was ahead at the look.
	:param read_at: aware; when that was.
	"""
	before, after = recorded_at.replace(fold=0).utcoffset(), recorded_at.replace(fold=1).utcoffset()
	if before is None or after is None or before >= after:
		return offset
	by_then = read_at.astimezone(recorded_at.tzinfo).utcoffset()
	return offset + (after - before) if by_then == after else offset


def second_pass(previous: datetime, moment: datetime) -> datetime:
	"""Return `moment` in the second pass of the repeated hour if the log has run past it already.

	For terminals that state no offset: their log is in the order of recording, so a wall time inside the
	repeated hour that lies before its predecessor (`previous`) can only be the second pass. A predecessor
	that is hours away (a stray record, last year's change) says nothing.
	"""
	if not is_repeated(moment):
		return moment
	wall, before = moment.replace(tzinfo=None), previous.replace(tzinfo=None)
	if abs(wall - before) > NEIGHBOURHOOD:
		return moment
	went_back = wall < before
	still_in_second_pass = previous.fold == 1
	return moment.replace(fold=1) if went_back or still_in_second_pass else moment


def judge(
	occurred_at: datetime,
	reading: ClockReading | None,
	rules: ClockRules,
	*,
	good_until: datetime | None = None,
	jumped_by: timedelta = NO_TIME,
) -> ClockVerdict:
	"""Say whether the time of a punch can be believed.

	:param occurred_at: aware, as recorded.
	:param reading: the look at the terminal's clock when the punch was read; None when it could not be had.
	:param good_until: the last moment at which the clock was seen to be right. Punches up to then were made
		under a right clock, however wrong it is now.
	:param jumped_by: how wrong the clock may have been although it is right by now; see `drift.Doubt`.
	"""
	if occurred_at.year < EARLIEST_PLAUSIBLE_YEAR:
		return ClockVerdict.BEFORE_TIME
	if reading is None:
		return ClockVerdict.TRUSTED
	# In UTC: within one zone Python compares wall times, and those repeat themselves when clocks go back.
	moment = occurred_at.astimezone(timezone.utc)
	if min(moment - reading.taken_at, moment - reading.device_time) > rules.tolerance:
		return ClockVerdict.IN_THE_FUTURE
	if abs(reading.offset) <= rules.tolerance:
		jumped = jumped_by and error_of(occurred_at, jumped_by, reading.taken_at)
		return ClockVerdict.CLOCK_JUMPED if abs(jumped) > rules.tolerance else ClockVerdict.TRUSTED
	if abs(error_of(occurred_at, reading.offset, reading.taken_at)) <= rules.tolerance:
		return ClockVerdict.TRUSTED
	# What a slow clock records after it was seen right lies before that moment.
	if good_until is not None and moment <= good_until.astimezone(timezone.utc) + min(
		reading.offset, NO_TIME
	):
		return ClockVerdict.TRUSTED
	return ClockVerdict.CLOCK_OFF
