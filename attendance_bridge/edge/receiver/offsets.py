"""Terminals that go by an old UTC offset: they take a new one only when they start.

After a change of clocks such a terminal is an hour wrong. One that is behind brings punches that look right
and are not, so it is told to start anew, once; it takes the offset of that moment then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from attendance_bridge.drivers.zkteco_adms.commands import REBOOT
from attendance_bridge.drivers.zkteco_adms.desk import Terminal
from attendance_bridge.drivers.zkteco_adms.replies import time_zone_option
from attendance_bridge.stores.push import CommandState, PushBook, QueueFullError

logger = logging.getLogger(__name__)

BY = "the agent"
_UNDER_WAY = (CommandState.QUEUED, CommandState.SENT)


class Offsets:
	"""`told` may be called from any thread, `look` from one."""

	def __init__(self, push_book: PushBook, find: Callable[[str], Terminal | None], *, restart: bool) -> None:
		"""
		:param find: a terminal that is let in, by serial number.
		:param restart: whether to do something about it, or only to say so.
		"""
		self._push_book = push_book
		self._find = find
		self._restart = restart
		self._told: dict[str, int] = {}
		self._handled: set[tuple[str, int]] = set()

	def told(self, serial: str, offset: int | None) -> None:
		"""What a terminal was given with its last handshake, in minutes; None if nobody knows."""
		if offset is not None:
			self._told[serial] = offset

	def look(self, at: datetime) -> None:
		"""Find those that go by another offset than holds at their wall now.

		:param at: aware.
		"""
		for serial, offset in tuple(self._told.items()):
			terminal = self._find(serial)
			if terminal is None or offset == _offset(terminal.zone, at):
				continue
			if (serial, offset) not in self._handled:
				self._handled.add((serial, offset))
				self._act(serial, offset, at)

	def _act(self, serial: str, offset: int, at: datetime) -> None:
		logger.warning("%s goes by the UTC offset of %d minutes, which holds no more", serial, offset)
		commands = self._push_book.commands(serial, limit=10)
		is_under_way = any(each.text == REBOOT and each.state in _UNDER_WAY for each in commands)
		if not self._restart or is_under_way:
			return
		try:
			self._push_book.queue(serial, REBOOT, by=BY, at=at)
		except QueueFullError:
			logger.warning("%s: so many commands are under way that it is not told to start anew", serial)


def _offset(zone: ZoneInfo, at: datetime) -> int:
	return time_zone_option(zone, at)[0]
