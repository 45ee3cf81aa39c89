"""A duty that asks or tells an upstream something every now and then, and at once when there is news."""

from __future__ import annotations

import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import UpstreamError
from attendance_bridge.edge.line import Line


class Errand(ABC):
	"""One thread of its own under the supervisor; `_do` is what a duty adds."""

	look_every_seconds: ClassVar[float] = 0.2
	"""How often to look whether it is time, and whether to stop."""

	def __init__(self, now: Now, chance: Callable[[], float] = random.random) -> None:
		"""
		:param chance: random numbers in [0, 1), for the spread of the pauses.
		"""
		self._now = now
		self._line = Line(now, chance)
		self._news = threading.Event()
		self._done_at: datetime | None = None

	@property
	def last_error(self) -> UpstreamError | None:
		"""What the upstream last failed with; None once it answers again."""
		return self._line.error

	def wake(self) -> None:
		"""There is something to tell."""
		self._news.set()

	def run(self, stop: threading.Event) -> None:
		"""Go on until `stop`.

		:raises StoreError: the store cannot be used.
		"""
		while not stop.is_set():
			if self._is_due():
				self.step()
			stop.wait(self.look_every_seconds)

	def step(self) -> None:
		"""Do it once, now."""
		self._news.clear()
		try:
			self._do()
		except UpstreamError as error:
			self._line.failed(error)
			return
		self._line.works()
		self._done_at = self._now()

	def _is_due(self) -> bool:
		if not self._line.is_open():
			return False
		if self._done_at is None or self._line.error is not None:
			return True
		# Negative only after our own clock was set back.
		return not timedelta(0) <= self._now() - self._done_at < self._pause()

	@abstractmethod
	def _pause(self) -> timedelta:
		"""How long to wait after it was done; nothing for at once."""

	@abstractmethod
	def _do(self) -> None:
		"""
		:raises UpstreamError: it is tried again, after a pause that grows.
		"""
