"""An HTTP answer, read piece by piece: its head, and a body with a length, in chunks or without an end.

Sans-I/O, and bounded: a head of 32 kB, a line of a chunk of 4 kB. The body is handed out as it comes.
"""

from __future__ import annotations

import re

MAX_HEAD = 32 * 1024
MAX_CHUNK_LINE = 4096

_STATUS = re.compile(r"HTTP/1\.[01] (\d{3})(?: |$)")
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")


class BadAnswerError(Exception):
	"""It is not HTTP."""


class Answer:
	"""One answer."""

	def __init__(self) -> None:
		self.status = 0
		"""0 until the head is complete."""
		self.is_complete = False
		"""Nothing of the body is to come. Never, for one that ends with the connection."""
		self._fields: dict[str, str] = {}
		self._buffer = bytearray()
		self._is_chunked = False
		self._left: int | None = None
		"""Of the body, or of the chunk; None: up to the end of the connection, or the line of a chunk."""

	def field(self, name: str) -> str:
		"""A header field by its lower-case name, in wire characters; empty if there is none."""
		return self._fields.get(name, "")

	def feed(self, data: bytes) -> bytes:
		"""What of the body came with it.

		:raises BadAnswerError: it is no answer.
		"""
		self._buffer += data
		if not self.status and not self._read_head():
			return b""
		if self._is_chunked:
			return self._read_chunks()
		return self._read_plain()

	def _read_head(self) -> bool:
		while True:
			end = self._buffer.find(b"\r\n\r\n")
			if end < 0:
				if len(self._buffer) > MAX_HEAD:
					raise BadAnswerError
				return False
			lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
			del self._buffer[: end + 4]
			found = _STATUS.match(lines[0])
			if found is None or end > MAX_HEAD:
				raise BadAnswerError
			status = int(found.group(1))
			if status >= 200:
				break  # what comes before is 100 Continue and the like
		self._fields = {}
		for line in lines[1:]:
			name, _, value = line.partition(":")
			self._note_field(name.strip().lower(), value.strip())
		self._frame(status)
		self.status = status
		return True

	def _note_field(self, name: str, value: str) -> None:
		before = self._fields.get(name)
		self._fields[name] = value if before is None else f"{before}, {value}"

	def _frame(self, status: int) -> None:
		length = self.field("content-length")
		self._is_chunked = "chunked" in self.field("transfer-encoding").lower()
		if not self._is_chunked and length.isascii() and length.isdigit() and len(length) < 16:
			self._left = int(length)
		self.is_complete = status in (204, 304) or self._left == 0

	def _read_plain(self) -> bytes:
		if self.is_complete:
			self._buffer.clear()
			return b""
		size = len(self._buffer) if self._left is None else min(self._left, len(self._buffer))
		data = bytes(self._buffer[:size])
		del self._buffer[:size]
		if self._left is not None:
			self._left -= size
			self.is_complete = self._left == 0
		return data

	def _read_chunks(self) -> bytes:
		body = bytearray()
		while not self.is_complete:
			if self._left is None:
				if not self._read_chunk_line():
					break
				continue
			taken = min(self._left, len(self._buffer))
			body += self._buffer[:taken]
			del self._buffer[:taken]
			self._left -= taken
			if self._left:
				break
			self._left = None
		return bytes(body)

	def _read_chunk_line(self) -> bool:
		"""The size of the next chunk; an empty line before it belongs to the last one."""
		end = self._buffer.find(b"\n")
		if end < 0:
			if len(self._buffer) > MAX_CHUNK_LINE:
				raise BadAnswerError
			return False
		line = bytes(self._buffer[:end]).strip()
		del self._buffer[: end + 1]
		if line:
			found = _SIZE.match(line)
			if found is None or end > MAX_CHUNK_LINE:
				raise BadAnswerError
			self._left = int(found.group(), 16)
			self.is_complete = self._left == 0
		return True
