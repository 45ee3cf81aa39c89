from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from attendance_bridge.stores import schema
from attendance_bridge.stores.database import Database


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
	with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
		yield connection


def tables(connection: sqlite3.Connection) -> set[str]:
	return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_an_empty_database_is_brought_to_the_newest_version(connection: sqlite3.Connection) -> None:
	assert not schema.is_foreign(connection)
	schema.migrate(connection)
	assert schema.version_of(connection) == len(schema.migrations()) >= 1
	assert "punch" in tables(connection)
	assert not schema.is_foreign(connection)


def test_migrating_again_changes_nothing(connection: sqlite3.Connection) -> None:
	schema.migrate(connection)
	changes = connection.total_changes
	schema.migrate(connection)
	assert connection.total_changes == changes


def test_only_what_is_missing_is_applied(
	connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
	schema.migrate(connection)
	first = schema.migrations()
	monkeypatch.setattr(schema, "migrations", lambda: (*first, "CREATE TABLE added (x);"))
	schema.migrate(connection)
	assert schema.version_of(connection) == len(first) + 1
	assert "added" in tables(connection)


def test_a_step_that_fails_leaves_the_version_before_it(
	connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
	steps = ("CREATE TABLE one (x);", "CREATE TABLE two (x);\nINSERT INTO nowhere VALUES (1);")
	monkeypatch.setattr(schema, "migrations", lambda: steps)
	with pytest.raises(sqlite3.OperationalError, match="nowhere"):
		schema.migrate(connection)
	assert schema.version_of(connection) == 1
	assert tables(connection) == {"one"}
	assert not connection.in_transaction


def test_a_script_is_taken_apart_at_its_statements() -> None:
	script = (
		"-- A; comment.\nCREATE TABLE a (x);\n"
		"CREATE TRIGGER t AFTER INSERT ON a BEGIN\n\tDELETE FROM a;\nEND;\nSELECT ';';\n"
	)
	assert [statement.split()[-1] for statement in schema.statements(script)] == ["(x);", "END;", "';';"]
	with pytest.raises(ValueError, match="without its end"):
		list(schema.statements("SELECT 1;\nSELECT 2"))


def test_another_programs_database_is_told_apart(connection: sqlite3.Connection) -> None:
	connection.execute("CREATE TABLE bookmarks (url)")
	assert schema.is_foreign(connection)


def test_a_database_of_an_older_version_is_brought_up_when_it_is_opened(
	tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	Database.open(tmp_path / "bridge.db").close()
	first = schema.migrations()
	monkeypatch.setattr(schema, "migrations", lambda: (*first, "CREATE TABLE added (x);"))
	with Database.open(tmp_path / "bridge.db") as db, db.read() as connection:
		assert "added" in tables(connection)
