"""The log and the user list of a terminal as it sends them, with stand-ins for persons."""

from __future__ import annotations

import struct
from collections.abc import Callable

from attendance_bridge.drivers.zkteco_tcp.fields import FieldRedaction
from attendance_bridge.drivers.zkteco_tcp.records import (
	BYTES_8,
	BYTES_8_MA300,
	BYTES_16,
	BYTES_40,
	BYTES_49,
	Layout,
	open_log,
)

_USER_28 = struct.Struct("<HB5s8sI4sI")
_USER_72 = struct.Struct("<HB8s24sI9s24s")

_RedactRecord = Callable[[bytes, FieldRedaction], bytes]


def redact_log(data: bytes, fields: FieldRedaction, *, held: int | None, latest_year: int) -> bytes | None:
	"""
	:param data: the log with its leading size, or its beginning.
	:param held: see `records.open_log`, which finds the layout for the driver as well.
	:return: as many bytes; None if the layout is not known.
	"""
	read = open_log(data, held=held, latest_year=latest_year)
	if read is None:
		return None
	return _redact_records(data, read.layout.size, _RECORDS[read.layout], fields)


def redact_users(data: bytes, fields: FieldRedaction, *, held: int | None) -> bytes | None:
	"""
	:param data: the list with its leading size.
	:param held: how many users the terminal said it holds.
	:return: as many bytes; None if it is not certain how the records lie.
	"""
	size = int.from_bytes(data[:4], "little")
	fitting = [shape for shape in (_USER_72, _USER_28) if size % shape.size == 0]
	if len(fitting) > 1:
		fitting = [shape for shape in fitting if size // shape.size == held]
	if len(fitting) != 1:
		return None
	redact = _redact_user_72 if fitting[0] is _USER_72 else _redact_user_28
	return _redact_records(data, fitting[0].size, redact, fields)


def _redact_records(data: bytes, size: int, redact: _RedactRecord, fields: FieldRedaction) -> bytes:
	parts = [data[:4]]
	end = 4 + (len(data) - 4) // size * size
	parts += [redact(data[start : start + size], fields) for start in range(4, end, size)]
	return b"".join(parts) + fields.unknown(data[max(end, 4) :])


def _redact_8(record: bytes, fields: FieldRedaction) -> bytes:
	return _uid(record, fields) + record[2:]


def _redact_16(record: bytes, fields: FieldRedaction) -> bytes:
	number = fields.number(int.from_bytes(record[:4], "little")).to_bytes(4, "little")
	return number + record[4:10] + fields.filler(record[10:])


def _redact_40(record: bytes, fields: FieldRedaction) -> bytes:
	return _uid(record, fields) + fields.user_id(record[2:26]) + record[26:32] + fields.filler(record[32:])


def _redact_user_28(record: bytes, fields: FieldRedaction) -> bytes:
	uid, privilege, password, name, card, group, number = _USER_28.unpack(record)
	return _USER_28.pack(
		fields.number(uid),
		privilege,
		fields.secret(password),
		fields.text(name),
		fields.number(card),
		group,
		fields.number(number),
	)


def _redact_user_72(record: bytes, fields: FieldRedaction) -> bytes:
	uid, privilege, password, name, card, group, user_id = _USER_72.unpack(record)
	return _USER_72.pack(
		fields.number(uid),
		privilege,
		fields.secret(password),
		fields.text(name),
		fields.number(card),
		fields.filler(group),
		fields.user_id(user_id),
	)


def _uid(record: bytes, fields: FieldRedaction) -> bytes:
	return fields.number(int.from_bytes(record[:2], "little")).to_bytes(2, "little")


_RECORDS: dict[Layout, _RedactRecord] = {
	BYTES_8: _redact_8,
	BYTES_8_MA300: _redact_8,
	BYTES_16: _redact_16,
	BYTES_40: _redact_40,
	BYTES_49: _redact_40,
}
