"""Who did what, when, and from where. Lines are added; the database refuses to change or delete one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from attendance_bridge.stores.columns import micros, moment, text_in, text_out
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("audit")

MAX_TEXT = 500
"""Characters of each text: some of it comes from whoever asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
	"""One line of the log."""

	entry: int
	at: datetime
	"""In UTC."""
	who: str
	"""An account, "key NAME", or "NAME (command line)"; what a refused login called itself."""
	address: str
	"""Where the call came from; empty for the command line."""
	act: str
	"""A stable code."""
	subject: str
	details: str


class AuditLog:
	"""The log. Every method may raise `StoreError`."""

	def __init__(self, db: Database) -> None:
		self._db = db

	def write(
		self, act: str, *, who: str, at: datetime, address: str = "", subject: str = "", details: str = ""
	) -> None:
		"""Add a line. When this returns, it is durable."""
		with self._db.write() as connection:
			note(connection, act, who=who, at=at, address=address, subject=subject, details=details)

	def latest(self, limit: int = 100, *, before: int | None = None) -> list[Act]:
		"""The latest lines, the last first.

		:param before: only those older than the line with this number.
		"""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["latest"], {"before": before, "limit": limit}).fetchall()
		return [
			Act(
				entry=row["entry"],
				at=moment(row["at"]),
				who=text_out(row["who"]),
				address=text_out(row["address"]),
				act=row["act"],
				subject=text_out(row["subject"]),
				details=text_out(row["details"]),
			)
			for row in rows
		]


def note(
	connection: sqlite3.Connection,
	act: str,
	*,
	who: str,
	at: datetime,
	address: str = "",
	subject: str = "",
	details: str = "",
) -> None:
	"""`AuditLog.write` inside of a transaction: the line stands exactly if the change does."""
	texts = (text_in(text[:MAX_TEXT]) for text in (who, address, act, subject, details))
	connection.execute(_SQL["write"], (micros(at), *texts))
