"""Punches that somebody enters by hand: what no terminal has seen, where no site keeps check-ins.

One is a punch like any other, of a source of its own, and goes the same road into the ledger. Who entered it,
when and why is its first correction, in the same transaction; one that says "it is no check-in" withdraws it,
and the first after that enters it again.
So neither ever changes or goes, and the punches of terminals are out of reach here.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import groupby
from operator import itemgetter

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.line import parse_line
from attendance_bridge.core.projection import State
from attendance_bridge.core.punch import DeviceKey, Punch
from attendance_bridge.stores import audit, corrections, neighbours
from attendance_bridge.stores.agreements import MAX_WHY, Author
from attendance_bridge.stores.columns import micros, moment, occurred_out, text_in, text_out
from attendance_bridge.stores.corrections import Kind
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.neighbours import NeighbourError, keep_apart
from attendance_bridge.stores.punches import hold_one
from attendance_bridge.stores.queries import load

_SQL = load("entered")

BY_HAND = "BY-HAND"
"""Stands where a terminal has its serial number. What tells an entered punch is that it is listed here."""

SOURCE = "by hand"
"""The name that goes with it."""

_KEYS = {LogType.IN: DeviceKey.CHECK_IN, LogType.OUT: DeviceKey.CHECK_OUT}
_KINDS = {LogType.IN: Kind.SET_IN, LogType.OUT: Kind.SET_OUT}
_LOG_TYPES = {kind.value: log_type for log_type, kind in _KINDS.items()}
_COUNTED = frozenset({State.CHECKED_IN, State.DUPLICATE})


class Refusal(str, Enum):
	SAME_SECOND = neighbours.Refusal.SAME_SECOND.value
	"""There is another punch of this person at that second, or this one the other way round."""
	TOO_NEAR = neighbours.Refusal.TOO_NEAR.value
	NOT_DECIDED_YET = "not_decided_yet"
	"""The agent is about to decide it: come back in a moment."""
	NO_SUCH_PUNCH = "no_such_punch"
	OF_A_TERMINAL = "of_a_terminal"
	"""What a terminal has recorded is not to be withdrawn."""


class EnteredRefusedError(Exception):
	def __init__(self, refusal: Refusal, near: datetime | None = None) -> None:
		"""
		:param near: of TOO_NEAR: when the other punch was, aware.
		"""
		super().__init__(refusal.value)
		self.refusal = refusal
		self.near = near


class Act(str, Enum):
	ENTERED = "entered"
	"""It holds from here on."""
	CORRECTED = "corrected"
	"""While it held somebody said what it was."""
	WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
	"""One of the things that people have said of an entered punch."""

	act: Act
	log_type: LogType
	"""What it was from here on, or when it was withdrawn."""
	why: str
	by: str
	at: datetime
	"""In UTC."""
	is_over: bool
	"""Entered or corrected so, and withdrawn after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredPunch:
	punch_id: uuid.UUID
	employee: str
	occurred_at: datetime
	"""Aware, in the zone of the place."""
	history: tuple[Said, ...]
	"""All that was ever said, in that order; the first is ENTERED, as is the first after each withdrawal."""
	is_counted: bool
	"""It stands in the ledger; False while it waits to be decided, and when nobody has its id any more."""

	@property
	def log_type(self) -> LogType:
		return self.history[-1].log_type

	@property
	def entered(self) -> Said:
		"""By whom, when and why it was entered, the last time."""
		return next(said for said in reversed(self.history) if said.act is Act.ENTERED)

	@property
	def corrected(self) -> tuple[Said, ...]:
		"""What was said of it while it holds."""
		return tuple(said for said in self.history if said.act is Act.CORRECTED and not said.is_over)

	@property
	def withdrawn(self) -> Said | None:
		"""None while it holds."""
		return self.history[-1] if self.history[-1].act is Act.WITHDRAWN else None


def by_hand(device_user_id: str, occurred_at: datetime, log_type: LogType) -> Punch:
	"""The punch that is entered.

	:param occurred_at: aware, whole seconds.
	:raises ValueError: it can be none.
	"""
	return Punch(
		device_serial=BY_HAND,
		device_user_id=device_user_id,
		occurred_at=occurred_at,
		device_key=_KEYS[log_type],
	)


