"""One keep-alive connection to a site, and exactly one attempt per request.

The standard library's `http.client` is used rather than a library with sessions, because for a post one fact
counts above all: whether a byte of it can have left. Connecting is a step of its own here; what fails in it
was not sent, what fails after it may have been. Nothing is ever repeated, no redirect followed, no cookie
kept (a `sid` cookie would put Frappe's session in the place of the token), no environment variable read.
"""

from __future__ import annotations

import contextlib
import io
import json
import selectors
import socket
import ssl
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from attendance_bridge import __version__
from attendance_bridge.core.errors import Code, ConfigError, UpstreamError
from attendance_bridge.upstreams._frappe.answers import Answer
from attendance_bridge.upstreams._frappe.config import SiteConfig
from attendance_bridge.upstreams._frappe.pace import Pace

MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""Headers and body together; 5,000 employees with every field full stay below it."""

Timer = Callable[[], float]
"""Seconds of a clock that is never set, such as `time.monotonic`."""


class AnswerLostError(UpstreamError):
	"""The request, or a part of it, was sent and no whole answer came: what became of it is unknown."""


class Client:
	"""Not to be shared between threads."""

	def __init__(self, config: SiteConfig, *, tls: ssl.SSLContext | None, timer: Timer, pace: Pace) -> None:
		"""
		:param tls: from `tls_context`; shared by all clients of a site, as is `pace`.
		"""
		self._config = config
		self._tls = tls
		self._timer = timer
		self._pace = pace
		self._connection: HTTPConnection | None = None
		parts = urlsplit(config.url)
		self._host = parts.hostname or ""
		self._port = parts.port or (443 if parts.scheme == "https" else 80)
		self._prefix = parts.path.rstrip("/")

	def get(self, path: str, query: Mapping[str, str]) -> Answer:
		"""
		:param path: below the site's address, unquoted.
		:raises UpstreamError: no answer.
		"""
		return self._exchange("GET", f"{self._target(path)}?{urlencode(query, quote_via=quote)}", None)

	def post(self, path: str, fields: Mapping[str, object]) -> Answer:
		"""
		:param fields: the arguments; sent as JSON.
		:raises AnswerLostError: it may have been carried out.
		:raises UpstreamError: it was certainly not sent.
		"""
		return self._exchange("POST", self._target(path), json.dumps(fields).encode("ascii"))

	def close(self) -> None:
		"""Never raises."""
		if self._connection is not None:
			with contextlib.suppress(OSError):
				self._connection.close()
			self._connection = None

	def _target(self, path: str) -> str:
		return f"{self._prefix}{quote(path)}"

	def _exchange(self, method: str, target: str, body: bytes | None) -> Answer:
		self._pace.wait()
		connection = self._connected()
		answer: Answer | None = None
		try:
			deadline = self._timer() + self._config.timeout
			connection.sock.settimeout(self._config.timeout)
			connection.response_class = _response_class(deadline, self._timer)
			connection.request(method, target, body=body, headers=self._headers(body is not None))
			with connection.getresponse() as response:
				answer = _read(response, self._config.url)
		except _TooMuch:
			raise self._lost(Code.TOO_LARGE) from None
		except TimeoutError:
			raise self._lost(Code.TIMEOUT) from None
		except OSError:  # http.client.RemoteDisconnected among them
			raise self._lost(Code.CONNECTION_LOST) from None
		except IncompleteRead:
			raise self._lost(Code.CONNECTION_LOST) from None
		except (HTTPException, ValueError):
			raise self._lost(Code.GARBAGE) from None
		finally:
			if answer is None:
				self.close()
		return answer

	def _headers(self, has_body: bool) -> dict[str, str]:
		headers = {
			"Accept": "application/json",
			"User-Agent": f"attendance_bridge/{__version__}",
			"Authorization": (f"token {self._config.api_key.reveal()}:{self._config.api_secret.reveal()}"),
		}
		if has_body:
			headers["Content-Type"] = "application/json"
		return headers

	def _connected(self) -> HTTPConnection:
		connection = self._connection
		if connection is not None and (connection.sock is None or _is_stale(connection.sock)):
			self.close()
			connection = None
		return connection or self._connect()

	def _connect(self) -> HTTPConnection:
		connection = self._new_connection()
		try:
			connection.connect()
		except (OSError, HTTPException, ValueError) as error:
			connection.close()
			code = Code.TLS_UNTRUSTED if isinstance(error, ssl.SSLError) else Code.UNREACHABLE
			raise UpstreamError(code, retryable=True, url=self._config.url, reason=_reason(error)) from None
		self._connection = connection
		return connection

	def _new_connection(self) -> HTTPConnection:
		timeout = self._config.connect_timeout
		if self._tls is None:
			return HTTPConnection(self._host, self._port, timeout=timeout)
		if not self._config.proxy:
			return HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)
		proxy = urlsplit(self._config.proxy)
		connection = HTTPSConnection(proxy.hostname or "", proxy.port, timeout=timeout, context=self._tls)
		connection.set_tunnel(self._host, self._port)
		return connection

	def _lost(self, code: Code) -> AnswerLostError:
		return AnswerLostError(code, retryable=True, url=self._config.url)


def tls_context(config: SiteConfig) -> ssl.SSLContext | None:
	"""The trust that `config` asks for; None for plain HTTP.

	:raises ConfigError: UNREADABLE_FILE, the file of authorities cannot be used.
	"""
	if urlsplit(config.url).scheme == "http":
		return None
	try:
		context = ssl.create_default_context(cafile=config.ca_file or None)
	except OSError as error:
		raise ConfigError(
			Code.UNREADABLE_FILE, path=config.ca_file, why=error.strerror or "not a PEM file"
		) from None
	if not config.verify_tls:
		context.check_hostname = False
		context.verify_mode = ssl.CERT_NONE
	return context


def _reason(error: Exception) -> str:
	if isinstance(error, ssl.SSLCertVerificationError):
		return "certificate"
	if isinstance(error, ssl.SSLError):
		return "tls"
	if isinstance(error, socket.gaierror):
		return "name"
	if isinstance(error, TimeoutError):
		return "timeout"
	return "connect"


def _is_stale(sock: socket.socket) -> bool:
	"""Whether an idle connection has something to read: that can only be its end."""
	with selectors.DefaultSelector() as selector:
		selector.register(sock, selectors.EVENT_READ)
		return bool(selector.select(timeout=0))


def _read(response: HTTPResponse, url: str) -> Answer:
	# A length beyond the bound is refused before anybody sets memory aside for it.
	if response.length is not None and response.length > MAX_ANSWER_BYTES:
		raise _TooMuch
	body = response.read(MAX_ANSWER_BYTES + 1)
	if len(body) > MAX_ANSWER_BYTES:
		raise _TooMuch
	if response.length:  # read(n) keeps silent about an early end
		raise IncompleteRead(body, response.length)
	return Answer(
		url=url,
		status=response.status,
		body=body,
		retry_after=response.getheader("Retry-After") or "",
		date=response.getheader("Date") or "",
		location=response.getheader("Location") or "",
	)


class _TooMuch(Exception):  # noqa: N818  # a signal inside this module
	"""The bound on the size of an answer is reached."""


def _response_class(deadline: float, timer: Timer) -> Any:
	"""An HTTPResponse that must be complete at `deadline`, however slowly its bytes trickle in."""

	class Response(HTTPResponse):
		def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
			super().__init__(_BoundedSocket(sock, deadline, timer), *args, **kwargs)  # type: ignore[arg-type]

	return Response


class _BoundedSocket:
	"""The part of a socket that HTTPResponse uses."""

	def __init__(self, sock: socket.socket, deadline: float, timer: Timer) -> None:
		self._sock, self._deadline, self._timer = sock, deadline, timer

	def makefile(self, mode: str) -> io.BufferedReader:
		return io.BufferedReader(_BoundedStream(self._sock, self._deadline, self._timer))


class _BoundedStream(io.RawIOBase):
	def __init__(self, sock: socket.socket, deadline: float, timer: Timer) -> None:
		# The stream of the socket itself keeps it open after HTTPConnection has let go of it.
		self._stream = sock.makefile("rb", buffering=0)
		self._sock, self._deadline, self._timer = sock, deadline, timer
		self._left = MAX_ANSWER_BYTES + 64 * 1024

	def readable(self) -> bool:
		return True

	def readinto(self, buffer: Any) -> int | None:
		seconds = self._deadline - self._timer()
		if seconds <= 0:
			raise TimeoutError
		self._sock.settimeout(seconds)
		count = self._stream.readinto(buffer)
		self._left -= count or 0
		if self._left < 0:
			raise _TooMuch
		return count

	def close(self) -> None:
		self._stream.close()
		super().close()
