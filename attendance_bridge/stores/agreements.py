"""What was agreed with people for their working days, where no site keeps it: shifts and days of leave.

Dates are those of the agent's place. Every change stands in the audit log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from attendance_bridge.core.line import parse_line
from attendance_bridge.stores import audit
from attendance_bridge.stores.columns import micros, moment, text_in, text_out
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("agreements")

MAX_WHY = 200
MOST_DAYS = 366
"""Of one mark: a year of leave."""
_DAY = timedelta(days=1)


class MarkKind(str, Enum):
	LEAVE = "leave"
	HALF_LEAVE = "half_leave"
	OFF = "off"
	"""No working day of this person."""
	PRESENT = "present"
	"""Was there, whatever the punches say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
	"""Somebody works a shift from one date to another."""

	number: int
	shift: str
	first: date
	last: date | None
	"""Included; None: until further notice."""
	besides: bool
	"""Worked besides what else is assigned on its dates, or else is everyday; or in place of it."""
	made_by: str
	made_at: datetime
	"""In UTC."""

	def holds(self, day: date) -> bool:
		return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
	"""What somebody says of one day of a person."""

	day: date
	kind: MarkKind
	why: str
	made_by: str
	made_at: datetime
	"""In UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
	"""What was agreed with one person for some dates."""

	assignments: tuple[Assignment, ...]
	"""The last one made first."""
	marks: Mapping[date, Mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
	"""Who changes something, when and from where."""

	who: str
	at: datetime
	"""Aware."""
	address: str = ""


class Agreements:
	"""Safe to use from any thread; every method may raise `StoreError`."""

	def __init__(self, db: Database) -> None:
		self._db = db

	def of(self, employee: str, first: date, last: date) -> Agreed:
		"""What holds for one person between two dates, both included."""
		wanted = {"employee": text_in(employee), "first": first.isoformat(), "last": last.isoformat()}
		with self._db.read() as connection:
			assignments = connection.execute(_SQL["assignments"], wanted).fetchall()
			marks = connection.execute(_SQL["marks"], wanted).fetchall()
		return Agreed(
			assignments=tuple(_assignment(row) for row in assignments),
			marks={mark.day: mark for mark in map(_mark, marks)},
		)

	def assign(
		self,
		employee: str,
		shift: str,
		first: date,
		last: date | None,
		by: Author,
		*,
		besides: bool = False,
	) -> None:
		"""Have somebody work a shift from one date to another, both included; None: until further notice.

		:param besides: besides what else is assigned on these dates, not in place of it.
		:raises ValueError: it ends before it begins.
		"""
		if last is not None and last < first:
			raise ValueError("the last day is not before the first")
		row = (
			text_in(employee),
			text_in(shift),
			first.isoformat(),
			last.isoformat() if last else None,
			int(besides),
			text_in(by.who),
			micros(by.at),
		)
		details = _spelled(shift, first, last)
		with self._db.write() as connection:
			connection.execute(_SQL["assign"], row)
			_note(connection, "shift_assigned", employee, details, by)

	def unassign(self, number: int, by: Author) -> str | None:
		"""Take an assignment back; returns whose it was, None if there is none."""
		with self._db.write() as connection:
			row = connection.execute(_SQL["find_assignment"], (number,)).fetchone()
			if row is None:
				return None
			connection.execute(_SQL["drop_assignment"], (number,))
			employee, taken = text_out(row["employee"]), _assignment(row)
			details = _spelled(taken.shift, taken.first, taken.last)
			_note(connection, "shift_taken_back", employee, details, by)
		return employee

	def mark(
		self, employee: str, kind: MarkKind | None, first: date, last: date, why: str, by: Author
	) -> None:
		"""Say something of days of somebody, in place of what was said before; None takes it back.

		:param why: empty, or a line of at most MAX_WHY characters.
		:raises ValueError: the range is empty or longer than MOST_DAYS, or the reason is no such line.
		"""
		if not 0 <= (last - first).days < MOST_DAYS:
			raise ValueError(f"1 to {MOST_DAYS} days")
		why = parse_line(why, MAX_WHY) if why else ""
		days = [first + number * _DAY for number in range((last - first).days + 1)]
		details = f"{kind.value if kind else 'nothing'}, from {first} to {last}{f': {why}' if why else ''}"
		wanted = {"employee": text_in(employee), "first": first.isoformat(), "last": last.isoformat()}
		with self._db.write() as connection:
			if kind is None:
				connection.execute(_SQL["clear"], wanted)
			else:
				said = (kind.value, text_in(why), text_in(by.who), micros(by.at))
				rows = [(wanted["employee"], day.isoformat(), *said) for day in days]
				connection.executemany(_SQL["mark"], rows)
			_note(connection, "day_marked", employee, details, by)


def _spelled(shift: str, first: date, last: date | None) -> str:
	return f"{shift}, from {first}{f' to {last}' if last else ''}"


def _note(connection: sqlite3.Connection, act: str, employee: str, details: str, by: Author) -> None:
	audit.note(connection, act, who=by.who, at=by.at, address=by.address, subject=employee, details=details)


def _assignment(row: sqlite3.Row) -> Assignment:
	return Assignment(
		number=row["assignment"],
		shift=text_out(row["shift"]),
		first=date.fromisoformat(row["first_day"]),
		last=date.fromisoformat(row["last_day"]) if row["last_day"] else None,
		besides=bool(row["besides"]),
		made_by=text_out(row["made_by"]),
		made_at=moment(row["made_at"]),
	)


def _mark(row: sqlite3.Row) -> Mark:
	return Mark(
		day=date.fromisoformat(row["day"]),
		kind=MarkKind(row["kind"]),
		why=text_out(row["why"]),
		made_by=text_out(row["made_by"]),
		made_at=moment(row["made_at"]),
	)
