"""A punch as a row of Punch Log, and back.

Moments: `occurred_at` and `received_at` in the site's time zone, for people; `occurred_utc`, `clock_read_at`
and `clock_good_until` in UTC. Wall time, fold and zone stand beside them, so that a punch comes back equal.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import frappe

from attendance_bridge.bench import moments
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.projection import Observation, State
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode

_PRIVATE_PLANE = 0x100000

NAMES_A_STATEMENT = 500
"""How many names one statement asks about."""

_MAX_JSON = 1_000_000
"""Characters of rows in one statement: as hex of UTF-8, below MariaDB's max_allowed_packet of 16 MiB."""
_ROWS_AT_ONCE = 50
"""How many rows are made JSON in one go."""

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
	*(column for column in PUNCH_COLUMNS if column != "raw"),
	"clock_read_at",
	"clock_offset",
	"clock_good_until",
	"clock_jumped_by",
	"retimed_by",
	"time_approved",
)

CLEAN_SHEET = (
	"`status` = 'Received', `status_reason` = NULL, `employee` = NULL, `employee_name` = NULL,"
	" `department` = NULL, `log_type` = NULL, `log_type_reason` = NULL"
)
"""Puts a punch back to be decided anew, as it stands behind SET."""

OBSERVATION_COLUMNS = ", ".join(f"`{column}`" for column in _OBSERVATION_COLUMNS)
"""What `observation` reads, as it stands behind SELECT: no raw record, which no decision looks at."""

_MOMENTS = frozenset({"wall_time", "occurred_utc", "occurred_at", "clock_read_at", "clock_good_until"})


def name_of(punch: Punch) -> str:
	"""The primary key of a punch."""
	digits = punch.punch_id_bytes.hex()
	return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def punch_values(punch: Punch, site_zone: ZoneInfo | None = None) -> dict[str, Any]:
	"""The columns that a punch itself fills.

	:param site_zone: `moments.site_zone()`, for those who have many.
	"""
	occurred_at = punch.occurred_at
	return {
		"name": name_of(punch),
		"device_serial": storable(punch.device_serial),
		"device_user_id": storable(punch.device_user_id),
		"wall_time": occurred_at.replace(tzinfo=None, fold=0),
		"fold": occurred_at.fold,
		"time_zone": _zone_name(occurred_at),
		"occurred_at": moments.to_site(occurred_at, site_zone),
		"occurred_utc": moments.to_utc(occurred_at),
		"verify_mode": punch.verify_mode.value,
		"device_key": punch.device_key.value,
		"raw": storable(punch.raw),
	}


def punch_of(row: Mapping[str, Any]) -> Punch:
	"""The punch of a row that holds at least `PUNCH_COLUMNS`; without its raw record if the row has none."""
	return Punch(
		device_serial=restored(row["device_serial"]),
		device_user_id=restored(row["device_user_id"]),
		occurred_at=_occurred_at(row),
		verify_mode=VerifyMode(row["verify_mode"] or VerifyMode.UNKNOWN),
		device_key=DeviceKey(row["device_key"] or DeviceKey.UNDEFINED),
		raw=restored(row.get("raw") or ""),
	)


def observation(row: Mapping[str, Any]) -> Observation:
	"""What the projection starts from, without the raw record; the clock reading comes in UTC."""
	good_until = row["clock_good_until"]
	return Observation(
		punch=punch_of(row),
		reading=_reading(row["clock_read_at"], row["clock_offset"]),
		clock_good_until=moments.from_utc(good_until) if good_until else None,
		clock_jumped_by=timedelta(seconds=row["clock_jumped_by"] or 0.0),
		retimed_by=timedelta(seconds=row["retimed_by"] or 0.0),
		time_approved=bool(row["time_approved"]),
	)


def read_observations(condition: str, values: Sequence[Any]) -> list[dict[str, Any]]:
	"""Rows for `observation` that hold `device` and `occurred_at` too, moments as datetimes.

	Each comes as one text: to take its columns out of the server's answer one by one would take the client
	longer than all else about it.

	:param condition: what stands behind FROM `tabPunch Log`.
	"""
	columns = (*_OBSERVATION_COLUMNS, "device", "occurred_at")
	texts = frappe.db.sql(
		f"SELECT JSON_ARRAY({_quoted(columns)}) FROM `tabPunch Log` {condition}",  # noqa: S608
		values,
	)
	moment_at = [place for place, column in enumerate(columns) if column in _MOMENTS]
	rows = json.loads(f"[{','.join([text for (text,) in texts])}]")
	for row in rows:
		for place in moment_at:
			if row[place] is not None:
				row[place] = datetime.fromisoformat(row[place])
	return [dict(zip(columns, row, strict=True)) for row in rows]


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
	return _insert("INSERT IGNORE", doctype, rows)


def insert(doctype: str, rows: Sequence[Mapping[str, Any]], standard: Mapping[str, Any]) -> None:
	"""Insert rows; one that is there already is an error. All rows have the same keys.

	:param standard: columns with the value that they have in every row that does not hold them itself.
	"""
	_insert("INSERT", doctype, rows, standard)


