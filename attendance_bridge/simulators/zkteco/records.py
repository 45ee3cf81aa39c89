"""How users and punches lie in a terminal's memory dump: one fixed-size record each.

Log layouts, chosen by the size of a row:

- 8 bytes: uid (the terminal's own number of a user), verify mode, time, key. Old black-and-white units.
- 16 bytes: user id as a number, time, verify mode, key, two reserved bytes, work code.
- 40 bytes: uid, user id as text (24 bytes), verify mode, time, key, eight more bytes. Colour units.
- 49 bytes: SpeedFace units. Public reports (fananimi/pyzk pull requests 166 and 222, raihanafroz/zkteco issue
  40) agree that rows are 49 bytes apart and that the first 40 are the 40-byte row; a reader that steps by 40
  gets the first row right and nonsense after it. What the last nine bytes mean is not established; the units
  measure temperature and mask. Read backwards, the nonsense that vodvud/php_zklib issue 39 shows of such a
  unit says: 255 in the first four bytes, 0 in the fifth and in the last, one high byte between them. So it is
  here.

User records are 28 bytes (the user id is a number there) or 72 bytes (it is text).

Sources: pyzk 0.9 (`get_attendance`, `get_users`, `live_capture`), adrobinoga/zk-protocol
(`sections/data-record.md`, `data-user.md`, `realtime.md`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.zkteco.wire import count_seconds, encode_time

LOG_LAYOUTS = (8, 16, 40, 49)
USER_RECORD_SIZES = (28, 72)
USER_ID_BYTES = 24
BAD_ROW_EVERY = 100
"""With a bad-row fault, a bad row stands before the first true row and after every hundredth."""

VERIFY_CODES = {
	VerifyMode.PASSWORD: 0,
	VerifyMode.FINGER: 1,
	VerifyMode.CARD: 4,
	VerifyMode.FACE: 15,
	VerifyMode.PALM: 25,
}
KEY_CODES = {
	DeviceKey.CHECK_IN: 0,
	DeviceKey.CHECK_OUT: 1,
	DeviceKey.BREAK_OUT: 2,
	DeviceKey.BREAK_IN: 3,
	DeviceKey.OVERTIME_IN: 4,
	DeviceKey.OVERTIME_OUT: 5,
}
UNDEFINED_CODE = 255

_ROW_8 = struct.Struct("<HBIB")
_ROW_16 = struct.Struct("<IIBB2sI")
_ROW_40 = struct.Struct("<H24sBIB8s")
_ROW_40_END = bytes.fromhex("00000000ff000000")  # constant on the unit that zk-protocol describes
_ROW_49_END = bytes.fromhex("ff000000 00 ff000000")
_USER_28 = struct.Struct("<HB5s8sIxBhI")
_USER_72 = struct.Struct("<HB8s24sIx7sx24s")
EVENT_SIZES = (10, 12, 14, 32, 36, 37, 52)
"""Bytes of a pushed punch: the id as a short or long number, or as text of 24 bytes; what follows the time in
the longer ones is not established. Sources: the clients pyzk 0.9 and its later forks, which know these
sizes."""
_EVENT_IDS = {10: struct.Struct("<H"), 12: struct.Struct("<I"), 14: struct.Struct("<H")}
_EVENT_END = struct.Struct("<BB6B")

_IMPOSSIBLE_TIME = count_seconds(2024, 2, 31)
_BINARY_USER_ID = b"\xff\xfe\x01\x80"


class LogRow(NamedTuple):
	"""One true punch in the log. A tuple, because a log holds a hundred thousand of them."""

	uid: int
	user_id: str
	wall_time: datetime
	verify_mode: VerifyMode
	device_key: DeviceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalUser:
	"""A user as enrolled on the terminal."""

	uid: int
	"""The terminal's own 16-bit number of the user."""
	user_id: str
	"""The id typed in at the terminal, at most 24 bytes."""
	name: str = ""
	card: int = 0
	privilege: int = 0
	password: str = field(default="", repr=False)


class LogImage:
	"""The log as the terminal would send it, built once and continued row by row."""

	def __init__(self, layout: int, *, bad_dates: bool, bad_user_ids: bool, all_keys_undefined: bool) -> None:
		self._pack = _ROW_PACKERS[layout]
		self._key_codes = {} if all_keys_undefined else KEY_CODES
		self._bad = (_bad_date_row(layout) if bad_dates else b"") + (
			_bad_user_id_row(layout) if bad_user_ids else b""
		)
		self._bytes = bytearray(self._bad)
		self.true_rows = 0

	def extend(self, rows: Iterable[LogRow]) -> None:
		"""Append true rows, and the bad rows that fall between them."""
		pack, key_codes = self._pack, self._key_codes
		for row in rows:
			verify = VERIFY_CODES.get(row.verify_mode, UNDEFINED_CODE)
			self._bytes += pack(
				row.uid,
				row.user_id,
				verify,
				encode_time(row.wall_time),
				key_codes.get(row.device_key, UNDEFINED_CODE),
			)
			self.true_rows += 1
			if self.true_rows % BAD_ROW_EVERY == 0:
				self._bytes += self._bad

	def snapshot(self) -> bytes:
		"""The rows, preceded by their total size in bytes."""
		return len(self._bytes).to_bytes(4, "little") + self._bytes


