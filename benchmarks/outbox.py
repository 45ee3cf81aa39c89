"""How many punches a second are accepted durably, against SQLite merely taking the same rows.

- Ours: `PunchStore.accept` with pages of 1,000 prebuilt punches. It works out each punch's id, writes the
  row, counts the terminal's tally, keeps every index that later steps live on, and commits.
- The rival: one `executemany` a page with ready-made tuples of the same values, in a transaction of its own,
  into one table with the same columns, the same primary key and the same unique index on the id, on a
  connection with the same pragmas. It keeps no other index and counts nothing: what nobody can do without.

A round fills two fresh files, page by page in turn, so that a busy moment of the machine strikes both. The
ratio is the median of the rounds' own.
"""

from __future__ import annotations

import argparse
import gc
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from _figures import spread, verdict

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Page
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.punches import PunchStore

SERIAL = "SIMZK00000001"
FIRST_PUNCH = datetime(2025, 1, 1, 6, tzinfo=ZoneInfo("Asia/Dubai"))
BETWEEN_PUNCHES = timedelta(seconds=200)
READ_AT = datetime(2025, 9, 1, tzinfo=timezone.utc)
READING = ClockReading(taken_at=READ_AT, device_time=READ_AT + timedelta(seconds=1))
PEOPLE = 1_000
PRAGMAS = ("journal_mode", "synchronous", "foreign_keys", "journal_size_limit")
GOAL = 0.6

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
	"""What the rival writes, and how: taken from a file of ours, so that it cannot differ."""

	pragmas: tuple[str, ...]
	table: str
	insert: str
	batches: tuple[Sequence[Row], ...]


def make_pages(punches: int, size: int) -> tuple[Page, ...]:
	"""Fresh punches as the driver of a ZKTeco terminal hands them out."""
	made = [
		Punch(
			device_serial=SERIAL,
			device_user_id=str(1001 + number * 7919 % PEOPLE),
			occurred_at=FIRST_PUNCH + number * BETWEEN_PUNCHES,
			verify_mode=VerifyMode.FINGER,
			device_key=DeviceKey.CHECK_IN,
			raw=f"{number:080x}",  # as long as a record of 40 bytes
		)
		for number in range(punches)
	]
	starts = range(0, punches, size)
	return tuple(Page(punches=tuple(made[start : start + size]), cursor=START) for start in starts)


def strip_bare(pages: Sequence[Page], folder: str) -> Bare:
	"""Hold all pages our way, and read back what a bare insert needs."""
	with tempfile.TemporaryDirectory(dir=folder) as fresh, open_ours(fresh) as database:
		store = make_store(database)
		for page in pages:
			store.accept(page, SERIAL, READING)
		with database.write() as connection:
			pragmas = [(name, connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in PRAGMAS]
			(table,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'punch'").fetchone()
			columns = [column["name"] for column in connection.execute("PRAGMA table_info(punch)")]
			# A new row states these; the rest are defaults.
			stated = columns[columns.index("punch_id") : columns.index("clock_good_until") + 1]
			held = connection.execute(f"SELECT {', '.join(stated)} FROM punch ORDER BY arrival")
			batches = tuple([tuple(held.fetchone()) for _ in page.punches] for page in pages)
	return Bare(
		pragmas=tuple(f"PRAGMA {name} = {value}" for name, value in pragmas),
		table=table,
		insert=f"INSERT INTO punch ({', '.join(stated)}) VALUES ({', '.join('?' * len(stated))})",
		batches=batches,
	)


def open_ours(folder: str) -> Database:
	return Database.open(Path(folder, "ours.db"))


def make_store(database: Database) -> PunchStore:
	return PunchStore(database, now=lambda: READ_AT)


def open_bare(folder: str, bare: Bare) -> sqlite3.Connection:
	connection = sqlite3.connect(Path(folder, "bare.db"), isolation_level=None)
	for statement in (*bare.pragmas, bare.table):
		connection.execute(statement)
	return connection


def insert_batch(connection: sqlite3.Connection, statement: str, batch: Sequence[Row]) -> None:
	connection.execute("BEGIN IMMEDIATE")
	connection.executemany(statement, batch)
	connection.execute("COMMIT")


def run_round(pages: Sequence[Page], bare: Bare, folder: str) -> tuple[float, float]:
	"""Fill both files; returns the seconds of ours and of the rival."""
	ours = theirs = 0.0
	with (
		tempfile.TemporaryDirectory(dir=folder) as fresh,
		open_ours(fresh) as database,
		closing(open_bare(fresh, bare)) as connection,
	):
		store = make_store(database)
		for page, batch in zip(pages, bare.batches, strict=True):
			ours += seconds_of(partial(store.accept, page, SERIAL, READING))
			theirs += seconds_of(partial(insert_batch, connection, bare.insert, batch))
		refuse_unequal(sum(store.counts().values()), connection, sum(map(len, bare.batches)))
	return ours, theirs


def seconds_of(act: Callable[[], object]) -> float:
	started = time.perf_counter()
	act()
	return time.perf_counter() - started


def refuse_unequal(ours: int, connection: sqlite3.Connection, wanted: int) -> None:
	theirs = connection.execute("SELECT count(*) FROM punch").fetchone()[0]
	if not ours == theirs == wanted:
		raise SystemExit(f"of {wanted} punches, ours holds {ours} and the rival {theirs}")


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--punches", type=int, default=100_000)
	parser.add_argument("--page", type=int, default=1_000, help="punches in one transaction")
	parser.add_argument("--rounds", type=int, default=9)
	parser.add_argument("--folder", default=tempfile.gettempdir(), help="where the databases are made")
	options = parser.parse_args()
	pages = make_pages(options.punches, options.page)
	bare = strip_bare(pages, options.folder)
	gc.freeze()  # the agent never has so many punches in memory for the collector to look through
	rounds = [run_round(pages, bare, options.folder) for _ in range(options.rounds)]
	print(f"{options.punches:,} punches, {options.page:,} in a transaction")
	print(f"  PunchStore.accept  {spread([options.punches / ours for ours, _ in rounds], 'a second')}")
	print(f"  bare executemany   {spread([options.punches / theirs for _, theirs in rounds], 'a second')}")
	print(verdict(median(theirs / ours for ours, theirs in rounds), f">={GOAL}"))


if __name__ == "__main__":
	main()
