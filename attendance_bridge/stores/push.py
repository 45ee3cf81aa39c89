"""Terminals that push by themselves: the pairing list, what each was given, and commands for them.

Told in plain words and numbers: which protocol they belong to is known one floor above.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from attendance_bridge.core.direction import DeviceRole
from attendance_bridge.core.punch import Punch
from attendance_bridge.stores.audit import note
from attendance_bridge.stores.columns import (
	micros,
	moment,
	moment_or_none,
	punch_out,
	text_in,
	text_out,
)
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("push")

MAX_WAITING = 200
"""Serial numbers on the pairing list."""
FORGOTTEN_AFTER = timedelta(days=7)
"""One that waits and has not called for so long makes room for another."""
MAX_OPEN = 500
"""Commands under way for one terminal."""
MAX_ATTEMPTS = 3
FETCHED_WITHIN = timedelta(days=2)
"""A terminal that was away for longer is not restarted out of the blue when it is back."""
ANSWER_WITHIN = timedelta(minutes=5)
"""So long a command may be under way before it is sent again."""
COMMANDS_KEPT = timedelta(days=90)
MAX_PUNCHES = 10_000


class PairingState(str, Enum):
	"""What was decided about a serial number that called."""

	WAITING = "waiting"
	APPROVED = "approved"
	REFUSED = "refused"
	CONFIGURED = "configured"
	"""Let in by the configuration or by the site, not by somebody at the pairing list."""


class CommandState(str, Enum):
	QUEUED = "queued"
	SENT = "sent"
	DONE = "done"
	FAILED = "failed"


class QueueFullError(Exception):
	"""So many commands are under way for this terminal that no more are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
	"""A terminal that called. All moments are in UTC; empty text means that it never said."""

	serial: str
	state: PairingState
	dialect: str
	peer: str
	model: str
	firmware: str
	mac: str
	calls: int
	first_seen_at: datetime
	last_seen_at: datetime
	name: str
	zone: str
	role: DeviceRole
	user_id_prefix: str
	decided_by: str
	decided_at: datetime | None
	registry_code: str
	session_id: str
	sightings: str
	is_twin: bool
	cannot_decrypt: bool
	told_offset: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
	"""What is written down of the calls of a terminal that was let in."""

	serial: str
	at: datetime
	peer: str
	dialect: str
	calls: int
	model: str = ""
	firmware: str = ""
	mac: str = ""
	sightings: str = ""
	is_twin: bool = False
	cannot_decrypt: bool = False
	told_offset: int | None = None
	dropped: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedCommand:
	"""A command and what became of it; moments in UTC."""

	command: int
	text: str
	state: CommandState
	queued_by: str
	queued_at: datetime
	sent_at: datetime | None
	attempts: int
	ended_at: datetime | None
	code: int | None
	said: str