def pack_users(users: Iterable[TerminalUser], size: int, *, half_names: bool, bad_user_ids: bool) -> bytes:
	"""The user list as the terminal would send it, preceded by its total size in bytes.

	:param half_names: every name ends in the first half of a two-byte character.
	:param bad_user_ids: two more records, one with an empty id and one whose id is no text.
	"""
	pack = _pack_user_28 if size == 28 else _pack_user_72
	records = [pack(user, half_names) for user in users]
	if bad_user_ids:
		records += _bad_users(size)
	total = b"".join(records)
	return len(total).to_bytes(4, "little") + total


BAD_USERS = 2
"""How many records the fault adds to the user list."""


def unpack_user(raw: bytes) -> TerminalUser:
	"""A user record that a client sent.

	:raises ValueError: neither 28 nor 72 bytes, or the id is no text.
	"""
	if len(raw) == _USER_28.size:
		uid, privilege, password, name, card, _group, _zone, number = _USER_28.unpack(raw)
		user_id = str(number)
	elif len(raw) == _USER_72.size:
		uid, privilege, password, name, card, _group, raw_id = _USER_72.unpack(raw)
		user_id = raw_id.split(b"\0")[0].decode("utf-8")
	else:
		raise ValueError("no user record is of this size")
	return TerminalUser(
		uid=uid,
		user_id=user_id,
		name=name.split(b"\0")[0].decode("utf-8", "ignore"),
		card=card,
		privilege=privilege,
		password=password.split(b"\0")[0].decode("utf-8", "ignore"),
	)


def pack_event(row: LogRow, size: int) -> bytes:
	"""A punch as it is pushed to a client that registered for events.

	:param size: one of `EVENT_SIZES`.
	"""
	wall = row.wall_time
	end = _EVENT_END.pack(
		VERIFY_CODES.get(row.verify_mode, UNDEFINED_CODE),
		KEY_CODES.get(row.device_key, UNDEFINED_CODE),
		*(wall.year - 2000, wall.month, wall.day, wall.hour, wall.minute, wall.second),
	)
	number = _EVENT_IDS.get(size)
	head = (
		row.user_id.encode().ljust(USER_ID_BYTES, b"\0") if number is None else number.pack(int(row.user_id))
	)
	return (head + end).ljust(size, b"\0")


_RowPacker = Callable[[int, str, int, int, int], bytes]


def _pack_row_8(uid: int, user_id: str, verify: int, time_code: int, key: int) -> bytes:
	return _ROW_8.pack(uid, verify, time_code, key)


def _pack_row_16(uid: int, user_id: str, verify: int, time_code: int, key: int) -> bytes:
	return _ROW_16.pack(int(user_id), time_code, verify, key, b"", 0)


def _pack_row_40(uid: int, user_id: str, verify: int, time_code: int, key: int) -> bytes:
	return _ROW_40.pack(uid, user_id.encode(), verify, time_code, key, _ROW_40_END)


def _pack_row_49(uid: int, user_id: str, verify: int, time_code: int, key: int) -> bytes:
	return _ROW_40.pack(uid, user_id.encode(), verify, time_code, key, _ROW_40_END) + _ROW_49_END


_ROW_PACKERS: dict[int, _RowPacker] = {8: _pack_row_8, 16: _pack_row_16, 40: _pack_row_40, 49: _pack_row_49}


def _bad_date_row(layout: int) -> bytes:
	return _ROW_PACKERS[layout](1, "1", 1, _IMPOSSIBLE_TIME, 0)


def _bad_user_id_row(layout: int) -> bytes:
	"""A row of nobody: bytes that are no text where the id is text, else the number 0, which no user has."""
	time_code = count_seconds(2024, 1, 1)
	if layout in (8, 16):
		return _ROW_PACKERS[layout](0, "0", 1, time_code, 0)
	row = _ROW_40.pack(0, _BINARY_USER_ID, 1, time_code, 0, _ROW_40_END)
	return row if layout == 40 else row + _ROW_49_END


def _bad_users(size: int) -> list[bytes]:
	if size == 28:
		return [_USER_28.pack(uid, 0, b"", b"", 0, 1, 0, 0) for uid in (0xFFFE, 0xFFFF)]
	return [
		_USER_72.pack(0xFFFE, 0, b"", b"", 0, b"1", b""),
		_USER_72.pack(0xFFFF, 0, b"", b"", 0, b"1", _BINARY_USER_ID),
	]


def _pack_user_28(user: TerminalUser, half_name: bool) -> bytes:
	name = _name_bytes(user.name, 8, half_name)
	number = int(user.user_id)
	return _USER_28.pack(user.uid, user.privilege, user.password.encode(), name, user.card, 1, 0, number)


def _pack_user_72(user: TerminalUser, half_name: bool) -> bytes:
	name = _name_bytes(user.name, 24, half_name)
	user_id = user.user_id.encode()
	return _USER_72.pack(user.uid, user.privilege, user.password.encode(), name, user.card, b"1", user_id)


def _name_bytes(name: str, room: int, half: bool) -> bytes:
	if half:
		return _whole_characters(name, room - 1).ljust(room - 1, b".") + "م".encode()[:1]
	return _whole_characters(name, room)


def _whole_characters(text: str, room: int) -> bytes:
	return text.encode()[:room].decode("utf-8", "ignore").encode()
