"""The durable log of punches: raw first, and what was decided about each beside it.

How late punches keep IN and OUT right. A decision rests on the person's last counted punch before it, so it
is good only while no other counted punch lies between the two. `record` sees to that:

- A batch is decided from the standings at its first moment on. Where a person already has a counted punch
  after that moment, decisions up to it are written down, and what comes after it stays undecided for a later
  batch, which begins there.
- A decision takes back what was decided later about the same person, as far as the next punch that may have
  been sent: those rest on it now, and are decided again. What was sent stands, and so does what follows it.

So decisions come out as if the punches had arrived in order, except that nothing sent is ever changed. Every
batch settles at least the oldest undecided moment, and takes back only later ones: it ends.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.direction import LogType, Standing
from attendance_bridge.core.driver import Now, Page, UnreadableRow
from attendance_bridge.core.person import Directory
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.projection import Decision, DevicePolicy, Observation, State
from attendance_bridge.core.punch import Punch, identify_punch
from attendance_bridge.stores import rezoning
from attendance_bridge.stores.columns import (
	duration,
	micros,
	moment,
	text_in,
	text_out,
	zone_name,
)
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.held import HeldPunch, HeldRow, held_punch, held_row, observation
from attendance_bridge.stores.queries import load

_SQL = load("punches")

_REOPENABLE = frozenset({State.UNMAPPED, State.REJECTED, State.QUARANTINED})

_Row = tuple[object, ...]


class Arrived(NamedTuple):
	"""A page, the terminal that it is from, and the look at its clock."""

	page: Page
	device_serial: str
	reading: ClockReading | None
	good_until: datetime | None = None
	"""Up to when the clock was right, for a look that the book of devices is ahead of (`is_of_before`)."""
	is_of_before: bool = False


class PunchStore:
	"""`core.ports.PunchSink`, and all that is asked of the log. Every method may raise `StoreError`."""

	def __init__(self, db: Database, *, now: Now | None = None) -> None:
		"""
		:param now: tells when a page arrives. Without it, the look at the terminal's clock that came with the
			page tells; a page without either carries no time of arrival.
		"""
		self._db = db
		self._now = now

	def accept(self, page: Page, device_serial: str, reading: ClockReading | None) -> Accepted:
		"""Hold a page, raw, with the clock reading under which it came. When this returns, it is durable.

		:raises StoreError: none of the page is held.
		"""
		return self.accept_all([Arrived(page, device_serial, reading)])[0]

	def accept_all(self, arrived: Sequence[Arrived]) -> list[Accepted]:
		"""Hold several pages at once: one transaction, one wait for the disk.

		:raises StoreError: nothing of any of them is held.
		"""
		if not any(each.page.punches or each.page.unreadable for each in arrived):
			return [Accepted(new=0, known=0) for _each in arrived]
		try:
			return self._hold(arrived)
		except UnicodeEncodeError:
			# Rare enough that only a page that needs it pays for looking at every text.
			return self._hold(arrived, plain=False)

	def _received_at(self, reading: ClockReading | None) -> int | None:
		if self._now is not None:
			return micros(self._now())
		return micros(reading.taken_at) if reading is not None else None

	def _hold(self, arrived: Sequence[Arrived], *, plain: bool = True) -> list[Accepted]:
		with self._db.write() as connection:
			last = connection.execute(_SQL["last_arrival"]).fetchone()[0]
			accepted = [self._hold_page(connection, each, plain=plain) for each in arrived]
			connection.execute(_SQL["count_arrivals"], (last,))
		return accepted

	def _hold_page(self, connection: sqlite3.Connection, arrived: Arrived, *, plain: bool) -> Accepted:
		page, device_serial, reading = arrived.page, arrived.device_serial, arrived.reading
		received_at = self._received_at(reading)
		read_at = micros(reading.taken_at) if reading else None
		offset = duration(reading.offset) if reading else None
		wanted = {"device_serial": text_in(device_serial)}
		if arrived.is_of_before:
			good_until = micros(arrived.good_until) if arrived.good_until else None
		else:
			good_until = connection.execute(_SQL["clock_good_until"], wanted).fetchone()[0]
		rows = _punch_rows(page.punches, (received_at, read_at, offset, good_until))
		if not plain:
			rows = [tuple(map(_bindable, row)) for row in rows]
		new = _insert(connection, "hold_punch", rows)
		unreadable = [_unreadable_row(device_serial, row, received_at) for row in page.unreadable]
		new_unreadable = _insert(connection, "hold_unreadable", unreadable)
		return Accepted(new=new, known=len(rows) - new, unreadable=new_unreadable)

	def undecided(self, limit: int) -> list[Observation]:
		"""The oldest punches that nothing was decided about, at most `limit`; empty only if there are none.

		Decide them as one batch with `standings` at each person's first moment, give all its decisions to
		`record`, and go on until there are none: what `record` took or held back comes in a later batch.
		"""
		with self._db.read() as connection:
			return [observation(row) for row in connection.execute(_SQL["undecided"], {"limit": limit})]

	def hand_on(self, limit: int) -> int:
		"""Let the oldest punches, at most `limit`, go to an upstream that decides; returns how many."""
		with self._db.write() as connection:
			return connection.execute(_SQL["hand_on"], (limit,)).rowcount

	def take_back_untold(self) -> int:
		"""Put what was only decided here back to RECEIVED, for an upstream that decides itself.

		After a change from another upstream: unmapped, quarantined and echoing punches were never sent to
		anybody. Returns how many.
		"""
		with self._db.write() as connection:
			connection.execute(_SQL["leave_entered"])
			return connection.execute(_SQL["take_back_untold"]).rowcount

	def waiting_since(self) -> dict[str, datetime]:
		"""The moment (in UTC) of each terminal's oldest punch that the upstream has not taken, by serial."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["waiting_since"]).fetchall()
		return {text_out(row["device_serial"]): moment(row["since"]) for row in rows}

	def standings(self, firsts: Mapping[str, datetime]) -> dict[str, Standing]:
		"""The last counted punch of each employee up to an aware moment of their own, their first of a batch.

		One at that very moment counts: a second terminal may have seen the same passage. Whoever has none is
		left out. Moments are in UTC.
		"""
		standings: dict[str, Standing] = {}
		with self._db.read() as connection:
			for employee, first in firsts.items():
				wanted = {"employee": text_in(employee), "before": micros(first)}
				row = connection.execute(_SQL["standing"], wanted).fetchone()
				if row is not None:
					standings[employee] = Standing(
						occurred_at=moment(row["occurred_at"]), log_type=LogType(row["log_type"])
					)
		return standings

	def record(self, decisions: Iterable[Decision], firsts: Mapping[str, datetime]) -> int:
		"""Write the decisions of one batch down; returns how many still stood. See the head of this module.

		:param firsts: as given to `standings`.
		"""
		# Taken whole first: deciding may take its time, and must not do so inside the transaction.
		batch = [(micros(decision.punch.occurred_at), decision) for decision in decisions]
		if not batch:
			return 0
		with self._db.write() as connection:
			standing = _without_overtaken(connection, batch, firsts)
			_take_back_what_rests_on(connection, standing)
			rows = [_decision_row(decision) for _occurred_at, decision in standing]
			return _insert(connection, "record_decision", rows)

	def held(
		self,
		*,
		state: State | None = None,
		device_serial: str | None = None,
		device_user_id: str | None = None,
		limit: int = 100,
		offset: int = 0,
	) -> list[HeldPunch]:
		"""Punches, optionally only of one terminal or id.

		Those that arrived last come first; of one state, those that occurred last.
		"""
		wanted = {
			"state": state.value if state else None,
			"device_serial": None if device_serial is None else text_in(device_serial),
			"device_user_id": None if device_user_id is None else text_in(device_user_id),
			"limit": limit,
			"offset": offset,
		}
		with self._db.read() as connection:
			rows = connection.execute(_SQL["held_in_state" if state else "held"], wanted)
			return [held_punch(row) for row in rows]

	def find(self, punch_id: uuid.UUID) -> HeldPunch | None:
		"""One punch with what became of it; None if it is not held."""
		with self._db.read() as connection:
			row = connection.execute(_SQL["find"], {"punch_id": punch_id.bytes}).fetchone()
		return held_punch(row) if row is not None else None

	def each(self) -> Iterator[HeldPunch]:
		"""The whole log in order of time, a punch at a time, as it stood at the first one."""
		with self._db.read() as connection:
			for row in connection.execute(_SQL["each"]):
				yield held_punch(row)

	def counts(self) -> dict[State, int]:
		"""How many punches are in each state; every state is listed."""
		counts = dict.fromkeys(State, 0)
		for of_device in self.counts_by_device().values():
			for state, number in of_device.items():
				counts[state] += number
		return counts

	def counts_by_device(self) -> dict[str, dict[State, int]]:
		"""The same for each terminal, by serial; states that none of its punches is in are left out."""
		counts: dict[str, dict[State, int]] = {}
		with self._db.read() as connection:
			for row in connection.execute(_SQL["counts"]):
				of_device = counts.setdefault(text_out(row["device_serial"]), {})
				of_device[State(row["state"])] = row["punches"]
		return counts

	def unreadable_count(self) -> int:
		with self._db.read() as connection:
			return int(connection.execute(_SQL["unreadable_count"]).fetchone()[0])

	def unreadable(self, limit: int = 100, offset: int = 0) -> list[HeldRow]:
		"""Records that could not be read as punches, the last arrived first."""
		wanted = {"limit": limit, "offset": offset}
		with self._db.read() as connection:
			return [held_row(row) for row in connection.execute(_SQL["unreadable"], wanted)]

	def untold(self, device_serial: str, limit: int) -> list[UnreadableRow]:
		"""Unreadable records of one terminal that the upstream does not hold yet, the oldest first."""
		wanted = {"device_serial": text_in(device_serial), "limit": limit}
		with self._db.read() as connection:
			rows = connection.execute(_SQL["untold"], wanted).fetchall()
		return [UnreadableRow(raw=text_out(row["raw"]), reason=text_out(row["reason"])) for row in rows]

	def mark_told(self, device_serial: str, records: Iterable[UnreadableRow]) -> None:
		"""The upstream holds these records of one terminal."""
		with self._db.write() as connection:
			_insert(connection, "mark_told", [(row.identity(device_serial).bytes,) for row in records])

	def reopen(self, state: State, *, punch_id: uuid.UUID | None = None, approve_time: bool = False) -> int:
		"""Put punches back to RECEIVED, to be decided and sent anew; returns how many.

		:param state: which: UNMAPPED, REJECTED or QUARANTINED.
		:param punch_id: only this one, if it is in that state.
		:param approve_time: a person has looked at their time and releases it.
		:raises ValueError: punches in another state are not to be reopened.
		"""
		if state not in _REOPENABLE:
			raise ValueError(f"punches that are {state.value} are not to be reopened")
		wanted = {
			"state": state.value,
			"punch_id": punch_id.bytes if punch_id else None,
			"approve_time": int(approve_time),
		}
		with self._db.write() as connection:
			return connection.execute(_SQL["reopen"], wanted).rowcount

	def rezone(self, device_serial: str, former: str, zone: ZoneInfo) -> int:
		"""The time zone of a terminal was corrected; returns how many punches were timed anew.

		:param former: name of the zone that was configured before.
		"""
		return rezoning.rezone(self._db, device_serial, former, zone)

	def reopen_mapped(self, directory: Directory, policies: Mapping[str, DevicePolicy] | None = None) -> int:
		"""Put unmapped punches of people that `directory` knows by now back to RECEIVED; returns how many.

		Call it when the list of people has changed. Oftener is useless, and after an UNMAPPED receipt (the
		upstream does not know somebody that its list contained) it would ask for the same refusal.

		:param policies: by device serial, as for the projection.
		"""
		with self._db.write() as connection:
			known = [
				(row["device_serial"], row["device_user_id"])
				for row in connection.execute(_SQL["unmapped_ids"]).fetchall()
				if directory.find(_looked_up_as(row, policies or {})) is not None
			]
			return _insert(connection, "reopen_unmapped", known)


