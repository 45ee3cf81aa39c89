"""The user list of a ZKTeco terminal, as far as the log needs it: from a number in a record to the user's id.

The list is four bytes, its size, and records of 28 bytes (the id is a number) or 72 bytes (it is text), as
pyzk 0.9 `get_users` reads them. Names, passwords and cards in it are not looked at.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator

from attendance_bridge.drivers.zkteco_tcp.records import TextIds

_SHORT = struct.Struct("<H22xI")
_LONG = struct.Struct("<H46x24s")


class Users:
	"""Who is meant by the number in an 8- or 16-byte record."""

	def __init__(self, pairs: Iterator[tuple[int, str]] | tuple[tuple[int, str], ...] = ()) -> None:
		"""
		:param pairs: (uid, user id) of every user.
		"""
		self._by_uid: dict[int, str] = {}
		self._by_number: dict[int, str] = {}
		ambiguous: set[int] = set()
		for uid, user_id in pairs:
			self._by_uid.setdefault(uid, user_id)
			if user_id.isascii() and user_id.isdigit():
				number = int(user_id)
				if self._by_number.setdefault(number, user_id) != user_id:
					ambiguous.add(number)
		for number in ambiguous:
			del self._by_number[number]

	def by_uid(self, who: bytes | int) -> str | None:
		"""8 bytes: the record holds the terminal's internal number; a user deleted since is named by it."""
		return self._name(self._by_uid, int(who))

	def by_number(self, who: bytes | int) -> str | None:
		"""16 bytes: the record holds the id as a number, which lost its leading zeros.

		They come back if exactly one user's id has that value; else the number is taken as it stands.
		"""
		return self._name(self._by_number, int(who))

	def certain(self, number: int, may_be_internal: bool) -> str | None:
		"""The id behind a number that this list knows; None for any other, and for one with two meanings."""
		by_number = self._by_number.get(number)
		if not may_be_internal:
			return by_number
		by_uid = self._by_uid.get(number)
		return by_uid if by_number is None or by_uid == by_number else None

	@staticmethod
	def _name(known: dict[int, str], number: int) -> str | None:
		# Terminals count people from 1; 0 is the terminal itself.
		return known.get(number, str(number)) if number else None


class NumberedIds:
	"""The ids of people whom an event names by a number, from a list that is fetched when it is needed."""

	REFRESH_SECONDS = 60.0

	def __init__(self, fetch: Callable[[], Users], *, clock: Callable[[], float] = time.monotonic) -> None:
		"""
		:param fetch: reads the list from the terminal.
		"""
		self._fetch = fetch
		self._clock = clock
		self._users = Users()
		self._fetched_at: float | None = None

	def id_of(self, number: int, may_be_internal: bool) -> str | None:
		"""The id behind a number; None if nobody has it, or if two people could be meant.

		:param may_be_internal: nothing tells whether it is the terminal's own number for the user or the id.
		"""
		user_id = self._users.certain(number, may_be_internal)
		if user_id is None and self._is_old():
			self._fetched_at = self._clock()
			self._users = self._fetch()
			user_id = self._users.certain(number, may_be_internal)
		return user_id

	def _is_old(self) -> bool:
		return self._fetched_at is None or self._clock() - self._fetched_at >= self.REFRESH_SECONDS


def read_users(transferred: bytes, *, held: int | None, encoding: str) -> Users | None:
	"""Read the list.

	:param transferred: the list with its leading size.
	:param held: how many users the terminal said it holds; None if it did not say.
	:return: None if the records are of neither size.
	"""
	body = memoryview(transferred)[4 : 4 + int.from_bytes(transferred[:4], "little")]
	if not body:
		return Users()
	fitting = [shape for shape in (_LONG, _SHORT) if len(body) % shape.size == 0]
	if not fitting:
		return None
	# A list of 504 bytes may be 18 short or 7 long records; if nobody says how many, the long ones are newer.
	shape = next((shape for shape in fitting if len(body) // shape.size == held), fitting[0])
	return Users(_pairs(shape, body, TextIds(encoding)))


def _pairs(shape: struct.Struct, body: memoryview, name_of: TextIds) -> Iterator[tuple[int, str]]:
	for uid, who in shape.iter_unpack(body):
		user_id = name_of(who)
		if user_id is not None:
			yield uid, user_id
