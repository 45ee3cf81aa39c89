"""How values of ours stand in a column, and come back as they were.

Moments are whole microseconds since 1970 UTC. A punch keeps its wall time, fold and zone beside that, so that
it comes back equal. Text that is no Unicode (lone surrogates out of a damaged record) stands as a BLOB.
"""

from __future__ import annotations

import functools
import sqlite3
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST = datetime(1, 1, 1, tzinfo=timezone.utc)
_LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)


def micros(moment: datetime) -> int:
	"""An aware moment as a column holds it."""
	return (moment - _EPOCH) // _MICROSECOND


def micros_or_none(moment: datetime | None) -> int | None:
	return None if moment is None else micros(moment)


def moment(value: int) -> datetime:
	"""The inverse of `micros`, in UTC.

	A clock that was reset may stand at an edge of the calendar where UTC is over it; the edge is given then.
	"""
	try:
		return _EPOCH + timedelta(microseconds=value)
	except OverflowError:
		return _EARLIEST if value < 0 else _LATEST


def moment_or_none(value: int | None) -> datetime | None:
	return None if value is None else moment(value)


def duration(value: timedelta) -> int:
	"""A length of time as a column holds it: microseconds."""
	return value // _MICROSECOND


def text_in(text: str) -> str | bytes:
	"""Text as it can be bound: as it is, or as bytes if it is no Unicode."""
	try:
		text.encode()
	except UnicodeEncodeError:
		return text.encode("utf-8", "surrogatepass")
	return text


def text_out(value: str | bytes) -> str:
	"""The inverse of `text_in`."""
	return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value


def zone_name(occurred_at: datetime) -> str:
	"""The name of a moment's time zone; its UTC offset ("+05:30") where the zone has no name."""
	key = getattr(occurred_at.tzinfo, "key", None)
	return key if isinstance(key, str) else occurred_at.isoformat()[19:]


def punch_out(row: sqlite3.Row) -> Punch:
	"""The punch of a row of the table `punch`, equal to the one that was held."""
	return Punch(
		device_serial=text_out(row["device_serial"]),
		device_user_id=text_out(row["device_user_id"]),
		occurred_at=occurred_out(row),
		verify_mode=VerifyMode(row["verify_mode"]),
		device_key=DeviceKey(row["device_key"]),
		raw=text_out(row["raw"]),
	)


def reading_out(row: sqlite3.Row) -> ClockReading | None:
	"""The look at the terminal's clock under which a punch was read, in UTC; None if there was none."""
	if row["clock_read_at"] is None:
		return None
	taken, offset = row["clock_read_at"], row["clock_offset"]
	return ClockReading(taken_at=moment(taken), device_time=moment(taken + offset))


def occurred_out(row: sqlite3.Row) -> datetime:
	"""The moment that a row holds as wall_time, fold and zone; aware, in that zone.

	Should this machine not know the zone (any more), the offset that held at the time stands in for it.
	"""
	wall_time = datetime.fromisoformat(row["wall_time"])
	zone = _zone(row["zone"])
	if zone is None:
		zone = timezone(wall_time.replace(tzinfo=timezone.utc) - moment(row["occurred_at"]))
	return wall_time.replace(tzinfo=zone, fold=row["fold"])


@functools.lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo | None:
	if name[:1] in ("+", "-"):
		return datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo
	try:
		return ZoneInfo(name)
	except (ZoneInfoNotFoundError, ValueError, OSError):
		return None
