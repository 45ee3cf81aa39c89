"""Bytes under lock: AES-256-GCM with a key that nobody prints.

Sealed bytes are 12 random bytes of nonce, then the ciphertext with its tag of 16 bytes (NIST SP 800-38D). A
random nonce is good for 2**32 seals with one key. What the bytes are of (`about`) is authenticated with them,
so that they open nowhere else.
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING

from attendance_bridge.core.errors import Code, StoreError

if TYPE_CHECKING:
	from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16


class BrokenSealError(Exception):
	"""Another key, other bytes, or bytes of something else."""


class GalleryKey:
	"""The key of a gallery. repr, str and pickling do not give it away; only `text` does."""

	__slots__ = ("_bytes", "_cipher")

	def __init__(self, key: bytes) -> None:
		"""
		:raises ValueError: not 32 bytes.
		:raises StoreError: NOT_INSTALLED.
		"""
		if len(key) != KEY_BYTES:
			raise ValueError("a key has 32 bytes")
		self._bytes = key
		self._cipher = _cipher(key)

	@classmethod
	def new(cls) -> GalleryKey:
		return cls(os.urandom(KEY_BYTES))

	@classmethod
	def from_text(cls, text: str) -> GalleryKey:
		"""The inverse of `text`.

		:raises ValueError: it is no key; the message does not repeat it.
		"""
		try:
			key = base64.b64decode(text.strip(), validate=True)
		except (binascii.Error, ValueError):
			raise ValueError("a key is 32 bytes in base64") from None
		return cls(key)

	def text(self) -> str:
		"""The key itself in base64, for the one file that holds it."""
		return base64.b64encode(self._bytes).decode()

	def seal(self, plain: bytes, about: bytes) -> bytes:
		nonce = os.urandom(_NONCE_BYTES)
		return nonce + self._cipher.encrypt(nonce, plain, about)

	def open(self, sealed: bytes, about: bytes) -> bytes:
		"""
		:raises BrokenSealError: these bytes were not sealed with this key about this.
		"""
		from cryptography.exceptions import InvalidTag

		if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
			raise BrokenSealError
		try:
			return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
		except InvalidTag:
			raise BrokenSealError from None

	def __repr__(self) -> str:
		return "GalleryKey(********)"

	def __reduce__(self) -> str:
		raise TypeError("a key is not to be pickled")


def about(*parts: bytes) -> bytes:
	"""Parts as one, so that no two lists of parts come to the same bytes."""
	return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _cipher(key: bytes) -> AESGCM:
	# A machine without a camera has no need of the package.
	try:
		from cryptography.hazmat.primitives.ciphers.aead import AESGCM
	except ImportError:
		raise StoreError(Code.NOT_INSTALLED, package="cryptography", extra="recognition") from None
	return AESGCM(key)
