from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.stores import schema
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.punches import PunchStore
from tests.stores.samples import accept, page, punch

SHORT = timedelta(milliseconds=50)


@pytest.fixture
def path(tmp_path: Path) -> Path:
	return tmp_path / "bridge.db"


@contextmanager
def refused(code: Code) -> Iterator[None]:
	with pytest.raises(StoreError) as caught:
		yield
	assert caught.value.code is code
	assert "path" in caught.value.details
	assert caught.value.retryable is (code in (Code.DATABASE_LOCKED, Code.DISK_FULL))


@contextmanager
def another_process_holding(path: Path, *statements: str) -> Iterator[None]:
	"""A second process that has run some statements in one connection and holds on."""
	script = (
		"import sqlite3, sys\n"
		"connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
		"[connection.execute(statement).fetchall() for statement in sys.argv[2:]]\n"
		"print('ready', flush=True)\n"
		"sys.stdin.read()\n"
	)
	command = [sys.executable, "-c", script, str(path), *statements]
	with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
		assert process.stdin is not None
		assert process.stdout is not None
		assert process.stdout.readline() == b"ready\n"
		yield
		process.stdin.close()


def test_a_new_file_is_for_its_owner_only_and_so_are_its_companions(path: Path) -> None:
	with Database.open(path) as db:
		accept(PunchStore(db), punch("08:00"))
		modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
	assert modes == dict.fromkeys(["bridge.db", "bridge.db-wal", "bridge.db-shm"], 0o600)


def test_the_pragmas_that_durability_rests_on(path: Path) -> None:
	with Database.open(path, busy_timeout=timedelta(seconds=3)) as db:
		for transaction in (db.write, db.read):
			with transaction() as connection:
				values = {
					pragma: connection.execute(f"PRAGMA {pragma}").fetchone()[0]
					for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
				}
			assert values == {
				"journal_mode": "wal",
				"synchronous": 2,
				"foreign_keys": 1,
				"busy_timeout": 3000,
			}


@pytest.mark.parametrize("name", ["bridge.db", "-odd name?mode=memory#%20.db", ":memory:", "müll.db"])
def test_any_name_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
	monkeypatch.chdir(tmp_path)
	for _time in range(2):
		with Database.open(name) as db:
			accept(PunchStore(db), punch("08:00"))
			assert sum(PunchStore(db).counts().values()) == 1
	assert (tmp_path / name).stat().st_size > 0


def test_a_directory_or_a_missing_folder_is_refused(tmp_path: Path) -> None:
	with refused(Code.DATABASE_UNREADABLE):
		Database.open(tmp_path)
	with refused(Code.DATABASE_UNREADABLE):
		Database.open(tmp_path / "missing" / "bridge.db")
	assert list(tmp_path.iterdir()) == []


@contextmanager
def as_somebody() -> Iterator[Path]:
	"""Be a user who may not do everything, with a folder of their own."""
	with tempfile.TemporaryDirectory() as name:
		home = Path(name)
		folder = home / "folder"
		folder.mkdir()
		root = os.geteuid() == 0
		if root:
			home.chmod(0o755)
			os.chown(folder, 65534, 65534)
			os.seteuid(65534)
		try:
			yield folder
		finally:
			folder.chmod(0o700)
			if root:
				os.seteuid(0)


def test_a_file_that_may_only_be_read_is_refused() -> None:
	with as_somebody() as folder:
		path = folder / "bridge.db"
		Database.open(path).close()
		path.chmod(0o400)
		with refused(Code.DATABASE_UNREADABLE):
			Database.open(path)


def test_a_folder_that_may_only_be_read_is_refused() -> None:
	with as_somebody() as folder:
		path = folder / "bridge.db"
		Database.open(path).close()
		folder.chmod(0o500)
		with refused(Code.DATABASE_UNREADABLE):
			Database.open(path)
		with refused(Code.DATABASE_UNREADABLE):
			Database.open(folder / "new.db")


@pytest.mark.parametrize("content", [b"x", b"PK\x03\x04" * 2000, b"\x00" * 8192])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
	path.write_bytes(content)
	with refused(Code.DATABASE_UNREADABLE):
		Database.open(path)
	assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
	with closing(sqlite3.connect(path)) as connection:
		connection.executescript("CREATE TABLE bookmarks (url); PRAGMA user_version = 71")
	content = path.read_bytes()
	with refused(Code.DATABASE_UNREADABLE):
		Database.open(path)
	assert path.read_bytes() == content


def test_a_database_of_a_later_version_is_refused(path: Path) -> None:
	Database.open(path).close()
	with closing(sqlite3.connect(path)) as connection:
		connection.execute(f"PRAGMA user_version = {len(schema.migrations()) + 1}")
	with refused(Code.DATABASE_TOO_NEW):
		Database.open(path)


