"""What the calls of a terminal that pushes tell of its clock.

A 3.x terminal says now and then what its clock shows. One of 2.x never does. But while it calls without a
break, a punch that is made comes within seconds: what lies between its time and its arrival is how far the
clock is behind, and a little of the way. So of each minute in which one came the smallest lag is kept, and
five such minutes that agree measure the clock.

What had waited on the terminal does not pass for that. It comes all at once, after a break or in answer to a
question; to be taken for live, it would have to come in the rhythm in which it was made: in five different
minutes, and each time late by the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from attendance_bridge.core.clock import ClockReading, is_repeated
from attendance_bridge.core.punch import Punch

MAX_TEXT = 500
MINUTES = 5
"""So many have to agree."""
BAND = timedelta(seconds=60)
"""By how much they may differ: the way is not always as long, and a minute's only punch may have waited."""
SETTLED = timedelta(minutes=2)
"""So long it has to have called without a break: by then it has sent what it had kept."""
MOST_LIVE = 10
"""Records of one call; more had waited."""
FRESH = timedelta(minutes=10)
"""So long a look counts for what the terminal brings."""
SHOWN_EVERY = timedelta(minutes=1)
_FARTHEST = timedelta(days=100 * 366)
_SAME = 2
"""Seconds by which two looks may differ and say the same."""


@dataclass(frozen=True, slots=True)
class ClockWatch:
	"""A value, kept as text beside the terminal. Times are seconds since 1970."""

	lags: tuple[tuple[int, int], ...] = ()
	"""Of the latest minutes in which a punch came: the minute (its number since 1970), and the smallest lag
	in seconds; below zero for a clock that is ahead."""
	shown_at: int = 0
	shown: int = 0
	"""By how many seconds the clock was ahead when it was shown last."""

	def started(self) -> ClockWatch:
		"""After a handshake: it takes the time anew, and sends what it has kept."""
		return ClockWatch()

	def showed(self, reading: ClockReading) -> ClockWatch:
		"""After the terminal has said what its clock shows."""
		at, ahead = int(reading.taken_at.timestamp()), _seconds(reading.offset)
		is_recent = 0 <= at - self.shown_at < SHOWN_EVERY.total_seconds()
		if is_recent and abs(ahead - self.shown) <= _SAME:
			return self
		return replace(self, shown_at=at, shown=ahead)

	def brought(self, punches: Iterable[Punch], at: datetime, since: datetime | None) -> ClockWatch:
		"""After a call that brought punches as they are made: at most `MOST_LIVE`, and unasked.

		:param at: aware, when it came.
		:param since: aware; since when the terminal calls without a break, None if it does not.
		"""
		# In an hour that comes twice, a time may be put into the wrong one of the two.
		lags = [at - punch.occurred_utc for punch in punches if not is_repeated(punch.occurred_at)]
		if not lags or since is None or at - since < SETTLED or abs(min(lags)) > _FARTHEST:
			return self
		lag, minute = _seconds(min(lags)), int(at.timestamp()) // 60
		first = int(since.timestamp()) // 60
		kept = [each for each in self.lags if first <= each[0] <= minute]
		if kept and kept[-1][0] == minute:
			lag = min(lag, kept.pop()[1])
		return replace(self, lags=(*kept, (minute, lag))[-MINUTES:])

	def reading(self, at: datetime) -> ClockReading | None:
		"""The clock at an aware moment; None if nobody knows."""
		ahead = self._ahead(int(at.timestamp()))
		return None if ahead is None else ClockReading(taken_at=at, device_time=at + timedelta(seconds=ahead))

	def _ahead(self, now: int) -> int | None:
		fresh = int(FRESH.total_seconds())
		if self.shown_at and 0 <= now - self.shown_at <= fresh:
			return self.shown
		lags = [lag for _minute, lag in self.lags]
		if len(lags) < MINUTES or max(lags) - min(lags) > BAND.total_seconds():
			return None
		# The latest minute is not over, perhaps.
		return -min(lags) if -60 <= now - 60 * self.lags[-1][0] <= fresh + 60 else None

	def to_text(self) -> str:
		"""For a desk; at most 500 characters. Empty where nothing is known."""
		if not self.lags and not self.shown_at:
			return ""
		return json.dumps([self.lags, self.shown_at, self.shown], separators=(",", ":"))

	@classmethod
	def from_text(cls, text: str) -> ClockWatch:
		"""The inverse; what is no such text tells nothing."""
		if not text or len(text) > MAX_TEXT:
			return cls()
		try:
			lags, shown_at, shown = json.loads(text)
			watch = cls(
				tuple((int(minute), int(lag)) for minute, lag in lags)[-MINUTES:], int(shown_at), int(shown)
			)
		except (ValueError, TypeError, OverflowError):
			return cls()
		farthest = _FARTHEST.total_seconds()
		is_sane = all(abs(each) <= farthest for each in (watch.shown, *(lag for _minute, lag in watch.lags)))
		return watch if is_sane else cls()


def _seconds(by: timedelta) -> int:
	return round(by.total_seconds())
