"""The end of something, as a signal handler may ask for it."""

from __future__ import annotations

import contextlib
import time
from queue import Empty, SimpleQueue

LOOK_AGAIN_SECONDS = 0.5
"""A signal that comes just before the thread sleeps has its handler called when that thread wakes."""


class Latch:
	"""Like a `threading.Event`, for one who waits, and safe to set in a signal handler.

	A handler runs in the main thread, between two steps of whatever it does. Where that thread is about to
	wait for an Event, it holds the Event's lock for a moment, and a handler that sets the Event waits for its
	own thread: the program neither works nor ends. `SimpleQueue.put` is documented as reentrant.
	"""

	def __init__(self) -> None:
		self._is_set = False
		self._sets: SimpleQueue[None] = SimpleQueue()

	def set(self) -> None:
		self._is_set = True
		self._sets.put(None)

	def is_set(self) -> bool:
		return self._is_set

	def wait(self, timeout: float | None = None) -> bool:
		"""Return whether it is set, which is waited for.

		:param timeout: seconds; None: for ever.
		"""
		deadline = None if timeout is None else time.monotonic() + timeout
		while not self._is_set:
			left = LOOK_AGAIN_SECONDS if deadline is None else deadline - time.monotonic()
			if left <= 0:
				break
			with contextlib.suppress(Empty):
				self._sets.get(timeout=min(left, LOOK_AGAIN_SECONDS))
		return self._is_set
