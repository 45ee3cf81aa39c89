"""One client's conversation with the terminal: a request in, packets out, no sockets.

Sources: adrobinoga/zk-protocol (`sections/terminal.md`, `ex_data.md`, `data-record.md`, `realtime.md`) and
what pyzk 0.9 sends and expects.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass

from attendance_bridge.simulators.zkteco.records import LogRow, pack_event, unpack_user
from attendance_bridge.simulators.zkteco.state import ZktecoState
from attendance_bridge.simulators.zkteco.wire import (
	EVENT_PUNCH,
	EVENT_VERIFIED,
	MAX_CHUNK,
	Command,
	Packet,
	decode_time,
	encode,
	encode_time,
	scramble_comm_key,
)

DATAGRAM_DATA = 1024
"""Data bytes in one DATA packet over UDP."""
SHORT_ANSWER = 1016
"""Up to this size a buffered read is answered at once: packet and header are 1024 bytes together, which is
what UDP clients make room for. zk-protocol says "approximately 1 KB"."""

_FREE_SIZES = struct.Struct("<23i")
_BUFFER_REQUEST = struct.Struct("<bhii")
_CHUNK_REQUEST = struct.Struct("<ii")


@dataclass(frozen=True, slots=True)
class Answer:
	"""What goes back, and what happens after it has gone."""

	packets: tuple[bytes, ...] = ()
	is_big_read: bool = False
	ends: bool = False
	restarts: bool = False


class Session:
	"""A client from CONNECT to EXIT."""

	def __init__(self, state: ZktecoState, *, data_per_packet: int) -> None:
		"""
		:param data_per_packet: `MAX_CHUNK` over TCP, `DATAGRAM_DATA` over UDP.
		"""
		self.id = 0
		self.events = 0
		"""The flags of EVENT_REGISTER."""
		self.unacknowledged = 0
		"""Events that the client was told of since it last acknowledged one."""
		self._state = state
		self._data_per_packet = data_per_packet
		self._authenticated = False
		self._last_reply_id = 0
		self._buffer: bytes | None = None

	def answer(self, packet: Packet) -> Answer:
		"""Serve one request. Whatever a client sends, it gets an answer and the terminal stays whole."""
		if packet.command == Command.ACK_OK:
			# The client acknowledges an event.
			self.unacknowledged = 0
			self._state.count("event_acknowledged")
			return Answer()
		if packet.command == Command.CONNECT:
			return self._connect(packet)
		if self.id == 0 or packet.session_id != self.id:
			self._state.count("bad_session")
			return self._say(packet, Command.ACK_UNAUTH)
		self._follow_numbering(packet)
		if packet.command == Command.AUTH:
			return self._authenticate(packet)
		if not self._authenticated:
			return self._say(packet, Command.ACK_UNAUTH)
		return self._obey(packet)

	def event(self, row: LogRow) -> bytes | None:
		"""The packet that tells this client of a punch; None if it did not ask for events.

		The session id of an event is its kind, and its reply id is 0 (zk-protocol, `realtime.md`).
		"""
		if not self._authenticated or not self.events & EVENT_PUNCH:
			return None
		self.unacknowledged += 1
		data = pack_event(row, self._state.event_size)
		return encode(Command.EVENT_REGISTER, EVENT_PUNCH, 0, data)

	def other_event(self, row: LogRow) -> bytes | None:
		"""What precedes a punch on a terminal that tells of everything: a user was verified."""
		if not self._authenticated or not self.events & EVENT_PUNCH:
			return None
		data = struct.pack("<I3B", row.uid, 1, 1, 1)
		return encode(Command.EVENT_REGISTER, EVENT_VERIFIED, 0, data)

	def _say(self, packet: Packet, code: Command, data: bytes = b"") -> Answer:
		return Answer((encode(code, self.id, packet.reply_id, data),))

	def _follow_numbering(self, packet: Packet) -> None:
		"""Count requests that are out of order. They are answered all the same: no source says that a
		terminal refuses them, and over UDP a request may be sent twice."""
		if packet.reply_id % 0xFFFF != (self._last_reply_id + 1) % 0xFFFF:
			self._state.count("reply_id_out_of_order")
		self._last_reply_id = packet.reply_id

	def _connect(self, packet: Packet) -> Answer:
		# Connecting again keeps the session id (zk-protocol, "Session ID").
		if self.id == 0:
			self.id = self._state.new_session_id()
		self._last_reply_id = packet.reply_id
		self._authenticated = self._state.comm_key == 0
		self._state.count("connect")
		return self._say(packet, Command.ACK_OK if self._authenticated else Command.ACK_UNAUTH)

	def _authenticate(self, packet: Packet) -> Answer:
		ticks = packet.data[2] if len(packet.data) == 4 else 0
		right = scramble_comm_key(self._state.comm_key, self.id, ticks)
		if not hmac.compare_digest(packet.data, right):
			self._state.count("wrong_comm_key")
			return self._say(packet, Command.ACK_UNAUTH)
		self._authenticated = True
		self._state.count("auth")
		return self._say(packet, Command.ACK_OK)

	def _obey(self, packet: Packet) -> Answer:
		serve = _SERVES.get(packet.command)
		if serve is None:
			self._state.count("unknown_command")
			return self._say(packet, Command.ACK_UNKNOWN)
		self._state.count(Command(packet.command).name.lower())
		return serve(self, packet)

	# the terminal itself

	def _acknowledge(self, packet: Packet) -> Answer:
		return self._say(packet, Command.ACK_OK)

	def _exit(self, packet: Packet) -> Answer:
		return Answer(self._say(packet, Command.ACK_OK).packets, ends=True)

	def _restart(self, packet: Packet) -> Answer:
		return Answer(self._say(packet, Command.ACK_OK).packets, restarts=True)

	def _enable(self, packet: Packet) -> Answer:
		self._state.enabled = True
		return self._say(packet, Command.ACK_OK)

	def _disable(self, packet: Packet) -> Answer:
		# Stays so until somebody enables it, even when this client goes away.
		self._state.enabled = False
		return self._say(packet, Command.ACK_OK)

	def _read_version(self, packet: Packet) -> Answer:
		return self._say(packet, Command.ACK_OK, self._state.firmware.encode() + b"\0")

	def _read_option(self, packet: Packet) -> Answer:
		name = packet.data.split(b"\0")[0].decode("ascii", "replace")
		value = self._state.options.get(name)
		if value is None:
			return self._say(packet, Command.ACK_ERROR)
		return self._say(packet, Command.ACK_OK, f"{name}={value}".encode() + b"\0")

	def _write_option(self, packet: Packet) -> Answer:
		text = packet.data[:1024].split(b"\0")[0].decode("ascii", "replace")
		name, _, value = text.partition("=")
		is_written = self._state.write_option(name, value)
		return self._say(packet, Command.ACK_OK if is_written else Command.ACK_ERROR)

	def _read_pin_width(self, packet: Packet) -> Answer:
		return self._say(packet, Command.ACK_OK, bytes([int(self._state.options["~PIN2Width"])]))

	def _read_time(self, packet: Packet) -> Answer:
		try:
			code = encode_time(self._state.wall_now())
		except ValueError:
			return self._say(packet, Command.ACK_ERROR)
		return self._say(packet, Command.ACK_OK, code.to_bytes(4, "little"))

	def _write_time(self, packet: Packet) -> Answer:
		try:
			self._state.set_clock(decode_time(int.from_bytes(packet.data[:4], "little")))
		except ValueError:
			return self._say(packet, Command.ACK_ERROR)
		return self._say(packet, Command.ACK_OK)

	def _read_sizes(self, packet: Packet) -> Answer:
		state = self._state
		users, rows = state.sizes()
		fields = [0] * 23
		fields[4], fields[8] = users, rows
		fields[15], fields[16] = state.user_capacity, state.log_capacity
		fields[18], fields[19] = max(0, state.user_capacity - users), max(0, state.log_capacity - rows)
		return self._say(packet, Command.ACK_OK, _FREE_SIZES.pack(*fields))

	def _register_events(self, packet: Packet) -> Answer:
		self.events = int.from_bytes(packet.data[:4], "little")
		return self._say(packet, Command.ACK_OK)

	# users and log

	def _write_user(self, packet: Packet) -> Answer:
		try:
			self._state.put_user(unpack_user(packet.data))
		except ValueError:
			return self._say(packet, Command.ACK_ERROR)
		return self._say(packet, Command.ACK_OK)

	def _delete_user(self, packet: Packet) -> Answer:
		is_deleted = self._state.remove_user(int.from_bytes(packet.data[:2], "little"))
		return self._say(packet, Command.ACK_OK if is_deleted else Command.ACK_ERROR)

	def _clear_log(self, packet: Packet) -> Answer:
		self._state.clear_log()
		return self._say(packet, Command.ACK_OK)

	def _dump(self, command: int) -> bytes | None:
		if command == Command.LOG_READ:
			if "growing" in self._state.faults:
				self._state.grow()
			return self._state.log_dump()
		return self._state.user_dump() if command == Command.USERS_READ else None

	def _read_directly(self, packet: Packet) -> Answer:
		"""The older way to read: the whole dump at once."""
		return self._send_dump(packet, self._dump(packet.command) or b"")

	def _prepare_buffer(self, packet: Packet) -> Answer:
		if "no-rwb" in self._state.faults or len(packet.data) != _BUFFER_REQUEST.size:
			return self._say(packet, Command.ACK_ERROR)
		_, command, _, _ = _BUFFER_REQUEST.unpack(packet.data)
		dump = self._dump(command)
		if dump is None:
			return self._say(packet, Command.ACK_ERROR)
		if len(dump) <= SHORT_ANSWER:
			return self._say(packet, Command.DATA, dump)
		self._buffer = dump
		# A zero, the size twice, and four bytes of unknown meaning (zk-protocol, `ex_data.md`).
		return self._say(packet, Command.ACK_OK, struct.pack("<BIII", 0, len(dump), len(dump), 0))

	def _read_buffer(self, packet: Packet) -> Answer:
		if self._buffer is None or len(packet.data) != _CHUNK_REQUEST.size:
			return self._say(packet, Command.ACK_ERROR)
		start, size = _CHUNK_REQUEST.unpack(packet.data)
		if start < 0 or not 0 < size <= MAX_CHUNK or start + size > len(self._buffer):
			return self._say(packet, Command.ACK_ERROR)
		return self._send_dump(packet, self._buffer[start : start + size])

	def _free_buffer(self, packet: Packet) -> Answer:
		self._buffer = None
		return self._say(packet, Command.ACK_OK)

	def _send_dump(self, packet: Packet, dump: bytes) -> Answer:
		"""PREPARE_DATA, the DATA packets and ACK_OK, all under the reply id of the request."""
		step = self._data_per_packet
		parts = [dump[start : start + step] for start in range(0, len(dump), step)]
		head = struct.pack("<II", len(dump), step)
		packets = (
			encode(Command.PREPARE_DATA, self.id, packet.reply_id, head),
			*(encode(Command.DATA, self.id, packet.reply_id, part) for part in parts),
			encode(Command.ACK_OK, self.id, packet.reply_id),
		)
		return Answer(packets, is_big_read=True)


_SERVES: dict[int, Callable[[Session, Packet], Answer]] = {
	Command.USER_WRITE: Session._write_user,
	Command.USERS_READ: Session._read_directly,
	Command.OPTION_READ: Session._read_option,
	Command.OPTION_WRITE: Session._write_option,
	Command.LOG_READ: Session._read_directly,
	Command.LOG_CLEAR: Session._clear_log,
	Command.USER_DELETE: Session._delete_user,
	Command.UNLOCK: Session._acknowledge,
	Command.SIZES_READ: Session._read_sizes,
	Command.START_VERIFY: Session._acknowledge,
	Command.CANCEL_CAPTURE: Session._acknowledge,
	Command.PIN_WIDTH_READ: Session._read_pin_width,
	Command.TIME_READ: Session._read_time,
	Command.TIME_WRITE: Session._write_time,
	Command.EVENT_REGISTER: Session._register_events,
	Command.EXIT: Session._exit,
	Command.ENABLE_DEVICE: Session._enable,
	Command.DISABLE_DEVICE: Session._disable,
	Command.RESTART: Session._restart,
	Command.REFRESH_DATA: Session._acknowledge,
	Command.REFRESH_OPTIONS: Session._acknowledge,
	Command.TEST_VOICE: Session._acknowledge,
	Command.VERSION_READ: Session._read_version,
	Command.FREE_DATA: Session._free_buffer,
	Command.BUFFER_PREPARE: Session._prepare_buffer,
	Command.BUFFER_READ: Session._read_buffer,
}
