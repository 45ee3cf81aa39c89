"""A terminal reduced to its sockets: a test says, byte for byte, what it answers and when."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

CHALLENGE = (
	b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest qop="auth", realm="T", nonce="n1"\r\n'
	b"Content-Length: 0\r\n\r\n"
)
DEVICE_INFO = b"<DeviceInfo><serialNumber>HIK-1</serialNumber><model>M</model></DeviceInfo>"


def answer(body: bytes, status: str = "200 OK", **fields: str) -> bytes:
	lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
	return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


class StreamServer:
	"""Answers every question with `respond(request head, body, connection)`, each connection in a thread."""

	def __init__(self, respond: Callable[[str, bytes, socket.socket], None]) -> None:
		self._respond = respond
		self._listener = socket.create_server(("127.0.0.1", 0))
		self.port = int(self._listener.getsockname()[1])
		self.asked: list[str] = []
		"""Request heads, in their order."""
		self.ended = threading.Event()
		self._connections: list[socket.socket] = []
		threading.Thread(target=self._accept, daemon=True).start()

	def __enter__(self) -> StreamServer:
		return self

	def __exit__(self, *_exc: Any) -> None:
		self.ended.set()
		self._listener.close()
		self.hang_up()

	def hang_up(self) -> None:
		for connection in self._connections:
			with contextlib.suppress(OSError):
				connection.shutdown(socket.SHUT_RDWR)
			connection.close()
		self._connections.clear()

	def _accept(self) -> None:
		while not self.ended.is_set():
			try:
				connection, _address = self._listener.accept()
			except OSError:
				return
			self._connections.append(connection)
			threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

	def _serve(self, connection: socket.socket) -> None:
		try:
			while not self.ended.is_set():
				head, _, rest = _until(connection, b"\r\n\r\n").partition(b"\r\n\r\n")
				text = head.decode("latin-1")
				wanted = next(
					(
						int(line[15:])
						for line in text.splitlines()
						if line.lower().startswith("content-length:")
					),
					0,
				)
				while len(rest) < wanted:
					rest += connection.recv(65536)
				self.asked.append(text)
				self._respond(text, rest, connection)
		except (OSError, EOFError):
			connection.close()


def _until(connection: socket.socket, mark: bytes) -> bytes:
	heard = b""
	while mark not in heard:
		piece = connection.recv(65536)
		if not piece:
			raise EOFError
		heard += piece
	return heard
