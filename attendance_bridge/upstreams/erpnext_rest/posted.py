"""What became of a posted check-in, by the answer to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from attendance_bridge.core.errors import UpstreamError
from attendance_bridge.upstreams._frappe.answers import (
	BAD_TOKEN,
	CONFLICTS,
	Answer,
	exc_type_of,
	failure,
	json_object,
	name_of,
)

_SITE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.0+)?")

# Refusals with a 4xx that the next try may not meet.
_PASSING = frozenset(
	{"DocumentLockedError", "TimestampMismatchError", "DuplicateEntryError", "UniqueValidationError"}
)


class Ruling(Enum):
	"""What became of a posted check-in."""

	HELD = "held"
	REFUSED = "refused"
	"""Certainly not entered; which reason it was has to be looked up."""
	CONFLICT = "conflict"
	"""Certainly not entered: it met another transaction."""
	FAILED = "failed"
	"""Certainly not entered: the site raised an exception on it."""
	SITE_REFUSES = "site_refuses"
	"""Certainly not entered, and no other would be either."""
	IN_DOUBT = "in_doubt"
	"""May have been entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
	ruling: Ruling
	reference: str = ""
	"""HELD: the name of the Employee Checkin."""
	time: str = ""
	"""HELD: the site time under which it was entered, YYYY-MM-DD HH:MM:SS."""
	exc_type: str = ""
	"""REFUSED, CONFLICT and FAILED: the class of the exception."""
	error: UpstreamError | None = None
	"""Everything but HELD: the answer as an error."""


def read_post(answer: Answer) -> Posted:
	"""Read the answer to the post of one check-in. Never raises."""
	content = json_object(answer.body)
	document = content.get("message")
	if answer.status == 200 and isinstance(document, dict):
		reference, time = name_of(document), read_time(document.get("time"))
		if reference and time:
			return Posted(ruling=Ruling.HELD, reference=reference, time=time)
	exc_type = exc_type_of(content)
	return Posted(ruling=_rule(answer.status, exc_type), exc_type=exc_type, error=failure(answer))


def _rule(status: int, exc_type: str) -> Ruling:
	if 400 <= status < 500:
		site_wide = status in (401, 429) or exc_type in BAD_TOKEN
		return Ruling.REFUSED if exc_type and not site_wide else Ruling.SITE_REFUSES
	# 303 is how an application answers a form that it has taken.
	if status in (301, 302, 307, 308):
		return Ruling.SITE_REFUSES
	if not 500 <= status < 600 or not exc_type:
		return Ruling.IN_DOUBT
	if status == 503:  # maintenance, read-only: SessionStopped, InReadOnlyMode, QueueOverloaded
		return Ruling.SITE_REFUSES
	return Ruling.CONFLICT if exc_type in CONFLICTS else Ruling.FAILED


def may_pass(exc_type: str) -> bool:
	"""Whether a refusal of this class may not come again at the next try."""
	return exc_type in _PASSING


def read_time(value: object) -> str:
	"""A Datetime as YYYY-MM-DD HH:MM:SS; empty if not on a whole second, which no check-in of ours is."""
	found = _SITE_TIME.fullmatch(value) if isinstance(value, str) else None
	return f"{found[1]} {found[2]}" if found else ""
