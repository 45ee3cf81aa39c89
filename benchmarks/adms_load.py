"""A shift change: 500 simulated terminals push 20,000 punches at once to one receiver of an agent.

- Ours: the agent's receiver (`edge/receiver`) as it is: who calls, whether it may, the rows read one by one,
  each punch with its id, its tally and its indexes durable in SQLite before the answer goes out, and who
  called written down every few seconds.
- The rival: the same server (cheroot, the same number of threads) with a bare WSGI handler that takes the
  lines apart and inserts the same values into one table with one unique key, a transaction a push with
  `synchronous=FULL`, and answers. It knows nobody, checks nothing, keeps no other index.

The terminals are those of `simulators/adms_terminal`, in a process of their own; each sends a punch at a
time, as terminals do while people pass. Both sides are driven alike, one after the other in every round.

Checked: every punch is acknowledged, is held exactly once, and the memory of the receiver at the end is not
above that after a fifth of the punches by more than 16 MB (`memory_ratio`: end / then, printed for reading).

Why a goal of 0.5: what both do alike (HTTP, the wait for the disk) is most of the work, and all that ours
adds may cost as much again, not more. Where the disk is slow ours may be the faster one: pushes that come
while it is waited for are written together. 20,000 in a minute are 333 a second; `seconds` says how long they
took.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from _figures import MEGABYTE, spread, verdict
from _processes import ask, beside, resident_bytes, serve_questions

from attendance_bridge.drivers.zkteco_adms.config import Config
from attendance_bridge.edge.receiver.pairing import Pairing
from attendance_bridge.edge.receiver.server import ReceiverServer
from attendance_bridge.edge.receiver.service import make_receiver
from attendance_bridge.edge.receiver.settings import ReceiverSettings
from attendance_bridge.edge.settings import Device, DeviceSettings
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.simulators.adms_terminal import AdmsFleet, AdmsState
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.push import PushBook

DUBAI = ZoneInfo("Asia/Dubai")
FIRST_PUNCH = datetime(2026, 11, 26, 8, 0)  # noqa: DTZ001  # wall time
THREADS = 16
MEMORY_GROWTH = 16 * MEGABYTE
GOAL = 0.5
PATIENCE_SECONDS = 600.0


def serial(number: int) -> str:
	return f"SIMADMS{number:05d}"


def serve_ours(connection: Connection, path: Path, terminals: int) -> None:
	now = lambda: datetime.now(timezone.utc)  # noqa: E731
	devices = tuple(
		Device(
			settings=DeviceSettings(
				name=serial(number), driver="zkteco_adms", timezone=DUBAI, serial=serial(number)
			),
			config=Config(),
		)
		for number in range(terminals)
	)
	with Database.open(path) as database:
		known, push_book = Terminals(devices), PushBook(database)
		server = make_receiver(
			ReceiverSettings(enabled=True, host="127.0.0.1", port=0, threads=THREADS),
			terminals=known,
			pairing=Pairing(push_book, known, now=now),
			punches=PunchStore(database, now=now),
			push_book=push_book,
			book=DeviceBook(database),
			cursors=SqliteCursors(database),
			now=now,
		)
		_serve(connection, server, lambda: _count(path, "punch"))


class Bare:
	"""As little as can take a push durably."""

	def __init__(self, path: Path) -> None:
		self._lock = threading.Lock()
		self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
		self._connection.execute("PRAGMA journal_mode = WAL")
		self._connection.execute("PRAGMA synchronous = FULL")
		self._connection.execute(
			"CREATE TABLE punch (arrival INTEGER PRIMARY KEY, device_serial TEXT, device_user_id TEXT, "
			"wall_time TEXT, device_key TEXT, verify_mode TEXT, raw TEXT, received_at REAL, "
			"UNIQUE (device_serial, device_user_id, wall_time))"
		)

	def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
		answer = b"OK"
		if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith("/cdata"):
			answer = (
				b"GET OPTION FROM: x\nATTLOGStamp=0\nErrorDelay=30\nDelay=10\nTransInterval=1\nRealtime=1\n"
			)
		elif "table=ATTLOG" in environ["QUERY_STRING"]:
			answer = self._take(environ)
		start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
		return [answer]

	def _take(self, environ: dict[str, Any]) -> bytes:
		who = environ["QUERY_STRING"].partition("SN=")[2].partition("&")[0]
		body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
		rows = []
		for line in body.splitlines():
			pin, wall, key, mode, *_rest = line.split("\t")
			rows.append((who, pin, wall, key, mode, line, time.time()))
		with self._lock:
			self._connection.execute("BEGIN IMMEDIATE")
			self._connection.executemany(
				"INSERT OR IGNORE INTO punch (device_serial, device_user_id, wall_time, device_key, "
				"verify_mode, raw, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
				rows,
			)
			self._connection.execute("COMMIT")
		return b"OK: %d" % len(rows)


def serve_bare(connection: Connection, path: Path, _terminals: int) -> None:
	server = ReceiverServer(Bare(path), host="127.0.0.1", port=0, threads=THREADS)
	_serve(connection, server, lambda: _count(path, "punch"))


def _serve(connection: Connection, server: ReceiverServer, count: Callable[[], tuple[int, int]]) -> None:
	stop = threading.Event()
	running = threading.Thread(target=server.run, args=(stop,))
	running.start()
	serve_questions(connection, {"port": lambda: server.port, "resident": resident_bytes, "count": count})
	stop.set()
	running.join()


def _count(path: Path, table: str) -> tuple[int, int]:
	"""Rows, and how many of them are different punches."""
	with closing(sqlite3.connect(path)) as connection:
		distinct = f"SELECT DISTINCT device_serial, device_user_id, wall_time FROM {table}"
		rows = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
		return rows, connection.execute(f"SELECT count(*) FROM ({distinct})").fetchone()[0]


def drive(connection: Connection, port: int, terminals: int, punches: int) -> None:
	"""The terminals: switched on, they greet; at "go" everybody punches at once."""
	fleet = AdmsFleet(port=port, pace=0.1)
	states = []
	for number in range(terminals):
		state = AdmsState(serial=serial(number))
		state.rows_per_post = 1
		states.append(state)
		fleet.add(state)
	fleet.start()

	def greeted() -> int:
		return sum(state.counters["poll"] > 0 for state in states)

	def go() -> float:
		for turn in range(punches):
			terminal, person = turn % terminals, turn // terminals
			wall = FIRST_PUNCH + timedelta(seconds=person)
			states[terminal].record(str(1000 + person), wall)
		return time.time()

	serve_questions(
		connection,
		{
			"greeted": greeted,
			"go": go,
			"acknowledged": lambda: sum(len(state.acknowledged()) for state in states),
			"again": lambda: sum(state.counters["again"] for state in states),
		},
	)
	fleet.stop()


def measure(
	serve: Callable[[Connection, Path, int], None], folder: Path, terminals: int, punches: int
) -> tuple[float, float, int]:
	"""Seconds from the first punch to the last acknowledgement; memory after a fifth and at the end.

	:raises SystemExit: a punch was lost, doubled or not acknowledged.
	"""
	with (
		tempfile.TemporaryDirectory(dir=folder) as place,
		beside(serve, Path(place) / "load.db", terminals) as server,
		beside(drive, ask(server, "port"), terminals, punches) as clients,
	):
		_wait(lambda: ask(clients, "greeted") == terminals, "not every terminal was greeted")
		started, early = ask(clients, "go"), 0
		while (taken := ask(clients, "acknowledged")) < punches:
			if not early and taken >= punches // 5:
				early = ask(server, "resident")
			if time.time() - started > PATIENCE_SECONDS:
				sys.exit(f"{taken} of {punches} punches were acknowledged in {PATIENCE_SECONDS:.0f} s")
			time.sleep(0.05)
		seconds = time.time() - started
		late = ask(server, "resident")
		rows, different = ask(server, "count")
		if rows != punches or different != punches:
			sys.exit(
				f"{punches} punches were acknowledged; {rows} rows are held, {different} of them different"
			)
	return seconds, late / (early or late), late - (early or late)


def _wait(is_so: Callable[[], bool], otherwise: str) -> None:
	until = time.monotonic() + PATIENCE_SECONDS
	while not is_so():
		if time.monotonic() > until:
			sys.exit(otherwise)
		time.sleep(0.05)


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--terminals", type=int, default=500)
	parser.add_argument("--punches", type=int, default=20_000)
	parser.add_argument("--rounds", type=int, default=3)
	parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="on a real disk")
	args = parser.parse_args()

	ours: list[float] = []
	bare: list[float] = []
	growths: list[int] = []
	memory: list[float] = []
	for _round in range(args.rounds):
		seconds, ratio, growth = measure(serve_ours, args.folder, args.terminals, args.punches)
		ours.append(seconds)
		memory.append(ratio)
		growths.append(growth)
		bare.append(measure(serve_bare, args.folder, args.terminals, args.punches)[0])
	print(
		f"{args.terminals} terminals, {args.punches:,} punches, a push each, all acknowledged and held once"
	)
	print(f"seconds: {spread(ours, 's')}")
	print(f"rate, ours: {spread([args.punches / each for each in ours], 'a second')}")
	print(f"rate, bare: {spread([args.punches / each for each in bare], 'a second')}")
	print(f"memory of the receiver grew by {max(growths) / MEGABYTE:.1f} MB after the first fifth")
	print(verdict(median(memory), "<=1.2", "memory_ratio"))
	if max(growths) > MEMORY_GROWTH:
		sys.exit("the memory of the receiver is not flat")
	print(verdict(median(b / o for o, b in zip(ours, bare, strict=True)), f">={GOAL}"))


if __name__ == "__main__":
	main()
