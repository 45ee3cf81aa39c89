"""One conversation a terminal: many take one at a time only, and two readers would do the same work twice.

The lock is one of MariaDB's own: it holds over all workers of a bench on however many machines, is no part of
a transaction, and is let go of when the connection of a killed job ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import frappe

from attendance_bridge.core.errors import Code, DeviceError


@contextmanager
def alone_with(device: str, patience_seconds: int = 0) -> Iterator[None]:
	"""Keep a terminal to oneself.

	:param device: name of the Device Configuration.
	:param patience_seconds: how long to wait for whoever talks with it.
	:raises DeviceError: BUSY with `by_us`, somebody else of this site talks with it right now.
	"""
	lock = _lock(device)
	(taken,) = frappe.db.sql("SELECT GET_LOCK(%s, %s)", (lock, patience_seconds))[0]
	if not taken:
		raise DeviceError(Code.BUSY, retryable=True, by_us=True)
	try:
		yield
	finally:
		frappe.db.sql("SELECT RELEASE_LOCK(%s)", lock)


def _lock(device: str) -> str:
	# Names of locks are of the whole server, and of at most 64 characters.
	digest = hashlib.sha256(f"{frappe.conf.db_name}:{device}".encode()).hexdigest()
	return f"attendance_bridge:{digest[:40]}"
