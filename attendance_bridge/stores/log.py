"""The log of punches as a person looks through it: filtered, in pages, each with its last correction."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from attendance_bridge.core.projection import State
from attendance_bridge.stores.columns import micros, moment, text_in, text_out
from attendance_bridge.stores.corrections import Correction, Effect, Kind
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.held import HeldPunch, held_punch
from attendance_bridge.stores.queries import load

_SQL = load("log")
_FIRST, _LAST = -(2**63), 2**63 - 1
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
	"""Which punches; None for any. Moments are aware."""

	since: datetime | None = None
	until: datetime | None = None
	"""Exclusive."""
	state: State | None = None
	employee: str | None = None
	device_serial: str | None = None
	device_user_id: str | None = None


ANY = Filters()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
	held: HeldPunch
	correction: Correction | None
	"""The last one."""
	entered_for: str = ""
	"""For whom somebody entered it, withdrawn or not; empty for what a terminal has seen."""

	@property
	def position(self) -> tuple[int, uuid.UUID]:
		"""Where the next page begins."""
		return micros(self.held.punch.occurred_at), self.held.punch.punch_id


class PunchLog:
	"""Reads only. Every method may raise `StoreError`."""

	def __init__(self, db: Database) -> None:
		self._db = db

	def search(
		self, filters: Filters = ANY, *, limit: int = 100, before: tuple[int, uuid.UUID] | None = None
	) -> list[LogEntry]:
		"""Punches, those that occurred last first.

		:param before: the position of the last entry of the page before.
		"""
		before_at, before_id = before or (_LAST, uuid.UUID(int=2**128 - 1))
		wanted = {
			"since": _FIRST if filters.since is None else micros(filters.since),
			"until": _LAST if filters.until is None else micros(filters.until),
			"before_at": before_at,
			"before_id": before_id.bytes,
			"state": filters.state.value if filters.state else None,
			"employee": _bound(filters.employee),
			"device_serial": _bound(filters.device_serial),
			"device_user_id": _bound(filters.device_user_id),
			"limit": limit,
		}
		with self._db.read() as connection:
			return [_entry(row) for row in connection.execute(_SQL["search"], wanted)]

	def each(self, filters: Filters = ANY) -> Iterator[LogEntry]:
		"""All of them, a page at a time; no transaction is held in between."""
		before: tuple[int, uuid.UUID] | None = None
		while True:
			page = self.search(filters, limit=_PAGE, before=before)
			yield from page
			if len(page) < _PAGE:
				return
			before = page[-1].position

	def find(self, punch_id: uuid.UUID) -> LogEntry | None:
		with self._db.read() as connection:
			row = connection.execute(_SQL["find"], {"punch_id": punch_id.bytes}).fetchone()
		return _entry(row) if row is not None else None


def _bound(text: str | None) -> str | bytes | None:
	return None if text is None else text_in(text)


def _entry(row: sqlite3.Row) -> LogEntry:
	correction = None
	if row["correction_kind"] is not None:
		correction = Correction(
			kind=Kind(row["correction_kind"]),
			why=text_out(row["correction_why"]),
			made_by=text_out(row["correction_by"]),
			made_at=moment(row["correction_at"]),
			effect=Effect(row["correction_effect"]),
		)
	return LogEntry(
		held=held_punch(row), correction=correction, entered_for=text_out(row["entered_for"] or "")
	)
