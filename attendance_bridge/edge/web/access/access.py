"""Logins and keys: who somebody is, by what they show."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from attendance_bridge.core.driver import Now
from attendance_bridge.edge.web.access import passwords
from attendance_bridge.edge.web.access.scopes import ROLES, Caller, Scope
from attendance_bridge.stores.accounts import Account, Accounts
from attendance_bridge.stores.audit import AuditLog

KEY_PREFIX = "abk_"
"""So that a key is recognised as one where it should not be."""

LOGINS_OF_ACCOUNT = RateLimitItemPerMinute(5, 5)
"""Failed ones in a row."""
LOGINS_FROM_ADDRESS = RateLimitItemPerMinute(20, 5)
"""Failed ones."""
CALLS = RateLimitItemPerSecond(600, 60)
"""Of one caller."""
REFUSALS_NOTED = RateLimitItemPerMinute(1)
"""Of attempts that are not even looked at, from one address: the log must not fill the card."""


class TooManyError(Exception):
	"""Come back later."""


class _Counts(MemoryStorage):
	"""Its own `clear` takes what another thread is looking at, which then fails."""

	def clear(self, key: str) -> None:
		with self.locks[key]:
			super().clear(key)


class Access:
	"""Safe to use from any thread; methods may raise `StoreError`."""

	def __init__(self, accounts: Accounts, audit: AuditLog, *, now: Now) -> None:
		self.accounts = accounts
		self.audit = audit
		self.now = now
		self._limiter = MovingWindowRateLimiter(_Counts())

	def log_in(self, name: str, password: str, address: str) -> str | None:
		"""Begin a login; returns its token, None if it is refused. Refusals are written down.

		:raises TooManyError: too many attempts for this account or from this address.
		"""
		name = name.strip()
		of_account = ("account", name.lower())
		# Counted before anything is looked at, so that many at once are not fewer.
		may_try = self._limiter.test(LOGINS_FROM_ADDRESS, "login", address)
		if not (may_try and self._limiter.hit(LOGINS_OF_ACCOUNT, *of_account)):
			if self._limiter.hit(REFUSALS_NOTED, "login", address):
				self._note(name, address, "login_limited")
			raise TooManyError
		account = self.accounts.find(name)
		if not passwords.verify(password, account.password_hash if account else None) or account is None:
			self._limiter.hit(LOGINS_FROM_ADDRESS, "login", address)
			self._note(name, address, "login_refused")
			return None
		self._limiter.clear(LOGINS_OF_ACCOUNT, *of_account)
		account = self._freshly_hashed(account, password)
		token = secrets.token_urlsafe(32)
		begun = self.accounts.log_in(account, token, address=address, at=self.now())
		return token if begun else None

	def _freshly_hashed(self, account: Account, password: str) -> Account:
		if not passwords.is_outdated(account.password_hash):
			return account
		self.accounts.rehash(account, passwords.hash_password(password))
		return self.accounts.find(account.name) or account

	def _note(self, name: str, address: str, act: str) -> None:
		self.audit.write(act, who=name[:100], at=self.now(), address=address)

	def log_out(self, token: str, caller: Caller) -> None:
		self.accounts.log_out(token, who=caller.who, address=caller.address, at=self.now())

	def by_token(self, token: str, address: str) -> Caller | None:
		"""Who is logged in with this token; None if nobody is."""
		account = self.accounts.logged_in(token, at=self.now())
		if account is None:
			return None
		scopes = ROLES.get(account.role, frozenset())
		return Caller(who=account.name, scopes=scopes, address=address, has_login=True)

	def by_key(self, key: str, address: str) -> Caller | None:
		"""The program with this key; None, and a line in the log, if it is none of ours.

		:raises TooManyError: too many wrong keys from this address.
		"""
		if not self._limiter.test(LOGINS_FROM_ADDRESS, "key", address):
			raise TooManyError
		found = self.accounts.key(key, at=self.now())
		if found is None:
			self._limiter.hit(LOGINS_FROM_ADDRESS, "key", address)
			self._note("", address, "key_refused")
			return None
		known = {scope.value for scope in Scope}
		scopes = frozenset(Scope(scope) for scope in found.scopes if scope in known)
		return Caller(who=f"key {found.name}", scopes=scopes, address=address, has_key=True)

	def count_call(self, caller: Caller) -> bool:
		"""Whether one more call of this caller is fine."""
		return self._limiter.hit(CALLS, "call", caller.who or caller.address)

	def add_key(self, name: str, scopes: Iterable[Scope], *, by: str) -> str | None:
		"""Make a key; returns it, the only time that it is seen. None if the name is taken."""
		key = KEY_PREFIX + secrets.token_urlsafe(32)
		wanted = tuple(sorted(scope.value for scope in scopes))
		return key if self.accounts.add_key(name, key, wanted, by=by, at=self.now()) else None
