"""One conversation with a terminal: HTTP, digest authentication, bounded answers, errors as codes.

The rule that shapes it: terminals lock an account for half an hour after a few wrong passwords, so a refusal
of the credentials ends the conversation. The first request fetches a nonce (it goes without credentials, as
curl does); the nonce that was accepted then serves the requests that follow, counted, which halves the round
trips. A nonce grows old, and terminals answer 401 to that with and without `stale`; so a refusal of a *kept*
nonce is no verdict on the password: the new challenge is answered once, and only what is refused then ends
the conversation. A password that is changed in mid-conversation is thereby sent twice, never more often.
"""

from __future__ import annotations

import http.client
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import certifi
import urllib3

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.recording import Tape
from attendance_bridge.drivers.hikvision_isapi import digest
from attendance_bridge.drivers.hikvision_isapi.config import Config
from attendance_bridge.drivers.hikvision_isapi.documents import (
	Document,
	LoginState,
	XmlDocument,
	find_failure,
	find_login_state,
	read_document,
)

logger = logging.getLogger(__name__)

MAX_BODY = 2 * 1024 * 1024
"""Bytes. A page of 30 events has some 20 kB, the largest capabilities document some 100 kB."""
_CHUNK = 16 * 1024
_USER_CHECK = "/ISAPI/Security/userCheck"
_HEADERS = {
	"User-Agent": "attendance-bridge",
	"Accept": "*/*",
	"Accept-Encoding": "identity",
	"Connection": "keep-alive",
}
_JSON = "application/json"
_XML = "application/xml"


@dataclass(frozen=True, slots=True)
class Reply:
	status: int
	body: bytes
	challenge: str
	"""WWW-Authenticate; empty if there is none."""
	content_type: str


@dataclass(slots=True)
class _Proven:
	"""A challenge whose answer the terminal has accepted, or is about to judge."""

	challenge: digest.Challenge
	client_nonce: str
	"""The same for every use: with an algorithm of the `-sess` kind it is part of the session's secret."""
	uses: int = 0


