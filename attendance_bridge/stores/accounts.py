"""Accounts of people, their logins, and keys of programs. Passwords, tokens and keys are held hashed only.

Hashing passwords is the business of the floor above. Tokens and keys are random and long: a plain SHA-256
cannot be guessed back.
"""

from __future__ import annotations

import hashlib
import sqlite3
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from attendance_bridge.stores import audit
from attendance_bridge.stores.columns import micros, moment, moment_or_none, text_in, text_out
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("accounts")

IDLE = timedelta(hours=2)
"""A login that nobody uses ends after this time …"""
LONGEST = timedelta(hours=12)
"""… and any login after this one."""
NOTED_EVERY = timedelta(minutes=1)
"""How exactly the last use is known: not every request is worth a write to a card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
	name: str
	role: str
	password_hash: str = field(repr=False)
	created_at: datetime
	"""In UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
	name: str
	scopes: tuple[str, ...]
	created_at: datetime
	"""In UTC, as is …"""
	used_at: datetime | None
	"""… when it was last used, to the minute."""


class Accounts:
	"""Every change is written into the audit log in its own transaction; methods may raise `StoreError`."""

	def __init__(self, db: Database) -> None:
		self.db = db

	def add(self, name: str, role: str, password_hash: str, *, by: str, at: datetime) -> bool:
		"""Enter an account; False if there is one `like` it already."""
		with self.db.write() as connection:
			if _like(connection, name) is not None:
				return False
			row = (text_in(name), role, password_hash, micros(at))
			added = connection.execute(_SQL["add"], row).rowcount > 0
			if added:
				audit.note(connection, "account_added", who=by, at=at, subject=name, details=role)
		return added

	def remove(self, name: str, *, by: str, at: datetime) -> bool:
		"""Take an account out, its logins with it; False if there was none."""
		with self.db.write() as connection:
			removed = connection.execute(_SQL["remove"], (text_in(name),)).rowcount > 0
			if removed:
				audit.note(connection, "account_removed", who=by, at=at, subject=name)
		return removed

	def set_password(self, name: str, password_hash: str, *, by: str, at: datetime) -> bool:
		"""Another password; every login of the account ends. False if there is no such account."""
		with self.db.write() as connection:
			found = connection.execute(_SQL["set_password"], (password_hash, text_in(name))).rowcount > 0
			if found:
				connection.execute(_SQL["end_all"], (text_in(name),))
				audit.note(connection, "password_changed", who=by, at=at, subject=name)
		return found

	def rehash(self, account: Account, password_hash: str) -> None:
		"""The same password, hashed at a newer cost."""
		with self.db.write() as connection:
			wanted = (password_hash, text_in(account.name), account.password_hash)
			connection.execute(_SQL["rehash"], wanted)

	def find(self, name: str) -> Account | None:
		with self.db.read() as connection:
			row = connection.execute(_SQL["find"], (text_in(name),)).fetchone()
		return _account(row) if row is not None else None

	def like(self, name: str) -> Account | None:
		"""The account whose name is the same for whoever reads it: case and width of letters do not count.

		Only new ones are held to that; where there are several, the first by name.
		"""
		with self.db.read() as connection:
			return _like(connection, name)

	def all(self) -> list[Account]:
		"""Every account, by name."""
		with self.db.read() as connection:
			return [_account(row) for row in connection.execute(_SQL["all"])]

	def count(self) -> int:
		with self.db.read() as connection:
			return int(connection.execute(_SQL["count"]).fetchone()[0])

	def log_in(self, account: Account, token: str, *, address: str, at: datetime) -> bool:
		"""Begin a login; False if the account is gone or has another password by now."""
		with self.db.write() as connection:
			connection.execute(_SQL["end_old"], (micros(at - LONGEST), micros(at - IDLE)))
			row = (_digest(token), micros(at), micros(at), text_in(address))
			which = (text_in(account.name), account.password_hash)
			begun = connection.execute(_SQL["begin"], (*row, *which)).rowcount > 0
			if begun:
				audit.note(connection, "logged_in", who=account.name, at=at, address=address)
		return begun

	def logged_in(self, token: str, *, at: datetime) -> Account | None:
		"""Whose login a token is; None if it is nobody's or has ended."""
		with self.db.read() as connection:
			row = connection.execute(_SQL["login"], (_digest(token),)).fetchone()
		if row is None:
			return None
		unused, age = at - moment(row["seen_at"]), at - moment(row["began_at"])
		if unused > IDLE or age > LONGEST:
			return None
		if unused > NOTED_EVERY:
			with self.db.write() as connection:
				connection.execute(_SQL["see"], (micros(at), _digest(token)))
		return _account(row)

	def log_out(self, token: str, *, who: str, address: str, at: datetime) -> None:
		"""End one login."""
		with self.db.write() as connection:
			if connection.execute(_SQL["end"], (_digest(token),)).rowcount:
				audit.note(connection, "logged_out", who=who, at=at, address=address)

	def add_key(self, name: str, key: str, scopes: tuple[str, ...], *, by: str, at: datetime) -> bool:
		"""Enter a key; False if there is one of that name already."""
		with self.db.write() as connection:
			row = (text_in(name), _digest(key), " ".join(scopes), micros(at))
			added = connection.execute(_SQL["add_key"], row).rowcount > 0
			if added:
				audit.note(connection, "key_added", who=by, at=at, subject=name, details=" ".join(scopes))
		return added

	def remove_key(self, name: str, *, by: str, at: datetime) -> bool:
		"""Take a key out; False if there was none."""
		with self.db.write() as connection:
			removed = connection.execute(_SQL["remove_key"], (text_in(name),)).rowcount > 0
			if removed:
				audit.note(connection, "key_removed", who=by, at=at, subject=name)
		return removed

	def key(self, key: str, *, at: datetime) -> ApiKey | None:
		"""The entry of a key; None if it is none of ours."""
		with self.db.read() as connection:
			row = connection.execute(_SQL["find_key"], (_digest(key),)).fetchone()
		if row is None:
			return None
		found = _api_key(row)
		if found.used_at is None or at - found.used_at > NOTED_EVERY:
			with self.db.write() as connection:
				connection.execute(_SQL["use_key"], (micros(at), row["name"]))
		return found

	def keys(self) -> list[ApiKey]:
		"""Every key, by name."""
		with self.db.read() as connection:
			return [_api_key(row) for row in connection.execute(_SQL["keys"])]


def _digest(token: str) -> bytes:
	return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _like(connection: sqlite3.Connection, name: str) -> Account | None:
	wanted = _read_as(name)
	accounts = (_account(row) for row in connection.execute(_SQL["all"]))
	return next((each for each in accounts if _read_as(each.name) == wanted), None)


def _read_as(name: str) -> str:
	return unicodedata.normalize("NFKC", name).casefold()


def _account(row: sqlite3.Row) -> Account:
	return Account(
		name=text_out(row["name"]),
		role=row["role"],
		password_hash=row["password_hash"],
		created_at=moment(row["created_at"]),
	)


def _api_key(row: sqlite3.Row) -> ApiKey:
	return ApiKey(
		name=text_out(row["name"]),
		scopes=tuple(row["scopes"].split()),
		created_at=moment(row["created_at"]),
		used_at=moment_or_none(row["used_at"]),
	)
