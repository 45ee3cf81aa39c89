"""What may be told of an overheard conversation: packets whose lengths, commands, sizes, times and codes are
as they were, while ids, names, cards, passwords and serial numbers in them are not.

Users and log come in pieces that end anywhere, so the pieces of one reading are put together, rewritten
record by record, and taken apart again. What is not understood is scrambled, byte by byte. Checksums that
were right are right afterwards, and those that were wrong are wrong.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from zk import const

from attendance_bridge.core.pseudonyms import Pseudonyms
from attendance_bridge.core.recording import Exchange, Note
from attendance_bridge.drivers.zkteco_tcp.dumps import redact_log, redact_users
from attendance_bridge.drivers.zkteco_tcp.fields import FieldRedaction

_TOP = struct.Struct("<4sI")
_MAGIC = b"\x50\x50\x82\x7d"
_HEADER = struct.Struct("<4H")
_BUFFER_REQUEST = struct.Struct("<bhii")
_CHUNK_REQUEST = struct.Struct("<ii")
_SIZES = 92
"""Bytes of the answer about sizes: 23 numbers."""

_PREPARE_BUFFER, _READ_BUFFER = 1503, 1504
_NAMES = {
	**{getattr(const, name): name.removeprefix("CMD_") for name in dir(const) if name.startswith("CMD_")},
	_PREPARE_BUFFER: "PREPARE_BUFFER",
	_READ_BUFFER: "READ_BUFFER",
}
_OPTIONS_THAT_STAY = (b"~Platform", b"~DeviceName")
_OPTIONS_OF_A_DEVICE = (b"~SerialNumber", b"MAC")


@dataclass(slots=True)
class _Packet:
	"""One packet, or what came of one."""

	sent: bool
	raw: bytes
	on_tcp: bool
	is_whole: bool = True
	data: bytes | None = None
	"""Its redacted data; None as long as nobody understood it."""

	@property
	def top(self) -> bytes:
		return self.raw[: _TOP.size] if self.on_tcp else b""

	@property
	def header(self) -> bytes:
		return self.raw[len(self.top) : len(self.top) + _HEADER.size]

	@property
	def payload(self) -> bytes:
		return self.raw[len(self.top) + _HEADER.size :]

	@property
	def command(self) -> int | None:
		"""None if it is no packet."""
		if len(self.header) < _HEADER.size or (self.on_tcp and not self.top.startswith(_MAGIC)):
			return None
		return int(_HEADER.unpack(self.header)[0])


@dataclass(slots=True)
class _Reading:
	"""The pieces of one buffered reading, in their order."""

	command: int
	pieces: list[tuple[_Packet, int]] = field(default_factory=list)
	"""Packets, and where in their data the piece begins."""
	wanted: int | None = None
	"""Bytes asked for so far; None if it came without asking."""
	is_broken: bool = False
	"""Something was asked for again, or is missing in the middle."""

	def ask(self, start: int, size: int) -> None:
		"""Another piece is asked for."""
		wanted = self.wanted or 0
		self.is_broken |= start != wanted or len(self.data()) != wanted
		self.wanted = wanted + size

	def data(self) -> bytes:
		return b"".join(packet.payload[start:] for packet, start in self.pieces)

	def has_a_hole(self) -> bool:
		"""Whether bytes may be missing in the middle, so that nobody knows where a record begins."""
		if self.is_broken or self.wanted is None or len(self.data()) == self.wanted:
			return self.is_broken
		return len(self.data()) > self.wanted or not all(packet.on_tcp for packet, _start in self.pieces)

	def replace(self, data: bytes) -> None:
		for packet, start in self.pieces:
			size = len(packet.payload) - start
			packet.data, data = packet.payload[:start] + data[:size], data[size:]


class Redaction:
	"""Of one recording."""

	def __init__(self, names: Pseudonyms, *, id_encoding: str, latest_year: int) -> None:
		"""
		:param id_encoding: as the driver reads user ids.
		:param latest_year: as the driver knows the layout of a log.
		"""
		self._names = names
		self._fields = FieldRedaction(names, id_encoding)
		self._latest_year = latest_year
		self._sessions: dict[int, int] = {0: 0}
		self._held: dict[int, int | None] = {const.CMD_ATTLOG_RRQ: None, const.CMD_USERTEMP_RRQ: None}
		self._asked: _Packet | None = None
		self._reading: _Reading | None = None

	def redact(self, notes: Iterable[Note]) -> list[Exchange]:
		"""One exchange a packet or event: `way` is opened, sent, received or failed; a packet has `command`
		and `hex`, an event `transport` or `error`. A `received` without bytes: the other side closed."""
		told: list[Exchange | _Packet] = []
		for event in _packets(notes):
			told.append(event)
			if isinstance(event, _Packet):
				self._take(event)
			else:
				self._end_reading()
		self._end_reading()
		return [self._told(event) if isinstance(event, _Packet) else event for event in told]

	def _take(self, packet: _Packet) -> None:
		if packet.sent:
			self._take_question(packet)
		elif packet.command is not None:
			self._take_answer(packet)

	def _take_question(self, packet: _Packet) -> None:
		self._asked = packet
		command = packet.command
		if command == _READ_BUFFER and self._reading and len(packet.payload) == _CHUNK_REQUEST.size:
			self._reading.ask(*_CHUNK_REQUEST.unpack(packet.payload))
		else:
			self._end_reading()
		if command == _PREPARE_BUFFER and len(packet.payload) == _BUFFER_REQUEST.size:
			self._reading = _Reading(_BUFFER_REQUEST.unpack(packet.payload)[1])
		if command in (_PREPARE_BUFFER, _READ_BUFFER, const.CMD_OPTIONS_RRQ):
			packet.data = packet.payload  # ours, and about nobody
		elif command == const.CMD_AUTH:
			packet.data = bytes(len(packet.payload))

	def _take_answer(self, packet: _Packet) -> None:
		command, asked = packet.command, self._asked.command if self._asked else None
		if asked in (_PREPARE_BUFFER, _READ_BUFFER):
			self._take_piece(packet)
		elif command not in (const.CMD_ACK_OK, const.CMD_DATA):
			return
		elif asked == const.CMD_OPTIONS_RRQ and self._asked:
			packet.data = self._redact_option(self._asked.payload.split(b"\0")[0], packet.payload)
		elif asked == const.CMD_GET_VERSION:
			packet.data = self._fields.plain_text(packet.payload)
		elif asked == const.CMD_GET_TIME:
			packet.data = packet.payload[:4] + self._names.scramble(packet.payload[4:])
		elif asked == const.CMD_GET_FREE_SIZES:
			packet.data = packet.payload[:_SIZES] + self._names.scramble(packet.payload[_SIZES:])
			if len(packet.payload) >= 36:
				self._held[const.CMD_USERTEMP_RRQ] = int.from_bytes(packet.payload[16:20], "little")
				self._held[const.CMD_ATTLOG_RRQ] = int.from_bytes(packet.payload[32:36], "little")

	def _take_piece(self, packet: _Packet) -> None:
		if packet.command == const.CMD_DATA and self._reading:
			self._reading.pieces.append((packet, 0))
		elif packet.command == const.CMD_PREPARE_DATA and self._reading:
			self._reading.pieces.append((packet, min(8, len(packet.payload))))  # two sizes come first
		elif packet.command == const.CMD_ACK_OK:
			size = 13  # a zero, the size twice, four bytes of unknown meaning
			packet.data = packet.payload[:size] + self._names.scramble(packet.payload[size:])

	def _redact_option(self, name: bytes, payload: bytes) -> bytes:
		stated, equals, rest = payload.partition(b"=")
		if equals and stated != name:
			return self._names.scramble(payload)
		start, value = (stated + equals, rest) if equals else (b"", payload)
		if name in _OPTIONS_THAT_STAY:
			return start + self._fields.plain_text(value)
		if name in _OPTIONS_OF_A_DEVICE:
			return start + self._fields.text(value, is_mac=name == b"MAC")
		return start + self._names.scramble(value)

	def _end_reading(self) -> None:
		reading, self._reading = self._reading, None
		if reading is None or not reading.pieces:
			return
		data, held = reading.data(), self._held.get(reading.command)
		redacted: bytes | None = None
		if not reading.has_a_hole():
			if reading.command == const.CMD_ATTLOG_RRQ:
				redacted = redact_log(data, self._fields, held=held, latest_year=self._latest_year)
			elif reading.command == const.CMD_USERTEMP_RRQ:
				redacted = redact_users(data, self._fields, held=held)
		if redacted is None:
			# Its size is no secret, and a driver looks at it.
			redacted = data[:4] + self._names.scramble(data[4:])
		reading.replace(redacted)

	def _told(self, packet: _Packet) -> Exchange:
		way, command = "sent" if packet.sent else "received", packet.command
		if command is None:
			start = _TOP.size if packet.top.startswith(_MAGIC) else 0
			raw = packet.raw[:start] + self._names.scramble(packet.raw[start:])
			return {"way": way, "command": "", "hex": raw.hex()}
		data = packet.data if packet.data is not None else self._names.scramble(packet.payload)
		name = _NAMES.get(command, str(command))
		return {"way": way, "command": name, "hex": (packet.top + self._header(packet, data) + data).hex()}

	def _header(self, packet: _Packet, data: bytes) -> bytes:
		command, checksum, session, reply = _HEADER.unpack(packet.header)
		session = self._sessions.setdefault(session, 1000 + len(self._sessions))
		right = _checksum(_HEADER.pack(command, 0, session, reply) + data)
		if not packet.is_whole:
			right = 0  # of what did not come nobody knows it
		elif not _is_right(packet, checksum):
			right ^= 1
		return _HEADER.pack(command, right, session, reply)


def _packets(notes: Iterable[Note]) -> Iterable[_Packet | Exchange]:
	"""What was heard, with bytes of a stream put together to packets."""
	stream, on_tcp = b"", True
	for note in notes:
		if note.kind == "received" and note.facts["data"]:
			if on_tcp:
				stream += note.facts["data"]
			else:
				yield _Packet(False, note.facts["data"], on_tcp=False)
			continue
		yield from _split(stream)
		stream = b""
		if note.kind == "sent":
			yield _Packet(True, note.facts["data"], on_tcp)
		elif note.kind == "received":
			yield {"way": "received", "command": "", "hex": ""}
		else:
			on_tcp = note.facts.get("transport", "tcp" if on_tcp else "udp") == "tcp"
			yield {"way": note.kind, **note.facts}
	yield from _split(stream)


def _split(stream: bytes) -> Iterable[_Packet]:
	while stream:
		magic, length = _TOP.unpack_from(stream) if len(stream) >= _TOP.size else (b"", 0)
		if magic != _MAGIC:
			yield _Packet(False, stream, on_tcp=True, is_whole=False)
			return
		end = _TOP.size + length
		yield _Packet(False, stream[:end], on_tcp=True, is_whole=len(stream) >= end)
		stream = stream[end:]


def _checksum(packet: bytes) -> int:
	"""Ones' complement of the ones'-complement sum of the words, as pyzk computes it."""
	return 0xFFFF - (int.from_bytes(packet, "little") % 0xFFFF or 0xFFFF)


def _is_right(packet: _Packet, checksum: int) -> bool:
	command, _checksum_word, session, reply = _HEADER.unpack(packet.header)
	right = _checksum(_HEADER.pack(command, 0, session, reply) + packet.payload)
	# pyzk counts the reply id up after it has computed the checksum.
	sent = _checksum(_HEADER.pack(command, 0, session, (reply - 1) % 0xFFFF) + packet.payload)
	return checksum % 0xFFFF in (right % 0xFFFF, sent % 0xFFFF)
