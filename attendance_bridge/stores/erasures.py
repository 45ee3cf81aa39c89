"""Erasing templates so that their bytes are gone, and the proof of it. It needs no key: it must always work.

SQLite overwrites with zeros what is deleted (`PRAGMA secure_delete`), and the write-ahead log, which still
holds the pages of before, is carried over and cut to nothing. A reader in another process can hold that up;
it is made up for at the next erasure and when the gallery is opened, and the record says when it was done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attendance_bridge.core.consent import Erasure, ErasureReason, digest_of
from attendance_bridge.stores import consents
from attendance_bridge.stores.columns import micros, moment, moment_or_none, text_in, text_out
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("erasures")


class Erasures:
	"""Erases, and keeps the record. Every method may raise `StoreError`.

	:param at: everywhere the moment of the act, aware.
	:param by: everywhere who or what did it, for the record.
	"""

	def __init__(self, db: Database) -> None:
		self._db = db

	def remove(self, employee: str, reason: ErasureReason, *, by: str, at: datetime) -> Erasure | None:
		"""Erase all templates and pictures of somebody; None if there were none."""
		with self._db.write() as connection:
			ids = ids_of(connection, employee)
			if not ids:
				return None
			erase(connection, employee, ids, reason, by=by, at=at)
		self.finish(at)
		return self.records(employee, limit=1)[0]

	def withdraw(self, employee: str, *, by: str, at: datetime) -> Erasure | None:
		"""Take back somebody's consent and erase what was kept under it, in one step.

		There is a record also when nothing was kept; None if there was no consent and no template.
		"""
		with self._db.write() as connection:
			had_agreed = consents.withdraw(connection, employee, at)
			ids = ids_of(connection, employee)
			if not had_agreed and not ids:
				return None
			erase(connection, employee, ids, ErasureReason.WITHDRAWN, by=by, at=at)
		self.finish(at)
		return self.records(employee, limit=1)[0]

	def give_up(self, *, by: str, at: datetime) -> int:
		"""Erase all templates because their key is lost; returns how many people had any."""
		with self._db.write() as connection:
			people = [text_out(row["employee"]) for row in connection.execute(_SQL["everybody"])]
			for employee in people:
				ids = ids_of(connection, employee)
				erase(connection, employee, ids, ErasureReason.KEY_LOST, by=by, at=at)
			connection.execute(_SQL["forget_key"])
		self.finish(at)
		return len(people)

	def finish(self, at: datetime) -> bool:
		"""Get the last traces out of the write-ahead log; False if a reader holds that up."""
		with self._db.read() as connection:
			last = connection.execute(_SQL["last_unfinished"]).fetchone()[0]
		if last is None:
			return True
		if not self._db.empty_log():
			return False
		with self._db.write() as connection:
			connection.execute(_SQL["finish"], {"at": micros(at), "last": last})
		return True

	def records(self, employee: str | None = None, *, limit: int = 100, offset: int = 0) -> list[Erasure]:
		"""What was erased, the last first, moments in UTC; of one person or of all."""
		wanted = {
			"employee": None if employee is None else text_in(employee),
			"limit": limit,
			"offset": offset,
		}
		with self._db.read() as connection:
			return [erasure_of(row) for row in connection.execute(_SQL["records"], wanted)]


def ids_of(connection: sqlite3.Connection, employee: str) -> list[UUID]:
	"""The ids of somebody's templates. Inside of a transaction."""
	rows = connection.execute(_SQL["ids_of"], {"employee": text_in(employee)})
	return [UUID(bytes=row["template_id"]) for row in rows]


def erase(
	connection: sqlite3.Connection,
	employee: str,
	ids: Sequence[UUID],
	reason: ErasureReason,
	*,
	by: str,
	at: datetime,
	told: bool = False,
) -> int:
	"""Delete these templates of somebody and write it down; returns the number of the record.

	Inside of a transaction; then `finish`.

	:param told: the site knows of it, because it wanted it.
	"""
	keys = [(each.bytes,) for each in ids]
	pictures = connection.executemany(_SQL["delete_picture"], keys).rowcount if keys else 0
	templates = connection.executemany(_SQL["delete_template"], keys).rowcount if keys else 0
	written = connection.execute(
		_SQL["write_down"],
		(
			text_in(employee),
			micros(at),
			reason.value,
			text_in(by),
			templates,
			pictures,
			digest_of(ids),
			told,
		),
	)
	connection.execute(_SQL["bump"])
	return int(written.lastrowid or 0)


def erasure_of(row: sqlite3.Row) -> Erasure:
	"""A row of the table `erasure`."""
	return Erasure(
		employee=text_out(row["employee"]),
		erased_at=moment(row["erased_at"]),
		reason=ErasureReason(row["reason"]),
		erased_by=text_out(row["erased_by"]),
		templates=row["templates"],
		pictures=row["pictures"],
		ids_sha256=row["ids_sha256"],
		traces_gone_at=moment_or_none(row["traces_gone_at"]),
	)
