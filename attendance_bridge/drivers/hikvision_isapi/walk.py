"""Keeping track of where a search has come to, and which place to resume from if it ended here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, tzinfo
from enum import Enum

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.drivers.hikvision_isapi.events import Row
from attendance_bridge.drivers.hikvision_isapi.place import Anchor, Place
from attendance_bridge.drivers.hikvision_isapi.search import Batch, End
from attendance_bridge.drivers.hikvision_isapi.times import Stamp


class Reason(Enum):
	"""Why an anchor is not where it has to be."""

	NUMBERS_IGNORED = "numbers ignored"
	"""The terminal gave rows from before the number that it was asked for."""
	OLDEST_DROPPED = "oldest dropped"
	"""The log is full: its oldest rows made room for new ones, and every position moved."""
	OTHER_LOG = "other log"
	"""Wiped, or in an order that moved: nothing can be said of what was read before."""


class AnchorLost(Exception):  # noqa: N818  # a finding, caught by its only caller
	"""The search does not show the anchor where it has to be."""

	def __init__(self, reason: Reason) -> None:
		super().__init__(reason.value)
		self.reason = reason


class Walk:
	"""One search that goes on from `start`."""

	def __init__(self, start: Place, zone: tzinfo, believable_until: datetime) -> None:
		"""
		:param believable_until: rows with a later time do not count as the latest.
		"""
		self._start = start
		self._zone = zone
		self._believable_until = believable_until
		self._anchor = self._highest = start.anchor
		self._anchor_position = start.position
		self._numbers_ascend = start.in_order
		self._times_ascend = True
		self._latest = start.latest
		self._latest_moment = start.latest.in_zone(zone) if start.latest is not None else None
		self._last_moment: datetime | None = None
		self._page_before: frozenset[int | None] = frozenset()
		self._at_start = True
		self.end: End | None = None
		self.brought = False
		"""Whether any row came that lies behind the anchor."""

	def take(self, batch: Batch) -> tuple[Row, ...]:
		"""Note a page; return its rows without the anchor.

		:raises AnchorLost: on the first page, if the anchor is not where it has to be.
		"""
		anchor_index = self._find_anchor(batch) if self._at_start else None
		self._at_start = False
		self.end = batch.end
		for index, row in enumerate(batch.rows):
			if index != anchor_index:
				self.brought = True
				self._note(row, batch.position + index)
		self._page_before = frozenset(row.serial for row in batch.rows)
		if anchor_index is None:
			return batch.rows
		return batch.rows[:anchor_index] + batch.rows[anchor_index + 1 :]

	def _find_anchor(self, batch: Batch) -> int | None:
		anchor, begin = self._start.anchor, self._start.begin
		if anchor is None:
			return None
		if any(row.serial is not None and row.serial < begin for row in batch.rows):
			raise AnchorLost(Reason.NUMBERS_IGNORED)
		found = next((index for index, row in enumerate(batch.rows) if anchor.is_row(row)), None)
		# At a position the anchor has to be the very first row: one step aside, and a row may have been put
		# in before it that nobody has read.
		if found is None or (self._start.position and found):
			raise AnchorLost(self._judge_loss(anchor, batch))
		if found:
			self._numbers_ascend = False
		return found

	def _judge_loss(self, anchor: Anchor, batch: Batch) -> Reason:
		first = batch.rows[0].serial if batch.rows else None
		in_order = self._start.position and self._start.in_order and not self._start.by_time
		if in_order and first is not None and first > _number(anchor):
			return Reason.OLDEST_DROPPED
		return Reason.OTHER_LOG

	def _note(self, row: Row, position: int) -> None:
		self._note_time(row)
		if row.serial is not None and row.serial in self._page_before:
			return  # pages of some firmware overlap
		before = self._anchor
		self._anchor = Anchor(row.serial, row.time, row.fold)
		self._anchor_position = position
		if row.serial is None or (before is not None and row.serial <= _number(before)):
			self._numbers_ascend = False
		if row.serial is not None and row.serial >= _number(self._highest):
			self._highest = self._anchor

	def _note_time(self, row: Row) -> None:
		moment = row.moment
		if moment is None:
			return
		if self._last_moment is not None and moment < self._last_moment:
			self._times_ascend = False
		self._last_moment = moment
		is_latest = self._latest_moment is None or moment > self._latest_moment
		if is_latest and moment <= self._believable_until:
			self._latest, self._latest_moment = row.stamp, moment

	def place(self) -> Place:
		"""Where to go on after the last page taken."""
		here = replace(
			self._start,
			position=self._anchor_position,
			anchor=self._anchor,
			in_order=self._numbers_ascend,
			latest=self._latest,
		)
		if self.end is End.COMPLETE:
			return self._at_end(here)
		if self.end is End.CAPPED:
			return self._behind_cap(here)
		return here

	def _at_end(self, here: Place) -> Place:
		unnumbered = self._highest is None or self._highest.serial is None
		if here.by_time or (unnumbered and self.brought):
			return here.at_latest()
		return replace(here, anchor=self._highest).at_anchor()

	def _behind_cap(self, here: Place) -> Place:
		"""Another search has to begin behind what was read: possible only in the order of the search."""
		if here.by_time and self._times_ascend and self._latest != self._start.latest:
			return here.at_latest()
		if not here.by_time and self._numbers_ascend:
			return here.at_anchor()
		raise DeviceError(Code.TOO_LARGE, reason="more rows than the terminal hands out, and in no order")

	def next_start(self) -> Stamp | None:
		"""The time from which another search has to go on; None if this one has given everything.

		:raises DeviceError: TOO_LARGE, if no time leads past what the terminal hands out.
		"""
		if self.end is End.COMPLETE:
			return None
		advanced = self._latest != self._start.latest
		if self.end is End.CAPPED and not (advanced and self._times_ascend):
			raise DeviceError(Code.TOO_LARGE, reason="more rows than the terminal hands out, and in no order")
		return self._latest if advanced else None


def _number(anchor: Anchor | None) -> int:
	return -1 if anchor is None or anchor.serial is None else anchor.serial
