"""What people say of punches, beside them: the punch as it came never changes, nor does a correction.

A correction of a check-in that has not left this machine is heard when it is decided again. One of a check-in
that may have been delivered is kept, and changes nothing there; `Effect` says which of the two happened.
"""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from attendance_bridge.core.line import parse_line
from attendance_bridge.core.projection import State
from attendance_bridge.stores import audit, neighbours
from attendance_bridge.stores.columns import micros, moment, occurred_out, text_in, text_out
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.neighbours import NeighbourError, keep_apart
from attendance_bridge.stores.queries import load

_SQL = load("corrections")

MAX_WHY = 500


class Kind(str, Enum):
	SET_IN = "set_in"
	SET_OUT = "set_out"
	IGNORE = "ignore"
	"""It is no check-in."""
	AS_DECIDED = "as_decided"
	"""None of these three any more."""
	RELEASE_TIME = "release_time"
	"""The time of a quarantined punch is right."""
	RETRY = "retry"
	"""What made the upstream refuse it has been put right."""


class Effect(str, Enum):
	DECIDED_ANEW = "decided_anew"
	"""The agent decides it again, by the correction, and sends it then."""
	DELIVERED_STAYS = "delivered_stays"
	"""The upstream has the check-in, or may have it: there it stays as it is."""


class Refusal(str, Enum):
	NO_SUCH_PUNCH = "no_such_punch"
	NOT_DECIDED_YET = "not_decided_yet"
	"""The agent is about to decide it: come back in a moment."""
	NOT_QUARANTINED = "not_quarantined"
	NOT_REFUSED = "not_refused"
	SAME_SECOND = neighbours.Refusal.SAME_SECOND.value
	TOO_NEAR = neighbours.Refusal.TOO_NEAR.value
	"""These two of an entered punch that was withdrawn."""


class CorrectionRefusedError(Exception):
	def __init__(self, refusal: Refusal, near: datetime | None = None) -> None:
		"""
		:param near: of TOO_NEAR: when the other punch was, aware.
		"""
		super().__init__(refusal.value)
		self.refusal = refusal
		self.near = near


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
	kind: Kind
	why: str
	made_by: str
	made_at: datetime
	"""In UTC."""
	effect: Effect


_OPEN = frozenset(
	{State.RECEIVED, State.PENDING, State.UNMAPPED, State.QUARANTINED, State.REJECTED, State.IGNORED}
)
"""States in which the upstream certainly has no check-in of a punch, unless it is on its way."""
_NOT_IGNORED = frozenset({Kind.SET_IN, Kind.SET_OUT, Kind.AS_DECIDED})
"""By which one that was no check-in may be one again."""


class Corrections:
	"""Safe to use from any thread; every method may raise `StoreError`."""

	def __init__(self, db: Database, *, apart: timedelta) -> None:
		"""
		:param apart: how far an entered punch must be from what counts of its person, before and after.
		"""
		self._db = db
		self.apart = apart

	def of(self, punch_id: uuid.UUID) -> list[Correction]:
		"""Every correction of a punch, the latest first."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["of_punch"], (punch_id.bytes,)).fetchall()
		return [
			Correction(
				kind=Kind(row["kind"]),
				why=text_out(row["why"]),
				made_by=text_out(row["made_by"]),
				made_at=moment(row["made_at"]),
				effect=Effect(row["effect"]),
			)
			for row in rows
		]

	def correct(
		self, punch_id: uuid.UUID, kind: Kind, why: str, *, by: str, at: datetime, address: str = ""
	) -> Effect:
		"""Keep a correction, with a line in the audit log, and let it work where it still can.

		Only where this agent decides: a site that decides by itself is the place to correct its punches.

		:raises CorrectionRefusedError: nothing is kept.
		:raises ValueError: the reason is no line of at most MAX_WHY characters.
		"""
		why = parse_line(why, MAX_WHY)
		with self._db.write() as connection:
			row = connection.execute(_SQL["punch"], (punch_id.bytes,)).fetchone()
			_check(row, kind)
			if row["entered_for"] is not None and row["is_ignored"] and kind in _NOT_IGNORED:
				_keep_apart(connection, punch_id, row, self.apart)
			effect = say(connection, punch_id, kind, why, by=by, at=at)
			audit.note(
				connection,
				"punch_corrected",
				who=by,
				at=at,
				address=address,
				subject=str(punch_id),
				details=f"{kind.value}: {why}",
			)
		return effect


def say(
	connection: sqlite3.Connection, punch_id: uuid.UUID, kind: Kind, why: str, *, by: str, at: datetime
) -> Effect:
	"""Keep a correction of a punch that is there, and let it work where it still can. In a transaction."""
	row = connection.execute(_SQL["punch"], (punch_id.bytes,)).fetchone()
	effect = _effect(row)
	if row["entered_for"] is not None and kind is Kind.IGNORE:
		# It has not left the house: what was taken for its echo must not stay one of nothing.
		effect = Effect.DECIDED_ANEW
	if effect is Effect.DECIDED_ANEW:
		_decide_anew(connection, punch_id, row, approve_time=kind is Kind.RELEASE_TIME)
	facts = (punch_id.bytes, kind.value, text_in(why), text_in(by), micros(at), effect.value)
	connection.execute(_SQL["write_down"], facts)
	return effect


def _check(row: sqlite3.Row | None, kind: Kind) -> None:
	if row is None:
		raise CorrectionRefusedError(Refusal.NO_SUCH_PUNCH)
	state = State(row["state"])
	if state is State.RECEIVED:
		# A batch that is being decided at this moment would not know of the correction.
		raise CorrectionRefusedError(Refusal.NOT_DECIDED_YET)
	if kind is Kind.RELEASE_TIME and state is not State.QUARANTINED:
		raise CorrectionRefusedError(Refusal.NOT_QUARANTINED)
	if kind is Kind.RETRY and state not in (State.REJECTED, State.UNMAPPED):
		raise CorrectionRefusedError(Refusal.NOT_REFUSED)


def _keep_apart(
	connection: sqlite3.Connection, punch_id: uuid.UUID, row: sqlite3.Row, apart: timedelta
) -> None:
	"""Of a withdrawn entered punch that is to hold again: as if it were entered."""
	try:
		keep_apart(
			connection,
			punch_id,
			occurred_out(row),
			employee=text_out(row["entered_for"]),
			device_user_id=text_out(row["device_user_id"]),
			apart=apart,
		)
	except NeighbourError as error:
		raise CorrectionRefusedError(Refusal(error.refusal.value), error.near) from None


def _effect(row: sqlite3.Row) -> Effect:
	state = State(row["state"])
	is_echo = state is State.DUPLICATE and row["log_type"] is None
	is_here = (state in _OPEN or is_echo) and row["in_flight_since"] is None
	return Effect.DECIDED_ANEW if is_here else Effect.DELIVERED_STAYS


def _decide_anew(
	connection: sqlite3.Connection, punch_id: uuid.UUID, row: sqlite3.Row, *, approve_time: bool
) -> None:
	"""What was decided later about the same person rests on this punch, and is decided again too."""
	if row["employee"] is not None:
		wanted: dict[str, object] = {"employee": row["employee"], "after": row["occurred_at"]}
		final = connection.execute(_SQL["next_final"], wanted).fetchone()[0]
		wanted["before"] = final if final is not None else 2**63 - 1
		connection.execute(_SQL["take_back_decisions"], wanted)
	connection.execute(_SQL["reopen"], {"punch_id": punch_id.bytes, "approve_time": int(approve_time)})
