"""Who agreed to be recognised, when and to which words; and who took it back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from attendance_bridge.core.consent import Consent
from attendance_bridge.stores.columns import micros, micros_or_none, moment, moment_or_none, text_in, text_out
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("consents")


class Consents:
	"""The consents. To take one back erases: see `Erasures.withdraw`. Methods may raise `StoreError`."""

	def __init__(self, db: Database) -> None:
		self._db = db

	def give(self, consents: Iterable[Consent]) -> None:
		"""Note consents. One that is known stays as it is, but may be told to be withdrawn."""
		with self._db.write() as connection:
			note(connection, consents)

	def of(self, employee: str) -> Consent | None:
		"""What somebody agreed to last, its moments in UTC; None if they never did."""
		with self._db.read() as connection:
			row = connection.execute(_SQL["latest"], {"employee": text_in(employee)}).fetchone()
		if row is None:
			return None
		return consent_of(row)


def note(connection: sqlite3.Connection, consents: Iterable[Consent]) -> None:
	"""`Consents.give` inside of a transaction."""
	connection.executemany(_SQL["give"], [_row(consent) for consent in consents])


def withdraw(connection: sqlite3.Connection, employee: str, at: datetime) -> bool:
	"""Take back what somebody agreed to; whether there was anything. Inside of a transaction."""
	wanted = {"employee": text_in(employee), "at": micros(at)}
	return connection.execute(_SQL["withdraw"], wanted).rowcount > 0


def holding(connection: sqlite3.Connection) -> set[str]:
	"""Everybody whose consent holds. Inside of a transaction."""
	return {text_out(row["employee"]) for row in connection.execute(_SQL["holding"])}


def consent_of(row: sqlite3.Row) -> Consent:
	"""A row of the table `consent`."""
	return Consent(
		employee=text_out(row["employee"]),
		given_at=moment(row["given_at"]),
		text_version=text_out(row["text_version"]),
		text_sha256=row["text_sha256"],
		withdrawn_at=moment_or_none(row["withdrawn_at"]),
		text_language=text_out(row["text_language"]),
		given_to=text_out(row["given_to"]),
	)


def _row(consent: Consent) -> tuple[object, ...]:
	return (
		text_in(consent.employee),
		micros(consent.given_at),
		text_in(consent.text_version),
		consent.text_sha256,
		micros_or_none(consent.withdrawn_at),
		text_in(consent.text_language),
		text_in(consent.given_to),
	)
