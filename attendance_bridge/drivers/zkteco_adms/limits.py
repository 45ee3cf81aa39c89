"""How often somebody may call."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime

MAX_CALLERS = 10_000
"""Remembered at a time; the longest unheard is forgotten, which gives it a fresh allowance."""


class Allowance:
	"""A bucket for each caller: `burst` calls at once, refilled by `per_second`. Safe from any thread."""

	def __init__(self, *, burst: int, per_second: float) -> None:
		self._burst = float(burst)
		self._per_second = per_second
		self._lock = threading.Lock()
		self._buckets: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

	def take(self, caller: str, now: datetime) -> bool:
		"""Whether this call is within what is allowed.

		:param now: aware. A clock that was set back refills nothing, and takes nothing away.
		"""
		with self._lock:
			left, since = self._buckets.pop(caller, (self._burst, now))
			passed = max(0.0, (now - since).total_seconds())
			left = min(self._burst, left + passed * self._per_second)
			is_allowed = left >= 1
			self._buckets[caller] = (left - 1 if is_allowed else left, now)
			if len(self._buckets) > MAX_CALLERS:
				self._buckets.popitem(last=False)
		return is_allowed
