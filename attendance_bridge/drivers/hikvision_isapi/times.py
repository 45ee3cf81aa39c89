"""Times as ISAPI writes them: `2026-03-29T08:00:00+04:00`, also with Z, without offset, with a fraction."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from attendance_bridge.core.clock import localise

_FORM = re.compile(
	r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?(?:(Z)|([+-])(\d{2}):?(\d{2}))?", re.ASCII
)
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
"""No terminal counts earlier or later; the bounds also keep every conversion to UTC inside the calendar."""


@dataclass(frozen=True, slots=True)
class Stamp:
	"""A time in the terminal's own words: what its display showed, and the offset it believes in."""

	wall: datetime
	"""Naive, whole seconds."""
	offset: timedelta | None = None
	"""From UTC; None if the terminal states none."""

	def __add__(self, span: timedelta) -> Stamp:
		return Stamp(self.wall + span, self.offset)

	def in_zone(self, zone: tzinfo) -> datetime:
		"""Aware, in the zone that is configured for the terminal."""
		return localise(self.wall, zone, utc_offset=self.offset)

	def is_same_moment(self, other: Stamp) -> bool:
		"""Whether both name one moment.

		A terminal that is given another zone shows its old records under other wall times; by the offset
		they are still recognised.
		"""
		if self.wall == other.wall:
			return True
		if self.offset is None or other.offset is None:
			return False
		return self.wall - self.offset == other.wall - other.offset

	def __str__(self) -> str:
		text = self.wall.isoformat(timespec="seconds")
		return text if self.offset is None else text + _offset_text(self.offset)


def read_stamp(text: object) -> Stamp | None:
	"""A time as a terminal sends it; None if it is none (the 30th of February, a year before 1970 …)."""
	match = _FORM.fullmatch(text) if isinstance(text, str) else None
	if match is None:
		return None
	try:
		wall = datetime.fromisoformat(match.group(1))
	except ValueError:
		return None
	if not _FIRST_YEAR <= wall.year <= _LAST_YEAR:
		return None
	_, zulu, sign, hours, minutes = match.groups()
	if zulu:
		return Stamp(wall, timedelta(0))
	if not sign:
		return Stamp(wall)
	offset = _offset(sign, hours, minutes)
	return None if offset is None else Stamp(wall, offset)


@functools.lru_cache(maxsize=256)
def _offset(sign: str, hours: str, minutes: str) -> timedelta | None:
	"""A terminal says the same in every row; None if there is no such offset."""
	offset = timedelta(hours=int(hours), minutes=int(minutes))
	if offset >= timedelta(hours=24) or int(minutes) > 59:
		return None
	return -offset if sign == "-" else offset


def stamp_of(moment: datetime, zone: tzinfo, offset: timedelta | None = None) -> Stamp:
	"""`moment` (aware) as a terminal in `zone` writes it.

	:param offset: the offset that the terminal believes in. It may differ from the true one of `zone`: then
		the terminal's display is right and its zone setting is not, and a question has to be put in the
		terminal's terms. None takes the offset of `zone`.
	"""
	local = moment.astimezone(zone).replace(microsecond=0)
	return Stamp(local.replace(tzinfo=None, fold=0), offset if offset is not None else local.utcoffset())


def posix_zone(offset: timedelta) -> str:
	"""The offset as Hikvision's `timeZone` writes it, with the sign of POSIX: UTC+4 is `CST-4:00:00`."""
	minutes = round(offset.total_seconds() / 60)
	return f"CST{'-' if minutes >= 0 else '+'}{abs(minutes) // 60}:{abs(minutes) % 60:02}:00"


def _offset_text(offset: timedelta) -> str:
	minutes = round(offset.total_seconds() / 60)
	return f"{'+' if minutes >= 0 else '-'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
