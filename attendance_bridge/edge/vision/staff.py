"""The people of the roster as the door asks for them: by their key at the upstream, many times a second."""

from __future__ import annotations

from datetime import datetime

from attendance_bridge.core.person import Directory, Person
from attendance_bridge.stores.roster import Roster


class Staff:
	"""Read anew only when the roster was. Safe to use from any thread: what is read is replaced whole."""

	def __init__(self, roster: Roster, everybody: Directory | None = None) -> None:
		"""
		:param everybody: where there is no list of people: takes every id for a person of that name.
		"""
		self._roster = roster
		self._everybody = everybody
		self._read: tuple[datetime | None, dict[str, Person], Directory] = (None, {}, Directory(()))

	def find(self, employee: str) -> Person | None:
		if self._everybody is not None:
			return self._everybody.find(employee)
		return self._fresh()[1].get(employee)

	def name_of(self, employee: str) -> str:
		"""What a person is called; the key for somebody whom the roster does not have, or not by a name."""
		person = self.find(employee)
		return (person.full_name if person else "") or employee

	def directory(self) -> Directory:
		return self._everybody if self._everybody is not None else self._fresh()[2]

	def _fresh(self) -> tuple[datetime | None, dict[str, Person], Directory]:
		refreshed_at = self._roster.refreshed_at
		if refreshed_at != self._read[0]:
			people = self._roster.people()
			self._read = refreshed_at, {person.employee: person for person in people}, Directory(people)
		return self._read
