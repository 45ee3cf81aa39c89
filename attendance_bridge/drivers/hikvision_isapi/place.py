"""Where reading the log of a Hikvision terminal resumes.

The terminal numbers its events (`serialNo`), and the number of the last one read is the natural cursor. It is
not trusted blindly: numbers may restart after a reset, logs are wiped, and whether a search answers in the
order of the numbers or of the times is written down nowhere. So a place names an *anchor*, a row that was
read already, and the next search begins at the anchor and not behind it: if the terminal shows the anchor
again, the log goes on from where it was left; if not, it is another log.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from attendance_bridge.core.cursor import Cursor
from attendance_bridge.drivers.hikvision_isapi.events import Row
from attendance_bridge.drivers.hikvision_isapi.times import Stamp, read_stamp

OVERLAP = timedelta(minutes=90)
"""How far a search by time reaches back: more than the hour that a clock change takes."""

_MAX_POSITION = 10**9
_MAX_SERIAL = 10**12


@dataclass(frozen=True, slots=True)
class Anchor:
	"""A row of the log, to be recognised again."""

	serial: int | None
	"""None on firmware that does not number its events."""
	time: str
	"""As the terminal wrote it."""
	fold: int = 0

	def is_row(self, row: Row) -> bool:
		if row.serial != self.serial:
			return False
		if row.time == self.time:
			return True
		mine = read_stamp(self.time)
		return mine is not None and row.stamp is not None and mine.is_same_moment(row.stamp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
	"""Where to go on: a search from `begin` (a number) or `since` (a time) shows `anchor` at `position`."""

	events: str
	"""Which events are read ("5/0": major, minor). After a change of it, everything is read again."""
	begin: int = 0
	"""Number of the first event to ask for; 0 asks for all."""
	position: int = 0
	"""Above 0 only in the middle of a search."""
	anchor: Anchor | None = None
	in_order: bool = True
	"""Whether that search has given ascending numbers so far."""
	latest: Stamp | None = None
	"""The latest believable time read so far."""
	by_time: bool = False
	"""Searching by number leads nowhere on this terminal."""
	since: Stamp | None = None
	"""For a search by time, its beginning; None asks for all."""

	def at_anchor(self) -> Place:
		"""The same place, found by the number of the anchor alone."""
		begin = self.anchor.serial if self.anchor is not None else None
		return Place(events=self.events, begin=begin or 0, anchor=self.anchor, latest=self.latest)

	def at_latest(self) -> Place:
		"""The same place, found by time alone."""
		since = self.latest + -OVERLAP if self.latest is not None else None
		return Place(events=self.events, latest=self.latest, by_time=True, since=since)

	def at_start_of_search(self) -> Place:
		"""The beginning of the search that led here, with nothing to recognise."""
		return replace(self, position=0, anchor=None, in_order=True)

	def to_cursor(self) -> Cursor:
		position: dict[str, str | int] = {"events": self.events, "begin": self.begin}
		if self.anchor is not None:
			position |= {"time": self.anchor.time, "fold": self.anchor.fold}
			if self.anchor.serial is not None:
				position["serial"] = self.anchor.serial
		if self.position:
			position |= {"position": self.position, "in_order": int(self.in_order)}
		if self.latest is not None:
			position["latest"] = str(self.latest)
		if self.by_time:
			position["by_time"] = 1
		if self.since is not None:
			position["since"] = str(self.since)
		return Cursor(position)


def read_place(cursor: Cursor, events: str) -> Place:
	"""The inverse of `to_cursor`; the beginning, if the cursor is not one of ours for these events."""
	beginning = Place(events=events)
	if cursor.text("events") != events:
		return beginning
	begin, position = cursor.number("begin") or 0, cursor.number("position") or 0
	serial, time = cursor.number("serial"), cursor.text("time")
	sound = 0 <= begin <= _MAX_SERIAL and 0 <= position <= _MAX_POSITION
	if not sound:
		return beginning
	return Place(
		events=events,
		begin=begin,
		position=position if time is not None else 0,
		anchor=Anchor(serial, time, 1 if cursor.number("fold") else 0) if time is not None else None,
		in_order=cursor.number("in_order") != 0,
		latest=read_stamp(cursor.text("latest")),
		by_time=bool(cursor.number("by_time")),
		since=read_stamp(cursor.text("since")),
	)