def test_an_error_undoes_the_whole_transaction(path: Path) -> None:
	with Database.open(path) as db:
		with contextlib.suppress(ZeroDivisionError), db.write() as connection:
			connection.execute("INSERT INTO roster VALUES (1, 7)")
			raise ZeroDivisionError
		with db.read() as connection:
			assert connection.execute("SELECT count(*) FROM roster").fetchone()[0] == 0
		with db.write() as connection:
			connection.execute("INSERT INTO roster VALUES (1, 8)")


def test_a_mistake_of_ours_is_not_put_down_to_the_database(path: Path) -> None:
	with Database.open(path) as db:
		with pytest.raises(sqlite3.OperationalError), db.write() as connection:
			connection.execute("SELECT nothing FROM nowhere")
		with pytest.raises(sqlite3.IntegrityError), db.write() as connection:
			connection.execute("INSERT INTO roster VALUES (2, 7)")


def test_a_write_inside_of_a_write_is_a_mistake(path: Path) -> None:
	with Database.open(path) as db, db.write():
		with pytest.raises(RuntimeError), db.write():
			pass
		with db.read() as connection:
			assert connection.execute("SELECT 1").fetchone()[0] == 1


def test_reading_never_writes(path: Path) -> None:
	with Database.open(path) as db, pytest.raises(StoreError), db.read() as connection:
		connection.execute("INSERT INTO roster VALUES (1, 7)")


def test_a_reader_sees_one_state_and_does_not_wait_for_a_writer(path: Path) -> None:
	with Database.open(path) as db, db.read() as reader, db.write() as writer:
		count = "SELECT count(*) FROM roster"
		assert reader.execute(count).fetchone()[0] == 0
		writer.execute("INSERT INTO roster VALUES (1, 7)")
		assert reader.execute(count).fetchone()[0] == 0


def test_a_closed_database_is_closed(path: Path) -> None:
	db = Database.open(path)
	with db.read():
		db.close()
	db.close()
	for transaction in (db.read, db.write):
		with pytest.raises(sqlite3.ProgrammingError), transaction():
			pass


def test_six_threads_write_and_read_at_the_same_time(path: Path) -> None:
	failures: list[BaseException] = []

	def work(number: int) -> None:
		try:
			for round_number in range(40):
				moment = f"{round_number // 60:02d}:{round_number % 60:02d}"
				accept(store, punch(moment, f"{number}"))
				assert sum(store.counts().values()) > round_number
				store.held(limit=5)
		except BaseException as failure:  # shown by the main thread
			failures.append(failure)

	with Database.open(path) as db:
		store = PunchStore(db)
		threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join()
		assert failures == []
		assert sum(store.counts().values()) == 240
		assert len(list(store.each())) == 240


def test_two_processes_write_to_one_file(path: Path) -> None:
	with Database.open(path) as ours, Database.open(path, check=False) as theirs:
		for number in range(20):
			moment = f"08:{number:02d}"
			accept(PunchStore(ours), punch(moment, "7"))
			accept(PunchStore(theirs), punch(moment, "8"))
		assert PunchStore(ours).counts() == PunchStore(theirs).counts()
		assert len(list(PunchStore(ours).each())) == 40


def test_what_another_process_locks_is_locked_after_the_time_out(path: Path) -> None:
	with Database.open(path, busy_timeout=SHORT) as db:
		store = PunchStore(db)
		accept(store, punch("08:00"))
		with another_process_holding(path, "BEGIN EXCLUSIVE"):
			with refused(Code.DATABASE_LOCKED):
				accept(store, punch("09:00"))
			assert len(store.held()) == 1, "reading goes on"
		accept(store, punch("09:00"))
		assert len(store.held()) == 2


def test_opening_what_another_process_locks(path: Path) -> None:
	with (
		another_process_holding(path, "CREATE TABLE t (x)", "BEGIN EXCLUSIVE"),
		refused(Code.DATABASE_LOCKED),
	):
		Database.open(path, busy_timeout=SHORT)


def test_two_processes_may_make_the_same_file_at_the_same_time(path: Path) -> None:
	script = (
		"import sys\n"
		"from attendance_bridge.stores.database import Database\n"
		"Database.open(sys.argv[1]).close()\n"
	)
	processes = [subprocess.Popen([sys.executable, "-c", script, str(path)]) for _number in range(4)]
	assert [process.wait() for process in processes] == [0] * 4
	with Database.open(path) as db:
		assert PunchStore(db).accept(page(punch("08:00")), "A", None).new == 1
