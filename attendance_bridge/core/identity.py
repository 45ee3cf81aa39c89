"""Identities out of names: the same on every machine and in every version."""

from __future__ import annotations

import hashlib

# RFC 9562, 5.5: four bits of version after 48 bits, two bits of variant after 64.
_VERSION_AND_VARIANT_CLEARED = ~((0xF << 76) | (0x3 << 62))
_VERSION_5_VARIANT_RFC = (0x5 << 76) | (0x2 << 62)


def uuid5_bytes(namespace: bytes, name: bytes) -> bytes:
	"""The 16 bytes of the UUID of version 5.

	By hand, because `uuid.uuid5` takes bytes only from Python 3.12 on, and because making a UUID object for
	every punch of a long log would take as long as everything else together.

	:param namespace: the 16 bytes of a UUID.
	"""
	digest = hashlib.sha1(namespace + name, usedforsecurity=False).digest()
	number = int.from_bytes(digest[:16], "big") & _VERSION_AND_VARIANT_CLEARED | _VERSION_5_VARIANT_RFC
	return number.to_bytes(16, "big")
