"""A ZKTeco terminal reduced to its socket: a test says which packets it sends, in which pieces, and when."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import Counter
from typing import Any

CONNECT, EXIT, DISABLE, OPTIONS, SIZES, GET_TIME, REG_EVENT = 1000, 1001, 1003, 11, 50, 201, 500
PREPARE_BUFFER, DATA, ACK_OK, ACK_ERROR, ACK_UNKNOWN, FREE_DATA = 1503, 1501, 2000, 2001, 0xFFFF, 1502
LOG, USERS = 13, 9
SESSION = 4711


def packet(command: int, data: bytes = b"", session: int = SESSION, reply: int = 0) -> bytes:
	body = struct.pack("<4H", command, 0, session, reply) + data
	return struct.pack("<4sI", b"\x50\x50\x82\x7d", len(body)) + body


def event(data: bytes, code: int = 1) -> bytes:
	return packet(REG_EVENT, data, code)


def text_record(user_id: str, at: tuple[int, ...], *, verify: int = 1, key: int = 0, rest: int = 0) -> bytes:
	return struct.pack("<24sBB6s", user_id.encode(), verify, key, bytes(at)) + bytes(rest)


class WireTerminal:
	"""Serves one connection at a time; a second one waits, as terminals let it."""

	def __init__(self, *, serial: str = "ZK1", records: bytes = b"", users: bytes = b"") -> None:
		self.serial = serial
		self.records = records
		self.users = users
		self.held = len(records) // 40
		self.users_held = len(users) // 72
		self.refuses_events = 0
		self.answer_delay = 0.0
		self.is_mute = False
		self.asked: Counter[int] = Counter()
		self.acknowledged = 0
		self.registered = threading.Event()
		self.connections = 0
		self.at_once = 0
		self.most_at_once = 0
		self.before_log: bytes = b""
		"""Sent in the middle of the answer to the question for the log."""
		self.before_sizes: bytes = b""
		"""Sent once before the answer to how much it holds, and counted in it."""
		self._lock = threading.Lock()
		self._stream: socket.socket | None = None
		self._listener = socket.create_server(("127.0.0.1", 0))
		self.port = int(self._listener.getsockname()[1])
		threading.Thread(target=self._accept, daemon=True).start()

	def __enter__(self) -> WireTerminal:
		return self

	def __exit__(self, *_exc: Any) -> None:
		self._listener.close()
		self.hang_up()

	def tell(self, data: bytes) -> None:
		assert self.registered.wait(5), "nobody listens"
		assert self._stream is not None
		with self._lock:
			self._stream.sendall(data)

	def hang_up(self) -> None:
		if self._stream is not None:
			with contextlib.suppress(OSError):
				self._stream.shutdown(socket.SHUT_RDWR)

	def _accept(self) -> None:
		while True:
			try:
				stream, _address = self._listener.accept()
			except OSError:
				return
			self.connections += 1
			self.at_once += 1
			self.most_at_once = max(self.most_at_once, self.at_once)
			threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

	def _serve(self, stream: socket.socket) -> None:
		self._stream = stream
		try:
			while True:
				top = _exactly(stream, 8)
				body = _exactly(stream, struct.unpack("<4sI", top)[1])
				command, _checksum, session, reply = struct.unpack("<4H", body[:8])
				if command == ACK_OK:
					assert (session, reply) == (SESSION, 0)
					self.acknowledged += 1
					continue
				self.asked[command] += 1
				if self.is_mute:
					continue
				time.sleep(self.answer_delay)
				answer, data = self._answer(command, body[8:])
				with self._lock:
					stream.sendall(packet(answer, data, SESSION, reply))
				if command == EXIT:
					return
		except (OSError, EOFError):
			pass
		finally:
			self.at_once -= 1
			self.registered.clear()
			stream.close()

	def _answer(self, command: int, data: bytes) -> tuple[int, bytes]:
		if command == OPTIONS and data.startswith(b"~SerialNumber"):
			return ACK_OK, b"~SerialNumber=" + self.serial.encode() + b"\0"
		if command == SIZES:
			if self.before_sizes and self._stream is not None:
				self._stream.sendall(self.before_sizes)
				self.before_sizes, self.held = b"", self.held + 1
			numbers = [0] * 23
			numbers[4], numbers[8], numbers[16] = self.users_held, self.held, 100_000
			return ACK_OK, struct.pack("<23i", *numbers)
		if command == REG_EVENT:
			if self.refuses_events:
				return self.refuses_events, b""
			if int.from_bytes(data[:4], "little"):
				self.registered.set()
			else:
				self.registered.clear()
			return ACK_OK, b""
		if command == PREPARE_BUFFER:
			wanted = struct.unpack("<bhii", data)[1]
			if wanted == LOG and self._stream is not None:
				self._stream.sendall(self.before_log)
			held = self.records if wanted == LOG else self.users
			return DATA, len(held).to_bytes(4, "little") + held
		if command == GET_TIME:
			return ACK_OK, bytes(4)
		return (ACK_OK, b"") if command in (CONNECT, EXIT, FREE_DATA) else (ACK_UNKNOWN, b"")


def _exactly(stream: socket.socket, size: int) -> bytes:
	heard = b""
	while len(heard) < size:
		piece = stream.recv(size - len(heard))
		if not piece:
			raise EOFError
		heard += piece
	return heard
