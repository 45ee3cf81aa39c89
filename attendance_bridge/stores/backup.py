"""A copy of the database while the agent works, and putting one back.

The copy is one file that needs no companions. Templates in it are as locked as in the original, and the key
is not in it. An erasure that happened after the copy was made is repeated when it is put back: what somebody
has taken back must not come home with a backup.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from attendance_bridge.core.consent import Erasure, ErasureReason
from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.erasures import Erasures
from attendance_bridge.stores.failures import reported

_PAGES_AT_A_TIME = 500
"""Between two such steps others may write."""
_ERASURES_AT_ONCE = 500
_ACTS_SINCE = """
SELECT act, count(*) FROM (
	SELECT entry, at, who, act, subject, details FROM main.audit
	EXCEPT SELECT entry, at, who, act, subject, details FROM copy.audit
) GROUP BY act
"""
_COMPANIONS = ("-wal", "-shm", "-journal")
_BEYOND_READING = {Code.DATABASE_DAMAGED, Code.DATABASE_UNREADABLE, Code.DATABASE_TOO_NEW}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
	"""What putting a copy back did."""

	set_aside: Path | None
	"""Where the database of before is now; None if there was none."""
	erased_again: tuple[str, ...]
	"""Employees whose templates were erased since the copy was made."""
	erasures_unknown: bool
	"""The database of before cannot be read: nobody knows whom it had erased."""


def back_up(database: Path, target: Path) -> int:
	"""Copy a database that may be in use; returns the size of the copy in bytes.

	:param target: made, for its owner only; a file that is there is refused.
	:raises StoreError: DATABASE_UNREADABLE (also: `target` is there, or cannot be made), DATABASE_DAMAGED,
		DISK_FULL or DATABASE_LOCKED; there is no `target` then.
	"""
	if not database.is_file():
		raise _unusable(database, "no such file")
	_make(target)
	try:
		with reported(database), contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy:
			# Not read-only, though nothing is written: such a reader cannot clear its companions away.
			with contextlib.closing(
				sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", uri=True, timeout=30)
			) as original:
				original.backup(copy, pages=_PAGES_AT_A_TIME)
			# Else it would need two more files beside it, and its user the right to make them.
			copy.execute("PRAGMA journal_mode = DELETE")
			_refuse_damaged(copy, database)
		_sync(target)
	except BaseException:
		for name in (target, target.with_name(f"{target.name}-journal")):
			name.unlink(missing_ok=True)
		raise
	return target.stat().st_size


def acts_since(backup: Path, database: Path) -> Counter[str] | None:
	"""What people did in the database that a copy of it does not know of, by its audit log.

	:returns: how often, by the code of the act; None where one of the two cannot be read.
	"""
	if not database.is_file():
		return Counter()
	try:
		with contextlib.closing(
			sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", uri=True, timeout=5)
		) as connection:
			connection.execute("ATTACH ? AS copy", (f"{backup.resolve().as_uri()}?mode=ro",))
			return Counter(dict(connection.execute(_ACTS_SINCE)))
	except sqlite3.DatabaseError:
		return None


def restore(backup: Path, database: Path, *, by: str, at: datetime) -> Restored:
	"""Put a copy in the place of the database, which is set aside.

	:param by: for the record of what has to be erased again.
	:param at: this moment, aware.
	:raises StoreError: the copy is damaged, foreign or too new; DATABASE_LOCKED: the agent still runs.
		Nothing was changed then.
	"""
	arriving = database.with_name(f"{database.name}.arriving")
	aside = database.with_name(f"{database.name}.before-restore-{at:%Y%m%d-%H%M%S}")
	back_up(backup, arriving)
	erased: tuple[str, ...] = ()
	unknown = False
	try:
		with Database.open(arriving) as copy:
			if database.exists():
				try:
					_close_for_good(database)
					erased = _erase_again(database, copy, by=by, at=at)
				except StoreError as error:
					if error.code not in _BEYOND_READING:
						raise
					unknown = True  # a damaged database is what one restores for
			copy.empty_log()
		_set_aside(database, aside)
		arriving.replace(database)
	except BaseException:
		for ending in ("", *_COMPANIONS):
			arriving.with_name(arriving.name + ending).unlink(missing_ok=True)
		raise
	_sync(database)
	return Restored(
		set_aside=aside if aside.exists() else None, erased_again=erased, erasures_unknown=unknown
	)


def _set_aside(database: Path, aside: Path) -> None:
	"""With its companions: a log of the old file beside the new one would be taken for its own."""
	for ending in ("", *_COMPANIONS):
		present = database.with_name(database.name + ending)
		if present.exists():
			present.replace(aside.with_name(aside.name + ending))


def _erase_again(present: Path, copy: Database, *, by: str, at: datetime) -> tuple[str, ...]:
	"""Whom the present database erased since the copy was made, by its records."""
	erasures = Erasures(copy)
	known = {(each.employee, each.erased_at) for each in _records(copy)}
	with Database.open(present, check=False) as database:
		# The oldest first, as it happened.
		since = [
			each for each in reversed(_records(database)) if (each.employee, each.erased_at) not in known
		]
	done = []
	for each in since:
		if each.reason is ErasureReason.WITHDRAWN:
			again = erasures.withdraw(each.employee, by=by, at=at)
		else:
			again = erasures.remove(each.employee, each.reason, by=by, at=at)
		if again is not None:
			done.append(each.employee)
	_close_for_good(present)
	return tuple(dict.fromkeys(done))


def _records(database: Database) -> list[Erasure]:
	erasures = Erasures(database)
	found: list[Erasure] = []
	while page := erasures.records(limit=_ERASURES_AT_ONCE, offset=len(found)):
		found += page
	return found


def _close_for_good(database: Path) -> None:
	"""Carry the log over into the file, so that it can be moved alone; refused while somebody has it open."""
	with reported(database), contextlib.closing(sqlite3.connect(database, timeout=1)) as connection:
		# SQLite leaves WAL only for whoever is alone with the file.
		connection.execute("PRAGMA journal_mode = DELETE")


def _make(target: Path) -> None:
	try:
		os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
	except OSError as error:
		raise _unusable(target, error.strerror or "") from None


def _refuse_damaged(copy: sqlite3.Connection, database: Path) -> None:
	verdict = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
	if verdict != "ok":
		raise StoreError(Code.DATABASE_DAMAGED, path=str(database), cause=str(verdict)[:200])


def _sync(path: Path) -> None:
	for each in (path, path.parent):
		handle = os.open(each, os.O_RDONLY | os.O_CLOEXEC)
		try:
			os.fsync(handle)
		finally:
			os.close(handle)


def _unusable(path: Path, cause: str) -> StoreError:
	return StoreError(Code.DATABASE_UNREADABLE, path=str(path), cause=cause)
