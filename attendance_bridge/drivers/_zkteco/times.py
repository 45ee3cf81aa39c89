"""Wall times of ZKTeco terminals: the 32-bit number, and which pass of a repeated hour one belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import is_repeated, localise, second_pass


def wall_time(encoded: int) -> datetime | None:
	"""The naive wall time of a terminal's 32-bit time; None if there is no such day.

	The terminal counts as if every month had 31 days and every year 12 of them, from 2000 on (pyzk
	`__decode_time`).
	"""
	days, seconds = divmod(encoded, 86_400)
	months, day = divmod(days, 31)
	year, month = divmod(months, 12)
	minutes, second = divmod(seconds, 60)
	hour, minute = divmod(minutes, 60)
	try:
		return datetime(2000 + year, month + 1, day + 1, hour, minute, second)  # noqa: DTZ001  # wall time
	except ValueError:
		return None


class Timeline:
	"""Puts wall times into a zone; their order in the log shows the second pass of a repeated hour.

	It is found only if somebody punched late enough in the first pass: between two punches whose wall time
	grows, the clock change leaves no trace. A terminal whose log lost its oldest records within that hour
	may state another pass than before.
	"""

	_ONE_CHANGE = timedelta(hours=3)
	"""A clock change is at most two hours. What lies further apart was not turned by one: somebody set the
	clock, or years lie between two punches."""

	def __init__(self, zone: ZoneInfo, before: Iterable[datetime | None] = ()) -> None:
		"""
		:param before: the wall times before the first one to place, latest first. Only as many are taken as
			are needed to tell the pass, so that a log gives the same moments wherever reading begins.
		"""
		self._zone = zone
		self._previous: datetime | None = None
		self._wall = datetime.min  # noqa: DTZ901  # the wall time of `_previous`
		recent: list[datetime] = []
		for wall in before:
			if wall is None:
				continue
			recent.append(wall)
			if not is_repeated(localise(wall, zone)):
				break
		for wall in reversed(recent):
			self.place(wall)

	def place(self, wall: datetime) -> datetime:
		"""The moment of the next wall time of the log."""
		moment, previous = localise(wall, self._zone), self._previous
		# Only a step back, or being in a second pass already, can mean another pass than the first.
		if (
			previous is not None
			and (previous.fold or wall < self._wall)
			and abs(wall - self._wall) <= self._ONE_CHANGE
		):
			moment = second_pass(previous, moment)
		self._previous, self._wall = moment, wall
		return moment
