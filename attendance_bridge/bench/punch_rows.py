"""A punch as a row of Punch Log, and back.

Moments: `occurred_at` and `received_at` in the site's time zone, for people; `occurred_utc`, `clock_read_at`
and `clock_good_until` in UTC. Wall time, fold and zone stand beside them, so that a punch comes back equal.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import frappe

from attendance_bridge.bench import moments
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.projection import Observation, State
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode

_PRIVATE_PLANE = 0x100000

ROWS_A_STATEMENT = 500
"""How many rows go into one statement: with the longest raw records still far below max_allowed_packet."""

STATUS = {
	State.RECEIVED: "Received",
	State.PENDING: "Pending",
	State.CHECKED_IN: "Checked in",
	State.DUPLICATE: "Duplicate",
	State.UNMAPPED: "Unmapped",
	State.QUARANTINED: "Quarantined",
	State.REJECTED: "Rejected",
	State.IGNORED: "Ignored",
}
"""The field `status` for each state of the projection."""

PUNCH_COLUMNS = (
	"device_serial",
	"device_user_id",
	"wall_time",
	"fold",
	"time_zone",
	"occurred_utc",
	"verify_mode",
	"device_key",
	"raw",
)

_OBSERVATION_COLUMNS = (
	"name",
	*PUNCH_COLUMNS,
	"clock_read_at",
	"clock_offset",
	"clock_good_until",
	"time_approved",
)

CLEAN_SHEET = (
	"`status` = 'Received', `status_reason` = NULL, `employee` = NULL, `employee_name` = NULL,"
	" `department` = NULL, `log_type` = NULL, `log_type_reason` = NULL"
)
"""Puts a punch back to be decided anew, as it stands behind SET."""

OBSERVATION_COLUMNS = ", ".join(f"`{column}`" for column in _OBSERVATION_COLUMNS)
"""What `observation` reads, as it stands behind SELECT."""


def name_of(punch: Punch) -> str:
	"""The primary key of a punch."""
	return str(uuid.UUID(bytes=punch.punch_id_bytes))


def punch_values(punch: Punch) -> dict[str, Any]:
	"""The columns that a punch itself fills."""
	occurred_at = punch.occurred_at
	return {
		"name": name_of(punch),
		"device_serial": storable(punch.device_serial),
		"device_user_id": storable(punch.device_user_id),
		"wall_time": occurred_at.replace(tzinfo=None, fold=0),
		"fold": occurred_at.fold,
		"time_zone": _zone_name(occurred_at),
		"occurred_at": moments.to_site(occurred_at),
		"occurred_utc": moments.to_utc(occurred_at),
		"verify_mode": punch.verify_mode.value,
		"device_key": punch.device_key.value,
		"raw": storable(punch.raw),
	}


def punch_of(row: Mapping[str, Any]) -> Punch:
	"""The punch of a row that holds at least `PUNCH_COLUMNS`."""
	return Punch(
		device_serial=restored(row["device_serial"]),
		device_user_id=restored(row["device_user_id"]),
		occurred_at=_occurred_at(row),
		verify_mode=VerifyMode(row["verify_mode"] or VerifyMode.UNKNOWN),
		device_key=DeviceKey(row["device_key"] or DeviceKey.UNDEFINED),
		raw=restored(row["raw"] or ""),
	)


def observation(row: Mapping[str, Any]) -> Observation:
	"""What the projection starts from; the clock reading comes in UTC."""
	good_until = row["clock_good_until"]
	return Observation(
		punch=punch_of(row),
		reading=_reading(row),
		clock_good_until=moments.from_utc(good_until) if good_until else None,
		time_approved=bool(row["time_approved"]),
	)


def storable(text: str) -> str:
	"""Text as the database can hold it.

	Lone surrogates out of a damaged record, which no database takes, stand as characters of a private plane.
	"""
	if text.isascii():
		return text
	return "".join(chr(ord(each) | _PRIVATE_PLANE) if "\ud800" <= each <= "\udfff" else each for each in text)


def restored(text: str) -> str:
	"""The inverse of `storable`."""
	if text.isascii():
		return text
	return "".join(chr(ord(each) & 0xFFFF) if "\U0010d800" <= each <= "\U0010dfff" else each for each in text)


def insert_ignore(doctype: str, rows: Sequence[Mapping[str, Any]]) -> int:
	"""Insert rows whose primary key is not there yet; returns how many were new.

	All rows have the same keys. Values must fit their columns: IGNORE would cut them in silence.
	"""
	return sum(_insert("INSERT IGNORE", doctype, chunk) for chunk in chunks(rows))


def insert(doctype: str, rows: Sequence[Mapping[str, Any]]) -> None:
	"""Insert rows; one that is there already is an error. All rows have the same keys."""
	for chunk in chunks(rows):
		_insert("INSERT", doctype, chunk)


def _insert(verb: str, doctype: str, rows: Sequence[Mapping[str, Any]]) -> int:
	columns = tuple(rows[0])
	frappe.db.sql(
		f"{verb} INTO `tab{doctype}` ({_quoted(columns)}) VALUES {_places(len(rows), len(columns))}",
		[value for row in rows for value in row.values()],
	)
	return int(frappe.db._cursor.rowcount)


def update(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, standing: str) -> int:
	"""Write columns of punches, many in a statement; returns how many rows still stood and were written.

	:param rows: for each punch its name and then a value a column.
	:param standing: the status that a punch must still have; whatever happened to the others meanwhile stays.
	"""
	written = 0
	now = moments.now()
	for chunk in chunks(list(rows)):
		names = [row[0] for row in chunk]
		still = set(
			frappe.db.sql_list(
				"SELECT `name` FROM `tabPunch Log` WHERE `name` IN %s AND `status` = %s FOR UPDATE",
				(names, standing),
			)
		)
		values = [(*row, now) for row in chunk if row[0] in still]
		if not values:
			continue
		# The rows are there, and locked: the insert is only the way to update many rows to different values.
		written_columns = (*columns, "modified")
		changes = ", ".join(f"`{column}` = VALUES(`{column}`)" for column in written_columns)
		frappe.db.sql(
			f"INSERT INTO `tabPunch Log` ({_quoted(('name', *written_columns))})"  # noqa: S608
			f" VALUES {_places(len(values), len(written_columns) + 1)} ON DUPLICATE KEY UPDATE {changes}",
			[value for row in values for value in row],
		)
		written += len(values)
	return written


def chunks(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
	"""`rows` in stretches that one statement takes."""
	return (rows[start : start + ROWS_A_STATEMENT] for start in range(0, len(rows), ROWS_A_STATEMENT))


def _quoted(columns: Iterable[str]) -> str:
	return ", ".join(f"`{column}`" for column in columns)


def _marks(count: int) -> str:
	return ", ".join(["%s"] * count)


def _places(rows: int, columns: int) -> str:
	return ", ".join([f"({_marks(columns)})"] * rows)


def _reading(row: Mapping[str, Any]) -> ClockReading | None:
	if row["clock_read_at"] is None:
		return None
	taken_at = moments.from_utc(row["clock_read_at"])
	return ClockReading(
		taken_at=taken_at, device_time=taken_at + timedelta(seconds=row["clock_offset"] or 0.0)
	)


def _zone_name(occurred_at: datetime) -> str:
	key = getattr(occurred_at.tzinfo, "key", None)
	return key if isinstance(key, str) else occurred_at.isoformat()[19:]


def _occurred_at(row: Mapping[str, Any]) -> datetime:
	wall_time: datetime = row["wall_time"]
	zone = _zone(row["time_zone"])
	if zone is None:  # not known to this machine (any more): the offset that held at the time stands in
		zone = timezone(wall_time - row["occurred_utc"])
	return wall_time.replace(tzinfo=zone, fold=row["fold"])


@functools.lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo | None:
	if name[:1] in ("+", "-"):
		return datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo
	try:
		return ZoneInfo(name)
	except (ZoneInfoNotFoundError, ValueError, OSError):
		return None
