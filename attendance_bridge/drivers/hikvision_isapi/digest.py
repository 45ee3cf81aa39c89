"""HTTP digest authentication (RFC 7616), the client's half, as pure functions.

The ready-made one in `requests` does not fit terminals that lock accounts: it sends the credentials again on
any refusal, without looking at `stale`; it reads the body of a challenge without bound; and it hashes a user
name as UTF-8 but writes it as Latin-1, so that the two never agree.

Texts here are in *wire characters*: one character is one byte (Latin-1), which is how `http.client` reads and
writes header fields. User and password become UTF-8 first, as RFC 7616 section 4 wants it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_HASHES = {"MD5": "md5", "SHA-256": "sha256"}
_PREFERENCE = ("SHA-256", "SHA-256-SESS", "MD5", "MD5-SESS")
_FIELD = re.compile(r'([A-Za-z0-9_-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_SCHEME = re.compile(r"(?:^|,)[ \t]*([A-Za-z][A-Za-z0-9_-]*)[ \t]+(?=[A-Za-z0-9_-]+[ \t]*=)")
_MAX_HEADER = 4096
_MAX_CHALLENGES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
	"""What a terminal wants to see proven."""

	realm: str
	nonce: str
	algorithm: str
	"""Upper case; MD5 when the terminal names none."""
	names_algorithm: bool
	qop: bool
	"""Whether it offers `auth`; without, the older form of RFC 2069 is used."""
	opaque: str | None
	stale: bool
	"""The nonce was too old; the credentials have not been judged."""


def read_challenges(header: str) -> tuple[Challenge, ...]:
	"""Every usable Digest challenge in a WWW-Authenticate field, the strongest first.

	Other schemes, unknown algorithms and `auth-int` alone are left out: there is no answer to them.
	"""
	header = header[:_MAX_HEADER]
	schemes = list(_SCHEME.finditer(header))[:_MAX_CHALLENGES]
	found = []
	for index, scheme in enumerate(schemes):
		end = schemes[index + 1].start() if index + 1 < len(schemes) else len(header)
		challenge = _challenge(header[scheme.end() : end]) if scheme.group(1).lower() == "digest" else None
		if challenge is not None:
			found.append(challenge)
	return tuple(sorted(found, key=lambda challenge: _PREFERENCE.index(challenge.algorithm)))


def _challenge(parameters: str) -> Challenge | None:
	fields: dict[str, str] = {}
	for match in _FIELD.finditer(parameters):
		quoted = match.group(2)
		value = match.group(3) if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
		fields.setdefault(match.group(1).lower(), value)
	offered = {qop.strip().lower() for qop in fields.get("qop", "").split(",") if qop.strip()}
	algorithm = fields.get("algorithm", "MD5").upper()
	usable = "realm" in fields and fields.get("nonce") and algorithm in _PREFERENCE
	# A control character in a value would be a forged header field in our answer.
	clean = not any(ord(character) < 32 or ord(character) == 127 for character in parameters)
	if not usable or not clean or (offered and "auth" not in offered):
		return None
	return Challenge(
		realm=fields["realm"],
		nonce=fields["nonce"],
		algorithm=algorithm,
		names_algorithm="algorithm" in fields,
		qop=bool(offered),
		opaque=fields.get("opaque"),
		stale=fields.get("stale", "").lower() == "true",
	)


def authorization(
	challenge: Challenge,
	*,
	user: str,
	password: str,
	method: str,
	uri: str,
	client_nonce: str,
	count: int = 1,
) -> str:
	"""The value of the Authorization field that answers `challenge`.

	:param uri: path and query exactly as they stand in the request line.
	:param client_nonce: random text, fresh for each challenge.
	:param count: which use of the nonce this is, from 1.
	"""
	name = challenge.algorithm.removesuffix("-SESS")
	uses = f"{count:08x}"

	def digest(text: str) -> str:
		# Not a use of MD5 for security by choice: most terminals offer nothing else.
		return hashlib.new(_HASHES[name], text.encode("latin-1"), usedforsecurity=False).hexdigest()

	secret = digest(f"{_wire(user)}:{challenge.realm}:{_wire(password)}")
	if challenge.algorithm.endswith("-SESS"):
		secret = digest(f"{secret}:{challenge.nonce}:{client_nonce}")
	asked = digest(f"{method}:{uri}")
	between = f"{challenge.nonce}:{uses}:{client_nonce}:auth" if challenge.qop else challenge.nonce
	fields = [
		f"username={_quoted(_wire(user))}",
		f"realm={_quoted(challenge.realm)}",
		f"nonce={_quoted(challenge.nonce)}",
		f'uri="{uri}"',
		f'response="{digest(f"{secret}:{between}:{asked}")}"',
	]
	if challenge.names_algorithm:
		fields.append(f"algorithm={challenge.algorithm}")
	if challenge.opaque is not None:
		fields.append(f"opaque={_quoted(challenge.opaque)}")
	if challenge.qop:
		fields.append(f'qop=auth, nc={uses}, cnonce="{client_nonce}"')
	return "Digest " + ", ".join(fields)


def _wire(text: str) -> str:
	return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _quoted(text: str) -> str:
	return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
