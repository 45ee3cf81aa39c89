"""What SQLite complains about, as codes."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from attendance_bridge.core.errors import Code, StoreError

_CAUSES = (
	# Fixed texts of SQLite (sqlite3ErrStr in its main.c); Python tells the numbers only from 3.11 on.
	("database is locked", Code.DATABASE_LOCKED),
	("database table is locked", Code.DATABASE_LOCKED),
	("database schema is locked", Code.DATABASE_LOCKED),
	("locking protocol", Code.DATABASE_LOCKED),
	("database or disk is full", Code.DISK_FULL),
	("database disk image is malformed", Code.DATABASE_DAMAGED),
	("malformed database schema", Code.DATABASE_DAMAGED),
	("could not decode to utf-8", Code.DATABASE_DAMAGED),
	("file is not a database", Code.DATABASE_UNREADABLE),
	("unable to open database file", Code.DATABASE_UNREADABLE),
	("attempt to write a readonly database", Code.DATABASE_UNREADABLE),
	("access permission denied", Code.DATABASE_UNREADABLE),
	("disk i/o error", Code.DATABASE_UNREADABLE),
)

_RETRYABLE = {Code.DATABASE_LOCKED, Code.DISK_FULL}

_HARDLY_ANYTHING = 256 * 1024
"""Bytes. With less room than this on the disk, a failed write is put down to that."""


@contextlib.contextmanager
def reported(path: Path) -> Iterator[None]:
	"""Turn what SQLite raises inside into a `StoreError` with `path` and `cause`.

	A mistake of ours (a wrong statement, a violated constraint) is no state of the database and passes.
	"""
	try:
		yield
	except sqlite3.DatabaseError as error:
		code = _code_of(error, path)
		if code is None:
			raise
		raise StoreError(code, retryable=code in _RETRYABLE, path=str(path), cause=str(error)) from error


def _code_of(error: sqlite3.DatabaseError, path: Path) -> Code | None:
	message = str(error).lower()
	for start, code in _CAUSES:
		if message.startswith(start):
			# A full disk shows as an I/O error too, when the shared memory file cannot grow.
			full = message.startswith("disk i/o error") and _room_beside(path) < _HARDLY_ANYTHING
			return Code.DISK_FULL if full else code
	return None


def _room_beside(path: Path) -> int:
	try:
		disk = os.statvfs(path.parent)
	except OSError:
		return _HARDLY_ANYTHING
	return disk.f_bavail * disk.f_frsize
