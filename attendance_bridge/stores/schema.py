"""Versions of the schema: each `migrations/NNNN_*.sql` leads from one to the next."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterator
from importlib.resources import files

APPLICATION_ID = 0x41427264
"""Stands in the header of every database of ours ("ABrd"), so that nobody else's is taken for one."""


@functools.cache
def migrations() -> tuple[str, ...]:
	"""The scripts in their order; the one at index n leads to version n + 1.

	:raises ValueError: the numbers do not run 1, 2, 3 …
	"""
	folder = files(__package__) / "migrations"
	found = sorted((file.name, file) for file in folder.iterdir() if file.name.endswith(".sql"))
	for version, (name, _file) in enumerate(found, start=1):
		if not name.startswith(f"{version:04d}_"):
			raise ValueError(f"migration {version:04d} is missing or stands there twice: {name}")
	return tuple(file.read_text(encoding="utf-8") for _name, file in found)


def version_of(connection: sqlite3.Connection) -> int:
	"""The version of a database; 0 for an empty one."""
	return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_foreign(connection: sqlite3.Connection) -> bool:
	"""Whether this is somebody else's database: it has tables and not our mark."""
	mark = connection.execute("PRAGMA application_id").fetchone()[0]
	if mark == APPLICATION_ID:
		return False
	return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
	"""Bring a database to the newest version, a transaction for each step.

	Another process may be doing the same: the version is read again under the lock.
	"""
	for version, script in enumerate(migrations(), start=1):
		if version_of(connection) >= version:
			continue
		connection.execute("BEGIN IMMEDIATE")
		try:
			if version_of(connection) < version:
				_apply(connection, script, version)
			connection.execute("COMMIT")
		except BaseException:
			if connection.in_transaction:
				connection.execute("ROLLBACK")
			raise


def _apply(connection: sqlite3.Connection, script: str, version: int) -> None:
	for statement in statements(script):
		connection.execute(statement)
	connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
	connection.execute(f"PRAGMA user_version = {version}")


def statements(script: str) -> Iterator[str]:
	"""Take a script apart. `executescript` would do it too, but commits before it begins."""
	pending = ""
	for line in script.splitlines(keepends=True):
		pending += line
		if sqlite3.complete_statement(pending):
			yield pending
			pending = ""
	if pending.strip():
		raise ValueError(f"a statement without its end: {pending.strip()[:60]!r}")
