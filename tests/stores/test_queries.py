from __future__ import annotations

import re
import sqlite3
from importlib.resources import files

import pytest

from attendance_bridge.stores import queries
from attendance_bridge.stores.database import Database

FILES = sorted(
	file.name.removesuffix(".sql") for file in (files("attendance_bridge.stores") / "sql").iterdir()
)
BLOCKS = [(file, name) for file in FILES for name in queries.load(file)]


class Anything(dict[str, None]):
	"""Binds every named parameter."""

	def __missing__(self, key: str) -> None:
		return None


def explain(db: Database, sql: str) -> str:
	parameters: object = Anything() if ":" in sql else (None,) * sql.count("?")
	with db.read() as connection:
		plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()  # type: ignore[arg-type]
	return "\n".join(row["detail"] for row in plan)


@pytest.mark.parametrize(("file", "name"), BLOCKS)
def test_every_statement_fits_the_schema_and_is_used(db: Database, file: str, name: str) -> None:
	explain(db, queries.load(file)[name])
	source = (files("attendance_bridge.stores") / f"{file}.py").read_text(encoding="utf-8")
	assert re.search(rf'"{name}"', source), "a statement that nothing runs"


@pytest.mark.parametrize(
	("file", "name", "index"),
	[
		("punches", "undecided", "punch_by_state (state=?)"),
		("punches", "standing", "punch_by_employee (employee=? AND occurred_at<?)"),
		("punches", "next_counted", "punch_by_employee (employee=? AND occurred_at>?)"),
		("punches", "next_final", "punch_by_employee (employee=? AND occurred_at>?)"),
		(
			"punches",
			"take_back_decisions",
			"punch_by_employee (employee=? AND occurred_at>? AND occurred_at<?)",
		),
		("punches", "held_in_state", "punch_by_state (state=?)"),
		("punches", "unmapped_ids", "punch_by_state (state=?)"),
		("punches", "count_arrivals", "INTEGER PRIMARY KEY (rowid>?)"),
		("outbox", "claimable", "punch_by_state (state=?)"),
		("outbox", "claimable", "punch_claimed (due_at>?)"),
		("outbox", "pull_due_times_in", "punch_claimed (due_at>?)"),
		("outbox", "held_back", "punch_claimed (due_at>?)"),
		("outbox", "held_back", "punch_by_employee (employee=? AND occurred_at>?)"),
		("outbox", "in_doubt", "punch_claimed"),
		("outbox", "next_due", "punch_claimed (due_at>?)"),
		("outbox", "oldest", "punch_by_state (state=?)"),
		("outbox", "mark_accepted", "(punch_id=?)"),
		("ledger", "entries", "check_in_by_time (occurred_at>? AND occurred_at<?)"),
	],
)
def test_what_runs_often_does_not_read_the_whole_table(
	db: Database, file: str, name: str, index: str
) -> None:
	assert index in explain(db, queries.load(file)[name])


@pytest.mark.parametrize("name", ["undecided", "held", "held_in_state"])
def test_lists_are_read_in_their_order_without_sorting_the_log(db: Database, name: str) -> None:
	# Putting equal moments in order ("… FOR RIGHT PART OF ORDER BY") costs nothing.
	assert "TEMP B-TREE FOR ORDER BY" not in explain(db, queries.load("punches")[name])


@pytest.mark.parametrize(
	"text",
	[
		"SELECT 1\n",
		"-- name: a\nSELECT 1\n",
		"-- name: a\n-- Purpose.\n",
		"-- name: a\n-- Purpose.\nSELECT 1\n-- name: a\n-- Again.\nSELECT 2\n",
		"-- A head.\n-- name: a\n-- Purpose.\nSELECT 1\n",
	],
)
def test_a_block_without_name_purpose_or_statement_is_refused(text: str) -> None:
	with pytest.raises(ValueError, match="block of its own"):
		queries.parse(text)


def test_blocks_are_taken_apart() -> None:
	text = "-- name: a\n-- One.\nSELECT 1\n\n-- name: b\n-- Two.\nSELECT\n\t2 -- two\n"
	assert queries.parse(text) == {"a": "SELECT 1", "b": "SELECT\n\t2 -- two"}


def test_statements_are_looked_up_by_name_only() -> None:
	with pytest.raises(KeyError):
		queries.load("cursors")["drop"]


def test_the_sqlite_at_hand_knows_what_the_statements_need() -> None:
	assert sqlite3.sqlite_version_info >= (3, 24), "upserts"
