"""The alert stream of a Hikvision terminal: one answer over HTTP that never ends.

The question is asked and authenticated by the rules of `transport`; only what carries it is different: a
socket of our own, because an answer without end has to be waited for in small steps, and the ready-made
clients give a connection up at the first time-out.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Page
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.host import url_host
from attendance_bridge.drivers.hikvision_isapi.config import Config
from attendance_bridge.drivers.hikvision_isapi.http_answer import Answer, BadAnswerError
from attendance_bridge.drivers.hikvision_isapi.notifications import NotificationReader
from attendance_bridge.drivers.hikvision_isapi.parts import PartReader
from attendance_bridge.drivers.hikvision_isapi.transport import MAX_BODY, Conversation, Reply, read_reply

logger = logging.getLogger(__name__)

ALERT_STREAM = "/ISAPI/Event/notification/alertStream"

SILENCE_SECONDS = 90.0
"""A terminal sends a heartbeat at least every 30 seconds (`subscribeEventCap`: 1..30); two may be missed."""
LOOK_SECONDS = 0.5
"""How often to look whether to stop."""
MAX_PASSED_OVER = 4 * 1024 * 1024
"""Bytes that belong to no document, one after the other: then it is no alert stream."""
_PIECE = 65_536


class AlertStream(Conversation):
	"""One connection. Not for use by several threads."""

	def __init__(self, config: Config) -> None:
		super().__init__(config)
		self._where = config
		self._socket: socket.socket | None = None
		self._answer = Answer()
		self._begun = b""

	def listen(self, reader: NotificationReader, stop: Callable[[], bool]) -> Iterator[Page]:
		"""See `core.driver.LiveDriver.listen`.

		:raises DeviceError: also CONNECTION_LOST (`silent_seconds`), when not even a heartbeat comes.
		"""
		reply = self._send_authenticated("GET", ALERT_STREAM, None, "application/xml")
		if self._socket is None:
			read_reply(reply, ALERT_STREAM)
			raise DeviceError(Code.NOT_SUPPORTED, status=reply.status, path=ALERT_STREAM)
		parts = PartReader(reply.content_type)
		yield Page(punches=(), cursor=START)
		heard_at, data = time.monotonic(), self._begun
		while not stop():
			found = parts.feed(data)
			if parts.passed_over > MAX_PASSED_OVER:
				raise self._failure(Code.GARBAGE, retryable=True)
			if found:
				heard_at = time.monotonic()
				yield from reader.read(found)
			elif time.monotonic() - heard_at > SILENCE_SECONDS:
				raise self._failure(Code.CONNECTION_LOST, retryable=True, silent_seconds=SILENCE_SECONDS)
			data = self._wait()

	def close(self) -> None:
		self._hang_up()
		super().close()

	def _wait(self) -> bytes:
		"""What has come; nothing if nothing has for a moment.

		:raises DeviceError: the terminal ended the stream, or the connection broke.
		"""
		received = b"" if self._answer.is_complete else self._receive(LOOK_SECONDS)
		if received is None:
			return b""
		if not received:
			raise self._failure(Code.CONNECTION_LOST, retryable=True)
		try:
			return self._answer.feed(received)
		except BadAnswerError:
			raise self._failure(Code.GARBAGE, retryable=True) from None

	# --- what carries the question, in the place of `requests`

	def _transmit(
		self, method: str, path: str, body: bytes | None, content_type: str, proof: str | None
	) -> Reply:
		self._hang_up()
		self._socket = self._connect()
		try:
			self._socket.sendall(_question(self._where, path, proof))
			data = self._read_head()
			answer = self._answer
			if answer.status == 200 and path == ALERT_STREAM:
				self._begun = data
				return Reply(200, b"", "", answer.field("content-type"))
			data += self._read_rest(len(data))
		except BadAnswerError:
			raise self._failure(Code.GARBAGE, path=path) from None
		except OSError as error:
			self._hang_up()
			code = Code.TIMEOUT if isinstance(error, TimeoutError) else Code.CONNECTION_LOST
			raise self._failure(code, retryable=True, path=path) from None
		self._hang_up()
		return Reply(answer.status, data, answer.field("www-authenticate"), answer.field("content-type"))

	def _connect(self) -> socket.socket:
		config = self._where
		try:
			opened = socket.create_connection((config.host, config.effective_port), config.connect_timeout)
		except OSError:
			raise self._failure(Code.UNREACHABLE, retryable=True) from None
		if not config.https:
			return opened
		try:
			opened.settimeout(config.timeout)
			return _tls(config).wrap_socket(opened, server_hostname=config.host)
		except (OSError, ValueError) as error:
			opened.close()
			if isinstance(error, (ssl.SSLError, ValueError)):
				raise self._failure(Code.TLS_UNTRUSTED) from None
			raise self._failure(Code.CONNECTION_LOST, retryable=True) from None

	def _read_head(self) -> bytes:
		"""Read up to the end of the head; returns what of the body came with it."""
		self._answer, deadline = Answer(), time.monotonic() + self._where.timeout
		while True:
			data = self._answer.feed(self._read_until(deadline))
			if self._answer.status:
				return data

	def _read_rest(self, size: int) -> bytes:
		deadline, body = time.monotonic() + self._where.timeout, bytearray()
		while not self._answer.is_complete:
			try:
				body += self._answer.feed(self._read_until(deadline))
			except ConnectionError:
				break  # a body without a length ends so
			if size + len(body) > MAX_BODY:
				raise DeviceError(Code.TOO_LARGE, limit=MAX_BODY)
		return bytes(body)

	def _read_until(self, deadline: float) -> bytes:
		received = self._receive(deadline - time.monotonic())
		if received is None:
			raise TimeoutError
		if not received:
			raise ConnectionResetError
		return received

	def _receive(self, seconds: float) -> bytes | None:
		"""What has come; None after a silence, nothing when the other side has ended."""
		if self._socket is None or seconds <= 0:
			return None
		try:
			self._socket.settimeout(seconds)
			return self._socket.recv(_PIECE)
		except (TimeoutError, ssl.SSLWantReadError):
			return None
		except OSError:
			return b""

	def _hang_up(self) -> None:
		if self._socket is not None:
			self._socket.close()
			self._socket = None

	def _failure(self, code: Code, *, retryable: bool = False, **details: object) -> DeviceError:
		config = self._where
		facts: dict[str, object] = {"path": ALERT_STREAM, **details}
		return DeviceError(code, retryable=retryable, host=config.host, port=config.effective_port, **facts)


def _question(config: Config, path: str, proof: str | None) -> bytes:
	lines = [
		f"GET {path} HTTP/1.1",
		f"Host: {url_host(config.host)}:{config.effective_port}",
		"User-Agent: attendance-bridge",
		"Accept: */*",
		"Accept-Encoding: identity",
		"Connection: keep-alive",
	]
	if proof is not None:
		lines.append(f"Authorization: {proof}")
	return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _tls(config: Config) -> ssl.SSLContext:
	# The same authorities as for every other question to this terminal.
	context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
	if not config.verify_tls:
		context.check_hostname = False
		context.verify_mode = ssl.CERT_NONE
	return context
