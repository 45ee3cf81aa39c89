"""Passwords, hashed with argon2id.

19 MiB, two passes and one lane are the OWASP minimum, chosen so that a login fits beside a camera on a small
machine (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html). See
docs/adr/0014-access.md.
"""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10
LONGEST = 200
"""Characters of a password."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_one_at_a_time = threading.Lock()
"""However many log in at once, no more than one hash is in memory."""
_nobody = _hasher.hash(secrets.token_hex())


def hash_password(password: str) -> str:
	with _one_at_a_time:
		return _hasher.hash(password)


def verify(password: str, password_hash: str | None) -> bool:
	"""Whether it is the right password.

	:param password_hash: None where there is no such account; that takes as long, and is never right.
	"""
	with _one_at_a_time:
		try:
			_hasher.verify(password_hash or _nobody, password)
		except (VerificationError, InvalidHashError):
			return False
	return password_hash is not None


def is_outdated(password_hash: str) -> bool:
	"""Whether it was hashed at another cost than today's."""
	return _hasher.check_needs_rehash(password_hash)
