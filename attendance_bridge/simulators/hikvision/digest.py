"""The terminal's side of HTTP Digest authentication (RFC 7616 and RFC 2617: MD5, qop=auth)."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from attendance_bridge.core.redact import Secret

MAX_NONCES = 256
"""How many nonces are remembered; the oldest is forgotten first, as on a small device."""
NONCE_SECONDS = 60.0
MAX_HEADER = 2048

_FIELD = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_NC = re.compile(r"[0-9a-fA-F]{8}")


class Verdict(Enum):
	"""What an Authorization header proves."""

	ANONYMOUS = "anonymous"
	"""Nothing: none, another scheme, or not a Digest that could be checked. Not a guess at the password."""
	GRANTED = "granted"
	STALE = "stale"
	"""The password is right, but the nonce is too old, unknown or used already."""
	WRONG = "wrong"


@dataclass(slots=True)
class _Nonce:
	issued_at: float
	last_count: int = 0


class DigestGuard:
	"""Issues nonces and checks what comes back.

	:param monotonic: seconds that only ever grow.
	"""

	def __init__(self, realm: str, user: str, password: Secret, monotonic: Callable[[], float]) -> None:
		self.realm = realm
		self.user = user
		self.password = password
		self.nonce_seconds = NONCE_SECONDS
		self._monotonic = monotonic
		self._nonces: dict[str, _Nonce] = {}

	def challenge(self, *, stale: bool = False) -> str:
		"""The value of a WWW-Authenticate header, with a fresh nonce."""
		nonce = secrets.token_hex(16)
		self._nonces[nonce] = _Nonce(self._monotonic())
		while len(self._nonces) > MAX_NONCES:
			del self._nonces[next(iter(self._nonces))]
		stale_text = "TRUE" if stale else "FALSE"
		return f'Digest qop="auth", realm="{self.realm}", nonce="{nonce}", stale="{stale_text}"'

	def forget_nonces(self) -> None:
		"""As after a restart: every client is challenged anew, with stale=TRUE."""
		self._nonces.clear()

	def check(self, header: str | None, method: str, target: str, *, once: bool = False) -> Verdict:
		"""
		:param header: the Authorization header as it came.
		:param target: path and query as they stand in the request line.
		:param once: whether a nonce is used up by its first request.
		"""
		fields = _parse(header)
		if not _is_complete(fields, target):
			return Verdict.ANONYMOUS
		if not self._response_is_right(fields, method, target):
			return Verdict.WRONG
		nonce = self._nonces.get(fields["nonce"])
		count = int(fields["nc"], 16)
		if nonce is None or count <= nonce.last_count or (once and nonce.last_count):
			return Verdict.STALE
		if self._monotonic() - nonce.issued_at > self.nonce_seconds:
			return Verdict.STALE
		nonce.last_count = count
		return Verdict.GRANTED

	def _response_is_right(self, fields: dict[str, str], method: str, target: str) -> bool:
		secret = _md5(f"{self.user}:{self.realm}:{self.password.reveal()}")
		asked = _md5(f"{method}:{target}")
		right = _md5(f"{secret}:{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:auth:{asked}")
		named = fields["username"] == self.user and fields["realm"] == self.realm
		return hmac.compare_digest(right.encode(), fields["response"].encode()) and named


def _parse(header: str | None) -> dict[str, str]:
	scheme, _, rest = (header or "").partition(" ")
	if scheme.lower() != "digest" or len(rest) > MAX_HEADER:
		return {}
	return {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(rest)}


def _is_complete(fields: dict[str, str], target: str) -> bool:
	if not {"username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce"} <= fields.keys():
		return False
	usual = fields["qop"] == "auth" and fields.get("algorithm", "MD5").upper() == "MD5"
	return usual and fields["uri"] == target and _NC.fullmatch(fields["nc"]) is not None


def _md5(text: str) -> str:
	return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