class EnteredPunches:
	"""Safe to use from any thread; every method may raise `StoreError`."""

	def __init__(self, db: Database) -> None:
		self._db = db

	def enter(
		self,
		employee: str,
		punch: Punch,
		log_type: LogType,
		why: str,
		by: Author,
		*,
		apart: timedelta = timedelta(0),
	) -> bool:
		"""Hold a punch that somebody enters; False if it is entered already, which changes nothing.

		One that was withdrawn holds again. It counts as soon as the agent has decided it.

		:param punch: as `by_hand` makes it.
		:param apart: how far it must be from what counts of this person, before and after.
		:raises EnteredRefusedError: SAME_SECOND, TOO_NEAR or NOT_DECIDED_YET; nothing is kept.
		:raises ValueError: the reason is no line of at most MAX_WHY characters.
		"""
		why = parse_line(why, MAX_WHY)
		with self._db.write() as connection:
			known = connection.execute(_SQL["find"], {"punch_id": punch.punch_id_bytes}).fetchall()
			if known and not _is_to_hold_again(known, employee, log_type):
				return False
			_keep_apart(connection, employee, punch, apart)
			if not known:
				hold_one(connection, punch, by.at)
				row = (punch.punch_id_bytes, text_in(employee), micros(punch.occurred_at))
				connection.execute(_SQL["mark"], row)
			kind = _KINDS[log_type]
			corrections.say(connection, punch.punch_id, kind, why, by=by.who, at=by.at)
			_note(connection, "punch_entered", employee, punch.occurred_at, f"{log_type.value}: {why}", by)
		return True

	def withdraw(self, punch_id: uuid.UUID, why: str, by: Author) -> bool:
		"""Have an entered punch count for nothing; it stays on record. False if it is withdrawn already.

		:raises EnteredRefusedError: NO_SUCH_PUNCH or OF_A_TERMINAL.
		:raises ValueError: the reason is no line of at most MAX_WHY characters.
		"""
		why = parse_line(why, MAX_WHY)
		with self._db.write() as connection:
			rows = connection.execute(_SQL["find"], {"punch_id": punch_id.bytes}).fetchall()
			if not rows:
				found = connection.execute(_SQL["exists"], (punch_id.bytes,)).fetchone()
				raise EnteredRefusedError(Refusal.OF_A_TERMINAL if found else Refusal.NO_SUCH_PUNCH)
			known = _entered(rows)
			if known.withdrawn is not None:
				return False
			corrections.say(connection, punch_id, Kind.IGNORE, why, by=by.who, at=by.at)
			details = f"{known.log_type.value}: {why}"
			_note(connection, "punch_withdrawn", known.employee, known.occurred_at, details, by)
		return True

	def find(self, punch_id: uuid.UUID) -> EnteredPunch | None:
		"""None for what no hand has entered."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["find"], {"punch_id": punch_id.bytes}).fetchall()
		return _entered(rows) if rows else None

	def of(self, employee: str, since: datetime, until: datetime) -> list[EnteredPunch]:
		"""Those of one person from `since` on and before `until` (both aware) in order of time, withdrawn
		ones too."""
		wanted = {"employee": text_in(employee), "since": micros(since), "until": micros(until)}
		with self._db.read() as connection:
			rows = connection.execute(_SQL["of_person"], wanted).fetchall()
		return [_entered(list(each)) for _punch_id, each in groupby(rows, itemgetter("punch_id"))]


def _keep_apart(connection: sqlite3.Connection, employee: str, punch: Punch, apart: timedelta) -> None:
	try:
		keep_apart(
			connection,
			punch.punch_id,
			punch.occurred_at,
			employee=employee,
			device_user_id=punch.device_user_id,
			apart=apart,
		)
	except NeighbourError as error:
		raise EnteredRefusedError(Refusal(error.refusal.value), error.near) from None


def _is_to_hold_again(rows: Sequence[sqlite3.Row], employee: str, log_type: LogType) -> bool:
	"""Whether a punch that was entered before was withdrawn since; False: it holds as it is wanted."""
	known = _entered(rows)
	is_theirs = known.employee == employee
	if not is_theirs or (known.withdrawn is None and known.log_type is not log_type):
		raise EnteredRefusedError(Refusal.SAME_SECOND)
	if known.withdrawn is None:
		return False
	if State(rows[0]["state"]) is State.RECEIVED:
		# A batch that is being decided at this moment would still take it out.
		raise EnteredRefusedError(Refusal.NOT_DECIDED_YET)
	return True


def _note(
	connection: sqlite3.Connection, act: str, employee: str, occurred_at: datetime, details: str, by: Author
) -> None:
	audit.note(
		connection,
		act,
		who=by.who,
		at=by.at,
		address=by.address,
		subject=employee,
		details=f"{occurred_at:%Y-%m-%d %H:%M:%S} {details}",
	)


def _entered(rows: Sequence[sqlite3.Row]) -> EnteredPunch:
	"""
	:param rows: of one punch, in the order in which they were said.
	"""
	first = rows[0]
	history = _history(rows)
	return EnteredPunch(
		punch_id=uuid.UUID(bytes=first["punch_id"]),
		employee=text_out(first["employee"]),
		occurred_at=occurred_out(first),
		history=history,
		is_counted=State(first["state"]) in _COUNTED and history[-1].act is not Act.WITHDRAWN,
	)


def _history(rows: Sequence[sqlite3.Row]) -> tuple[Said, ...]:
	found: list[Said] = []
	last_withdrawal = max((n for n, row in enumerate(rows) if row["kind"] == Kind.IGNORE.value), default=-1)
	log_type = _LOG_TYPES[rows[0]["kind"]]
	for number, row in enumerate(rows):
		holds = bool(found) and found[-1].act is not Act.WITHDRAWN
		act = Act.CORRECTED if holds else Act.ENTERED
		if row["kind"] == Kind.IGNORE.value:
			act = Act.WITHDRAWN
		elif row["kind"] in _LOG_TYPES:
			log_type = _LOG_TYPES[row["kind"]]
		elif row["log_type"]:  # as decided
			log_type = LogType(row["log_type"])
		found.append(
			Said(
				act=act,
				log_type=log_type,
				why=text_out(row["why"]),
				by=text_out(row["made_by"]),
				at=moment(row["made_at"]),
				is_over=act is not Act.WITHDRAWN and number < last_withdrawal,
			)
		)
	return tuple(found)
