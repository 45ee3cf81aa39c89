"""How long a punch takes from the terminal to the book, by each road.

A simulated terminal registers a punch; an agent in a process of its own, `attendance-bridge edge run`, brings
it into its ledger. The clock runs from the moment before the terminal is told to the moment at which another
program can read the row from the agent's database (looked at every 2 ms). Everything between is the real
thing: sockets, the durable log (`synchronous=FULL`), the decision, the outbox, the ledger.

Roads: ZKTeco pulled every second (the fastest that can be configured), ZKTeco live capture, Hikvision alert
stream, Hikvision posting to a listener (httpHosts), ZKTeco pushing (ADMS). Nothing is compared with a rival:
the goal is an absolute one, and the pulled road stands beside it.

With `--site URL` the agent sends to a real ERPNext/HRMS site instead, and the end is the `creation` of the
Employee Checkin there; site and agent have to run on one machine, so that there is one clock. Key and secret
of a user who may create employees stand in SITE_API_KEY and SITE_API_SECRET. For a site for trials: what is
made there stays.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from zoneinfo import ZoneInfo

import requests
from _figures import verdict

from attendance_bridge.simulators.adms_terminal import AdmsFleet, AdmsState
from attendance_bridge.simulators.adms_terminal import verbs as adms_verbs
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from attendance_bridge.simulators.zkteco import verbs as zkteco_verbs

ZONE = ZoneInfo("Asia/Dubai")
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.002
SETTLE_SECONDS = 2.0
GOAL_SECONDS = 1.0
TOKEN = secrets.token_urlsafe(24)
STREAM = "/ISAPI/Event/notification/alertStream"


class Road(ABC):
	"""One terminal and the way in which the agent hears of its punches."""

	name = ""
	is_live = True

	def __init__(self, stack: ExitStack, people: list[str], receiver_port: int) -> None:
		self._stack = stack
		self._people = people
		self._receiver_port = receiver_port

	@abstractmethod
	def device(self) -> dict[str, Any]:
		"""Its table in the agent's configuration."""

	@abstractmethod
	def is_ready(self) -> bool:
		"""Whether the agent has come to the terminal, by what the terminal knows."""

	@abstractmethod
	def punch(self, user_id: str) -> None:
		"""Somebody punches now."""


class ZktecoRoad(Road):
	def __init__(self, stack: ExitStack, people: list[str], receiver_port: int) -> None:
		super().__init__(stack, people, receiver_port)
		self._state = ZktecoState(serial="ZK-LATENCY", zone=ZONE)
		for user_id in people:
			self._state.add_user(user_id)
		self._port = stack.enter_context(ZktecoTerminal(self._state)).port

	def device(self) -> dict[str, Any]:
		return {"driver": "zkteco_tcp", "host": "127.0.0.1", "port": self._port}

	def punch(self, user_id: str) -> None:
		zkteco_verbs.punch_now(self._state, user_id)


class ZktecoPull(ZktecoRoad):
	name = "ZKTeco, pulled every second"
	is_live = False

	def device(self) -> dict[str, Any]:
		return {**super().device(), "poll_seconds": 1.0}

	def is_ready(self) -> bool:
		return bool(self._state.counters)


class ZktecoLive(ZktecoRoad):
	name = "ZKTeco, live capture"

	def device(self) -> dict[str, Any]:
		return {**super().device(), "poll_seconds": 300.0, "live": True}

	def is_ready(self) -> bool:
		return self._state.counters["event_register"] > 0


class HikvisionRoad(Road):
	def __init__(self, stack: ExitStack, people: list[str], receiver_port: int) -> None:
		super().__init__(stack, people, receiver_port)
		self._state = HikvisionState(serial="HIK-LATENCY", zone=ZONE)
		for user_id in people:
			hikvision_verbs.enroll(self._state, user_id)
		self._port = stack.enter_context(HikvisionTerminal(self._state)).port

	def device(self) -> dict[str, Any]:
		return {
			"driver": "hikvision_isapi",
			"host": "127.0.0.1",
			"port": self._port,
			"user": USER,
			"password_env": "LATENCY_PASSWORD",
			"poll_seconds": 300.0,
		}

	def punch(self, user_id: str) -> None:
		hikvision_verbs.punch(self._state, user_id)


class HikvisionStream(HikvisionRoad):
	name = "Hikvision, alertStream"

	def device(self) -> dict[str, Any]:
		return {**super().device(), "live": True}

	def is_ready(self) -> bool:
		return self._state.counters.answered[STREAM] > 0


class HikvisionPosts(HikvisionRoad):
	name = "Hikvision, httpHosts"

	def device(self) -> dict[str, Any]:
		return {**super().device(), "posts": True}

	def is_ready(self) -> bool:
		return any(host.is_set for host in list(self._state.hosts.values()))


