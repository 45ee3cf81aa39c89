"""What tests of the edge are put together from: a clock that is set by hand, stores, terminals, workers."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import ClockReading, ClockRules
from attendance_bridge.core.cursor import START as FIRST_CURSOR
from attendance_bridge.core.driver import Page
from attendance_bridge.core.errors import StoreError
from attendance_bridge.core.pull import PullReport
from attendance_bridge.core.punch import DeviceKey, Punch
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.retry import Backoff
from attendance_bridge.drivers.hikvision_isapi.config import Config as HikvisionConfig
from attendance_bridge.drivers.zkteco_tcp.config import Config as ZktecoConfig
from attendance_bridge.edge.poller import Poller
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.reader import TerminalReader
from attendance_bridge.edge.settings import Device, DeviceSettings
from attendance_bridge.edge.supervisor import Worker
from attendance_bridge.simulators.hikvision import HikvisionState
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook, DeviceRecord
from attendance_bridge.stores.held import HeldPunch
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.roster import Roster

ZONE = ZoneInfo("Asia/Dubai")
MORNING = datetime(2026, 11, 20, 4, 0, tzinfo=timezone.utc)
"""Eight o'clock in Dubai."""
YESTERDAY = MORNING - timedelta(days=1)
PATIENCE = 15.0
"""Seconds that anything here may take at the most; nearly all of it takes less than one."""

CHANCE = 0.5
"""What stands for random numbers."""


class Clock:
	"""The present moment, as somebody sets it."""

	def __init__(self, at: datetime = MORNING) -> None:
		self._at = at

	def __call__(self) -> datetime:
		return self._at

	def advance(self, **by: float) -> None:
		self._at += timedelta(**by)


def eventually(condition: Callable[[], object], what: str = "") -> None:
	"""Return as soon as `condition` holds.

	:raises AssertionError: it does not within the time that anything may take.
	"""
	deadline = time.monotonic() + PATIENCE
	while not condition():
		assert time.monotonic() < deadline, f"never: {what or condition}"
		time.sleep(0.005)


class Running:
	"""A worker in a thread of its own, as the supervisor would run it, but once."""

	def __init__(self, worker: Worker) -> None:
		self._worker = worker
		self._stop = threading.Event()
		self._thread = threading.Thread(target=self._run, name=f"running {worker.name}")
		self.error: Exception | None = None

	def _run(self) -> None:
		try:
			self._worker.run(self._stop)
		except Exception as error:
			self.error = error

	def start(self) -> None:
		self._thread.start()

	def stop(self) -> float:
		"""Ask for the end and wait for it; returns the seconds that it took."""
		asked_at = time.monotonic()
		self._stop.set()
		self._thread.join(PATIENCE)
		assert not self._thread.is_alive(), f"{self._worker.name} does not stop"
		return time.monotonic() - asked_at

	def has_ended(self) -> bool:
		return not self._thread.is_alive()


@contextmanager
def running(worker: Worker) -> Iterator[Running]:
	"""Run a worker for the length of the block; whatever it raised by itself is raised here."""
	handle = Running(worker)
	handle.start()
	try:
		yield handle
	finally:
		handle.stop()
	if handle.error is not None:
		raise handle.error


class WatchedPoller(Poller):
	"""A poller of which a test knows when it is through with a terminal, and has put it back on its queue."""

	def __init__(
		self, devices: Sequence[Device], reader: TerminalReader, book: DeviceBook, **rest: Any
	) -> None:
		on_punches: Callable[[], None] = rest.pop("on_punches")
		super().__init__(devices, reader, book, on_punches=self._pull_is_over, **rest)
		self.pulls: Counter[str] = Counter()
		"""Pulls that are over, failed ones too, by name of the device."""
		self._then = on_punches
		self._thread = threading.local()

	def poll(self, name: str, stop: Callable[[], bool] = lambda: False) -> PullReport | None:
		self._thread.name = name
		return super().poll(name, stop)

	def _pull_is_over(self) -> None:
		self.pulls[self._thread.name] += 1
		self._then()