class Conversation:
	"""Asks questions, one after the other, over one kept connection. Not for use by several threads."""

	def __init__(self, config: Config) -> None:
		self.tape: Tape | None = None
		"""What overhears the conversation, if anything does."""
		self._config = config
		self._refuse: Callable[[], DeviceError] | None = None
		self._proven: _Proven | None = None
		self._keeps_nonces = True
		"""Until the terminal refuses the second use of one."""
		# Not `requests`: its work for one request takes as long as all else here. Nor does this one ask the
		# environment for proxies or .netrc: the road to a terminal is what is configured.
		self._pools = urllib3.PoolManager(
			timeout=urllib3.Timeout(connect=config.connect_timeout, read=config.timeout),
			retries=False,
			cert_reqs="CERT_REQUIRED" if config.verify_tls else "CERT_NONE",
			ca_certs=certifi.where() if config.verify_tls else None,
		)
		self._pool: urllib3.HTTPConnectionPool | None = None
		"""Once it is known: the manager takes the address apart each time it is asked for it."""
		if config.https and not config.verify_tls:
			# It was chosen in the configuration: one line in the log instead of one warning a request.
			urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
			logger.warning("the certificate of %s is not checked", config.host)

	def close(self) -> None:
		"""Close the connection."""
		self._pool = None
		self._pools.clear()

	def ask_json(self, method: str, path: str, question: Mapping[str, Any] | None = None) -> dict[str, Any]:
		"""Send a question, get a JSON object.

		:raises DeviceError: any of the codes of a terminal.
		"""
		body = None if question is None else json.dumps(question).encode()
		answer = self._ask(method, path, body, _JSON)
		if not isinstance(answer, dict):
			raise DeviceError(Code.GARBAGE, reason="not JSON", path=path)
		return answer

	def ask_xml(self, method: str, path: str, question: str | None = None) -> XmlDocument:
		"""Send a question, get an XML document without its namespaces.

		:raises DeviceError: any of the codes of a terminal.
		"""
		body = None if question is None else question.encode()
		answer = self._ask(method, path, body, _XML)
		if not isinstance(answer, XmlDocument):
			raise DeviceError(Code.GARBAGE, reason="not XML", path=path)
		return answer

	def ask_raw(self, method: str, path: str, question: bytes | None = None) -> bytes:
		"""Send a question in XML, get the answer as it came, if it reports no failure.

		:raises DeviceError: any of the codes of a terminal.
		"""
		reply = self._send_authenticated(method, path, question, _XML)
		read_reply(reply, path)
		return reply.body

	def _ask(self, method: str, path: str, body: bytes | None, content_type: str) -> Document:
		reply = self._send_authenticated(method, path, body, content_type)
		return read_reply(reply, path)

	def _send_authenticated(self, method: str, path: str, body: bytes | None, content_type: str) -> Reply:
		if self._refuse is not None:
			raise self._refuse()
		question = (method, path, body, content_type)
		kept, self._proven = self._proven, None
		if kept is None:
			reply = self._send(*question)
		else:
			reply = self._prove(kept, *question)
			self._keeps_nonces &= reply.status != 401 or kept.uses > 2
		if reply.status != 401:
			return reply
		state = find_login_state(reply.body)
		if state is not None and state.locked:
			raise self._end(state)
		reply = self._answer_challenge(reply.challenge, *question)
		if reply.status == 401 and kept is None and _is_stale(reply.challenge):
			reply = self._answer_challenge(reply.challenge, *question)
		if reply.status == 401:
			raise self._end(find_login_state(reply.body) or self._look_up_login_state())
		return reply

	def _answer_challenge(
		self, header: str, method: str, path: str, body: bytes | None, content_type: str
	) -> Reply:
		challenges = digest.read_challenges(header)
		if not challenges:
			# Basic is among them: it would hand the password to whoever listens.
			raise DeviceError(Code.NOT_SUPPORTED, reason="the terminal offers no digest authentication")
		answered = _Proven(challenges[0], secrets.token_hex(16))
		return self._prove(answered, method, path, body, content_type)

	def _prove(self, proven: _Proven, method: str, path: str, body: bytes | None, content_type: str) -> Reply:
		"""Send with credentials, and keep the nonce if they are accepted."""
		proven.uses += 1
		proof = digest.authorization(
			proven.challenge,
			user=self._config.user,
			password=self._config.password.reveal(),
			method=method,
			uri=path,
			client_nonce=proven.client_nonce,
			count=proven.uses,
		)
		reply = self._send(method, path, body, content_type, proof)
		# Without qop nothing tells the uses of a nonce apart, and an overheard proof would be good again.
		if reply.status != 401 and self._keeps_nonces and proven.challenge.qop:
			self._proven = proven
		return reply

	def _look_up_login_state(self) -> LoginState | None:
		"""Ask, without credentials, whether the account is locked."""
		try:
			return find_login_state(self._send("GET", _USER_CHECK, None, _XML).body)
		except DeviceError:
			return None

	def _end(self, state: LoginState | None) -> DeviceError:
		"""Refuse every further request of this conversation, with the error that is returned."""
		config = self._config
		facts: dict[str, Any] = {"host": config.host, "user": config.user}
		if state is not None and state.locked:
			if state.unlock_seconds is not None:
				facts["unlock_seconds"] = state.unlock_seconds
			self._refuse = lambda: DeviceError(Code.LOCKED_OUT, retryable=True, **facts)
		else:
			if state is not None and state.attempts_left is not None:
				facts["attempts_left"] = state.attempts_left
			self._refuse = lambda: DeviceError(Code.AUTH_FAILED, **facts)
		return self._refuse()

	def _send(
		self, method: str, path: str, body: bytes | None, content_type: str, proof: str | None = None
	) -> Reply:
		if self.tape is None:
			return self._transmit(method, path, body, content_type, proof)
		asked: dict[str, Any] = {"method": method, "path": path, "question": body}
		asked["with_credentials"] = proof is not None  # whether, never which
		try:
			reply = self._transmit(method, path, body, content_type, proof)
		except DeviceError as error:
			self.tape.note("http", **asked, error=error.code.value)
			raise
		said = {"status": reply.status, "challenge": reply.challenge, "content_type": reply.content_type}
		self.tape.note("http", **asked, **said, answer=reply.body)
		return reply

	def _transmit(
		self, method: str, path: str, body: bytes | None, content_type: str, proof: str | None
	) -> Reply:
		headers = dict(_HEADERS)
		if body is not None:
			headers["Content-Type"] = content_type
		if proof is not None:
			headers["Authorization"] = proof
		config = self._config
		try:
			if self._pool is None:
				self._pool = self._pools.connection_from_url(config.base_url)
			response = self._pool.urlopen(
				method, path, body=body, headers=headers, redirect=False, preload_content=False
			)
			try:
				challenge = response.headers.get("WWW-Authenticate", "")
				kind = response.headers.get("Content-Type", "")
				return Reply(response.status, _read_body(response), challenge, kind)
			finally:
				response.close()  # the connection is kept if the body was read to its end
		except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
			raise _road_error(error, config, path) from None


