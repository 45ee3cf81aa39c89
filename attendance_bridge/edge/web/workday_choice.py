"""What somebody asks of working days by the address of a page: a date or a month, whose, which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from flask import abort

from attendance_bridge.core.person import Person
from attendance_bridge.core.workday.day import Status
from attendance_bridge.edge.web.services import services
from attendance_bridge.edge.workdays.book import PersonDay, Workdays
from attendance_bridge.edge.workdays.sheets import last_of_month

MAX_TEXT = 140
FIRST_YEAR, LAST_YEAR = 1970, 2199
"""That the clock of a terminal can show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
	first: date
	last: date
	department: str = ""
	shift: str = ""
	state: Status | None = None
	q: str = ""
	"""Part of a name or an id."""

	def people(self, workdays: Workdays) -> list[Person]:
		"""Whoever is meant, by name."""
		wanted = self.q.casefold().strip()
		return [
			person
			for person in workdays.people(self.first, self.last)
			if self.department in ("", person.department)
			and wanted in f"{person.full_name}\0{person.employee}\0{person.attendance_device_id}".casefold()
		]

	def days(self, workdays: Workdays) -> Iterator[list[PersonDay]]:
		"""The days of each of them that are meant; whoever has none is left out."""
		for person_days in workdays.of(self.people(workdays), self.first, self.last):
			found = [each for each in person_days if self.fits(each)]
			if found:
				yield found

	def fits(self, person_day: PersonDay) -> bool:
		day = person_day.day
		return self.shift in ("", day.shift) and self.state in (None, day.status)

	def spelled(self) -> str:
		"""For the audit log."""
		facts = (
			("department", self.department),
			("shift", self.shift),
			("state", self.state.value if self.state else ""),
			("people", self.q),
		)
		period = str(self.first) if self.first == self.last else f"{self.first} to {self.last}"
		return ", ".join([period, *(f"{name} {value}" for name, value in facts if value)])


def the_workdays() -> Workdays:
	"""Those of the agent that answers."""
	found = services().workdays
	if found is None:
		abort(404)
	return found


def of_day(arguments: Mapping[str, str], today: date) -> Choice:
	"""One date; what makes no sense is left out."""
	day = date_of(arguments.get("date", "")) or today
	state = arguments.get("state", "")
	return Choice(
		first=day,
		last=day,
		department=arguments.get("department", "")[:MAX_TEXT],
		shift=arguments.get("shift", "")[:MAX_TEXT],
		state=Status(state) if state in {status.value for status in Status} else None,
		q=arguments.get("q", "")[:MAX_TEXT],
	)


def of_month(arguments: Mapping[str, str], today: date) -> Choice:
	"""One month; what makes no sense is left out."""
	first = month_of(arguments.get("month", "")) or today.replace(day=1)
	return Choice(
		first=first,
		last=last_of_month(first),
		department=arguments.get("department", "")[:MAX_TEXT],
		q=arguments.get("q", "")[:MAX_TEXT],
	)


def date_of(text: str) -> date | None:
	try:
		day = date.fromisoformat(text)
	except ValueError:
		return None
	return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def month_of(text: str) -> date | None:
	"""The first date of a month like 2026-03."""
	return date_of(f"{text}-01") if len(text) == 7 else None
