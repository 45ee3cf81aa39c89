"""The connections to one site: borrowed, kept alive, and let go of together."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from attendance_bridge.upstreams._frappe.client import Client, Timer, tls_context
from attendance_bridge.upstreams._frappe.config import SiteConfig
from attendance_bridge.upstreams._frappe.pace import Pace, Sleep


class Clients:
	"""Connections for any number of threads."""

	def __init__(self, config: SiteConfig, *, timer: Timer, sleep: Sleep) -> None:
		"""
		:param timer: seconds of a clock that is never set; for deadlines and the rate limit.
		:raises ConfigError: `ca_file` cannot be used.
		"""
		self._config = config
		self._tls = tls_context(config)
		self._timer = timer
		self._pace = Pace(config.rate_limit, timer=timer, sleep=sleep)
		self._idle: list[Client] = []
		self._lock = threading.Lock()
		self._closed = threading.Event()

	@property
	def closed(self) -> bool:
		return self._closed.is_set()

	@contextlib.contextmanager
	def borrow(self) -> Iterator[Client]:
		"""A connection of one's own, kept alive for the next borrower."""
		with self._lock:
			client = self._idle.pop() if self._idle else None
		client = client or Client(self._config, tls=self._tls, timer=self._timer, pace=self._pace)
		try:
			yield client
		finally:
			with self._lock:
				is_kept = not self.closed
				if is_kept:
					self._idle.append(client)
			if not is_kept:  # asked once: one that is kept is closed by `close`
				client.close()

	def close(self) -> None:
		"""Let go of connections; one that is borrowed ends with its use. Never raises."""
		self._closed.set()
		with self._lock:
			idle, self._idle = self._idle, []
		for client in idle:
			client.close()