def _read_body(response: urllib3.BaseHTTPResponse) -> bytes:
	body = bytearray()
	for chunk in response.stream(_CHUNK):
		body += chunk
		if len(body) > MAX_BODY:
			raise DeviceError(Code.TOO_LARGE, limit=MAX_BODY)
	return bytes(body)


def _is_stale(header: str) -> bool:
	return any(challenge.stale for challenge in digest.read_challenges(header))


def read_reply(reply: Reply, path: str) -> Document:
	"""The document of a reply, or the error that it means."""
	if reply.status in (429, 503):
		raise DeviceError(Code.BUSY, retryable=True, status=reply.status, path=path)
	if 300 <= reply.status < 400:
		raise DeviceError(Code.GARBAGE, reason="redirected", status=reply.status, path=path)
	try:
		document = read_document(reply.body)
	except DeviceError as error:
		if reply.status == 200:
			raise DeviceError(error.code, retryable=error.retryable, path=path, **error.details) from None
		raise _status_error(reply.status, path) from None
	failure = find_failure(document, reply.status)
	if failure is not None:
		raise DeviceError(failure.code, retryable=failure.retryable, path=path, **failure.details)
	if not 200 <= reply.status < 300:
		raise _status_error(reply.status, path)
	return document


def _status_error(status: int, path: str) -> DeviceError:
	"""What an HTTP status means when no ResponseStatus explains it."""
	if status == 403:
		return DeviceError(Code.FORBIDDEN, status=status, path=path)
	if status in (404, 405, 501):
		return DeviceError(Code.NOT_SUPPORTED, status=status, path=path)
	if status >= 500:
		return DeviceError(Code.DEVICE_ERROR, retryable=True, status=status, path=path)
	return DeviceError(Code.GARBAGE, reason="unexpected status", status=status, path=path)


def _road_error(error: Exception, config: Config, path: str) -> DeviceError:
	"""Name what went wrong between us and the terminal.

	The errors of urllib3 wrap those of `http.client` and of the socket.
	"""
	causes = _causes(error)
	code, retryable = next(
		(verdict for kinds, verdict in _VERDICTS if any(isinstance(cause, kinds) for cause in causes)),
		(Code.GARBAGE, False),
	)
	return DeviceError(code, retryable=retryable, host=config.host, port=config.effective_port, path=path)


_VERDICTS: tuple[tuple[tuple[type[BaseException], ...], tuple[Code, bool]], ...] = (
	# The first that fits decides. A refused connection is also a ConnectionError, a connect time-out also a
	# time-out, RemoteDisconnected also a BadStatusLine.
	((urllib3.exceptions.SSLError,), (Code.TLS_UNTRUSTED, False)),
	(
		(urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError),
		(Code.UNREACHABLE, True),
	),
	((urllib3.exceptions.ReadTimeoutError, TimeoutError), (Code.TIMEOUT, True)),
	(
		(
			ConnectionError,
			http.client.RemoteDisconnected,
			http.client.IncompleteRead,
			urllib3.exceptions.IncompleteRead,
		),
		(Code.CONNECTION_LOST, True),
	),
	((http.client.HTTPException, urllib3.exceptions.InvalidHeader), (Code.GARBAGE, False)),
)


def _causes(error: BaseException) -> list[BaseException]:
	"""The error and everything that it wraps."""
	found: list[BaseException] = []
	queue = [error]
	while queue and len(found) < 32:
		current = queue.pop(0)
		found.append(current)
		inner = [*current.args, getattr(current, "reason", None), current.__cause__, current.__context__]
		queue += [cause for cause in inner if isinstance(cause, BaseException) and cause not in found]
	return found
