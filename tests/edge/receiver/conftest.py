"""A receiver on a real socket, over a real database, and terminals that call it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.clock import ClockRules
from attendance_bridge.drivers.zkteco_adms.config import Config
from attendance_bridge.edge.correcting import Correcting
from attendance_bridge.edge.receiver.pairing import Pairing
from attendance_bridge.edge.receiver.server import ReceiverServer
from attendance_bridge.edge.receiver.service import make_receiver
from attendance_bridge.edge.receiver.settings import ReceiverSettings
from attendance_bridge.edge.settings import Device, DeviceSettings
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.push import PushBook

DUBAI = ZoneInfo("Asia/Dubai")


class Clock:
	def __init__(self) -> None:
		self.now = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)

	def __call__(self) -> datetime:
		return self.now

	def pass_(self, by: timedelta) -> None:
		self.now += by


@dataclass
class Answer:
	status: int
	text: str
	headers: dict[str, str]


def device(
	serial: str, config: Config | None = None, *, enabled: bool = True, zone: ZoneInfo = DUBAI
) -> Device:
	settings = DeviceSettings(
		name=f"Gate {serial}", driver="zkteco_adms", timezone=zone, serial=serial, enabled=enabled
	)
	return Device(settings=settings, config=config or Config())


class Premises:
	"""An agent's receiver with everything behind it."""

	def __init__(
		self, path: Path, clock: Clock, settings: ReceiverSettings, devices: tuple[Device, ...]
	) -> None:
		self.clock = clock
		self.database = Database.open(path)
		self.punches = PunchStore(self.database, now=clock)
		self.push_book = PushBook(self.database)
		self.book = DeviceBook(self.database)
		self.cursors = SqliteCursors(self.database)
		self.terminals = Terminals(devices)
		self.pairing = Pairing(self.push_book, self.terminals, now=clock)
		self.pairing.reload()
		self.woken = 0
		self.read_soon: list[str] = []
		self.correcting = Correcting(rules=ClockRules())
		self.server: ReceiverServer = make_receiver(
			settings,
			terminals=self.terminals,
			pairing=self.pairing,
			punches=self.punches,
			push_book=self.push_book,
			book=self.book,
			cursors=self.cursors,
			now=clock,
			on_punches=self._wake,
			correcting=lambda: self.correcting,
			read_soon=self.read_soon.append,
		)
		self._stop = threading.Event()
		self._thread = threading.Thread(target=self.server.run, args=(self._stop,))
		self._thread.start()

	def _wake(self) -> None:
		self.woken += 1

	def call(self, method: str, path: str, body: bytes = b"") -> Answer:
		connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
		try:
			connection.request(method, path, body or None)
			response = connection.getresponse()
			text = response.read().decode()
			return Answer(
				response.status, text, {name.lower(): value for name, value in response.getheaders()}
			)
		finally:
			connection.close()

	def get(self, path: str) -> Answer:
		return self.call("GET", path)

	def post(self, path: str, body: bytes | str) -> Answer:
		return self.call("POST", path, body.encode() if isinstance(body, str) else body)

	def stop(self) -> None:
		"""End the receiver; what it noted is written down."""
		self._stop.set()
		self._thread.join()

	def close(self) -> None:
		self.stop()
		self.database.close()


@pytest.fixture
def clock() -> Clock:
	return Clock()


Open = Callable[..., Premises]


@pytest.fixture
def open_premises(tmp_path: Path, clock: Clock) -> Iterator[Open]:
	opened: list[Premises] = []

	def make(*devices: Device, **options: object) -> Premises:
		settings = replace(
			ReceiverSettings(enabled=True, host="127.0.0.1", port=0, threads=4),
			**options,  # type: ignore[arg-type]
		)
		premises = Premises(tmp_path / "edge.db", clock, settings, devices)
		opened.append(premises)
		return premises

	yield make
	for premises in opened:
		premises.close()


@pytest.fixture
def premises(open_premises: Open) -> Premises:
	"""With one terminal that is let in: serial number A1."""
	return open_premises(device("A1"))
