"""What the two verbs need from a store. `stores/` (SQLite) and `bench/` (Frappe) provide it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import Cursor
from attendance_bridge.core.driver import Page
from attendance_bridge.core.upstream import CheckIn, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
	"""What a sink made of a page."""

	new: int
	known: int
	"""Punches that it held already, by whichever road they came."""
	unreadable: int = 0
	"""Unreadable rows that it did not hold yet."""


class PunchSink(Protocol):
	def accept(self, page: Page, device_serial: str, reading: ClockReading | None) -> Accepted:
		"""Hold a page, raw. When this returns, it survives a power cut.

		:raises StoreError: it does not hold the page; nothing was acknowledged.
		"""


class CursorStore(Protocol):
	def load(self, device_serial: str) -> Cursor: ...

	def save(self, device_serial: str, cursor: Cursor) -> None: ...


class Outbox(Protocol):
	def claim(self, limit: int, now: datetime) -> Sequence[CheckIn]:
		"""Take check-ins that are due, oldest first, and note durably that they are about to be sent.

		Leaves out a person altogether while an earlier check-in of theirs waits for its time.
		"""

	def mark(self, receipts: Iterable[Receipt], now: datetime) -> None:
		"""Write receipts down, durably."""

	def release(self, punch_ids: Iterable[UUID]) -> None:
		"""Give back claimed check-ins that were certainly not sent."""


class Ledger(Protocol):
	"""The local book of check-ins, for a site without any server."""

	def record(self, check_ins: Sequence[CheckIn]) -> Sequence[bool]:
		"""Enter them in one transaction; True for each new one, False for each that stood there already."""