class PushBook:
	"""Every method may raise `StoreError`. Safe to use from any thread."""

	def __init__(self, db: Database) -> None:
		self._db = db

	def knock(
		self, serial: str, *, at: datetime, peer: str, dialect: str, model: str, firmware: str, mac: str
	) -> PairingState | None:
		"""A serial number that is not let in called; None if the list is full."""
		facts = {
			"serial": serial,
			"at": micros(at),
			"peer": text_in(peer),
			"dialect": dialect,
			"model": text_in(model),
			"firmware": text_in(firmware),
			"mac": text_in(mac),
		}
		with self._db.write() as connection:
			known = connection.execute(_SQL["find"], facts).fetchone()
			if known is None and not self._has_room(connection, at):
				return None
			connection.execute(_SQL["knock"], facts)
			state = connection.execute(_SQL["find"], facts).fetchone()["state"]
		return PairingState(state)

	def _has_room(self, connection: sqlite3.Connection, at: datetime) -> bool:
		if connection.execute(_SQL["waiting_count"]).fetchone()[0] < MAX_WAITING:
			return True
		before = {"before": micros(at - FORGOTTEN_AFTER)}
		return connection.execute(_SQL["drop_longest_unheard"], before).rowcount > 0

	def find(self, serial: str) -> Caller | None:
		with self._db.read() as connection:
			row = connection.execute(_SQL["find"], {"serial": serial}).fetchone()
		return _caller(row) if row is not None else None

	def all(self) -> list[Caller]:
		"""Every terminal that called, those that wait first, then the last heard."""
		with self._db.read() as connection:
			return [_caller(row) for row in connection.execute(_SQL["all"])]

	def approve(
		self,
		serial: str,
		*,
		name: str,
		zone: str,
		role: DeviceRole,
		user_id_prefix: str,
		by: str,
		at: datetime,
		address: str = "",
	) -> None:
		"""Let a terminal in, whether or not it has called yet.

		:param address: where whoever said so asked from; it stands in the audit log.
		"""
		facts = {
			"serial": serial,
			"name": text_in(name),
			"zone": zone,
			"role": role.value,
			"user_id_prefix": text_in(user_id_prefix),
			"by": text_in(by),
			"at": micros(at),
		}
		with self._db.write() as connection:
			connection.execute(_SQL["approve"], facts)
			note(
				connection, "terminal_approved", who=by, at=at, address=address, subject=serial, details=name
			)

	def refuse(self, serial: str, *, by: str, at: datetime, address: str = "") -> bool:
		"""Turn a terminal away until somebody lets it in; False if it never called."""
		facts = {"serial": serial, "by": text_in(by), "at": micros(at)}
		with self._db.write() as connection:
			is_known = connection.execute(_SQL["refuse"], facts).rowcount > 0
			if is_known:
				note(connection, "terminal_refused", who=by, at=at, address=address, subject=serial)
		return is_known

	def forget(self, serial: str, *, by: str, at: datetime, address: str = "") -> bool:
		"""Take a terminal off the list, with its stamps: it may knock again, and sends everything then."""
		with self._db.write() as connection:
			connection.execute(_SQL["forget_stamps"], {"serial": serial})
			is_known = connection.execute(_SQL["forget"], {"serial": serial}).rowcount > 0
			if is_known:
				note(connection, "terminal_forgotten", who=by, at=at, address=address, subject=serial)
		return is_known

	def register(self, serial: str, code: str, session: str, at: datetime) -> tuple[str, str]:
		"""Keep what a terminal is given; returns what it was given first."""
		facts = {"serial": serial, "code": code, "session": session, "at": micros(at)}
		with self._db.write() as connection:
			connection.execute(_SQL["register"], facts)
			row = connection.execute(_SQL["find"], facts).fetchone()
		return row["registry_code"], row["session_id"]

	def note(self, calls: Iterable[Call], stamps: Iterable[tuple[str, str, str]]) -> None:
		"""Write calls down, and the stamps (serial, table, value) of pages that are held already."""
		with self._db.write() as connection:
			for call in calls:
				connection.execute(_SQL["contact"], _call_row(call))
				for kind, number in (call.dropped or {}).items():
					facts = {"serial": call.serial, "kind": kind, "number": number}
					connection.execute(_SQL["add_dropped"], facts)
			connection.executemany(
				_SQL["stamp"],
				[{"serial": serial, "push_table": table, "value": value} for serial, table, value in stamps],
			)

	def stamps(self, serial: str) -> dict[str, str]:
		"""Table → where a terminal resumes."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["stamps"], {"serial": serial}).fetchall()
		return {row["push_table"]: row["value"] for row in rows}

	def dropped(self, serial: str) -> dict[str, int]:
		"""What was acknowledged and not kept, by kind."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["dropped"], {"serial": serial}).fetchall()
		return {row["kind"]: row["number"] for row in rows}

	def held_between(self, serial: str, first: datetime, last: datetime) -> list[Punch]:
		"""The latest punches of a terminal that occurred between two moments (aware), in order of arrival."""
		facts = {"serial": serial, "since": micros(first), "until": micros(last), "limit": MAX_PUNCHES}
		with self._db.read() as connection:
			punches = [punch_out(row) for row in connection.execute(_SQL["held_between"], facts)]
		punches.reverse()
		return punches

	def queue(self, serial: str, text: str, *, by: str, at: datetime) -> int:
		"""Put a command into the queue of a terminal; returns its number.

		:raises QueueFullError: too many are under way.
		"""
		facts = {"serial": serial, "text": text, "by": text_in(by), "at": micros(at)}
		with self._db.write() as connection:
			if connection.execute(_SQL["open_count"], facts).fetchone()[0] >= MAX_OPEN:
				raise QueueFullError(serial)
			connection.execute(_SQL["forget_commands"], {"before": micros(at - COMMANDS_KEPT)})
			return int(connection.execute(_SQL["queue"], facts).lastrowid or 0)

	def due(self, serial: str, limit: int, at: datetime) -> list[tuple[int, str]]:
		"""Commands to be sent now, oldest first, noted durably as sent. One that was not answered in time
		is sent again, a few times, and has failed then; so has one that nobody fetched for two days."""
		with self._db.read() as connection:
			if not _waiting(connection, serial, at):
				return []
		now, too_old = micros(at), micros(at - FETCHED_WITHIN)
		with self._db.write() as connection:
			# Once more, alone: two calls of a terminal at a time must not both bring it the same command.
			waiting = _waiting(connection, serial, at)
			fits = [row["attempts"] < MAX_ATTEMPTS and row["queued_at"] >= too_old for row in waiting]
			lost = [row["command"] for row, fit in zip(waiting, fits, strict=True) if not fit]
			sent = [row for row, fit in zip(waiting, fits, strict=True) if fit][:limit]
			connection.executemany(_SQL["give_up"], [{"command": each, "at": now} for each in lost])
			connection.executemany(_SQL["sent"], [{"command": row["command"], "at": now} for row in sent])
		return [(row["command"], row["text"]) for row in sent]

	def restarted(self, serial: str, texts: Iterable[str], at: datetime) -> None:
		"""A terminal has started anew: commands with one of these texts that it was sent are done."""
		rows = [{"serial": serial, "text": text, "at": micros(at)} for text in texts]
		with self._db.write() as connection:
			connection.executemany(_SQL["restarted"], rows)

	def outcomes(self, serial: str, outcomes: Sequence[tuple[int, int, str]], at: datetime) -> None:
		"""Write down what became of commands: (number, code, what it said)."""
		rows = [
			{"serial": serial, "command": command, "code": code, "said": text_in(said), "at": micros(at)}
			for command, code, said in outcomes
		]
		with self._db.write() as connection:
			connection.executemany(_SQL["outcome"], rows)

	def commands(self, serial: str, limit: int = 50) -> list[QueuedCommand]:
		"""The latest commands of a terminal."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["commands"], {"serial": serial, "limit": limit}).fetchall()
		return [_command(row) for row in rows]


def _waiting(connection: sqlite3.Connection, serial: str, at: datetime) -> list[sqlite3.Row]:
	"""The commands of a terminal that were not sent yet, or not answered in time."""
	overdue = micros(at - ANSWER_WITHIN)
	rows = connection.execute(_SQL["open"], {"serial": serial}).fetchall()
	return [row for row in rows if row["state"] == "queued" or row["sent_at"] < overdue]


def _call_row(call: Call) -> dict[str, object]:
	return {
		"serial": call.serial,
		"at": micros(call.at),
		"peer": text_in(call.peer),
		"dialect": call.dialect,
		"calls": call.calls,
		"model": text_in(call.model),
		"firmware": text_in(call.firmware),
		"mac": text_in(call.mac),
		"sightings": text_in(call.sightings),
		"is_twin": int(call.is_twin),
		"cannot_decrypt": int(call.cannot_decrypt),
		"told_offset": call.told_offset,
	}


def _caller(row: sqlite3.Row) -> Caller:
	return Caller(
		serial=row["serial"],
		state=PairingState(row["state"]),
		dialect=row["dialect"],
		peer=text_out(row["peer"]),
		model=text_out(row["model"]),
		firmware=text_out(row["firmware"]),
		mac=text_out(row["mac"]),
		calls=row["calls"],
		first_seen_at=moment(row["first_seen_at"]),
		last_seen_at=moment(row["last_seen_at"]),
		name=text_out(row["name"]),
		zone=row["zone"],
		role=DeviceRole(row["role"] or DeviceRole.KEY.value),
		user_id_prefix=text_out(row["user_id_prefix"]),
		decided_by=text_out(row["decided_by"]),
		decided_at=moment_or_none(row["decided_at"]),
		registry_code=row["registry_code"],
		session_id=row["session_id"],
		sightings=text_out(row["sightings"]),
		is_twin=bool(row["is_twin"]),
		cannot_decrypt=bool(row["cannot_decrypt"]),
		told_offset=row["told_offset"],
	)


def _command(row: sqlite3.Row) -> QueuedCommand:
	return QueuedCommand(
		command=row["command"],
		text=row["text"],
		state=CommandState(row["state"]),
		queued_by=text_out(row["queued_by"]),
		queued_at=moment(row["queued_at"]),
		sent_at=moment_or_none(row["sent_at"]),
		attempts=row["attempts"],
		ended_at=moment_or_none(row["ended_at"]),
		code=row["code"],
		said=text_out(row["said"]),
	)
