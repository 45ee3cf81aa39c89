"""Who is enrolled on the terminal."""

from __future__ import annotations

from attendance_bridge.simulators.zkteco.records import USER_ID_BYTES, TerminalUser

MAX_UID = 0xFFFD
"""The two above it belong to the users that a fault adds."""


class Roster:
	"""The user list. Not safe for several threads by itself; the state guards it."""

	def __init__(self, *, numeric_ids: bool) -> None:
		"""
		:param numeric_ids: the model knows user ids as numbers only: "007" is "7" to it.
		"""
		self._numeric_ids = numeric_ids
		self._users: dict[int, TerminalUser] = {}
		self._uid_of: dict[str, int] = {}
		self._next_uid = 1

	def __len__(self) -> int:
		return len(self._users)

	def all(self) -> tuple[TerminalUser, ...]:
		return tuple(self._users.values())

	def find(self, user_id: str) -> TerminalUser | None:
		uid = self._uid_of.get(self._key(user_id))
		return None if uid is None else self._users[uid]

	def find_uid(self, uid: int) -> TerminalUser | None:
		return self._users.get(uid)

	def add(self, user_id: str, name: str, card: int) -> TerminalUser:
		"""Enrol somebody under the next free uid.

		:raises ValueError: the id is taken or does not fit this model, or the terminal is full.
		"""
		user = TerminalUser(uid=self._next_uid, user_id=user_id, name=name, card=card)
		self.put(user)
		return user

	def put(self, user: TerminalUser) -> None:
		"""Enrol somebody under the uid they bring, in place of whoever had it.

		:raises ValueError: the id belongs to another uid or does not fit this model, or a field is too large.
		"""
		self._check(user)
		self.remove(user.uid)
		self._users[user.uid] = user
		self._uid_of[self._key(user.user_id)] = user.uid
		# A number is never given twice: old rows of the log would pass to the new user.
		self._next_uid = max(self._next_uid, user.uid + 1)

	def remove(self, uid: int) -> bool:
		"""False if nobody has this uid."""
		user = self._users.pop(uid, None)
		if user is not None:
			del self._uid_of[self._key(user.user_id)]
		return user is not None

	def _check(self, user: TerminalUser) -> None:
		if not 0 < user.uid <= MAX_UID or not 0 < len(user.user_id.encode()) <= USER_ID_BYTES:
			raise ValueError("uid or user id out of bounds")
		if not 0 <= user.card <= 0xFFFFFFFF or not 0 <= user.privilege <= 0xFF:
			raise ValueError("card number or privilege out of bounds")
		if self._numeric_ids and not (_is_number(user.user_id) and 0 < int(user.user_id) <= 0xFFFFFFFF):
			raise ValueError("this model knows numbers from 1 to 4294967295 as user ids")
		if self._uid_of.get(self._key(user.user_id), user.uid) != user.uid:
			raise ValueError("this id belongs to another uid")

	def _key(self, user_id: str) -> str:
		return str(int(user_id)) if self._numeric_ids and _is_number(user_id) else user_id


def _is_number(user_id: str) -> bool:
	return user_id.isascii() and user_id.isdecimal()
