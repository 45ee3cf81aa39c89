"""The people who can be enrolled, as the page lists them."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from attendance_bridge.core.person import Person

LEFT = frozenset({"left", "inactive"})
"""Words of `Person.status` for people who are not enrolled any more."""


def listing(
	people: Iterable[Person],
	templates: Mapping[str, int],
	again: Collection[str] = (),
	*,
	query: str = "",
	initial: str = "",
	limit: int = 60,
) -> dict[str, Any]:
	"""Those who are found, and the initials that there are.

	:param templates: employee → how many templates of the model in use.
	:param again: employees who have templates of other models only.
	:param query: words that must all be in somebody's name, code, attendance number or department.
	:param initial: the first letter of the name; empty for all.
	"""
	working = sorted(
		(person for person in people if is_here(person)),
		key=lambda person: (_plain(_name(person)), person.employee),
	)
	words = _plain(query).split()
	found = [
		person
		for person in working
		if _initial(person).startswith(initial.upper()) and all(word in _about(person) for word in words)
	]
	return {
		"people": [
			{
				"employee": person.employee,
				"name": _name(person),
				"department": person.department,
				"templates": templates.get(person.employee, 0),
				"again": person.employee in again,
			}
			for person in found[:limit]
		],
		"found": len(found),
		"initials": sorted({_initial(person) for person in working}),
	}


def is_here(person: Person) -> bool:
	"""Whether somebody may be enrolled: not who has left."""
	return person.status.lower() not in LEFT


def _name(person: Person) -> str:
	return person.full_name or person.employee


def _initial(person: Person) -> str:
	return _plain(_name(person))[:1].upper()


def _about(person: Person) -> str:
	parts = (person.full_name, person.employee, person.attendance_device_id, person.department)
	return _plain(" ".join(parts))


def _plain(text: str) -> str:
	"""Without accents and capitals: é is found as e."""
	apart = unicodedata.normalize("NFKD", text.strip())
	return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()
