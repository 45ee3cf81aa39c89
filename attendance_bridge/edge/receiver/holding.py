"""Pages of many terminals into one transaction: who comes while the disk is waited for goes with the next.

Nobody waits for others to come. The first to find nobody at work takes what is there; those who arrive
meanwhile pile up, and one of them takes all of it when the first is done. Each learns what became of its own
page, after it is durable.
"""

from __future__ import annotations

import threading
from collections import deque

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import Page
from attendance_bridge.core.errors import StoreError
from attendance_bridge.core.ports import Accepted
from attendance_bridge.stores.punches import Arrived, PunchStore

MOST_ROWS = 5_000
"""In one transaction: others wait for the database, too."""


class _Entry:
	def __init__(self, arrived: Arrived) -> None:
		self.arrived = arrived
		self.turn = threading.Event()
		"""Set when it is done, or when it is its turn to work for all."""
		self.is_done = False
		self.accepted: Accepted | None = None
		self.error: Exception | None = None

	@property
	def rows(self) -> int:
		return len(self.arrived.page.punches) + len(self.arrived.page.unreadable)


class Together:
	"""`core.ports.PunchSink` for several threads."""

	def __init__(self, punches: PunchStore) -> None:
		self._punches = punches
		self._lock = threading.Lock()
		self._waiting: deque[_Entry] = deque()
		self._is_at_work = False

	def accept(self, page: Page, device_serial: str, reading: ClockReading | None) -> Accepted:
		"""Hold a page; when this returns, it is durable.

		:raises StoreError: none of it is held.
		"""
		mine = _Entry(Arrived(page, device_serial, reading))
		with self._lock:
			self._waiting.append(mine)
			has_to_wait, self._is_at_work = self._is_at_work, True
		if has_to_wait:
			mine.turn.wait()
		if not mine.is_done:
			self._work()
		if mine.error is not None:
			raise mine.error
		if mine.accepted is None:  # the worker holds what is first, and that is the one whose turn it is
			raise RuntimeError("a page was left behind")
		return mine.accepted

	def _work(self) -> None:
		"""Hold what has piled up, its own page first, and hand over to the next."""
		with self._lock:
			batch = [self._waiting.popleft()]
			rows = batch[0].rows
			while self._waiting and rows + self._waiting[0].rows <= MOST_ROWS:
				rows += self._waiting[0].rows
				batch.append(self._waiting.popleft())
		try:
			self._hold(batch)
		finally:
			for entry in batch:
				entry.is_done = True
				entry.turn.set()
			with self._lock:
				if self._waiting:
					self._waiting[0].turn.set()
				else:
					self._is_at_work = False

	def _hold(self, batch: list[_Entry]) -> None:
		try:
			accepted = self._punches.accept_all([entry.arrived for entry in batch])
		except Exception as error:
			if len(batch) == 1 or isinstance(error, StoreError):
				for entry in batch:
					entry.error = error
				return
			# A page that cannot be held at all must not take its neighbours with it.
			for entry in batch:
				self._hold([entry])
			return
		for entry, result in zip(batch, accepted, strict=True):
			entry.accepted = result
