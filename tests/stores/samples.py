"""Punches and pages for the tests of this floor."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from attendance_bridge.core.cursor import START
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.driver import Page
from attendance_bridge.core.person import Directory, Everybody
from attendance_bridge.core.projection import Decision, Rules, State, first_moments, project
from attendance_bridge.core.punch import Punch
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.punches import PunchStore

DUBAI = ZoneInfo("Asia/Dubai")
DAY = datetime(2026, 11, 19, 0, 0, tzinfo=DUBAI)
NOW = datetime(2026, 11, 20, 6, 0, tzinfo=timezone.utc)


class SmallDisk:
	"""A file system of its own that fills up, and gets room again."""

	def __init__(self, folder: Path) -> None:
		self.folder = folder
		self._ballast = folder / "ballast"
		self._ballast.write_bytes(b"x" * 1_000_000)

	def fill(self) -> None:
		with (self.folder / "more").open("wb", buffering=0) as more, suppress(OSError):
			while True:
				more.write(b"x" * 4096)

	def make_room(self) -> None:
		self._ballast.unlink()


@contextmanager
def fresh() -> Iterator[Database]:
	"""A database of its own for each example of a property."""
	with tempfile.TemporaryDirectory() as folder, Database.open(Path(folder) / "bridge.db") as db:
		yield db


def punch(clock: str, user: str = "7", serial: str = "A", *, days: int = 0) -> Punch:
	hour, minute, second = map(int, f"{clock}:00".split(":")[:3])
	moment = DAY + timedelta(days=days, hours=hour, minutes=minute, seconds=second)
	return Punch(device_serial=serial, device_user_id=user, occurred_at=moment)


def page(*punches: Punch) -> Page:
	return Page(punches=punches, cursor=START)


def accept(store: PunchStore, *punches: Punch) -> None:
	for serial in sorted({each.device_serial for each in punches}):
		store.accept(page(*(each for each in punches if each.device_serial == serial)), serial, None)


def decide(store: PunchStore, *, limit: int = 100, people: Directory | None = None) -> int:
	"""Decide until nothing is undecided, as the agent does; returns in how many batches."""
	directory = Everybody() if people is None else people
	rules = Rules()
	batches = 0
	while observations := store.undecided(limit):
		batches += 1
		firsts = first_moments(observations, directory, {})
		decisions = project(observations, directory, {}, store.standings(firsts), rules)
		assert store.record(decisions, firsts) > 0, "a batch must settle something, or it goes on for ever"
	return batches


def pending(store: PunchStore, *punches: Punch) -> None:
	"""Hold punches and make each an IN of an employee with the name of its id."""
	accept(store, *punches)
	decisions = [
		Decision(punch=each, state=State.PENDING, employee=each.device_user_id, log_type=LogType.IN)
		for each in punches
	]
	firsts = {each.device_user_id: each.occurred_utc for each in sorted(punches, key=_latest_first)}
	store.record(decisions, firsts)


def _latest_first(punch: Punch) -> float:
	return -punch.occurred_at.timestamp()


def log_types(store: PunchStore) -> dict[str, str]:
	"""Wall clock → IN, OUT, or the state of a punch that did not count."""
	return {
		f"{held.punch.occurred_at:%H:%M:%S}".removesuffix(":00"): held.log_type.value
		if held.log_type
		else held.state.value
		for held in store.each()
	}


def states(store: PunchStore) -> list[State]:
	return [held.state for held in store.each()]
