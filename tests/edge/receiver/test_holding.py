"""Pages that come at the same time go into one transaction; each learns its own end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Page, UnreadableRow
from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.punch import Punch
from attendance_bridge.edge.receiver.holding import Together
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.punches import Arrived, PunchStore

START_OF_DAY = datetime(2026, 3, 1, 8, tzinfo=ZoneInfo("Asia/Dubai"))
THREADS, PAGES = 12, 30


def page(serial: str, number: int, user_id: str = "7") -> Page:
	punch = Punch(
		device_serial=serial, device_user_id=user_id, occurred_at=START_OF_DAY + timedelta(seconds=number)
	)
	return Page(punches=(punch,), cursor=START)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
	with Database.open(tmp_path / "held.db") as opened:
		yield opened


class Watched(PunchStore):
	"""Counts transactions; the first one waits until it is let go."""

	def __init__(self, database: Database) -> None:
		super().__init__(database)
		self.sizes: list[int] = []
		self.go_on = threading.Event()
		self.has_begun = threading.Event()

	def accept_all(self, arrived: list[Arrived]) -> list[Accepted]:  # type: ignore[override]
		self.sizes.append(len(arrived))
		self.has_begun.set()
		assert self.go_on.wait(20)
		return super().accept_all(arrived)


def test_many_at_once_are_all_held_and_told_the_truth(database: Database) -> None:
	store = PunchStore(database)
	together = Together(store)

	def push(thread: int) -> int:
		new = 0
		for number in range(PAGES):
			new += together.accept(page(f"A{thread % 4}", number), f"A{thread % 4}", None).new
			assert store.held(device_serial=f"A{thread % 4}", limit=1), "durable when it returns"
		return new

	with ThreadPoolExecutor(THREADS) as pool:
		new = sum(pool.map(push, range(THREADS)))
	assert new == 4 * PAGES, "each punch is new to exactly one of those who brought it"
	assert sum(sum(states.values()) for states in store.counts_by_device().values()) == 4 * PAGES


def test_who_comes_meanwhile_goes_together(database: Database) -> None:
	store = Watched(database)
	together = Together(store)
	with ThreadPoolExecutor(5) as pool:
		first = pool.submit(together.accept, page("A1", 0), "A1", None)
		assert store.has_begun.wait(20)
		others = [pool.submit(together.accept, page("A1", number), "A1", None) for number in range(1, 5)]
		while len(together._waiting) < 4:
			pass
		store.go_on.set()
		assert [each.result(20).new for each in (first, *others)] == [1] * 5
	assert store.sizes == [1, 4]


def test_a_page_that_cannot_be_held_does_not_take_its_neighbours_with_it(database: Database) -> None:
	store = Watched(database)
	together = Together(store)
	broken = Page(punches=(), cursor=START, unreadable=(UnreadableRow(raw=None, reason="x"),))  # type: ignore[arg-type]
	with ThreadPoolExecutor(3) as pool:
		first = pool.submit(together.accept, page("A1", 0), "A1", None)
		assert store.has_begun.wait(20)
		bad = pool.submit(together.accept, broken, "A1", None)
		good = pool.submit(together.accept, page("A1", 1), "A1", None)
		while len(together._waiting) < 2:
			pass
		store.go_on.set()
		assert first.result(20).new == good.result(20).new == 1
		assert not isinstance(bad.exception(20), StoreError)
		assert bad.exception(20) is not None
	assert together.accept(page("A1", 2), "A1", None).new == 1


def test_a_full_disk_is_everybodys_trouble_and_passes(database: Database) -> None:
	class Full(PunchStore):
		is_full = True

		def accept_all(self, arrived: list[Arrived]) -> list[Accepted]:  # type: ignore[override]
			if self.is_full:
				raise StoreError(Code.DISK_FULL)
			return super().accept_all(arrived)

	store = Full(database)
	together = Together(store)
	for _time in range(2):
		with pytest.raises(StoreError):
			together.accept(page("A1", 0), "A1", None)
	store.is_full = False
	assert together.accept(page("A1", 0), "A1", None).new == 1