def hold_one(connection: sqlite3.Connection, punch: Punch, received_at: datetime) -> None:
	"""Hold a punch that no terminal brought, inside of a transaction.

	:param received_at: aware.
	"""
	last = connection.execute(_SQL["last_arrival"]).fetchone()[0]
	(row,) = _punch_rows([punch], (micros(received_at), None, None, None))
	connection.execute(_SQL["hold_punch"], tuple(map(_bindable, row)))
	connection.execute(_SQL["count_arrivals"], (last,))


def _insert(connection: sqlite3.Connection, statement: str, rows: Sequence[_Row]) -> int:
	"""Run a statement of this module for each row; returns how many rows it changed."""
	return connection.executemany(_SQL[statement], rows).rowcount if rows else 0


def _punch_rows(punches: Iterable[Punch], contact: _Row) -> list[_Row]:
	# The hot path of the whole agent: one pass, nothing asked twice. `_value_` is what `.value` looks up.
	rows: list[_Row] = []
	zone_names: dict[tzinfo | None, str] = {}
	for punch in punches:
		occurred_at, serial, user_id = punch.occurred_at, punch.device_serial, punch.device_user_id
		zone, fold = occurred_at.tzinfo, occurred_at.fold
		wall_time = occurred_at.replace(tzinfo=None).isoformat()
		name = zone_names.get(zone)
		if name is None:
			name = zone_name(occurred_at)
			if isinstance(zone, ZoneInfo):  # another kind of zone may be named by its offset of the moment
				zone_names[zone] = name
		rows.append(
			(
				identify_punch(serial, user_id, wall_time, fold),
				serial,
				user_id,
				int(occurred_at.timestamp()) * 1_000_000,
				wall_time,
				fold,
				name,
				punch.verify_mode._value_,
				punch.device_key._value_,
				punch.raw,
				*contact,
			)
		)
	return rows