class Edge:
	"""The stores of an agent, in a file."""

	def __init__(self, folder: Path, clock: Clock) -> None:
		self.clock = clock
		self.path = folder / "edge.db"
		self.pulse = Pulse()
		self.database = Database.open(self.path, busy_timeout=timedelta(seconds=0.2))
		self.punches = PunchStore(self.database, now=clock)
		self.cursors = SqliteCursors(self.database)
		self.book = DeviceBook(self.database)
		self.roster = Roster(self.database)
		self.outbox = SqliteOutbox(
			self.database,
			settle=timedelta(seconds=30),
			backoff=Backoff(base=timedelta(seconds=5), cap=timedelta(minutes=15)),
			max_attempts=8,
			chance=lambda: CHANCE,
		)

	def reader(self) -> TerminalReader:
		return TerminalReader(
			punches=self.punches,
			cursors=self.cursors,
			book=self.book,
			clock_rules=ClockRules(),
			now=self.clock,
		)

	def poller(
		self, *devices: Device, workers: int = 8, on_punches: Callable[[], None] = lambda: None
	) -> WatchedPoller:
		return WatchedPoller(
			devices,
			self.reader(),
			self.book,
			workers=workers,
			now=self.clock,
			pulse=self.pulse,
			on_punches=on_punches,
			chance=lambda: CHANCE,
		)

	def record(self, name: str) -> DeviceRecord:
		return self.book.find(name) or DeviceRecord(name=name)

	def hold(self, *punches: Punch) -> None:
		"""Put punches into the log as a pull with a right clock does."""
		serials = {punch.device_serial for punch in punches}
		reading = ClockReading(taken_at=self.clock(), device_time=self.clock())
		for serial in serials:
			page = Page(
				punches=tuple(punch for punch in punches if punch.device_serial == serial),
				cursor=FIRST_CURSOR,
			)
			self.punches.accept(page, serial, reading)

	def held(self) -> list[HeldPunch]:
		"""The whole log in order of time."""
		return list(self.punches.each())

	@contextmanager
	def locked(self) -> Iterator[None]:
		"""Another program holds the database for the length of the block."""
		with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
			other.execute("BEGIN IMMEDIATE")
			yield
			other.execute("ROLLBACK")

	def close(self) -> None:
		self.database.close()


def punch(
	device_user_id: str,
	after: float,
	*,
	serial: str = "T1",
	start: datetime = YESTERDAY,
	device_key: DeviceKey = DeviceKey.UNDEFINED,
) -> Punch:
	"""A punch, so many minutes `after` the start."""
	moment = (start + timedelta(minutes=after)).astimezone(ZONE)
	return Punch(
		device_serial=serial, device_user_id=device_user_id, occurred_at=moment, device_key=device_key
	)


def hikvision(
	port: int,
	name: str = "Main gate",
	*,
	password: str = PASSWORD,
	timeout: float = 5.0,
	poll_seconds: float = 60.0,
	serial: str = "",
	page_size: int = 30,
) -> Device:
	settings = DeviceSettings(
		name=name, driver="hikvision_isapi", timezone=ZONE, poll_seconds=poll_seconds, serial=serial
	)
	config = HikvisionConfig(
		host="127.0.0.1",
		port=port,
		user=USER,
		password=Secret(password),
		timeout=timeout,
		page_size=page_size,
	)
	return Device(settings=settings, config=config)


def zkteco(port: int, name: str = "Workshop", *, comm_key: int = 0) -> Device:
	settings = DeviceSettings(name=name, driver="zkteco_tcp", timezone=ZONE)
	config = ZktecoConfig(host="127.0.0.1", port=port, comm_key=Secret(str(comm_key)), timeout=5.0)
	return Device(settings=settings, config=config)


def terminal_with_log(clock: Clock, passes: int, serial: str = "HIK1") -> HikvisionState:
	"""A Hikvision terminal at which somebody passed every minute before now; three events a pass."""
	state = HikvisionState(serial=serial, zone=ZONE, now=clock)
	hikvision_verbs.enroll(state, "7", "Somebody")
	for minutes in range(passes, 0, -1):
		hikvision_verbs.punch(state, "7", at=clock() - timedelta(minutes=minutes))
	return state


def store_error(handle: Running) -> StoreError:
	"""What ended a worker: a `StoreError`."""
	eventually(handle.has_ended)
	error = handle.error
	assert isinstance(error, StoreError)
	handle.error = None
	return error