class AdmsPush(Road):
	name = "ZKTeco, push (ADMS)"

	def __init__(self, stack: ExitStack, people: list[str], receiver_port: int) -> None:
		super().__init__(stack, people, receiver_port)
		self._state = AdmsState(serial="ADMS-LATENCY", prefix=f"/{TOKEN}")
		for user_id in people:
			adms_verbs.enroll(self._state, user_id)
		self._fleet = AdmsFleet(port=receiver_port)
		self._fleet.add(self._state)
		self._is_on = False

	def device(self) -> dict[str, Any]:
		return {"driver": "zkteco_adms", "serial": self._state.serial}

	def is_ready(self) -> bool:
		if not self._is_on:
			with socket.socket() as looking:
				self._is_on = looking.connect_ex(("127.0.0.1", self._receiver_port)) == 0
			if self._is_on:
				self._stack.enter_context(self._fleet)
			return False
		return bool(self._state.counters)

	def punch(self, user_id: str) -> None:
		adms_verbs.punch(self._state, user_id)


ROADS: dict[str, type[Road]] = {
	"zk_pull": ZktecoPull,
	"zk_live": ZktecoLive,
	"hik_stream": HikvisionStream,
	"hik_posts": HikvisionPosts,
	"adms": AdmsPush,
}


class Book(ABC):
	"""Where punches come to in the end."""

	@abstractmethod
	def upstream(self) -> dict[str, Any]:
		"""Its table in the agent's configuration."""

	@abstractmethod
	def people(self) -> list[str]:
		"""Ids on the terminal; one does not punch twice within the hour."""

	@abstractmethod
	def arrivals(self, database: Path, wanted: dict[str, float]) -> dict[str, float]:
		"""When what somebody punched at a time arrived, by id; waits for all of it."""

	def look(self, database: Path, seen: dict[str, float]) -> None:
		"""Look, meanwhile, what has arrived."""
		return


class LocalLedger(Book):
	def __init__(self, people: int) -> None:
		self._ids = [str(1001 + number) for number in range(people)]
		self._reader: sqlite3.Connection | None = None
		self._last = 0

	def upstream(self) -> dict[str, Any]:
		return {"kind": "local_ledger"}

	def people(self) -> list[str]:
		return self._ids

	def look(self, database: Path, seen: dict[str, float]) -> None:
		if self._reader is None:
			self._reader = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
			self._last = 0
		rows = self._reader.execute(
			"SELECT rowid, employee FROM check_in WHERE rowid > ? ORDER BY rowid", (self._last,)
		).fetchall()
		now = time.time()
		for rowid, employee in rows:
			self._last = rowid
			seen.setdefault(employee, now)

	def arrivals(self, database: Path, wanted: dict[str, float]) -> dict[str, float]:
		seen: dict[str, float] = {}
		deadline = time.monotonic() + PATIENCE_SECONDS
		while len(seen) < len(wanted) and time.monotonic() < deadline:
			self.look(database, seen)
			time.sleep(LOOK_SECONDS)
		self.forget()
		return seen

	def forget(self) -> None:
		if self._reader is not None:
			self._reader.close()
			self._reader = None


class Site(Book):
	"""A real site; nothing of ours has to be installed there."""

	def __init__(self, url: str, people: int) -> None:
		self._url = url.rstrip("/")
		self._session = requests.Session()
		key, secret = os.environ["SITE_API_KEY"], os.environ["SITE_API_SECRET"]
		self._session.headers["Authorization"] = f"token {key}:{secret}"
		settings = self._get("/api/resource/System Settings/System Settings")
		self._zone = ZoneInfo(settings["time_zone"])
		mark = secrets.token_hex(4)
		self._employees: dict[str, str] = {}
		for number in range(people):
			device_id = f"{mark}{number:04}"
			self._employees[self._hire(device_id)] = device_id

	def _get(self, path: str, **query: Any) -> Any:
		answer = self._session.get(self._url + path, params=query, timeout=60)
		answer.raise_for_status()
		return answer.json()["data"]

	def _hire(self, device_id: str) -> str:
		document = {
			"first_name": f"Latency {device_id}",
			"attendance_device_id": device_id,
			"status": "Active",
			"gender": "Other",
			"date_of_birth": "1990-01-01",
			"date_of_joining": "2020-01-01",
		}
		answer = self._session.post(f"{self._url}/api/resource/Employee", json=document, timeout=60)
		answer.raise_for_status()
		return str(answer.json()["data"]["name"])

	def upstream(self) -> dict[str, Any]:
		return {
			"kind": "erpnext_rest",
			"url": self._url,
			"timezone": self._zone.key,
			"api_key_env": "SITE_API_KEY",
			"api_secret_env": "SITE_API_SECRET",
		}

	def people(self) -> list[str]:
		return list(self._employees.values())

	def arrivals(self, database: Path, wanted: dict[str, float]) -> dict[str, float]:
		deadline = time.monotonic() + PATIENCE_SECONDS
		seen: dict[str, float] = {}
		since = datetime.fromtimestamp(min(wanted.values()) - 1, self._zone).replace(tzinfo=None)
		filters = [["creation", ">", since.isoformat(" ")], ["employee", "in", list(self._employees)]]
		while len(seen) < len(wanted) and time.monotonic() < deadline:
			time.sleep(1)
			rows = self._get(
				"/api/resource/Employee Checkin",
				fields=json.dumps(["employee", "creation"]),
				filters=json.dumps(filters),
				limit_page_length=0,
			)
			for row in rows:
				created = datetime.fromisoformat(row["creation"]).replace(tzinfo=self._zone)
				seen[self._employees[row["employee"]]] = created.timestamp()
		return seen


