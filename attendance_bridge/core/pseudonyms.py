"""Stand-ins for what must not be told: names, ids, serial numbers, in the shape of what they stand for.

Bugs live in shapes: in leading zeros, in a letter of three bytes, in half a character, in 24 bytes without an
end. So a stand-in keeps the length in characters and in bytes of UTF-8, the class of every character, leading
zeros and everything that is neither letter nor digit. Within one recording the same text always has the same
stand-in, and two texts never share one. Which it is depends on a random key that is kept nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator

SHORTEST_HIDDEN = 3
"""Characters from which on a text must not show up anywhere, not even within the stand-in of another one."""
_TRIES = 64
_MAX_SEARCHED = 80
"""Characters of a stand-in in which originals are looked for; longer ones are no id and no name."""
_WORD = re.compile(r"[^\W_]+")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")

_BY_BYTES = {
	2: "абвгдежзиклмнопрстуфхцчшщэюя",
	3: "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年",
	4: "𠀀𠀁𠀂𠀃𠀄𠀅𠀆𠀇𠀈𠀉𠀊𠀋𠀌𠀍𠀎𠀏",
}
_RIGHT_TO_LEFT = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
_MARKS = {2: "\u0300\u0301\u0302\u0308", 3: "\u093e\u0940\u0941\u0942\u0947\u0948\u094b\u094c"}
"""Vowels and accents that stand on the letter before them."""
_LOWER, _UPPER, _DIGITS = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
_KEPT = frozenset({"Z", "P", "C", "S"})
"""Major categories of Unicode that say nothing of anybody: spaces, punctuation, controls, symbols."""


class Pseudonyms:
	"""The stand-ins of one recording. It knows the originals: it is never stored or shown."""

	def __init__(self, key: bytes, *, avoid: Collection[str] = ()) -> None:
		"""
		:param key: random bytes, thrown away afterwards.
		:param avoid: originals that must not come up by chance: `originals` of a first pass.
		"""
		self._key = key
		self._avoid = frozenset(avoid)
		self._longest = max(map(len, self._avoid), default=0)
		self._given: dict[str, str] = {}
		self._taken: set[str] = set()
		self._scrambled = 0

	def __repr__(self) -> str:
		return f"<Pseudonyms of {len(self._given)}>"

	def originals(self) -> frozenset[str]:
		"""What was hidden so far: whole texts, and the words in them."""
		words = (word for text in self._given for word in (text, *_WORD.findall(text)))
		return frozenset(word for word in words if len(word) >= SHORTEST_HIDDEN)

	def of(self, text: str, *, highest: int | None = None) -> str:
		"""The stand-in of a name, an id, a serial number.

		Bytes that are no UTF-8 may come as lone surrogates (`surrogateescape`) and stay such.

		:param highest: what the number that a text of digits spells must not exceed.
		"""
		core = text.strip()
		if not core:
			return text
		start = text.index(core)
		return text[:start] + self._of_core(core, highest) + text[start + len(core) :]

	def number(self, number: int, *, bits: int) -> int:
		"""The stand-in of a number: as many digits, within `bits`; 0 is nobody and stays."""
		return int(self._of_core(str(number), (1 << bits) - 1)) if number else 0

	def learn(self, original: str, stand_in: str) -> None:
		"""A text that has got its stand-in by another way."""
		self._given.setdefault(original, stand_in)

	def scramble(self, data: bytes) -> bytes:
		"""Bytes that nobody understands: zeros stay, everything else becomes another byte of its kind."""
		self._scrambled += 1
		noise = self._noise(f"scramble {self._scrambled}".encode())
		return bytes(_other_byte(byte, noise) for byte in data)

	def scramble_text(self, text: str) -> str:
		"""The same for text of unknown structure: every letter and digit becomes another one."""
		self._scrambled += 1
		noise = self._noise(f"scramble {self._scrambled}".encode())
		return "".join(_other_character(character, noise) for character in text)

	def _of_core(self, core: str, highest: int | None) -> str:
		if core.isascii() and core.isdigit():
			# Firmware that takes ids for numbers loses leading zeros: "007" and 7 stay the same person.
			digits = core.lstrip("0")
			return core[: len(core) - len(digits)] + self._given_to(digits, highest) if digits else core
		return self._given_to(core, highest)

	def _given_to(self, core: str, highest: int | None) -> str:
		if core not in self._given:
			stand_in = self._choose(core, highest)
			self._given[core] = stand_in
			self._taken.add(stand_in)
		return self._given[core]

	def _choose(self, core: str, highest: int | None) -> str:
		noise = self._noise(core.encode("utf-8", "surrogatepass"))
		best = core
		for _ in range(_TRIES if len(core) <= _MAX_SEARCHED else 1):
			candidate = _shaped_like(core, noise)
			if candidate in self._taken or (highest is not None and int(candidate) > highest):
				continue
			best = candidate
			if candidate != core and not self._gives_away(candidate):
				return candidate
		return best if best != core else self._first_free(core, highest)

	def _first_free(self, core: str, highest: int | None) -> str:
		"""Of a supply that is nearly used up, as nine one-digit numbers are; its own if that is the last."""
		if not (core.isascii() and core.isdigit()):
			return _shaped_like(core, self._noise(core.encode("utf-8", "surrogatepass")))
		end = min(10 ** len(core), 10 ** (len(core) - 1) + 10_000)
		numbers = (
			number
			for number in range(10 ** (len(core) - 1), end)
			if str(number) not in self._taken and str(number) != core
		)
		return str(next((number for number in numbers if highest is None or number <= highest), core))

	def _gives_away(self, candidate: str) -> bool:
		if not self._avoid:
			return False
		shown = candidate[:_MAX_SEARCHED]
		return any(
			shown[start:end] in self._avoid
			for start in range(len(shown))
			for end in range(start + SHORTEST_HIDDEN, min(len(shown), start + self._longest) + 1)
		)

	def _noise(self, subject: bytes) -> Callable[[int], int]:
		"""A function that gives a number below its argument, different at every call."""
		stream = self._bytes(subject)
		return lambda below: int.from_bytes((next(stream), next(stream)), "big") % below

	def _bytes(self, subject: bytes) -> Iterator[int]:
		for count in range(1 << 32):
			yield from hmac.new(self._key, count.to_bytes(4, "big") + subject, hashlib.sha256).digest()


def _shaped_like(core: str, noise: Callable[[int], int]) -> str:
	if _MAC.fullmatch(core):
		return "".join(_other_hex(character, noise) for character in core)
	chosen = "".join(_other_character(character, noise) for character in core)
	if core.isascii() and core.isdigit():
		return "123456789"[noise(9)] + chosen[1:]
	return chosen


def _other_hex(character: str, noise: Callable[[int], int]) -> str:
	if character in ":-":
		return character
	letters = "abcdef" if character.islower() else "ABCDEF"
	return (_DIGITS if character.isdigit() else letters)[noise(10 if character.isdigit() else 6)]


def _other_character(character: str, noise: Callable[[int], int]) -> str:
	if character.isascii():
		for alphabet in (_DIGITS, _LOWER, _UPPER):
			if character in alphabet:
				return alphabet[noise(len(alphabet))]
		return character
	point = ord(character)
	if 0xDC80 <= point <= 0xDCFF:  # a byte that is no UTF-8
		return chr(0xDC00 + _other_byte(point - 0xDC00, noise))
	category = unicodedata.category(character)
	if category == "Nd":  # a digit of another script
		return chr(point - unicodedata.decimal(character) + noise(10))
	if category[0] in _KEPT:
		return character
	size = len(character.encode("utf-8", "surrogatepass"))
	alphabet = _BY_BYTES[size]
	if category[0] == "M":
		alphabet = _MARKS.get(size, character)
	elif size == 2 and unicodedata.bidirectional(character) in ("R", "AL"):
		alphabet = _RIGHT_TO_LEFT
	return alphabet[noise(len(alphabet))]


def _other_byte(byte: int, noise: Callable[[int], int]) -> int:
	"""Another byte of its kind. Above ASCII: control characters of Latin-1 stay such, and the others become
	bytes that begin no character of UTF-8, and are printable in Latin-1, in GB 18030 and in Windows code
	pages."""
	if byte in (0x00, 0xA0, 0xAD):
		return byte
	if 0x80 <= byte <= 0x9F:
		return 0x80 + noise(0x20)
	if byte >= 0xA0:
		return 0xB0 + noise(0x10)
	character = chr(byte)
	if character.isalnum():
		return ord(_other_character(character, noise))
	# Neither text nor nothing: it may be a part of a number.
	return 1 + noise(0x1F) if byte < 0x20 else 0x21 + noise(0x0F)
