"""The PINs and badges that people show besides their faces; only hashes of them are kept.

A PIN of a few digits can be found out from its hash by whoever has the file, given some hours: what protects
it is that wrong tries at the door are limited, and that it is worth nothing without the face.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping

from attendance_bridge.stores.columns import text_in, text_out
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("second_factors")

PIN, BADGE = "pin", "badge"
KINDS = (PIN, BADGE)
PIN_DIGITS = range(4, 13)
BADGE_CHARACTERS = range(4, 65)
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
"""Of scrypt: 16 MB and about 50 ms on a PC, a quarter of a second on a Raspberry Pi 4."""
_SALT_BYTES, _HASH_BYTES = 16, 32
_SCHEME = "scrypt"


class SecondFactors:
	"""`edge.vision.ports.SecondFactors`. Every method may raise `StoreError`."""

	def __init__(self, db: Database) -> None:
		self._db = db

	def set(self, employee: str, kind: str, secret: str) -> None:
		"""
		:param kind: pin or badge.
		:raises ValueError: a PIN is 4 to 12 digits, a badge 4 to 64 printable ASCII characters.
		"""
		if not _is_fit(kind, secret):
			raise ValueError("a PIN is 4 to 12 digits, a badge 4 to 64 printable characters")
		facts = {"employee": text_in(employee), "kind": kind, "hash": _hash(secret, os.urandom(_SALT_BYTES))}
		with self._db.write() as connection:
			connection.execute(_SQL["put"], facts)

	def clear(self, employee: str) -> None:
		"""Forget everything of a person."""
		with self._db.write() as connection:
			connection.execute(_SQL["drop"], {"employee": text_in(employee)})

	def matches(self, employee: str, kind: str, secret: str) -> bool:
		"""Whether it is theirs. Takes as long for anything that could be one."""
		with self._db.read() as connection:
			wanted = {"employee": text_in(employee), "kind": kind}
			row = connection.execute(_SQL["find"], wanted).fetchone()
		if row is None or not _is_fit(kind, secret):
			return False
		return _is_hash_of(row["hash"], secret)

	def kinds(self) -> Mapping[str, frozenset[str]]:
		"""Employee → which of the two they have."""
		found: dict[str, set[str]] = {}
		with self._db.read() as connection:
			for row in connection.execute(_SQL["all"]):
				found.setdefault(text_out(row["employee"]), set()).add(row["kind"])
		return {employee: frozenset(kinds) for employee, kinds in found.items()}


def _is_fit(kind: str, secret: str) -> bool:
	if kind == PIN:
		return len(secret) in PIN_DIGITS and secret.isascii() and secret.isdecimal()
	return kind == BADGE and len(secret) in BADGE_CHARACTERS and secret.isascii() and secret.isprintable()


def _hash(secret: str, salt: bytes) -> str:
	made = hashlib.scrypt(
		secret.encode(), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL, dklen=_HASH_BYTES, maxmem=64 * 2**20
	)
	return "$".join((_SCHEME, *(base64.b64encode(part).decode() for part in (salt, made))))


def _is_hash_of(held: str, secret: str) -> bool:
	scheme, _, rest = held.partition("$")
	try:
		salt = base64.b64decode(rest.partition("$")[0], validate=True)
	except (binascii.Error, ValueError):
		return False
	return scheme == _SCHEME and hmac.compare_digest(_hash(secret, salt), held)
