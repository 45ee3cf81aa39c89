"""A terminal's clock from one contact to the next: what a look at it tells about the punches in between.

`core.clock` judges one punch under one look. Here are the looks side by side: was the clock set meanwhile,
does its error come from a change to or from summer time, may it be corrected, and what does the measured
error make of a time that was recorded under it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from enum import Enum

from attendance_bridge.core.clock import EARLIEST_PLAUSIBLE_YEAR, NO_TIME, ClockReading, ClockRules, error_of

QUARTER = timedelta(minutes=15)
"""Zones of the world lie whole quarters of an hour apart."""
FARTHEST_ZONES = timedelta(hours=26)
LOOK_BACK = timedelta(days=200)
"""A change to or from summer time is never longer ago than that."""
WORTH_NOTING = timedelta(seconds=10)
NOTED_AT_LEAST_EVERY = timedelta(days=1)


class ClockCause(str, Enum):
	"""What an error of a clock looks like."""

	DRIFT = "drift"
	SUMMER_TIME = "summer_time"
	"""It did not follow the last change of summer time, or followed one that its zone does not make."""
	TIME_ZONE = "time_zone"
	"""Whole quarters of an hour: it shows another time than that of the zone that is configured."""
	RESET = "reset"
	"""It starts again somewhere in the past: its battery is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
	"""Times that may have been recorded under a wrong clock, although it is right by now.

	Both ends as the terminal recorded them, aware; the start is not part of it.
	"""

	start: datetime | None
	"""None: whatever is older, too."""
	end: datetime
	offset: timedelta
	"""How far the clock was ahead when it was last seen wrong."""

	def covers(self, recorded_at: datetime) -> bool:
		moment = recorded_at.astimezone(timezone.utc)
		if self.start is not None and moment <= self.start.astimezone(timezone.utc):
			return False
		return moment <= self.end.astimezone(timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
	"""What is known of a terminal's clock from the contacts so far."""

	offset: timedelta | None = None
	"""How far it was ahead at the last look; None before the first."""
	good_until: datetime | None = None
	"""The last moment at which it was seen right, aware."""
	doubt: Doubt | None = None

	def after(self, reading: ClockReading | None, rules: ClockRules) -> ClockState:
		"""The state after one more look. The same look twice changes nothing."""
		if reading is None:
			return self
		if not is_right(reading, rules):
			return replace(self, offset=reading.offset)
		doubt = doubt_between(self.offset, reading, rules, self.good_until)
		return ClockState(offset=reading.offset, good_until=reading.taken_at, doubt=doubt or self.doubt)

	def after_setting(
		self, wrong: ClockReading, set_at: datetime, read_until: datetime | None, rules: ClockRules
	) -> ClockState:
		"""The state after we have set it, see `doubt_after_setting`; the next look tells if it took it."""
		if is_right(wrong, rules):
			return self
		doubt = doubt_after_setting(wrong, set_at, read_until)
		return ClockState(offset=NO_TIME, good_until=self.good_until, doubt=doubt)

	def jumped_by(self, recorded_at: datetime) -> timedelta:
		"""How wrong a recorded time may be although the clock is right by now; zero if there is no doubt."""
		return self.doubt.offset if self.doubt is not None and self.doubt.covers(recorded_at) else NO_TIME


def is_right(reading: ClockReading, rules: ClockRules) -> bool:
	return abs(reading.offset) <= rules.tolerance


def doubt_between(
	before: timedelta | None, reading: ClockReading, rules: ClockRules, good_until: datetime | None
) -> Doubt | None:
	"""The doubt that a look leaves behind: wrong at the contact before, right at this one; else None.

	What was recorded under a slow clock lies up to its error before the moment at which it was seen right,
	and under a fast one up to its error after the moment of setting.

	:param before: how far the clock was ahead at the contact before; None if nobody looked.
	:param good_until: aware; the last moment before that at which it was seen right.
	"""
	if before is None or abs(before) <= rules.tolerance or not is_right(reading, rules):
		return None
	start = good_until + min(before, NO_TIME) if good_until is not None else None
	return Doubt(start=start, end=reading.taken_at + max(before, NO_TIME), offset=before)


def doubt_after_setting(wrong: ClockReading, set_at: datetime, read_until: datetime | None) -> Doubt:
	"""The doubt after we have set a clock ourselves.

	:param wrong: the look before.
	:param set_at: aware.
	:param read_until: aware, by our own clock: what was made up to then is here already, judged under the
		wrong clock.
	"""
	start = read_until + wrong.offset if read_until is not None else None
	return Doubt(start=start, end=set_at + wrong.offset, offset=wrong.offset)


def may_correct(offset: timedelta, rules: ClockRules, *, largest: timedelta) -> bool:
	"""Whether a clock is wrong, and not so wrong that a person should look first."""
	return rules.tolerance < abs(offset) <= largest


def last_turn(
	zone: tzinfo, before: datetime, *, back: timedelta = LOOK_BACK
) -> tuple[datetime, timedelta] | None:
	"""The last change of a zone's offset before an aware moment: when (in UTC) and by how much; None if none.

	:param back: how far to look.
	"""
	late = before.astimezone(timezone.utc).replace(microsecond=0)
	early = late - timedelta(days=1)
	earliest = late - back
	while _offset(zone, early) == _offset(zone, late):
		late, early = early, early - timedelta(days=1)
		if late <= earliest:
			return None
	by = _offset(zone, late) - _offset(zone, early)
	while late - early > timedelta(seconds=1):
		middle = early + (late - early) // 2
		middle = middle.replace(microsecond=0)
		if _offset(zone, middle) == _offset(zone, late):
			late = middle
		else:
			early = middle
	return late, by


def good_until(
	reading: ClockReading, zone: tzinfo, rules: ClockRules, seen_good: datetime | None
) -> datetime | None:
	"""Up to when a clock was right, or is to be taken for right: the last look at which it was, or the change
	of summer time that it did not follow, if that is what its error amounts to.

	:param seen_good: aware; without one nothing is known of the time before the change either.
	"""
	if seen_good is None or is_right(reading, rules):
		return seen_good
	turn = last_turn(zone, reading.taken_at)
	if turn is None or abs(reading.offset + turn[1]) > rules.tolerance:
		return seen_good
	# Nothing that was recorded since lies before the change, though the clock may be slow by it: `judge`.
	return max(seen_good, turn[0] - min(reading.offset, NO_TIME))


def cause_of(reading: ClockReading, zone: tzinfo, rules: ClockRules) -> ClockCause | None:
	"""What the error of a clock looks like; None if it is right."""
	offset = reading.offset
	if is_right(reading, rules):
		return None
	if reading.device_time.year < EARLIEST_PLAUSIBLE_YEAR or offset < -timedelta(days=300):
		return ClockCause.RESET
	turn = last_turn(zone, reading.taken_at)
	by = abs(turn[1]) if turn is not None else timedelta(hours=1)
	if abs(abs(offset) - by) <= rules.tolerance:
		return ClockCause.SUMMER_TIME
	quarters = round(offset / QUARTER)
	near = abs(offset - quarters * QUARTER) <= min(rules.tolerance, QUARTER / 4)
	if quarters and near and abs(offset) <= FARTHEST_ZONES and abs(quarters) >= 2:
		return ClockCause.TIME_ZONE
	return ClockCause.DRIFT


def retiming(
	recorded_at: datetime,
	offset: timedelta,
	*,
	read_at: datetime,
	good_until: datetime | None,
	rules: ClockRules,
) -> timedelta | None:
	"""What to add to a recorded time so that it is right, by the measured error; None if that cannot be.

	:param recorded_at: aware, in the zone of the terminal.
	:param offset: how far the clock was ahead.
	:param read_at: aware; when the punch was here: it cannot have been made later.
	:param good_until: aware; up to then the clock was right, and no such error applies.
	"""
	by = -timedelta(seconds=round(error_of(recorded_at, offset, read_at).total_seconds()))
	if not by:
		return None
	moment = recorded_at.astimezone(timezone.utc) + by
	if moment.year < EARLIEST_PLAUSIBLE_YEAR or moment > read_at + rules.tolerance:
		return None
	if good_until is not None and moment < good_until - rules.tolerance:
		return None
	return by


def rezoned(reading: ClockReading, former: tzinfo, zone: tzinfo) -> ClockReading:
	"""The same look at the same display, taken for another zone's time than before."""
	wall = reading.device_time.astimezone(former)
	return ClockReading(taken_at=reading.taken_at, device_time=wall.replace(tzinfo=zone))


def is_worth_noting(
	reading: ClockReading, rules: ClockRules, noted: timedelta | None, noted_at: datetime | None
) -> bool:
	"""Whether a look belongs on record: the first, one that differs from the last noted one, one a day.

	:param noted: the error that was noted last.
	:param noted_at: aware, when that was.
	"""
	if noted is None or noted_at is None:
		return True
	if (abs(noted) <= rules.tolerance) is not is_right(reading, rules):
		return True
	moved = abs(reading.offset - noted) >= max(WORTH_NOTING, rules.tolerance / 4)
	return moved or reading.taken_at - noted_at >= NOTED_AT_LEAST_EVERY


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
	return moment.astimezone(zone).utcoffset() or NO_TIME
