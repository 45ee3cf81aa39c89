from __future__ import annotations

from datetime import timedelta

import pytest

from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.core.ports import CursorStore
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.database import Database
from tests.stores.samples import NOW


@pytest.fixture
def cursors(db: Database) -> SqliteCursors:
	return SqliteCursors(db)


def test_it_is_a_cursor_store(cursors: SqliteCursors) -> None:
	port: CursorStore = cursors
	assert port.load("A") == START


@pytest.mark.parametrize("serial", ["A", "Ä/7 ", "\udcff"])
def test_a_cursor_comes_back(db: Database, cursors: SqliteCursors, serial: str) -> None:
	cursors.save(serial, Cursor({"after": 1}))
	cursors.save(serial, Cursor({"after": 2, "since": "2026-11-19T08:00:00", "odd": "\ud800"}))
	cursors.save("other", Cursor({"after": 9}))
	with Database.open(db.path) as reopened:
		assert SqliteCursors(reopened).load(serial) == Cursor(
			{"after": 2, "since": "2026-11-19T08:00:00", "odd": "\ud800"}
		)


def test_a_cursor_that_cannot_be_read_is_the_beginning(db: Database, cursors: SqliteCursors) -> None:
	cursors.save("A", Cursor({"after": 1}))
	with db.write() as connection:
		connection.execute("UPDATE cursor SET position = '{broken'")
	assert cursors.load("A") == START


def test_a_watermark_never_goes_back(cursors: SqliteCursors) -> None:
	assert cursors.watermark("A") is None
	cursors.vouch("A", NOW)
	cursors.vouch("A", NOW - timedelta(hours=1))
	assert cursors.watermark("A") == NOW
	cursors.vouch("A", NOW + timedelta(microseconds=1))
	assert cursors.watermark("A") == NOW + timedelta(microseconds=1)


def test_cursor_and_watermark_do_not_touch_each_other(cursors: SqliteCursors) -> None:
	cursors.vouch("A", NOW)
	assert cursors.load("A") == START
	cursors.save("A", Cursor({"after": 1}))
	assert cursors.watermark("A") == NOW
	cursors.vouch("A", NOW + timedelta(hours=1))
	assert cursors.load("A") == Cursor({"after": 1})


def test_watermarks_are_listed_for_those_that_have_one(cursors: SqliteCursors) -> None:
	cursors.vouch("A", NOW)
	cursors.vouch("B", NOW + timedelta(hours=1))
	cursors.save("C", Cursor({"after": 1}))
	assert cursors.watermark("C") is None
	assert cursors.watermarks() == {"A": NOW, "B": NOW + timedelta(hours=1)}
