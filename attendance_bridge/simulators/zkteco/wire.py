"""The 4370 protocol as bytes: packets, checksum, comm key, and the terminal's way to write a time.

A packet is an eight-byte header (command, checksum, session id, reply id; little-endian 16-bit words) and up
to 64 KiB of data. UDP carries it as one datagram; TCP puts eight more bytes before it (two magic words and
the length of the packet).

Sources: github.com/adrobinoga/zk-protocol (`protocol.md`, `sections/terminal.md`), and what the client pyzk
0.9 sends and expects.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

MAX_CHUNK = 0xFFC0
"""The most data that one read request may ask for; what pyzk and node-zklib ask for over TCP."""
MAX_PACKET = 0x10000
"""The longest packet, without its TCP prefix, that is taken from a client."""

TCP_PREFIX = struct.Struct("<HHI")
_MAGIC = (0x5050, 0x7D82)
_HEADER = struct.Struct("<4H")


class Command(IntEnum):
	"""Commands and answers that this terminal knows. The count of each accepted command is kept under its
	name in lower case."""

	USER_WRITE = 8
	USERS_READ = 9
	OPTION_READ = 11
	OPTION_WRITE = 12
	LOG_READ = 13
	LOG_CLEAR = 15
	USER_DELETE = 18
	UNLOCK = 31
	SIZES_READ = 50
	START_VERIFY = 60
	CANCEL_CAPTURE = 62
	PIN_WIDTH_READ = 69
	TIME_READ = 201
	TIME_WRITE = 202
	EVENT_REGISTER = 500
	CONNECT = 1000
	EXIT = 1001
	ENABLE_DEVICE = 1002
	DISABLE_DEVICE = 1003
	RESTART = 1004
	REFRESH_DATA = 1013
	REFRESH_OPTIONS = 1014
	TEST_VOICE = 1017
	VERSION_READ = 1100
	AUTH = 1102
	PREPARE_DATA = 1500
	DATA = 1501
	FREE_DATA = 1502
	BUFFER_PREPARE = 1503
	BUFFER_READ = 1504
	ACK_OK = 2000
	ACK_ERROR = 2001
	ACK_UNAUTH = 2005
	ACK_UNKNOWN = 0xFFFF


EVENT_PUNCH = 1
"""The flag of EVENT_REGISTER, and the session id of an event packet, that mean a punch (EF_ATTLOG)."""
EVENT_VERIFIED = 1 << 8
"""Likewise: somebody was verified (EF_VERIFY)."""


class MalformedPacketError(Exception):
	"""What came is no packet of this protocol: magic, length or checksum is wrong."""


@dataclass(frozen=True, slots=True)
class Packet:
	"""One request, its checksum verified."""

	command: int
	session_id: int
	reply_id: int
	data: bytes


def encode(command: int, session_id: int, reply_id: int, data: bytes = b"") -> bytes:
	"""A packet without its TCP prefix."""
	checksum = _checksum(_HEADER.pack(command, 0, session_id, reply_id) + data)
	return _HEADER.pack(command, checksum, session_id, reply_id) + data


def decode(raw: bytes) -> Packet:
	"""The inverse of `encode`.

	:raises MalformedPacketError: shorter than a header, too long, or the checksum does not fit.
	"""
	if not _HEADER.size <= len(raw) <= MAX_PACKET:
		raise MalformedPacketError("length")
	# A packet with its own checksum adds up to a multiple of 65535, whichever of the two spellings of zero
	# the client chose.
	if _sum_of_words(raw) != 0:
		raise MalformedPacketError("checksum")
	command, _, session_id, reply_id = _HEADER.unpack_from(raw)
	return Packet(command, session_id, reply_id, raw[_HEADER.size :])


def with_prefix(packet: bytes) -> bytes:
	"""`packet` as it goes over TCP."""
	return TCP_PREFIX.pack(*_MAGIC, len(packet)) + packet


def length_from_prefix(prefix: bytes) -> int:
	"""How long the packet behind a TCP prefix is.

	:raises MalformedPacketError: no prefix, or a length out of bounds.
	"""
	first, second, length = TCP_PREFIX.unpack(prefix)
	if (first, second) != _MAGIC or not _HEADER.size <= length <= MAX_PACKET:
		raise MalformedPacketError("prefix")
	return int(length)


def _checksum(packet: bytes) -> int:
	"""Ones' complement of the ones'-complement sum of the 16-bit words, as in an IP header."""
	return 0xFFFF - (_sum_of_words(packet) or 0xFFFF)


def _sum_of_words(packet: bytes) -> int:
	"""Sum of the little-endian words modulo 65535. Because 65536 is 1 modulo 65535, that is the whole packet
	read as one number, which is several times quicker than adding words up."""
	return int.from_bytes(packet, "little") % 0xFFFF


def scramble_comm_key(key: int, session_id: int, ticks: int) -> bytes:
	"""What a client that knows the comm key sends with AUTH.

	The bits of the key are reversed, the session id is added, the bytes are mixed with "ZKSO", the halves are
	swapped and mixed with `ticks`, which stands in the clear in the third byte. Source: pyzk, `make_commkey`.
	"""
	reversed_key = int(f"{key & 0xFFFFFFFF:032b}"[::-1], 2)
	salted = ((reversed_key + session_id) & 0xFFFFFFFF).to_bytes(4, "little")
	_, second, third, fourth = (byte ^ mask for byte, mask in zip(salted, b"ZKSO", strict=True))
	return bytes((third ^ ticks, fourth ^ ticks, ticks, second ^ ticks))


def encode_time(wall_time: datetime) -> int:
	"""A time of the years 2000 to 2099 as the terminal counts it: every month has 31 days.

	:param wall_time: naive, whole seconds.
	:raises ValueError: another year; the terminal could not hold it.
	"""
	if not 2000 <= wall_time.year <= 2099:
		raise ValueError("a terminal holds times of the years 2000 to 2099 only")
	return count_seconds(wall_time.year, wall_time.month, wall_time.day) + (
		(wall_time.hour * 60 + wall_time.minute) * 60 + wall_time.second
	)


def count_seconds(year: int, month: int, day: int) -> int:
	"""The code of a midnight, of a real day or, for a fault, of one such as 31 February."""
	return (((year % 100) * 12 + month - 1) * 31 + day - 1) * 86400


def decode_time(code: int) -> datetime:
	"""The inverse of `encode_time`.

	:raises ValueError: there is no such day.
	"""
	days, seconds = divmod(code, 86400)
	months, day = divmod(days, 31)
	years, month = divmod(months, 12)
	midnight = datetime(2000 + years, month + 1, day + 1)  # noqa: DTZ001  # wall time
	return midnight + timedelta(seconds=seconds)
