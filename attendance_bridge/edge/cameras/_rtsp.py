"""One question to an RTSP camera (RFC 2326, DESCRIBE): is the stream there, and does the password fit?"""

from __future__ import annotations

import base64
import hashlib
import re
import socket

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.redact import Secret

_LONGEST = 64 * 1024
_STATUS = re.compile(r"RTSP/1\.\d (\d{3})")
_FIELD = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')
_CODES = {
	401: Code.AUTH_FAILED,
	403: Code.FORBIDDEN,
	404: Code.NOT_FOUND,
	453: Code.BUSY,
	454: Code.NOT_FOUND,
	503: Code.BUSY,
}


def describe(host: str, port: int, url: str, *, user: str, password: Secret | None, timeout: float) -> None:
	"""Ask for the description of a stream; the password is tried once.

	:param url: without user and password.
	:param timeout: seconds, for each step.
	:raises DeviceError: UNREACHABLE, TIMEOUT, CONNECTION_LOST, GARBAGE, TOO_LARGE, AUTH_FAILED, FORBIDDEN,
		NOT_FOUND, BUSY or DEVICE_ERROR, with `host`, `port` and `camera`.
	"""
	facts = {"host": host, "port": port, "camera": url}
	try:
		with socket.create_connection((host, port), timeout) as connection:
			status, head = _ask(connection, url, 1, "")
			if status == 401 and user:
				connection, status = _ask_with_login(connection, (host, port), url, head, user, password)
				connection.close()
	except _AnswerError as error:
		raise DeviceError(error.code, retryable=error.code is Code.CONNECTION_LOST, **facts) from None
	except TimeoutError:
		raise DeviceError(Code.TIMEOUT, retryable=True, **facts) from None
	except OSError:
		raise DeviceError(Code.UNREACHABLE, retryable=True, **facts) from None
	if status != 200:
		code = _CODES.get(status, Code.DEVICE_ERROR)
		raise DeviceError(code, retryable=code in (Code.BUSY, Code.DEVICE_ERROR), status=status, **facts)


class _AnswerError(Exception):
	def __init__(self, code: Code) -> None:
		super().__init__(code.value)
		self.code = code


def _ask_with_login(
	connection: socket.socket,
	address: tuple[str, int],
	url: str,
	head: str,
	user: str,
	password: Secret | None,
) -> tuple[socket.socket, int]:
	login = _login(head, url, user, password.reveal() if password else "")
	try:
		return connection, _ask(connection, url, 2, login)[0]
	except (_AnswerError, ConnectionError):
		# Some cameras hang up after their challenge. It was not answered, so the password was not tried.
		timeout = connection.gettimeout()
		connection.close()
		connection = socket.create_connection(address, timeout)
		return connection, _ask(connection, url, 2, login)[0]


def _ask(connection: socket.socket, url: str, number: int, login: str) -> tuple[int, str]:
	lines = [f"DESCRIBE {url} RTSP/1.0", f"CSeq: {number}", "Accept: application/sdp"]
	if login:
		lines.append(f"Authorization: {login}")
	connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
	received = b""
	while b"\r\n\r\n" not in received:
		data = connection.recv(4096)
		if not data:
			raise _AnswerError(Code.CONNECTION_LOST if not received else Code.GARBAGE)
		received += data
		if len(received) > _LONGEST:
			raise _AnswerError(Code.TOO_LARGE)
		if not b"RTSP/".startswith(received[:5]):
			raise _AnswerError(Code.GARBAGE)
	head = received.partition(b"\r\n\r\n")[0].decode("latin-1")
	found = _STATUS.match(head)
	if found is None:
		raise _AnswerError(Code.GARBAGE)
	return int(found[1]), head


def _login(head: str, url: str, user: str, password: str) -> str:
	"""The Authorization header that answers the challenge in `head`; Digest where it is offered."""
	challenges = re.findall(r"(?im)^WWW-Authenticate:\s*(.+?)\s*$", head)
	digest = next((each for each in challenges if each.lower().startswith("digest")), None)
	if digest is None:
		return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
	fields = {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(digest)}
	realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
	secret, asked = _md5(f"{user}:{realm}:{password}"), _md5(f"DESCRIBE:{url}")
	answer = f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{url}"'
	if "auth" in fields.get("qop", "").split(","):
		count, client = "00000001", _md5(f"{nonce}:{url}")[:16]
		response = _md5(f"{secret}:{nonce}:{count}:{client}:auth:{asked}")
		return f'{answer}, qop=auth, nc={count}, cnonce="{client}", response="{response}"'
	return f'{answer}, response="{_md5(f"{secret}:{nonce}:{asked}")}"'


def _md5(text: str) -> str:
	return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