def _insert(
	verb: str, doctype: str, rows: Sequence[Mapping[str, Any]], standard: Mapping[str, Any] | None = None
) -> int:
	if not rows:
		return 0
	columns = tuple(rows[0])
	common, own, texts = _taken_apart(columns, [[row[column] for column in columns] for row in rows])
	common = {**(standard or {}), **common}
	for column in own:
		common.pop(column, None)
	inserted = 0
	for text in texts:
		frappe.db.sql(
			f"{verb} INTO `tab{doctype}` ({_quoted((*common, *own))})"  # noqa: S608
			f" SELECT {''.join('%s, ' * len(common))}{_quoted(own)} FROM {table_of(own)}",
			(*common.values(), text),
		)
		inserted += int(frappe.db._cursor.rowcount)
	return inserted


def update(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, standing: str) -> int:
	"""Write columns of punches, many in a statement; returns how many rows still stood and were written.

	:param rows: for each punch its name and then a value a column.
	:param standing: the status that a punch must still have; whatever happened to the others meanwhile stays.
	"""
	held = list(rows)
	if not held:
		return 0
	common, own, texts = _taken_apart(("name", *columns), held)
	changes = "".join(
		[
			*(f"`punch`.`{column}` = %s, " for column in common),
			*(f"`punch`.`{column}` = `new`.`{column}`, " for column in own[1:]),
		]
	)
	written = 0
	for text in texts:
		# Each is found by its key: STRAIGHT_JOIN keeps the server from looking at all of that status instead.
		frappe.db.sql(
			f"UPDATE {table_of(own)} STRAIGHT_JOIN `tabPunch Log` AS `punch`"  # noqa: S608
			" ON `punch`.`name` = `new`.`name` COLLATE utf8mb4_unicode_ci"
			f" SET {changes}`punch`.`modified` = %s WHERE `punch`.`status` = %s",
			(text, *common.values(), moments.now(), standing),
		)
		written += int(frappe.db._cursor.rowcount)
	return written


def _taken_apart(
	columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[dict[str, Any], list[str], Iterable[str]]:
	"""What all rows have in common, which is sent and converted once; the other columns; these as JSON.

	:param columns: of the rows; the first, their key, is never common.
	"""
	by_column = list(zip(*rows, strict=True))
	places = [
		place for place, values in enumerate(by_column) if not place or values.count(values[0]) < len(rows)
	]
	common = {column: rows[0][place] for place, column in enumerate(columns) if place not in places}
	own = [columns[place] for place in places]
	return common, own, as_json(zip(*(by_column[place] for place in places), strict=True))


def as_json(rows: Iterable[Sequence[Any]]) -> Iterable[str]:
	"""The rows as JSON, each text of a size that one statement takes, in hex.

	One text is one value to bind, where a list of rows would be thousands; the server takes it apart again.
	In hex, because it is full of quotes: to escape them takes the client longer than all else about a punch.
	"""
	encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
	part: list[str] = []
	size = 0
	left = iter(rows)
	while some := list(islice(left, _ROWS_AT_ONCE)):
		text = encode(some)[1:-1]
		if part and size + len(text) > _MAX_JSON:
			yield f"[{','.join(part)}]".encode().hex()
			part, size = [], 0
		part.append(text)
		size += len(text)
	if part:
		yield f"[{','.join(part)}]".encode().hex()


def table_of(columns: Sequence[str], moments: Collection[str] = ()) -> str:
	"""A bound text of `as_json` as the table `new`.

	:param moments: columns to be compared with datetimes by an index; the others are text.
	"""
	paths = ", ".join(
		f"`{column}` {'DATETIME(6)' if column in moments else 'LONGTEXT'} PATH '$[{place}]'"
		for place, column in enumerate(columns)
	)
	return f"JSON_TABLE(CONVERT(UNHEX(%s) USING utf8mb4), '$[*]' COLUMNS ({paths})) AS `new`"


def chunks(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
	"""`rows` in stretches that one statement takes."""
	return (rows[start : start + NAMES_A_STATEMENT] for start in range(0, len(rows), NAMES_A_STATEMENT))


def _quoted(columns: Iterable[str]) -> str:
	return ", ".join(f"`{column}`" for column in columns)


@functools.lru_cache(maxsize=256)
def _reading(read_at: datetime | None, offset: float | None) -> ClockReading | None:
	"""That of a whole page is one."""
	if read_at is None:
		return None
	taken_at = moments.from_utc(read_at)
	return ClockReading(taken_at=taken_at, device_time=taken_at + timedelta(seconds=offset or 0.0))


def _zone_name(occurred_at: datetime) -> str:
	key = getattr(occurred_at.tzinfo, "key", None)
	return key if isinstance(key, str) else occurred_at.isoformat()[19:]


def _occurred_at(row: Mapping[str, Any]) -> datetime:
	wall_time: datetime = row["wall_time"]
	zone = _zone(row["time_zone"])
	if zone is None:  # not known to this machine (any more): the offset that held at the time stands in
		by = timedelta(seconds=row.get("retimed_by") or 0.0)
		zone = timezone(wall_time - row["occurred_utc"] + by)
	return wall_time.replace(tzinfo=zone, fold=row["fold"])


@functools.lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo | None:
	if name[:1] in ("+", "-"):
		return datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo
	try:
		return ZoneInfo(name)
	except (ZoneInfoNotFoundError, ValueError, OSError):
		return None
