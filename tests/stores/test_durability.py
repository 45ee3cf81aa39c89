"""What was acknowledged is there: after a kill, on a full disk, beside damage."""

from __future__ import annotations

import random
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.core.projection import State
from attendance_bridge.core.punch import Punch
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.punches import PunchStore
from tests.stores.samples import DUBAI, SmallDisk, accept, page, punch

WRITER = """
import sys
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.punches import PunchStore
from tests.stores.test_durability import batch
from tests.stores.samples import page

store = PunchStore(Database.open(sys.argv[1]))
number = 0
while True:
	store.accept(page(*batch(number)), "A", None)
	print(number, flush=True)
	number += 1
"""


def batch(number: int, size: int = 50) -> list[Punch]:
	"""Punches that no other batch has."""
	return [
		Punch(
			device_serial="A",
			device_user_id=f"{number}-{position}",
			occurred_at=punch("08:00").occurred_at.astimezone(DUBAI),
			raw="r" * 200,
		)
		for position in range(size)
	]


def users(store: PunchStore) -> set[str]:
	return {held.punch.device_user_id for held in store.each()}


def users_of(batches: range) -> set[str]:
	return {each.device_user_id for number in batches for each in batch(number)}


@pytest.mark.parametrize("after", [0, 3, 17])
def test_what_was_accepted_before_a_kill_is_there(tmp_path: Path, after: int) -> None:
	path = tmp_path / "bridge.db"
	with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
		assert writer.stdout is not None
		for _line in range(after + 1):
			assert writer.stdout.readline()
		writer.send_signal(signal.SIGKILL)
		acknowledged = after + 1 + len(writer.stdout.read().split(b"\n")[:-1])
	with Database.open(path) as db:
		store = PunchStore(db)
		assert users(store) >= users_of(range(acknowledged))
		held = sum(store.counts().values())
		assert held in (acknowledged * 50, (acknowledged + 1) * 50), "a page is held whole or not at all"
		assert held == len(users(store))
		assert store.accept(page(*batch(acknowledged - 1)), "A", None).known == 50


def fill(store: PunchStore, since: int = 0) -> tuple[int, StoreError]:
	"""Accept batches until it fails; returns the number of the first that was not accepted, and why."""
	for number in range(since, 100_000):
		try:
			store.accept(page(*batch(number)), "A", None)
		except StoreError as error:
			return number, error
	raise AssertionError("the disk never filled up")


def test_a_full_disk_costs_nothing_that_was_accepted_and_work_goes_on(small_disk: SmallDisk) -> None:
	with Database.open(small_disk.folder / "bridge.db") as db:
		store = PunchStore(db)
		accepted, error = fill(store)
		assert error.code is Code.DISK_FULL
		assert error.retryable
		assert accepted > 0
		assert users(store) == users_of(range(accepted))
		with pytest.raises(StoreError):
			store.accept(page(*batch(accepted)), "A", None)
		small_disk.make_room()
		assert store.accept(page(*batch(accepted)), "A", None).new == 50
	with Database.open(small_disk.folder / "bridge.db") as db:
		assert users(PunchStore(db)) == users_of(range(accepted + 1))
		assert PunchStore(db).counts()[State.RECEIVED] == (accepted + 1) * 50


def test_the_process_dies_on_a_full_disk(small_disk: SmallDisk) -> None:
	path = small_disk.folder / "bridge.db"
	written = subprocess.run([sys.executable, "-c", WRITER, str(path)], capture_output=True, check=False)
	assert b"disk_full" in written.stderr
	accepted = len(written.stdout.splitlines())
	small_disk.make_room()
	with Database.open(path) as db:
		assert users(PunchStore(db)) == users_of(range(accepted))


def test_opening_on_a_full_disk(small_disk: SmallDisk) -> None:
	small_disk.fill()
	with pytest.raises(StoreError) as caught:
		Database.open(small_disk.folder / "bridge.db")
	assert caught.value.code is Code.DISK_FULL
	small_disk.make_room()
	with Database.open(small_disk.folder / "bridge.db") as db:
		accept(PunchStore(db), punch("08:00"))


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
	"""The same without the right to mount: SQLite's own bound on the size of the file."""
	with Database.open(tmp_path / "bridge.db") as db:
		store = PunchStore(db)
		store.accept(page(*batch(0)), "A", None)
		with db.write() as connection:
			pages = connection.execute("PRAGMA page_count").fetchone()[0]
			connection.execute(f"PRAGMA max_page_count = {pages + 20}")
		accepted, error = fill(store, since=1)
		assert error.code is Code.DISK_FULL
		assert users(store) == users_of(range(accepted))
		with db.write() as connection:
			connection.execute("PRAGMA max_page_count = 1073741823")
		assert store.accept(page(*batch(accepted)), "A", None).new == 50


def files(path: Path) -> dict[str, bytes]:
	"""What a database consists of; the shared memory and an empty log say nothing."""
	found = {name: path.with_name(path.name + name) for name in ("", "-wal")}
	return {name: file.read_bytes() for name, file in found.items() if file.exists() and file.stat().st_size}


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "with a log left by a kill"])
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, killed: bool) -> None:
	path = tmp_path / "bridge.db"
	with Database.open(path) as db:
		for number in range(40):
			PunchStore(db).accept(page(*batch(number)), "A", None)
	if killed:
		with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
			assert writer.stdout is not None
			for _line in range(41):
				writer.stdout.readline()
			writer.kill()
		assert (tmp_path / "bridge.db-wal").stat().st_size > 0
	with path.open("r+b") as file:
		file.seek(path.stat().st_size // 2 // 4096 * 4096)
		file.write(random.Random(7).randbytes(3 * 4096))
	before = files(path)
	with pytest.raises(StoreError) as caught:
		Database.open(path)
	assert caught.value.code is Code.DATABASE_DAMAGED
	assert not caught.value.retryable
	assert files(path) == before


def test_damage_that_happens_while_we_are_at_work(tmp_path: Path) -> None:
	path = tmp_path / "bridge.db"
	with Database.open(path) as db:
		for number in range(40):
			PunchStore(db).accept(page(*batch(number)), "A", None)
	with Database.open(path) as db:
		with path.open("r+b") as file:
			file.seek(path.stat().st_size // 2)
			file.write(b"\xff" * (path.stat().st_size // 2))
		with pytest.raises(StoreError) as caught:
			list(PunchStore(db).each())
		assert caught.value.code is Code.DATABASE_DAMAGED


def test_a_bound_on_the_size_of_files_is_a_failed_write_and_nothing_worse(tmp_path: Path) -> None:
	script = (
		"import resource, sys\n"
		"resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))\n" + WRITER
	)
	path = tmp_path / "bridge.db"
	written = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, check=False)
	assert b"StoreError" in written.stderr
	accepted = len(written.stdout.splitlines())
	assert accepted > 0
	assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
	with Database.open(path) as db:
		assert users(PunchStore(db)) == users_of(range(accepted))
