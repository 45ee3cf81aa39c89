"""Fields of a terminal's records with stand-ins in them, each as long as it was."""

from __future__ import annotations

import re

from attendance_bridge.core.pseudonyms import Pseudonyms
from attendance_bridge.drivers.zkteco_tcp.records import TextIds

_PLAIN = re.compile(rb"[\w .,:;()/+-]*")
_UID_MAX, _NUMBER_MAX = 0xFFFF, 0xFFFFFFFF


class FieldRedaction:
	"""The fields of one recording. A person has one stand-in, whether as text, as a number or as a uid."""

	def __init__(self, names: Pseudonyms, id_encoding: str) -> None:
		self._names = names
		self._read_id = TextIds(id_encoding)

	def number(self, number: int) -> int:
		"""An id, a uid or a card: what fits 16 bits still does, and so do 32."""
		return int(self._of(str(number))) if number else 0

	def user_id(self, stated: bytes) -> bytes:
		"""An id as text, up to the first NUL."""
		told = self.text(stated)
		before, after = self._read_id(stated), self._read_id(told)
		if before is not None and after is not None:
			self._names.learn(before, after)
		return told

	def text(self, stated: bytes, *, is_mac: bool = False) -> bytes:
		"""Text up to the first NUL; what lies behind it is left over from other records, and scrambled."""
		text, nul, rest = stated.partition(b"\0")
		original = text.decode("utf-8", "surrogateescape")
		stand_in = self._of(original)
		if is_mac:
			# The driver makes a serial number of it.
			self._names.learn(f"MAC-{original.strip().upper()}", f"MAC-{stand_in.strip().upper()}")
		return stand_in.encode("utf-8", "surrogateescape") + nul + self._names.scramble(rest)

	def secret(self, stated: bytes) -> bytes:
		"""A password: only how long it is."""
		return bytes(ord("*") if byte else 0 for byte in stated)

	def plain_text(self, stated: bytes) -> bytes:
		"""Text about the kind of terminal: it stays, if it is text."""
		text, nul, rest = stated.partition(b"\0")
		if not _PLAIN.fullmatch(text):
			return self._names.scramble(stated)
		return text + nul + self._names.scramble(rest)

	def filler(self, stated: bytes) -> bytes:
		"""Bytes without a known meaning: 0 and 255 mean nothing, the others may."""
		scrambled = self._names.scramble(stated)
		return bytes(old if old in (0, 255) else new for old, new in zip(stated, scrambled, strict=True))

	def unknown(self, stated: bytes) -> bytes:
		return self._names.scramble(stated)

	def _of(self, text: str) -> str:
		digits = text.strip()
		if not (digits.isascii() and digits.isdigit()):
			return self._names.of(text)
		number = int(digits)
		limits = (limit for limit in (_UID_MAX, _NUMBER_MAX) if number <= limit)
		return self._names.of(text, highest=next(limits, None))
