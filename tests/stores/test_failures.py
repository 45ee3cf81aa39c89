from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.stores.failures import reported
from tests.stores.samples import SmallDisk


@pytest.mark.parametrize(
	("message", "code", "retryable"),
	[
		("database is locked", Code.DATABASE_LOCKED, True),
		("database table is locked: punch", Code.DATABASE_LOCKED, True),
		("database or disk is full", Code.DISK_FULL, True),
		("database disk image is malformed", Code.DATABASE_DAMAGED, False),
		("malformed database schema (punch)", Code.DATABASE_DAMAGED, False),
		("Could not decode to UTF-8 column 'raw' with text '\xff'", Code.DATABASE_DAMAGED, False),
		("file is not a database", Code.DATABASE_UNREADABLE, False),
		("unable to open database file", Code.DATABASE_UNREADABLE, False),
		("attempt to write a readonly database", Code.DATABASE_UNREADABLE, False),
		("disk I/O error", Code.DATABASE_UNREADABLE, False),
	],
)
def test_what_sqlite_says_is_a_code(tmp_path: Path, message: str, code: Code, retryable: bool) -> None:
	path = tmp_path / "bridge.db"
	with pytest.raises(StoreError) as caught, reported(path):
		raise sqlite3.OperationalError(message)
	assert (caught.value.code, caught.value.retryable) == (code, retryable)
	assert caught.value.details == {"path": str(path), "cause": message}


def test_an_io_error_on_a_disk_without_room_is_a_full_disk(small_disk: SmallDisk) -> None:
	small_disk.fill()
	with pytest.raises(StoreError) as caught, reported(small_disk.folder / "bridge.db"):
		raise sqlite3.OperationalError("disk I/O error")
	assert caught.value.code is Code.DISK_FULL


@pytest.mark.parametrize(
	"error",
	[
		sqlite3.OperationalError("no such table: punch"),
		sqlite3.IntegrityError("UNIQUE constraint failed: punch.punch_id"),
		sqlite3.ProgrammingError("Cannot operate on a closed database."),
		ZeroDivisionError(),
	],
)
def test_a_mistake_of_ours_passes_as_it_is(tmp_path: Path, error: Exception) -> None:
	with pytest.raises(type(error)) as caught, reported(tmp_path / "bridge.db"):
		raise error
	assert caught.value is error
