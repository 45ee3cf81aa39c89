"""Tells whoever watches that something has changed."""

from __future__ import annotations

import threading


class Pulse:
	"""A counter that watchers can wait on. Beats may run together; none is missed for good."""

	def __init__(self) -> None:
		self._condition = threading.Condition()
		self._beats = 0
		self._closed = False

	@property
	def closed(self) -> bool:
		return self._closed

	def beat(self) -> None:
		with self._condition:
			self._beats += 1
			self._condition.notify_all()

	def close(self) -> None:
		"""Let every watcher go, now and later."""
		with self._condition:
			self._closed = True
			self._condition.notify_all()

	def wait(self, seen: int, timeout: float) -> int:
		"""Wait for a beat after number `seen`, at most `timeout` seconds; returns the number now."""
		with self._condition:
			self._condition.wait_for(lambda: self._beats != seen or self._closed, timeout)
			return self._beats
