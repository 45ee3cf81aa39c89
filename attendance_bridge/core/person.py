"""The people whose punches we carry, and how an id on a terminal becomes one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
	"""An employee as the upstream knows them. Empty text means: the upstream says nothing."""

	employee: str
	"""The upstream's key: the `name` of the Employee document."""
	attendance_device_id: str = ""
	"""The id on the terminals, as text; compared byte for byte."""
	full_name: str = ""
	status: str = ""
	department: str = ""
	designation: str = ""
	company: str = ""
	branch: str = ""
	shift: str = ""


class Directory:
	"""Finds the person behind a device_user_id: exact text, no trimming, no case folding.

	Two people with one attendance_device_id make that id nobody's: a punch must not be paid to the wrong one.
	"""

	def __init__(self, people: Iterable[Person]) -> None:
		self._by_device_id: dict[str, Person] = {}
		self._ambiguous: set[str] = set()
		for person in people:
			self._add(person)

	def _add(self, person: Person) -> None:
		device_id = person.attendance_device_id
		if not device_id:
			return
		if device_id in self._by_device_id:
			self._ambiguous.add(device_id)
		self._by_device_id[device_id] = person

	def find(self, device_user_id: str) -> Person | None:
		if device_user_id in self._ambiguous:
			return None
		return self._by_device_id.get(device_user_id)


class Everybody(Directory):
	"""Takes every id on a terminal for a person of that name: a ledger without any list of people."""

	def __init__(self) -> None:
		super().__init__(())

	def find(self, device_user_id: str) -> Person | None:
		return Person(employee=device_user_id, attendance_device_id=device_user_id)
