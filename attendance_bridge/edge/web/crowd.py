"""How many connections, and how many of the server's threads, each address may have at a time.

Without it one machine in the network could keep everybody else from the pages, and the kiosk from its own.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import Counter

MOST_CONNECTIONS = 40
"""Open ones from one address; a browser opens six."""
MOST_BUSY = 10
"""Threads that work for one address."""
KEPT_FREE = 4
"""Threads that nobody elsewhere gets: for the screen of this machine, its metrics, its health."""


class Crowd:
	"""This machine itself is not counted: a proxy on it speaks for many. Safe to use from any thread."""

	def __init__(self, threads: int) -> None:
		"""
		:param threads: of the server.
		"""
		self._most_elsewhere = threads - KEPT_FREE
		self._lock = threading.Lock()
		self._open: Counter[str] = Counter()
		self._busy: Counter[str] = Counter()

	def come(self, address: str) -> bool:
		"""Whether one more connection is taken; if so, `leave` follows some time."""
		if is_of_this_machine(address):
			return True
		with self._lock:
			if self._open[address] >= MOST_CONNECTIONS:
				return False
			self._open[address] += 1
			return True

	def leave(self, address: str) -> None:
		with self._lock:
			_less(self._open, address)

	def begin(self, address: str) -> bool:
		"""Whether a thread is given for a connection; if so, `end` follows."""
		if is_of_this_machine(address):
			return True
		with self._lock:
			if self._busy[address] >= MOST_BUSY or self._busy.total() >= self._most_elsewhere:
				return False
			self._busy[address] += 1
			return True

	def end(self, address: str) -> None:
		with self._lock:
			_less(self._busy, address)


def _less(counter: Counter[str], address: str) -> None:
	if counter[address] > 1:
		counter[address] -= 1
	else:
		del counter[address]


def is_of_this_machine(address: str) -> bool:
	"""Whether it is an address of this machine alone."""
	try:
		return ipaddress.ip_address(address).is_loopback
	except ValueError:
		return False
