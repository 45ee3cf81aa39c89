"""The faces themselves, each under lock in a row of a table that no doctype knows.

As Frappe keeps passwords: what has no doctype is in no list, no report, no export and no answer of the REST
API. AES-256-GCM (12 bytes of nonce, the ciphertext, 16 bytes of tag) under a key that HKDF (RFC 5869) makes
of the site's `encryption_key` for this one purpose. What is sealed is bound to its template, its employee and
its model: a row that takes over another's bytes does not open.

Bytes are sent as hex: Frappe v16 reads every statement that it sent as text, and fails at others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import frappe
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from frappe.utils.password import get_encryption_key

TABLE = "__attendance_bridge_vault"

_PURPOSE = b"attendance_bridge face template 1"
_NONCE_BYTES = 12


def create_table() -> None:
	frappe.db.sql_ddl(
		f"CREATE TABLE IF NOT EXISTS `{TABLE}` ("
		"`name` VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,"
		" `sealed` MEDIUMBLOB NOT NULL) ENGINE=InnoDB"
	)


def drop_table() -> None:
	frappe.db.sql_ddl(f"DROP TABLE IF EXISTS `{TABLE}`")


def put(name: str, employee: str, model: str, vector: bytes) -> None:
	"""Lock a vector away under the name of its Face Template."""
	sealed = _seal(_cipher(), vector, _about(name, employee, model))
	frappe.db.sql(
		f"INSERT INTO `{TABLE}` (`name`, `sealed`) VALUES (%s, UNHEX(%s))",  # noqa: S608
		(name, sealed.hex()),
	)


def opened(templates: Iterable[Any]) -> dict[str, bytes]:
	"""The vectors of Face Templates, by name; those that do not open are missing.

	:param templates: rows with `name`, `employee` and `model`.
	"""
	wanted = {row.name: row for row in templates}
	if not wanted:
		return {}
	cipher = _cipher()
	found = {}
	for name, sealed in frappe.db.sql(
		f"SELECT `name`, `sealed` FROM `{TABLE}` WHERE `name` IN %s",  # noqa: S608
		(list(wanted),),
	):
		vector = _open(cipher, sealed, _about(name, wanted[name].employee, wanted[name].model))
		if vector is not None:
			found[name] = vector
	return found


def erase(names: Iterable[str]) -> None:
	"""Take vectors out for good."""
	gone = list(names)
	if gone:
		frappe.db.sql(f"DELETE FROM `{TABLE}` WHERE `name` IN %s", (gone,))  # noqa: S608


def rename(templates: Iterable[Any], old: str) -> None:
	"""Bind the vectors of Face Templates to the present name of their employee.

	:param templates: rows with `name`, `employee` and `model`.
	:param old: the name that they are bound to.
	"""
	cipher = _cipher()
	for row in templates:
		held = frappe.db.sql(f"SELECT `sealed` FROM `{TABLE}` WHERE `name` = %s FOR UPDATE", row.name)  # noqa: S608
		vector = _open(cipher, held[0][0] if held else b"", _about(row.name, old, row.model))
		if vector is None:
			continue  # it did not open before either, or is bound to the present name already
		sealed = _seal(cipher, vector, _about(row.name, row.employee, row.model))
		frappe.db.sql(
			f"UPDATE `{TABLE}` SET `sealed` = UNHEX(%s) WHERE `name` = %s",  # noqa: S608
			(sealed.hex(), row.name),
		)


def _seal(cipher: AESGCM, plain: bytes, about: bytes) -> bytes:
	nonce = os.urandom(_NONCE_BYTES)
	return nonce + cipher.encrypt(nonce, plain, about)


def _open(cipher: AESGCM, sealed: bytes, about: bytes) -> bytes | None:
	"""None if it does not open: another encryption_key, or a row that was changed."""
	try:
		return cipher.decrypt(bytes(sealed[:_NONCE_BYTES]), bytes(sealed[_NONCE_BYTES:]), about)
	except (InvalidTag, ValueError):
		return None


def _cipher() -> AESGCM:
	# The text of the key is what the site holds; whether it is a key for Fernet as well is not asked here.
	secret = get_encryption_key()
	material = secret if isinstance(secret, bytes) else secret.encode()
	return AESGCM(HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(material))


def _about(*parts: str) -> bytes:
	"""Parts as one, so that no two lists of parts come to the same bytes."""
	encoded = (_PURPOSE, *(part.encode() for part in parts))
	return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
