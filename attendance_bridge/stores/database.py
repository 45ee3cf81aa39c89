"""One SQLite file: who may read and write it when, and what is certain once a transaction has ended.

WAL with synchronous=FULL: a committed transaction survives a power cut. Within a process one connection
writes, and threads take turns at it; each transaction that only reads has a connection to itself out of a
pool, sees one state of the database from beginning to end, and never waits. Processes take turns by SQLite's
own lock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.stores import schema
from attendance_bridge.stores.failures import reported

_WAL_KEPT = 32 * 1024 * 1024
"""Bytes to which the write-ahead log is cut back after it has been carried over: SD cards are small."""

_SMALLEST = 512
"""Bytes of the smallest page of SQLite (https://www.sqlite.org/fileformat.html)."""

_ATTEMPTS = 20
"""At switching a new file to WAL; each waits for the others, so the second one nearly always does it."""


class Database:
	"""An open database. Safe to use from any thread; `close` ends it."""

	def __init__(self, path: Path, busy_timeout: timedelta) -> None:
		self.path = path
		self._busy_timeout = busy_timeout
		self._turn = threading.RLock()
		self._writing = False
		self._writer = self._connect()
		self._pool_lock = threading.Lock()
		self._idle_readers: list[sqlite3.Connection] = []
		self._closed = False

	@classmethod
	def open(
		cls, path: str | Path, *, busy_timeout: timedelta = timedelta(seconds=5), check: bool = True
	) -> Database:
		"""Open a database; make it if there is none, readable for its owner only (it holds personal data).

		:param busy_timeout: how long to wait for another process before DATABASE_LOCKED.
		:param check: look through the whole file for damage first. That reads all of it; a second process may
			leave it to the first.
		:raises StoreError: DATABASE_UNREADABLE, DATABASE_TOO_NEW, DATABASE_DAMAGED (the file is left as it
			is), DATABASE_LOCKED or DISK_FULL, with `path`.
		"""
		# Made absolute, so that no name (":memory:", "") means something else to SQLite.
		place = Path.cwd() / path
		_touch(place)
		with reported(place):
			_inspect(place, busy_timeout, whole=check)
			database = cls(place, busy_timeout)
			try:
				database._prepare()
			except BaseException:
				database.close()
				raise
		return database

	def _prepare(self) -> None:
		_switch_to_wal(self._writer)
		schema.migrate(self._writer)

	@contextlib.contextmanager
	def write(self) -> Iterator[sqlite3.Connection]:
		"""A transaction that writes: all of it is durable when this ends, or none of it happened.

		:raises StoreError: DISK_FULL, DATABASE_LOCKED, DATABASE_DAMAGED or DATABASE_UNREADABLE; nothing
			happened.
		"""
		with self._turn, reported(self.path):
			if self._writing:
				raise RuntimeError("a write transaction inside of another")
			self._writing = True
			try:
				with _transaction(self._writer, "BEGIN IMMEDIATE"):
					yield self._writer
			finally:
				self._writing = False

	@contextlib.contextmanager
	def read(self) -> Iterator[sqlite3.Connection]:
		"""A transaction that only reads; its statements all see the same state.

		:raises StoreError: DATABASE_DAMAGED, DATABASE_LOCKED or DATABASE_UNREADABLE.
		"""
		with reported(self.path):
			connection = self._take_reader()
			try:
				with _transaction(connection, "BEGIN"):
					yield connection
			finally:
				self._give_back(connection)

	def empty_log(self) -> bool:
		"""Carry the write-ahead log over into the file and cut it to nothing.

		Waits for readers as long as for a lock. False if one of them, here or in another process, kept it
		from being done: pages from before may still be in the log then.
		"""
		with self._turn, reported(self.path):
			busy = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
		return not busy

	def close(self) -> None:
		"""Wait for the write transaction under way, then let go of the file. Again is harmless."""
		with self._turn, self._pool_lock:
			self._closed = True
			while self._idle_readers:
				self._idle_readers.pop().close()
			self._writer.close()

	def __enter__(self) -> Database:
		return self

	def __exit__(self, *exc_info: object) -> None:
		self.close()

	def _take_reader(self) -> sqlite3.Connection:
		with self._pool_lock:
			if self._closed:
				raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
			if self._idle_readers:
				return self._idle_readers.pop()
		connection = self._connect()
		connection.execute("PRAGMA query_only = ON")
		return connection

	def _give_back(self, connection: sqlite3.Connection) -> None:
		with self._pool_lock:
			if self._closed:
				connection.close()
			else:
				self._idle_readers.append(connection)

	def _connect(self) -> sqlite3.Connection:
		# A connection moves between threads but is never in two at a time; the locks above see to it.
		connection = sqlite3.connect(
			self.path,
			timeout=self._busy_timeout.total_seconds(),
			isolation_level=None,
			check_same_thread=False,
		)
		try:
			connection.row_factory = sqlite3.Row
			connection.execute("PRAGMA synchronous = FULL")
			connection.execute("PRAGMA foreign_keys = ON")
			# What is deleted is personal: it is overwritten. Not every build of SQLite does so by itself.
			connection.execute("PRAGMA secure_delete = ON")
			connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
		except BaseException:
			connection.close()
			raise
		return connection


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
	if connection.in_transaction:  # left open when a rollback failed for the same reason as its transaction
		connection.execute("ROLLBACK")
	connection.execute(begin)
	try:
		yield
		connection.execute("COMMIT")
	except BaseException:
		# On a full disk SQLite has often rolled back by itself; what went wrong first is what is reported.
		with contextlib.suppress(sqlite3.Error):
			if connection.in_transaction:
				connection.execute("ROLLBACK")
		raise


def _switch_to_wal(connection: sqlite3.Connection) -> None:
	for _attempt in range(_ATTEMPTS):
		try:
			connection.execute("PRAGMA journal_mode = WAL")
			return
		except sqlite3.OperationalError as error:
			if "locked" not in str(error):
				raise
		# Of processes that make the same file at the same moment SQLite refuses some here without waiting;
		# this waits for the others, and fails like any other statement when the time-out is over.
		with _transaction(connection, "BEGIN IMMEDIATE"):
			pass
	connection.execute("PRAGMA journal_mode = WAL")


def _touch(path: Path) -> None:
	"""Make sure that there is a file that we may read and write; its companions take over its mode.

	One that is there is not opened: closing it again would drop the locks that SQLite holds on it for another
	connection of this process (https://www.sqlite.org/howtocorrupt.html, 2.2).
	"""
	try:
		os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
	except FileExistsError:
		if not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
			cause = os.strerror(errno.EACCES)
			raise StoreError(Code.DATABASE_UNREADABLE, path=str(path), cause=cause) from None
	except OSError as error:
		raise StoreError(Code.DATABASE_UNREADABLE, path=str(path), cause=error.strerror or "") from error


def _inspect(path: Path, busy_timeout: timedelta, *, whole: bool) -> None:
	"""Refuse a file that is not ours, too new or damaged, without a chance of changing it."""
	size = path.stat().st_size
	if size == 0:
		return
	if size < _SMALLEST:  # SQLite takes a file of one byte for an empty one, and would write over it
		raise StoreError(Code.DATABASE_UNREADABLE, path=str(path), cause="not a database")
	connection = sqlite3.connect(
		f"{path.as_uri()}?mode=ro", uri=True, timeout=busy_timeout.total_seconds(), isolation_level=None
	)
	with contextlib.closing(connection), _transaction(connection, "BEGIN"):
		if schema.is_foreign(connection):
			raise StoreError(Code.DATABASE_UNREADABLE, path=str(path), cause="another program's database")
		version, known = schema.version_of(connection), len(schema.migrations())
		if version > known:
			raise StoreError(Code.DATABASE_TOO_NEW, path=str(path), version=version, known=known)
		if whole:
			verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
			if verdict != "ok":
				raise StoreError(Code.DATABASE_DAMAGED, path=str(path), cause=str(verdict)[:200])
