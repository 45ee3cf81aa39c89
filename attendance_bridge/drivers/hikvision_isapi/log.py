"""Reading the event log of a terminal so that nothing is missed, however often it is broken off."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.core.driver import Page, Window
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.drivers.hikvision_isapi.events import Row
from attendance_bridge.drivers.hikvision_isapi.place import Place
from attendance_bridge.drivers.hikvision_isapi.search import Condition, End, Searcher
from attendance_bridge.drivers.hikvision_isapi.times import Stamp, stamp_of
from attendance_bridge.drivers.hikvision_isapi.walk import AnchorLost, Reason, Walk

logger = logging.getLogger(__name__)

MARGIN = timedelta(hours=1)
"""How much wider a window is asked for than wanted, so that no clock change at its borders matters."""

LEAD = timedelta(days=1)
"""A row further ahead of our present than this has a wrong time; nothing is resumed from it."""

SETTLED = timedelta(minutes=1)
"""Rows closer in time than this may have been written in either order."""

MAX_LOSSES = 4
"""How often the anchor may be lost in one reading; each time may mean to read everything again."""

FIRST_TIME = datetime(1970, 1, 2)  # noqa: DTZ001  # wall time
LAST_TIME = datetime(2037, 12, 31, 23, 59, 59)  # noqa: DTZ001  # wall time
"""The ends of a 32-bit clock in any zone. A time outside could be taken for one at the other end."""


class EventLog:
	"""The log of one terminal, during one reading."""

	def __init__(self, searcher: Searcher, *, zone: tzinfo, present: datetime, serial_search: bool) -> None:
		"""
		:param present: our time at the start of the reading, aware.
		:param serial_search: the terminal can search from a number on.
		"""
		self._searcher = searcher
		self._zone = zone
		self._present = present
		self._serial_search = serial_search

	def read_on(self, place: Place) -> Iterator[Page]:
		"""Everything from `place` to the end of the log, in at least one page.

		Rows that were handed out before may come again: no harm, since a punch is known by its identity.
		"""
		if not self._serial_search and not place.by_time:
			place = place.at_latest()
		told: Place | None = None
		losses = 0
		while True:
			walk = Walk(place, self._zone, self._present + LEAD)
			try:
				for batch in self._searcher.search(
					_condition(place, self._zone), position=place.position, anchor=place.anchor
				):
					rows = walk.take(batch)
					if rows:
						told = walk.place()
						yield _page(rows, told.to_cursor(), batch.total)
			except AnchorLost as lost:
				logger.info("the log does not go on at its anchor: %s", lost)
				losses += 1
				if losses > MAX_LOSSES:
					raise DeviceError(
						Code.GARBAGE, retryable=True, reason="the log changes all the time"
					) from None
				place = _place_after_loss(place, lost.reason)
				continue
			place = walk.place()
			if walk.end is End.COMPLETE or not walk.brought:
				break
		if told is None and self._is_renumbered(place):
			logger.warning("the terminal has begun to number its events anew; reading by time from now on")
			yield from self.read_on(place.at_latest())
		elif place != told:
			yield Page(punches=(), cursor=place.to_cursor())

	def read_window(self, window: Window, offset: timedelta | None) -> Iterator[Page]:
		"""The punches in `window`, in at least one page.

		:param offset: the offset from UTC that the terminal believes in; None if it does not say.
		:raises DeviceError: also TOO_LARGE, if the terminal holds more in it than it hands out.
		"""
		start: Stamp | None = stamp_of(window.start - MARGIN, self._zone, offset)
		end = stamp_of(window.end + MARGIN, self._zone, offset)
		while start is not None:
			walk = Walk(Place(events="", latest=start), self._zone, window.end + LEAD)
			for batch in self._searcher.search(_between(start, end)):
				page = _page(walk.take(batch), START, batch.total)
				inside = tuple(punch for punch in page.punches if punch.occurred_at in window)
				yield replace(page, punches=inside)
			start = walk.next_start()

	def _is_renumbered(self, place: Place) -> bool:
		"""Whether there are events after the latest one read that carry lower numbers than it.

		Asked when nothing new was found: a terminal that restarts its numbers without wiping its log still
		shows the anchor, and its new events would hide below it for ever. (If they are so many that their
		numbers have passed the anchor already, only a window brings them back.)
		"""
		if place.by_time or place.anchor is None or place.anchor.serial is None or place.latest is None:
			return False
		start = place.latest + SETTLED
		end = stamp_of(self._present + LEAD, self._zone, start.offset)
		if end.wall <= start.wall:
			return False
		highest = place.anchor.serial
		first = next(iter(self._searcher.search(_between(start, end))))
		return any(row.serial is not None and row.serial < highest for row in first.rows)


def widest_range(zone: tzinfo, present: datetime) -> Condition:
	"""Every time that a terminal understands, for one that insists on being told."""
	offset = present.astimezone(zone).utcoffset()
	return _between(Stamp(FIRST_TIME, offset), Stamp(LAST_TIME, offset))


def _place_after_loss(place: Place, reason: Reason) -> Place:
	"""Where to try next when the anchor is not at `place`."""
	if reason is Reason.NUMBERS_IGNORED:
		return place.at_latest()
	if reason is Reason.OLDEST_DROPPED:
		return place.at_anchor()
	if place.by_time:
		return place.at_start_of_search()
	return Place(events=place.events)


def _condition(place: Place, zone: tzinfo) -> Condition:
	if not place.by_time:
		return {"beginSerialNo": place.begin} if place.begin else {}
	if place.since is None:
		return {}
	since = place.since
	if since.offset is None:
		# A terminal that states no offset is asked with that of its configured zone.
		since = Stamp(since.wall, since.in_zone(zone).utcoffset())
	return _between(since, Stamp(LAST_TIME, since.offset))


def _between(start: Stamp, end: Stamp) -> Condition:
	return {"startTime": str(start), "endTime": str(end)}


def _page(rows: tuple[Row, ...], cursor: Cursor, total: int | None) -> Page:
	return Page(
		punches=tuple(row.punch for row in rows if row.punch is not None),
		cursor=cursor,
		unreadable=tuple(row.unreadable for row in rows if row.unreadable is not None),
		expected=total,
		read=len(rows),
	)
