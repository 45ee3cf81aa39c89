"""One HTTP/1.1 exchange as a terminal does it, without sockets: bytes of a request, bytes of an answer."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_HEAD = 16 * 1024
MAX_BODY = 1024 * 1024
_NO_BODY = (204, 304)


class BadReplyError(Exception):
	"""What came is no HTTP answer, or a longer one than a terminal can hold."""


@dataclass(frozen=True, slots=True)
class Reply:
	status: int
	headers: dict[str, str]
	"""Names in lower case."""
	body: bytes

	@property
	def text(self) -> str:
		return self.body.decode("utf-8", "replace")

	@property
	def is_kept_alive(self) -> bool:
		return self.headers.get("connection", "").lower() != "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
	"""A request, and what goes wrong while it is sent."""

	method: str
	target: str
	body: bytes = b""
	headers: dict[str, str] = field(default_factory=dict)
	keeps_alive: bool = False
	breaks_off: bool = False
	"""Half the body is sent, then the connection breaks."""
	is_deaf: bool = False
	"""All of it is sent, and the connection breaks before the answer is read."""
	drips: bool = False
	"""The body leaves in drops of a few bytes."""

	def encode(self, host: str) -> bytes:
		lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {host}", "User-Agent: iClock Proxy/1.09"]
		lines += [f"{name}: {value}" for name, value in self.headers.items()]
		lines.append(f"Connection: {'keep-alive' if self.keeps_alive else 'close'}")
		if self.method == "POST":
			lines.append(f"Content-Length: {len(self.body)}")
		return "\r\n".join([*lines, "", ""]).encode() + self.body


class ReplyReader:
	"""Puts an answer together from whatever pieces arrive."""

	def __init__(self) -> None:
		self._raw = bytearray()
		self._head: tuple[int, dict[str, str]] | None = None

	@property
	def has_begun(self) -> bool:
		return self._head is not None or bool(self._raw)

	def feed(self, piece: bytes) -> Reply | None:
		"""The answer once it is whole.

		:raises BadReplyError: it never will be.
		"""
		self._raw += piece
		if self._head is None and not self._read_head():
			return None
		return self._body(has_ended=False)

	def end(self) -> Reply | None:
		"""The server has closed the connection: the answer, if that is how it ends; else None.

		:raises BadReplyError: as `feed`.
		"""
		return None if self._head is None else self._body(has_ended=True)

	def _read_head(self) -> bool:
		end = self._raw.find(b"\r\n\r\n")
		if end < 0:
			if len(self._raw) > MAX_HEAD:
				raise BadReplyError("the head is too long")
			return False
		first, *others = self._raw[:end].decode("latin-1").split("\r\n")
		del self._raw[: end + 4]
		version, _, rest = first.partition(" ")
		status = rest[:3]
		if not version.startswith("HTTP/1.") or not (status.isascii() and status.isdecimal()):
			raise BadReplyError("no status line")
		headers = {}
		for line in others:
			name, _, value = line.partition(":")
			headers[name.strip().lower()] = value.strip()
		self._head = int(status), headers
		return True

	def _body(self, *, has_ended: bool) -> Reply | None:
		assert self._head is not None  # noqa: S101  # both callers have looked
		status, headers = self._head
		if status in _NO_BODY:
			return Reply(status, headers, b"")
		if "chunked" in headers.get("transfer-encoding", "").lower():
			body = _unchunk(self._raw)
		elif "content-length" in headers:
			length = _length(headers["content-length"])
			body = bytes(self._raw[:length]) if len(self._raw) >= length else None
		else:
			body = bytes(self._raw) if has_ended else None
		if body is None and len(self._raw) > MAX_BODY:
			raise BadReplyError("the body is too long")
		return None if body is None else Reply(status, headers, body)


def _length(text: str) -> int:
	if not (text.isascii() and text.isdecimal()) or int(text) > MAX_BODY:
		raise BadReplyError("no usable length")
	return int(text)


def _unchunk(raw: bytearray) -> bytes | None:
	"""The body of a chunked answer; None while the last chunk is missing."""
	body, place = bytearray(), 0
	while True:
		end = raw.find(b"\r\n", place)
		if end < 0:
			return None
		try:
			size = int(raw[place:end].split(b";")[0], 16)
		except ValueError:
			raise BadReplyError("no chunk size") from None
		if not 0 <= size <= MAX_BODY:
			raise BadReplyError("chunk too long")
		place = end + 2
		if size == 0:
			return bytes(body)
		if len(raw) < place + size + 2:
			return None
		body += raw[place : place + size]
		place += size + 2
