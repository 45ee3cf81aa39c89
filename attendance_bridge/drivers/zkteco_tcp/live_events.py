"""Attendance events as a ZKTeco terminal tells them: bytes in, punches out.

An event packet has `CMD_REG_EVENT` for a command, the code of the event where the session id stands
otherwise, and reply number 0 (adrobinoga/zk-protocol `protocol.md`). Its data is one record, or several of
one size (pyzk `live_capture`, and copies of it with the records that its users met):

	8       as in the log: uid (2), verify (1), time (4), key (1)
	10, 14  number (2), verify (1), key (1), time (6), unused
	12      user id as a number (4), verify (1), key (1), time (6)
	32, 36, 37, 52   user id as text (24), verify (1), key (1), time (6), unused

The time is six bytes: year since 2000, month, day, hour, minute, second. What cannot be read beyond doubt is
left to the pull, which brings the same punch with everything that belongs to it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import EARLIEST_PLAUSIBLE_YEAR, is_repeated, localise
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Page
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode
from attendance_bridge.drivers._zkteco.codes import DEVICE_KEYS, VERIFY_MODES
from attendance_bridge.drivers._zkteco.times import wall_time
from attendance_bridge.drivers.zkteco_tcp.records import TextIds

ATTENDANCE = 1
"""EF_ATTLOG."""
OTHER_EVENTS = frozenset({2, 4, 8, 16, 32, 128, 256, 512})
"""A finger was laid on, a key was pressed, a door, an alarm …"""

MAX_DATA = 4096
"""Bytes of one packet; a record has at most 52."""

_HEADER_SIZE = 8
_SHORT_NUMBER = struct.Struct("<HBB6s")
_LONG_NUMBER = struct.Struct("<IBB6s")
_TEXT = struct.Struct("<24sBB6s")
_IN_LOG = struct.Struct("<HBIB")

_SHAPES: dict[int, struct.Struct] = {
	52: _TEXT,
	37: _TEXT,
	36: _TEXT,
	32: _TEXT,
	14: _SHORT_NUMBER,
	12: _LONG_NUMBER,
	10: _SHORT_NUMBER,
	8: _IN_LOG,
}
"""Size of a record → how it begins; the likeliest first where several divide the data."""

IdOfNumber = Callable[[int, bool], "str | None"]
"""(number, whether it may be the internal one) → the user's id; None if there is a doubt."""


@dataclass(frozen=True, slots=True)
class _Record:
	who: bytes | int
	is_short: bool
	"""The number has two bytes: it may be the terminal's internal one for the user."""
	verify: int
	key: int
	wall: datetime | None
	raw: bytes


class EventReader:
	"""Reads the events of one terminal."""

	def __init__(
		self, *, serial: str, zone: ZoneInfo, id_encoding: str, latest_year: int, id_of_number: IdOfNumber
	) -> None:
		self._serial = serial
		self._zone = zone
		self._text_id = TextIds(id_encoding)
		self._latest_year = latest_year
		self._id_of_number = id_of_number

	def page(self, packets: list[bytes]) -> Page:
		"""The punches of so many packets; a `gap` if there was one that cannot be read. Never raises for what
		a packet holds. `read` counts what the terminal records in its log: other events it does not."""
		punches: dict[object, Punch] = {}
		is_gap, told = False, 0
		for packet in packets:
			code = int.from_bytes(packet[4:6], "little")
			if code in OTHER_EVENTS:
				continue
			data = packet[_HEADER_SIZE:]
			records = self._split(data)
			is_gap |= not records and bool(data)
			told += len(records)
			for record in records:
				punch = self._punch(record)
				if punch is None:
					is_gap = True
				else:
					punches.setdefault(punch.punch_id, punch)
		return Page(punches=tuple(punches.values()), cursor=START, read=told, live=True, gap=is_gap)

	def _split(self, data: bytes) -> list[_Record]:
		"""The records in a packet; none if no known shape makes sense of it."""
		if len(data) > MAX_DATA:
			return []
		for size in (len(data), *_SHAPES):
			shape = _SHAPES.get(size)
			if shape is None or len(data) % size:
				continue
			records = [_record(data[at : at + size], shape) for at in range(0, len(data), size)]
			if all(map(self._makes_sense, records)):
				return records
		return []

	def _makes_sense(self, record: _Record) -> bool:
		in_use = record.wall is not None and EARLIEST_PLAUSIBLE_YEAR <= record.wall.year <= self._latest_year
		return in_use and (isinstance(record.who, int) or self._text_id(record.who) is not None)

	def _punch(self, record: _Record) -> Punch | None:
		if record.wall is None:
			return None
		moment = localise(record.wall, self._zone)
		# In which pass of a repeated hour it lies shows only in the order of the log.
		user_id = None if is_repeated(moment) else self._user_id(record)
		if user_id is None:
			return None
		return Punch(
			device_serial=self._serial,
			device_user_id=user_id,
			occurred_at=moment,
			verify_mode=VERIFY_MODES.get(record.verify, VerifyMode.UNKNOWN),
			device_key=DEVICE_KEYS.get(record.key, DeviceKey.UNDEFINED),
			raw=record.raw.hex(),
		)

	def _user_id(self, record: _Record) -> str | None:
		if isinstance(record.who, bytes):
			return self._text_id(record.who)
		return self._id_of_number(record.who, record.is_short) if record.who else None


def _record(data: bytes, shape: struct.Struct) -> _Record:
	if shape is _IN_LOG:
		who, verify, time, key = shape.unpack_from(data)
		return _Record(who, True, verify, key, wall_time(time), data)
	who, verify, key, digits = shape.unpack_from(data)
	return _Record(who, shape is _SHORT_NUMBER, verify, key, _wall(digits), data)


def _wall(digits: bytes) -> datetime | None:
	year, month, day, hour, minute, second = digits
	try:
		return datetime(2000 + year, month, day, hour, minute, second)  # noqa: DTZ001  # wall time
	except ValueError:
		return None
