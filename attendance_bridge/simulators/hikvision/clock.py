"""The terminal's clock: where it hangs, and how wrong it is.

It tells its zone the POSIX way, with the sign turned round: "CST-4:00:00" is four hours ahead of UTC. The
letters mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo

Now = Callable[[], datetime]

_POSIX = re.compile(r"[A-Za-z]{3,8}(?P<sign>[+-]?)(?P<hours>\d{1,2})(?::(?P<minutes>\d{2}))?(?::00)?")
_NOTHING = timedelta()


class TerminalClock:
	"""
	:param zone: of the wall that the terminal hangs on.
	:param now: the true time, aware.
	"""

	def __init__(self, zone: tzinfo, now: Now) -> None:
		self.zone = zone
		self.mode = "manual"
		"""manual or NTP; only told, there is no server that it would ask."""
		self.ahead = _NOTHING
		"""How far the clock is ahead of the true time (negative: behind)."""
		self._now = now

	def read(self) -> datetime:
		"""The time by this clock: aware, whole seconds."""
		return (self._now() + self.ahead).astimezone(self.zone).replace(microsecond=0)

	def set(self, moment: datetime) -> None:
		"""Set it by hand; `moment` is aware."""
		self.ahead = moment - self._now()

	def zone_text(self) -> str:
		"""For example CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00."""
		year = self.read().year
		changes = _changes(self.zone, year)
		standard = min(_offset(self.zone, datetime(year, month, 1)) for month in (1, 7))  # noqa: DTZ001
		text = f"CST{_signed(-standard)}"
		if len(changes) != 2:
			return text
		(first, before), (second, after) = changes
		begins, ends = (first, second) if before == standard else (second, first)
		# The end of summer time is named in summer time.
		return f"{text}DST{_clock_face(abs(after - before))},{_rule(begins)},{_rule(ends)}"


def parse_zone(posix: str) -> tzinfo:
	"""The zone of a text such as CST-5:30:00; only zones without a change of the clock.

	:raises ValueError: not understood.
	"""
	given = _POSIX.fullmatch(posix)
	if given is None:
		raise ValueError(posix)
	offset = timedelta(hours=int(given["hours"]), minutes=int(given["minutes"] or 0))
	return timezone(offset if given["sign"] == "-" else -offset)


def _offset(zone: tzinfo, wall_time: datetime) -> timedelta:
	return wall_time.replace(tzinfo=zone).utcoffset() or _NOTHING


def _changes(zone: tzinfo, year: int) -> list[tuple[datetime, timedelta]]:
	"""The changes of the clock in a year: (last wall time before, offset before), in order."""
	found = []
	day, day_after = datetime(year, 1, 1), datetime(year, 1, 2)  # noqa: DTZ001  # wall times
	while day.year == year:
		before = _offset(zone, day)
		if before != _offset(zone, day_after):
			found.append((_moment_of_change(zone, day, before), before))
		day, day_after = day_after, day_after + timedelta(days=1)
	return found


def _moment_of_change(zone: tzinfo, day: datetime, before: timedelta) -> datetime:
	"""The wall time, by the old offset, at which it ceases to be in force."""
	start = (day - before).replace(tzinfo=timezone.utc)
	for minutes in range(0, 25 * 60, 15):
		moment = start + timedelta(minutes=minutes)
		if moment.astimezone(zone).utcoffset() != before:
			return (moment + before).replace(tzinfo=None)
	return day


def _rule(moment: datetime) -> str:
	"""Month, week of the month (5: the last) and weekday (0: Sunday), then the time."""
	is_last = (moment + timedelta(days=7)).month != moment.month
	week = 5 if is_last else (moment.day - 1) // 7 + 1
	return f"M{moment.month}.{week}.{moment.isoweekday() % 7}/{moment:%H:%M:%S}"


def _signed(offset: timedelta) -> str:
	hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
	return f"{'-' if offset < _NOTHING else '+'}{hours}:{minutes:02d}:00"


def _clock_face(length: timedelta) -> str:
	hours, minutes = divmod(length // timedelta(minutes=1), 60)
	return f"{hours:02d}:{minutes:02d}:00"
