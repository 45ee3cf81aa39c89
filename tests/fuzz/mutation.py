"""Rubbish that looks like something: seeds, cut, repeated, mixed and damaged."""

from __future__ import annotations

import random
from collections.abc import Sequence

MAX_LENGTH = 64 * 1024
_TOKENS = (
	b"\0",
	b"\n",
	b"\r\n",
	b"\t",
	b"=",
	b"&",
	b"-1",
	b"0",
	b"4294967296",
	b"99999999999999999999",
	b"2026-02-30 25:61:61",
	b"\xff\xfe",
	b"\xed\xa0\x80",
	"٣".encode(),
	b"%00",
	b"<",
	b">",
	b'"',
	b"{}",
	b"[]",
	b"null",
	b"1e999",
)


class Mutator:
	"""A stream of inputs; the same for the same seed."""

	def __init__(self, seeds: Sequence[bytes], random_seed: int) -> None:
		self._seeds = tuple(seeds) or (b"",)
		self._random = random.Random(random_seed)

	def next(self) -> bytes:
		chance = self._random
		if chance.random() < 0.02:
			return chance.randbytes(chance.randrange(300))
		data = bytearray(chance.choice(self._seeds))
		for _change in range(chance.randrange(1, 6)):
			chance.choice(_CHANGES)(self, data)
			del data[MAX_LENGTH:]
		return bytes(data)

	def _place(self, data: bytearray) -> int:
		return self._random.randrange(len(data) + 1)

	def flip(self, data: bytearray) -> None:
		if data:
			data[self._random.randrange(len(data))] = self._random.randrange(256)

	def insert(self, data: bytearray) -> None:
		place = self._place(data)
		data[place:place] = self._random.choice(_TOKENS)

	def cut(self, data: bytearray) -> None:
		first, last = sorted((self._place(data), self._place(data)))
		del data[first:last]

	def end_early(self, data: bytearray) -> None:
		del data[self._place(data) :]

	def repeat(self, data: bytearray) -> None:
		first, last = sorted((self._place(data), self._place(data)))
		data[last:last] = bytes(data[first:last]) * self._random.choice((1, 2, 30))

	def mix(self, data: bytearray) -> None:
		other = self._random.choice(self._seeds)
		place = self._place(data)
		data[place:] = other[self._random.randrange(len(other) + 1) :]


_CHANGES = (Mutator.flip, Mutator.insert, Mutator.cut, Mutator.end_early, Mutator.repeat, Mutator.mix)
