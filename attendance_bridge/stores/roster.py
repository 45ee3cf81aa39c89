"""The people as the upstream last listed them, for the hours when it cannot be asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime

from attendance_bridge.core.person import Directory, Person
from attendance_bridge.stores.columns import micros, moment, text_in, text_out
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("roster")
_FIELDS = tuple(field.name for field in dataclasses.fields(Person))


class Roster:
	"""The list of people. Every method may raise `StoreError`."""

	def __init__(self, db: Database) -> None:
		self._db = db

	def replace(self, people: Iterable[Person], at: datetime) -> int:
		"""Take a whole list for the one held; returns how many people came, went or changed.

		:param people: everybody: who is not among them is dropped. If reading them fails half-way, the list
			held stays. Of two with the same key the last counts.
		:param at: when the list was asked for, aware.
		"""
		listed = {person.employee: person for person in people}
		rows = [tuple(text_in(getattr(person, name)) for name in _FIELDS) for person in listed.values()]
		with self._db.write() as connection:
			held = [row["employee"] for row in connection.execute(_SQL["employees"])]
			gone = [(employee,) for employee in held if text_out(employee) not in listed]
			connection.executemany(_SQL["drop"], gone)
			changed = connection.executemany(_SQL["put"], rows).rowcount if rows else 0
			connection.execute(_SQL["stamp"], (micros(at),))
		return len(gone) + changed

	def people(self) -> list[Person]:
		"""Everybody, by key."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["people"]).fetchall()
		return [Person(**{name: text_out(row[name]) for name in _FIELDS}) for row in rows]

	def directory(self) -> Directory:
		"""Finds the person behind an id on a terminal."""
		return Directory(self.people())

	@property
	def refreshed_at(self) -> datetime | None:
		"""When the list was last replaced, in UTC; None if there never was one."""
		with self._db.read() as connection:
			row = connection.execute(_SQL["refreshed_at"]).fetchone()
		return moment(row["refreshed_at"]) if row is not None else None
