"""The local book of check-ins, for a place without any server."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from attendance_bridge.core.direction import (
	DeviceRole,
	DirectionRules,
	LogType,
	Reason,
	Standing,
	decide,
)
from attendance_bridge.core.punch import DeviceKey
from attendance_bridge.core.upstream import CheckIn
from attendance_bridge.core.workday.day import Scan
from attendance_bridge.stores.columns import (
	duration,
	micros,
	moment,
	occurred_out,
	text_in,
	text_out,
	zone_name,
)
from attendance_bridge.stores.corrections import Kind
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("ledger")
_BEGINNING = datetime(1, 1, 1, tzinfo=timezone.utc)
_END = datetime(9999, 12, 31, tzinfo=timezone.utc)

REACH = timedelta(days=31)
"""How long an entered punch is looked for before a span: what is inferred from each other begins anew after
every pause, but a shop without a day off may have none for weeks."""
_INFERRED = frozenset(reason.value for reason in (Reason.FIRST_OF_DAY, Reason.AFTER_IN, Reason.AFTER_OUT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
	"""One check-in as it stands in the book."""

	punch_id: uuid.UUID
	employee: str
	log_type: LogType | None
	log_type_reason: str
	occurred_at: datetime
	"""Aware, in the zone of the terminal."""
	device_serial: str


class SqliteLedger:
	"""`core.ports.Ledger`. Every method may raise `StoreError`."""

	def __init__(self, db: Database, *, direction: DirectionRules | None = None) -> None:
		"""
		:param direction: by which IN and OUT are inferred here.
		"""
		self._db = db
		self._direction = direction or DirectionRules()

	def record(self, check_ins: Sequence[CheckIn]) -> Sequence[bool]:
		"""Enter them in one transaction; True for each new one, False for each that stood there already."""
		rows = [_row(check_in) for check_in in check_ins]
		with self._db.write() as connection:
			return [connection.execute(_SQL["enter"], row).rowcount == 1 for row in rows]

	def count(self) -> int:
		with self._db.read() as connection:
			return int(connection.execute(_SQL["count"]).fetchone()[0])

	def entries(
		self,
		limit: int = 100,
		offset: int = 0,
		*,
		employee: str | None = None,
		since: datetime = _BEGINNING,
		until: datetime = _END,
	) -> list[Entry]:
		"""Check-ins from `since` on and before `until` (both aware), the latest first."""
		wanted = {
			"employee": None if employee is None else text_in(employee),
			"since": micros(since),
			"until": micros(until),
			"limit": limit,
			"offset": offset,
		}
		with self._db.read() as connection:
			return [_entry(row) for row in connection.execute(_SQL["entries"], wanted)]

	def scans(self, employee: str, since: datetime, until: datetime) -> list[Scan]:
		"""What counts of one person's check-ins from `since` on and before `until` (both aware), by time.

		The book keeps what was entered. What somebody has said of a punch since then counts here: that it was
		IN or OUT, or no check-in. From a punch on that somebody entered by hand, withdrawn or not, IN and OUT
		are inferred anew where nothing but the order of punches told them.
		"""
		wanted = {
			"employee": text_in(employee),
			"since": micros(since),
			"until": micros(until),
			"reach": micros(since - REACH),
		}
		with self._db.read() as connection:
			anew_from = connection.execute(_SQL["first_by_hand"], wanted).fetchone()[0]
			if anew_from is not None:
				wanted["since"] = min(wanted["since"], anew_from - duration(self._direction.working_day))
			rows = connection.execute(_SQL["scans"], wanted).fetchall()
		return [scan for scan in self._scans(rows, anew_from) if scan.at >= since]

	def _scans(self, rows: Iterable[sqlite3.Row], anew_from: int | None) -> Iterator[Scan]:
		standing: Standing | None = None
		for row in rows:
			if row["correction"] == Kind.IGNORE.value:
				continue
			at, log_type = moment(row["occurred_at"]), _log_type(row)
			if anew_from is not None:
				if row["occurred_at"] >= anew_from and _is_inferred(row):
					found = decide(at, DeviceKey.UNDEFINED, DeviceRole.BOTH, standing, self._direction)
					log_type = found.log_type
				if log_type is not None:
					standing = Standing(occurred_at=at, log_type=log_type)
			yield Scan(at, log_type, DeviceKey(row["device_key"]))

	def first(self, employee: str) -> datetime | None:
		"""When somebody checked in for the first time, in UTC; None if never."""
		with self._db.read() as connection:
			row = connection.execute(_SQL["first"], (text_in(employee),)).fetchone()
		return moment(row["occurred_at"]) if row is not None else None

	def people(self, since: datetime, until: datetime) -> list[str]:
		"""Everybody who checked in from `since` on and before `until` (both aware)."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["people"], (micros(since), micros(until))).fetchall()
		return [text_out(row["employee"]) for row in rows]


_SAID = {Kind.SET_IN.value: LogType.IN, Kind.SET_OUT.value: LogType.OUT}


def _log_type(row: sqlite3.Row) -> LogType | None:
	log_type = LogType(row["log_type"]) if row["log_type"] else None
	return _SAID.get(row["correction"], log_type)


def _is_inferred(row: sqlite3.Row) -> bool:
	return row["correction"] not in _SAID and row["log_type_reason"] in _INFERRED


def _row(check_in: CheckIn) -> tuple[object, ...]:
	punch = check_in.punch
	return (
		punch.punch_id.bytes,
		text_in(check_in.employee),
		check_in.log_type.value if check_in.log_type else None,
		check_in.log_type_reason,
		micros(punch.occurred_at),
		punch.wall_time.isoformat(),
		punch.occurred_at.fold,
		zone_name(punch.occurred_at),
		text_in(punch.device_serial),
	)


def _entry(row: sqlite3.Row) -> Entry:
	return Entry(
		punch_id=uuid.UUID(bytes=row["punch_id"]),
		employee=text_out(row["employee"]),
		log_type=LogType(row["log_type"]) if row["log_type"] else None,
		log_type_reason=row["log_type_reason"],
		occurred_at=occurred_out(row),
		device_serial=text_out(row["device_serial"]),
	)
