"""Clocks of pushing terminals that are wrong, and may be set: what is asked of them about it.

A 3.x terminal is told the time. One of 2.x takes it from every answer, and its offset to UTC when it starts:
all that can be asked of it is to start anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.drift import may_correct
from attendance_bridge.drivers.zkteco_adms.commands import REBOOT, set_clock, sets_clock
from attendance_bridge.drivers.zkteco_adms.desk import Dialect
from attendance_bridge.edge.correcting import Correcting
from attendance_bridge.stores.push import CommandState, PushBook, QueueFullError

logger = logging.getLogger(__name__)

BY = "the agent"
SET_EVERY = timedelta(hours=1)
RESTARTED_EVERY = timedelta(days=7)
"""Where it does not help, it is not asked for all day long."""
_UNDER_WAY = (CommandState.QUEUED, CommandState.SENT)


class Corrections:
	def __init__(self, push_book: PushBook, wanted: Callable[[], Correcting]) -> None:
		self._push_book = push_book
		self._wanted = wanted

	def look(self, serial: str, dialect: Dialect, zone: ZoneInfo, reading: ClockReading) -> None:
		"""A terminal's clock was looked at. May raise `StoreError`."""
		wanted, at = self._wanted(), reading.taken_at
		if not wanted.is_wanted or not may_correct(reading.offset, wanted.rules, largest=wanted.largest):
			return
		is_told = dialect is Dialect.SECURITY
		text = set_clock(dialect, _wall(zone, at)) if is_told else REBOOT
		if self._was_asked(serial, is_told=is_told, since=at - (SET_EVERY if is_told else RESTARTED_EVERY)):
			return
		logger.warning("%s: its clock is %s off; asked: %s", serial, reading.offset, text)
		try:
			self._push_book.queue(serial, text, by=BY, at=at)
		except QueueFullError:
			logger.warning("%s: so many commands are under way that its clock is not set", serial)

	def _was_asked(self, serial: str, *, is_told: bool, since: datetime) -> bool:
		return any(
			(sets_clock(each.text) if is_told else each.text == REBOOT)
			and (each.state in _UNDER_WAY or each.queued_at >= since)
			for each in self._push_book.commands(serial)
		)


def _wall(zone: ZoneInfo, at: datetime) -> datetime:
	return at.astimezone(zone).replace(tzinfo=None, microsecond=0)
