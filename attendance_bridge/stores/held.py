"""A held punch as a person looks at it: the punch, and everything that became of it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.projection import Observation, State
from attendance_bridge.core.punch import Punch
from attendance_bridge.stores.columns import moment, moment_or_none, punch_out, reading_out, text_out

_CORRECTED = {"set_in": LogType.IN, "set_out": LogType.OUT}
"""What a correction says, by its kind; see `stores.corrections`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPunch:
	"""One row of the log. Empty text means: nothing of the kind."""

	punch: Punch
	state: State
	state_reason: str = ""
	"""Why the projection put it there; see `core.projection.Decision`."""
	employee: str = ""
	log_type: LogType | None = None
	log_type_reason: str = ""
	received_at: datetime | None = None
	"""When it came into this database, in UTC; None if nobody looked at a clock."""
	reference: str = ""
	"""The upstream's name for the check-in."""
	attempts: int = 0
	"""How often the upstream has put it off."""
	error_code: str = ""
	"""Why it was last put off or refused."""
	in_doubt: bool = False
	"""It may have been sent, and no receipt has come (yet)."""
	due_at: datetime | None = None
	"""It is not sent before this moment, in UTC; None for at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
	"""A record of a terminal that could not be read as a punch."""

	device_serial: str
	raw: str
	reason: str
	received_at: datetime | None = None


def held_punch(row: sqlite3.Row) -> HeldPunch:
	"""Read a row of the table `punch`."""
	return HeldPunch(
		punch=punch_out(row),
		state=State(row["state"]),
		state_reason=row["state_reason"],
		employee=text_out(row["employee"] or ""),
		log_type=LogType(row["log_type"]) if row["log_type"] else None,
		log_type_reason=row["log_type_reason"] or "",
		received_at=moment_or_none(row["received_at"]),
		reference=text_out(row["reference"]),
		attempts=row["attempts"],
		error_code=text_out(row["error_code"]),
		in_doubt=row["in_flight_since"] is not None,
		due_at=moment(row["due_at"]) if row["due_at"] else None,
	)


def observation(row: sqlite3.Row) -> Observation:
	"""Read a row of the table `punch` as what the projection starts from; the clock reading comes in UTC."""
	return Observation(
		punch=punch_out(row),
		reading=reading_out(row),
		clock_good_until=moment_or_none(row["clock_good_until"]),
		time_approved=bool(row["time_approved"]),
		corrected=_CORRECTED.get(row["correction"]),
		ignored=row["correction"] == "ignore",
	)


def held_row(row: sqlite3.Row) -> HeldRow:
	"""Read a row of the table `unreadable`."""
	return HeldRow(
		device_serial=text_out(row["device_serial"]),
		raw=text_out(row["raw"]),
		reason=text_out(row["reason"]),
		received_at=moment_or_none(row["received_at"]),
	)
