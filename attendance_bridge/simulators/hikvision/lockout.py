"""The lock that wrong passwords throw: for half an hour, nobody gets in, not even with the right one."""

from __future__ import annotations

from collections.abc import Callable

MAX_WRONG_PASSWORDS = 7
UNLOCK_SECONDS = 1800.0


class LockOut:
	"""
	:param monotonic: seconds that only ever grow.
	"""

	def __init__(self, monotonic: Callable[[], float]) -> None:
		self.max_wrong_passwords = MAX_WRONG_PASSWORDS
		self.unlock_seconds = UNLOCK_SECONDS
		self._monotonic = monotonic
		self._wrong_passwords = 0
		self._locked_until: float | None = None

	@property
	def seconds_left(self) -> float:
		"""Until the account unlocks by itself; 0 when it is not locked."""
		if self._locked_until is None:
			return 0.0
		return max(self._locked_until - self._monotonic(), 0.0)

	@property
	def tries_left(self) -> int:
		return 0 if self.seconds_left else self.max_wrong_passwords - self._wrong_passwords

	def wrong_password(self) -> None:
		self._wrong_passwords += 1
		if self._wrong_passwords >= self.max_wrong_passwords:
			self.lock()

	def right_password(self) -> None:
		self._wrong_passwords = 0

	def lock(self, seconds: float | None = None) -> None:
		"""Lock for `seconds`, or for as long as this terminal locks."""
		self._wrong_passwords = 0
		self._locked_until = self._monotonic() + (self.unlock_seconds if seconds is None else seconds)

	def unlock(self) -> None:
		self._wrong_passwords = 0
		self._locked_until = None
