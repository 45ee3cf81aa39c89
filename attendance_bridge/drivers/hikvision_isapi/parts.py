"""Documents out of a stream of multipart parts that keeps to its own rules only.

Terminals send parts whose boundary is not the announced one, or announce none; they leave out Content-Length
or get it wrong; some send bare documents one after the other. A delimiter that comes before the *next* part
is no sign of the end of this one: it may come hours later. So a document ends where its own grammar says so
(the last brace, the end tag of the root), and delimiters only help to find the way again after damage.

Sans-I/O: bytes in whatever pieces, documents out. Bounded: what is too large is passed over and told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

MAX_DOCUMENT = 512 * 1024
"""Bytes. An event has some 2 kB; pictures are no documents and are never kept."""
MAX_HEADERS = 8 * 1024
MAX_DEPTH = 64
MAX_CONTENT_LENGTH = 1 << 40
_MAX_STRAYS = 1000
"""Lines of one request that belong to nothing; what comes after so many is not looked at."""
_PIECE = 16 * 1024

_NAMED_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_HEADER = re.compile(rb"[A-Za-z0-9-]{1,64}[ \t]*:")
_TOKEN = re.compile(rb'["\\{}\[\]\n]')
_ROOT = re.compile(rb"<([A-Za-z_][A-Za-z0-9_.:-]{0,127})(?=[\s/>])")
_PROLOGUE = re.compile(rb"\s*(?:<\?[^>]{0,500}\?>\s*|<!--.{0,2000}?-->\s*)*", re.DOTALL)
_BARE = re.compile(rb"\n[{<]")
"""Where, among documents without delimiters, the next one begins."""
_HOLLOW = re.compile(rb"(?:[ \t\r\n\0]+|\xef\xbb\xbf)*")
"""What may stand between documents: blanks, and marks of byte order."""


@dataclass(frozen=True, slots=True)
class Part:
	"""One document as it came; `body` is empty where it was passed over: it was damaged, or too large."""

	body: bytes

	@property
	def is_lost(self) -> bool:
		return not self.body


class _State(Enum):
	SEEK = auto()
	HEADERS = auto()
	JSON = auto()
	XML = auto()
	BINARY = auto()
	"""To be passed over: so many bytes, or up to the next delimiter."""
	LOST = auto()
	"""The rest of a document that was given up."""


class _End(Enum):
	OF_DOCUMENT = auto()
	LOST = auto()
	NOT_YET = auto()


class PartReader:
	"""Reads one stream."""

	def __init__(self, content_type: str = "", *, max_document: int = MAX_DOCUMENT) -> None:
		"""
		:param content_type: the field of the answer or request; its boundary is a hint, no more.
		"""
		self._limit = max_document
		self._buffer = bytearray()
		self._scanned = 0
		"""Bytes of the buffer that need not be looked at again."""
		self._state = _State.SEEK
		self._left: int | None = None
		self._boundary = _boundary(content_type)
		self._has_delimiters = bool(self._boundary)
		self._depth = 0
		self._in_text = False
		self._root = b""
		self.passed_over = 0
		"""Bytes that belonged to nothing since the last document; a caller may lose its patience."""
		self.strays = 0
		"""Lines likewise, and heads: each takes as long as a document."""

	def feed(self, data: bytes) -> list[Part]:
		"""The documents that are complete now. Never raises."""
		self._buffer += data
		parts: list[Part] = []
		while self._step(parts):
			pass
		return parts

	def close(self) -> list[Part]:
		"""The stream has ended: what was begun and not finished is lost."""
		begun = self._state in (_State.JSON, _State.XML)
		self._become(_State.SEEK)
		self._buffer.clear()
		return [Part(b"")] if begun else []

	def _step(self, parts: list[Part]) -> bool:
		"""Go one step further; False if that takes more bytes."""
		if self._state is _State.SEEK:
			return self._seek()
		if self._state is _State.HEADERS:
			return self._read_headers()
		if self._state is _State.JSON:
			return self._read_json(parts)
		if self._state is _State.XML:
			return self._read_xml(parts)
		return self._pass_over()

	# --- between documents

	def _seek(self) -> bool:
		buffer = self._buffer
		start = _first_solid(buffer)
		if start == len(buffer):
			self._drop(start)
			return False
		self._drop(start)
		first = buffer[0:1]
		if first == b"{":
			return self._begin(_State.JSON)
		if first == b"<":
			return self._begin(_State.XML)
		end = buffer.find(b"\n")
		if end < 0:
			if len(buffer) > MAX_HEADERS:
				self.passed_over += len(buffer)
				self._drop(len(buffer))
			return False
		line = bytes(buffer[:end]).strip()
		if line.startswith(b"--"):
			self._learn(line)
			self._stray(end + 1)
			return self._begin(_State.HEADERS)
		if _HEADER.match(line):
			return self._begin(_State.HEADERS)
		self._stray(end + 1)
		return True

	def _stray(self, count: int) -> None:
		self.strays += 1
		self.passed_over += count
		self._drop(count)

	def _learn(self, line: bytes) -> None:
		self._has_delimiters = True
		if len(line) <= 202 and not line.endswith(b"--"):
			self._boundary = line[2:]

	def _read_headers(self) -> bool:
		"""Header fields up to an empty line; a document that begins without one is taken as it is."""
		buffer = self._buffer
		while True:
			end = buffer.find(b"\n", self._scanned)
			if self._scanned == 0 and buffer.startswith((b"{", b"<")):
				return self._begin(_State.SEEK)
			if end < 0:
				return self._give_up_headers(len(buffer)) if len(buffer) > MAX_HEADERS else False
			line = bytes(buffer[self._scanned : end]).strip()
			if not line:
				head = bytes(buffer[: self._scanned])
				self._drop(end + 1)
				return self._enter_body(head)
			if not _HEADER.match(line):
				return self._give_up_headers(self._scanned)
			if end > MAX_HEADERS:
				return self._give_up_headers(end + 1)
			self._scanned = end + 1

	def _give_up_headers(self, count: int) -> bool:
		self._stray(count)
		return self._begin(_State.SEEK)

	def _enter_body(self, head: bytes) -> bool:
		self.strays += 1  # until a document follows
		fields = _fields(head)
		kind = fields.get(b"content-type", b"").lower()
		length = fields.get(b"content-length", b"")
		if kind.startswith((b"image/", b"video/", b"audio/", b"application/octet-stream")):
			known = length.isdigit() and len(length) < 14 and int(length) <= MAX_CONTENT_LENGTH
			self._left = int(length) if known else None
			return self._begin(_State.BINARY)
		return self._begin(_State.SEEK)

	# --- in a document

	def _read_json(self, parts: list[Part]) -> bool:
		end, position = self._scan_json()
		if end is _End.OF_DOCUMENT:
			return self._take(parts, position)
		if end is _End.LOST:
			return self._lose(parts, position)
		self._scanned = position
		return self._bounded(parts)

	def _scan_json(self) -> tuple[_End, int]:
		"""How the document goes on, and where: its end, where it is lost, or where to look on."""
		buffer, position = self._buffer, self._scanned
		for match in _TOKEN.finditer(buffer, position):
			at, token = match.start(), match.group()
			if at < position:
				continue
			position = at + 1
			if token == b"\n":
				if self._is_delimiter(position):
					return _End.LOST, position
				if self._is_delimiter(position, may_come=True):
					return _End.NOT_YET, at
			elif token == b"\\" and self._in_text:
				position = at + 2  # may lie behind what has come so far
			else:
				self._count(token)
				if self._depth > MAX_DEPTH:
					return _End.LOST, position
				if self._depth == 0:
					return _End.OF_DOCUMENT, position
		return _End.NOT_YET, max(position, len(buffer))

	def _count(self, token: bytes) -> None:
		if token == b'"':
			self._in_text = not self._in_text
		elif not self._in_text:
			self._depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(token, 0)

	def _read_xml(self, parts: list[Part]) -> bool:
		buffer = self._buffer
		lost = self._find_delimiter(max(0, self._scanned - len(self._boundary) - 4))
		end_of_buffer = len(buffer) if lost is None else lost
		if not self._root:
			prologue = _PROLOGUE.match(buffer)
			found = _ROOT.match(buffer, prologue.end() if prologue else 0)
			end = buffer.find(b">", found.end(), end_of_buffer) if found else -1
			if found is None or end < 0:
				return self._wait_for_root(parts, lost)
			self._root = found.group(1)
			self._scanned = found.end()
			if buffer[end - 1 : end] == b"/":
				return self._take(parts, end + 1)
		tag = b"</" + self._root
		at = buffer.find(tag, max(0, self._scanned - len(tag)), end_of_buffer)
		end = buffer.find(b">", at, end_of_buffer) if at >= 0 else -1
		if end >= 0:
			return self._take(parts, end + 1)
		if lost is not None:
			return self._lose(parts, lost)
		self._scanned = at if at >= 0 else len(buffer)
		return self._bounded(parts)

	def _wait_for_root(self, parts: list[Part], lost: int | None) -> bool:
		"""No root yet: wait for it, unless a delimiter says that none will come."""
		if lost is not None:
			return self._lose(parts, lost)
		if len(self._buffer) > MAX_HEADERS:
			return self._lose(parts, 1)
		return False

	def _bounded(self, parts: list[Part]) -> bool:
		return self._lose(parts, len(self._buffer)) if len(self._buffer) > self._limit else False

	def _take(self, parts: list[Part], end: int) -> bool:
		body = bytes(self._buffer[:end])
		parts.append(Part(body) if len(body) <= self._limit else Part(b""))
		self.passed_over = self.strays = 0
		self._drop(end)
		return self._begin(_State.SEEK)

	def _lose(self, parts: list[Part], end: int) -> bool:
		"""Give this document up; the rest of it is passed over up to a delimiter."""
		parts.append(Part(b""))
		self._drop(end)
		self._left = None
		return self._begin(_State.LOST)

	# --- passing over

	def _pass_over(self) -> bool:
		buffer = self._buffer
		if self._left is not None:
			return self._pass_over_announced(self._left)
		if self._is_delimiter(0):
			return self._begin(_State.SEEK)
		at = self._find_delimiter(0)
		if at is None and self._state is _State.LOST and not self._has_delimiters:
			bare = _BARE.search(buffer)
			at = bare.end() - 1 if bare else None
		dropped = at if at is not None else max(0, len(buffer) - len(self._boundary) - 4)
		if self._state is _State.LOST:
			self.passed_over += dropped
		self._drop(dropped)
		return False if at is None else self._begin(_State.SEEK)

	def _pass_over_announced(self, left: int) -> bool:
		"""So many bytes, or fewer: where a delimiter comes before their end, the length was wrong."""
		at = self._find_delimiter(0) if self._boundary else None
		if at is not None and at < left:
			self._drop(at)
			return self._begin(_State.SEEK)
		if left <= len(self._buffer):
			self._drop(left)
			return self._begin(_State.SEEK)
		# The beginning of a delimiter may have come.
		taken = max(0, len(self._buffer) - len(self._boundary) - 4)
		self._left = left - taken
		self._drop(taken)
		return False

	def _is_delimiter(self, at: int, *, may_come: bool = False) -> bool:
		"""Whether a delimiter stands here.

		:param may_come: also if what has come is only its beginning.
		"""
		wanted = b"--" + self._boundary
		here = bytes(self._buffer[at : at + len(wanted)])
		if may_come:
			return len(here) < len(wanted) and wanted.startswith(here)
		return here == wanted

	def _find_delimiter(self, start: int) -> int | None:
		at = self._buffer.find(b"\n--" + self._boundary, start)
		return None if at < 0 else at + 1

	def _begin(self, state: _State) -> bool:
		self._become(state)
		return True

	def _become(self, state: _State) -> None:
		self._state = state
		self._scanned = self._depth = 0
		self._in_text = False
		self._root = b""

	def _drop(self, count: int) -> None:
		del self._buffer[:count]
		self._scanned = 0


def split_documents(content_type: str, body: bytes) -> list[Part]:
	"""The documents of a whole request: multipart, or one bare document, whatever its header says."""
	reader = PartReader(content_type)
	parts: list[Part] = []
	for start in range(0, len(body), _PIECE):
		parts += reader.feed(body[start : start + _PIECE])
		if reader.strays > _MAX_STRAYS:
			return [*parts, Part(b"")]
	return [*parts, *reader.close()]


def _boundary(content_type: str) -> bytes:
	found = _NAMED_BOUNDARY.search(content_type[:1000])
	if found is None:
		return b""
	return (found.group(1) or found.group(2)).encode("utf-8", "replace")


def _first_solid(buffer: bytearray) -> int:
	found = _HOLLOW.match(buffer)
	return found.end() if found else 0


def _fields(head: bytes) -> dict[bytes, bytes]:
	fields: dict[bytes, bytes] = {}
	for line in head.split(b"\n"):
		name, _, value = line.partition(b":")
		fields.setdefault(name.strip().lower(), value.strip())
	return fields