@contextmanager
def an_agent(folder: Path, device: dict[str, Any], upstream: dict[str, Any], port: int) -> Iterator[Path]:
	"""`attendance-bridge edge run`; yields its database."""
	database = folder / "edge.db"
	tables = {
		"agent": {"database": str(database), "log_level": "warning"},
		"upstream": upstream,
		"rules": {"debounce_seconds": 0.0},
		"web": {"enabled": False},
		"receiver": {"enabled": True, "host": "127.0.0.1", "port": port, "token_env": "LATENCY_TOKEN"},
	}
	lines = [f"[{name}]\n{_spell(table)}" for name, table in tables.items()]
	lines.append(f"[[devices]]\n{_spell({'name': 'Gate', 'timezone': ZONE.key, 'role': 'both', **device})}")
	config = folder / "edge.toml"
	config.write_text("\n".join(lines), encoding="utf-8")
	environment = {**os.environ, "LATENCY_PASSWORD": PASSWORD, "LATENCY_TOKEN": TOKEN}
	program = Path(sys.executable).with_name("attendance-bridge")
	process = subprocess.Popen([program, "edge", "run", "--config", config], env=environment)
	try:
		yield database
	finally:
		process.send_signal(signal.SIGTERM)
		process.wait(30)


def _spell(table: dict[str, Any]) -> str:
	return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())


def free_port() -> int:
	with socket.socket() as listener:
		listener.bind(("127.0.0.1", 0))
		return int(listener.getsockname()[1])


def wait_for(condition: Callable[[], bool], what: str) -> None:
	deadline = time.monotonic() + PATIENCE_SECONDS
	while not condition():
		if time.monotonic() > deadline:
			raise SystemExit(f"never: {what}")
		time.sleep(0.05)


def measure(road_class: type[Road], book: Book, punches: int, gap: float) -> list[float]:
	"""Seconds from registering to the book, for each punch."""
	with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
		port = free_port()
		road = road_class(stack, book.people(), port)
		database = stack.enter_context(an_agent(Path(folder), road.device(), book.upstream(), port))
		wait_for(road.is_ready, f"{road.name}: the agent comes to the terminal")
		time.sleep(SETTLE_SECONDS)
		registered: dict[str, float] = {}
		seen: dict[str, float] = {}
		next_at = time.time()
		for user_id in book.people()[:punches]:
			registered[user_id] = time.time()
			road.punch(user_id)
			next_at += gap
			while time.time() < next_at:
				book.look(database, seen)
				time.sleep(LOOK_SECONDS)
		rest = {user_id: at for user_id, at in registered.items() if user_id not in seen}
		if rest:
			seen = {**book.arrivals(database, rest), **seen}
		if isinstance(book, LocalLedger):
			book.forget()
		missing = registered.keys() - seen.keys()
		if missing:
			raise SystemExit(f"{road.name}: {len(missing)} of {len(registered)} punches never arrived")
		return [max(0.0, seen[user_id] - at) for user_id, at in registered.items()]


def percentile_99(values: list[float]) -> float:
	return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]


def main() -> int:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--punches", type=int, default=500, help="of each road")
	parser.add_argument("--gap", type=float, default=0.1, help="seconds between two punches")
	parser.add_argument("--roads", default=",".join(ROADS), help="some of these, with commas")
	parser.add_argument("--site", default="", help="URL of a real site for trials, instead of the ledger")
	options = parser.parse_args()
	book: Book = Site(options.site, options.punches) if options.site else LocalLedger(options.punches)
	worst = 0.0
	where = "site" if options.site else "ledger"
	print(f"{options.punches} punches a road, one every {options.gap:g} s, to the {where}")
	for key in options.roads.split(","):
		road = ROADS[key]
		taken = measure(road, book, options.punches, options.gap)
		late = percentile_99(taken)
		print(
			f"{road.name:28} median {median(taken):6.3f} s   p99 {late:6.3f} s   longest {max(taken):6.3f} s",
			flush=True,
		)
		if road.is_live:
			worst = max(worst, late)
	print(verdict(worst, f"<={GOAL_SECONDS}", digits=3))
	return 0 if worst <= GOAL_SECONDS else 1


if __name__ == "__main__":
	raise SystemExit(main())