def _bindable(value: object) -> object:
	return text_in(value) if isinstance(value, str) else value


def _unreadable_row(device_serial: str, row: UnreadableRow, received_at: int | None) -> _Row:
	row_id = row.identity(device_serial).bytes
	return row_id, text_in(device_serial), text_in(row.raw), text_in(row.reason), received_at


def _decision_row(decision: Decision) -> _Row:
	return (
		decision.state.value,
		decision.state_reason,
		text_in(decision.employee) if decision.employee else None,
		decision.log_type.value if decision.log_type else None,
		decision.log_type_reason.value if decision.log_type_reason else None,
		decision.punch.punch_id_bytes,
	)


_Batch = list[tuple[int, Decision]]


def _without_overtaken(
	connection: sqlite3.Connection, batch: _Batch, firsts: Mapping[str, datetime]
) -> _Batch:
	"""The decisions that no counted punch of that person, after their first of the batch, comes before."""
	ends: dict[str, int | None] = {}
	standing: _Batch = []
	for occurred_at, decision in batch:
		employee = decision.employee
		if employee and employee not in ends:
			wanted = {"employee": text_in(employee), "after": micros(firsts[employee])}
			ends[employee] = connection.execute(_SQL["next_counted"], wanted).fetchone()[0]
		end = ends[employee] if employee else None
		if end is None or occurred_at < end:
			standing.append((occurred_at, decision))
	return standing


def _take_back_what_rests_on(connection: sqlite3.Connection, standing: _Batch) -> None:
	firsts: dict[str, int] = {}
	for occurred_at, decision in standing:
		if decision.employee:
			firsts[decision.employee] = min(occurred_at, firsts.get(decision.employee, occurred_at))
	for employee, first in firsts.items():
		wanted: dict[str, object] = {"employee": text_in(employee), "after": first}
		final = connection.execute(_SQL["next_final"], wanted).fetchone()[0]
		wanted["before"] = final if final is not None else 2**63 - 1
		connection.execute(_SQL["take_back_decisions"], wanted)


def _looked_up_as(row: sqlite3.Row, policies: Mapping[str, DevicePolicy]) -> str:
	policy = policies.get(text_out(row["device_serial"]), DevicePolicy())
	return policy.user_id_prefix + text_out(row["device_user_id"])
