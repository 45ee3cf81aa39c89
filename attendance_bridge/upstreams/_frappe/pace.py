"""No more requests in a second than the site's owner wants."""

from __future__ import annotations

import threading
from collections.abc import Callable

Sleep = Callable[[float], None]


class Pace:
	"""Evenly spaced turns, shared by all threads that talk to one site."""

	def __init__(self, per_second: float, *, timer: Callable[[], float], sleep: Sleep) -> None:
		"""
		:param per_second: 0 sets no limit.
		"""
		self._interval = 1 / per_second if per_second else 0.0
		self._timer = timer
		self._sleep = sleep
		self._next = 0.0
		self._lock = threading.Lock()

	def wait(self) -> None:
		"""Return when it is this caller's turn."""
		if not self._interval:
			return
		with self._lock:
			now = self._timer()
			turn = max(self._next, now)
			self._next = turn + self._interval
		if turn > now:
			self._sleep(turn - now)
