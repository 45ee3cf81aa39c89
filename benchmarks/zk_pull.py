"""How long it takes until a full ZKTeco terminal is safely held, against pyzk merely reading it.

A simulated terminal with 100,000 records and 1,000 users stands in a process of its own.

- Ours: everything from an unopened connection to a closed database. Connecting, the serial number, the
  transfer, reading every record, and holding every page and the cursor behind it in a fresh SQLite file with
  synchronous=FULL: 100 pages, 200 durable transactions.
- The rival: `get_attendance()` of pyzk 0.9 on a connection that stands already. It leaves its result in
  memory; nothing of it would survive the process.

Each run is a process of its own, the two take turns, and all must come back with the same punches.

The last line is that of the layout least favourable to us among the three that pyzk 0.9 reads (8, 16 and 40
bytes a record; it misreads the fourth, 49). The line above it is the peak memory of our process against twice
the raw log and 60 MB, of the least favourable layout as well.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from _figures import MEGABYTE, alternate, spread, verdict
from _processes import alone, ask, beside, peak_resident_bytes, resident_bytes, serve_questions
from zk import ZK

from attendance_bridge.core.pull import pull
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.drivers.zkteco_tcp import Driver
from attendance_bridge.drivers.zkteco_tcp.config import Config
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.punches import PunchStore

LAYOUTS = (40, 16, 8)
ZONE = ZoneInfo("Asia/Dubai")
FIRST_PUNCH = datetime(2025, 1, 1, 6)  # noqa: DTZ001  # wall time
BETWEEN_PUNCHES = timedelta(seconds=200)
FIRST_USER = 1001

SPEED_GOAL = 10
MEMORY_ALLOWED = 60 * MEGABYTE
"""Beside twice the raw log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
	"""What one run took, and what it read."""

	seconds: float
	punches: int
	digest: str
	"""Of all (user id, wall time), so that two runs can be compared."""
	memory_before: int = 0
	"""Bytes; what the interpreter and the imports take."""
	memory_peak: int = 0


def serve_terminal(connection: Connection, layout: int, records: int, users: int) -> None:
	"""The process of the terminal: tells its port, and serves until the connection is closed."""
	state = ZktecoState(zone=ZONE, log_layout=layout)
	for number in range(users):
		state.add_user(str(FIRST_USER + number), name=f"Worker {number}")
	for number in range(records):
		# 7919 is a prime: everybody's turn comes, in no simple order.
		user_id = str(FIRST_USER + number * 7919 % users)
		moment = FIRST_PUNCH + number * BETWEEN_PUNCHES
		state.record(user_id, moment, VerifyMode.FINGER, DeviceKey.CHECK_IN)
	raw_bytes = len(state.log_dump())  # the terminal keeps what it packs; no run has to wait for that
	with ZktecoTerminal(state) as terminal:
		serve_questions(connection, {"facts": lambda: (terminal.port, raw_bytes)})


def pull_with_us(port: int, folder: str) -> Result:
	"""Hold the whole terminal in a fresh database."""
	memory_before = resident_bytes()
	with tempfile.TemporaryDirectory(dir=folder) as fresh:
		path = Path(fresh, "held.db")
		started = time.perf_counter()
		with Database.open(path) as database, _driver(port) as driver:
			reading = driver.read_clock()
			report = pull(
				driver.identify().serial,
				driver,
				SqliteCursors(database),
				PunchStore(database, now=_now),
				reading=reading,
			)
		seconds = time.perf_counter() - started
		memory_peak = peak_resident_bytes()
		if report.error is not None:
			raise report.error
		with Database.open(path) as database:
			held = (each.punch for each in PunchStore(database).each())
			digest = _digest((punch.device_user_id, punch.wall_time) for punch in held)
	return Result(
		seconds=seconds,
		punches=report.new,
		digest=digest,
		memory_before=memory_before,
		memory_peak=memory_peak,
	)


def read_with_pyzk(port: int) -> Result:
	"""The rival, timed without connecting."""
	connected = ZK("127.0.0.1", port=port, timeout=60, ommit_ping=True).connect()
	try:
		started = time.perf_counter()
		attendances = connected.get_attendance()
		seconds = time.perf_counter() - started
	finally:
		connected.disconnect()
	digest = _digest((each.user_id, each.timestamp) for each in attendances)
	return Result(seconds=seconds, punches=len(attendances), digest=digest)


def _driver(port: int) -> Driver:
	return Driver(Config(host="127.0.0.1", port=port), zone=ZONE, now=_now)


def _now() -> datetime:
	return datetime.now(timezone.utc)


def _digest(punches: Iterable[tuple[str, datetime]]) -> str:
	lines = sorted(f"{user_id} {moment.isoformat()}\n" for user_id, moment in punches)
	return hashlib.sha256("".join(lines).encode()).hexdigest()


def compare(layout: int, options: argparse.Namespace) -> tuple[float, float]:
	"""Measure one layout and print it; returns the ratios of speed and of memory."""
	with beside(serve_terminal, layout, options.records, options.users) as terminal:
		port, raw_bytes = ask(terminal, "facts")
		ours, theirs = alternate(
			options.rounds,
			partial(alone, pull_with_us, port, options.folder),
			partial(alone, read_with_pyzk, port),
		)
	_refuse_unequal([*ours, *theirs], options.records)
	speed = median(run.seconds for run in theirs) / median(run.seconds for run in ours)
	peak = max(run.memory_peak for run in ours)
	memory = peak / (2 * raw_bytes + MEMORY_ALLOWED)
	print(f"{layout} bytes a record, {raw_bytes / MEGABYTE:.1f} MB raw")
	print(f"  pull into SQLite       {spread([run.seconds for run in ours], 's')}")
	print(f"  pyzk get_attendance()  {spread([run.seconds for run in theirs], 's')}")
	print(f"  {options.records / median(run.seconds for run in ours):,.0f} punches a second, held durably")
	before = median(run.memory_before for run in ours)
	print(f"  peak memory {peak / MEGABYTE:.1f} MB, of which {before / MEGABYTE:.1f} MB before the pull")
	print(f"  {speed:.1f} times as quick; {memory:.2f} of the memory allowed", flush=True)
	return speed, memory


def _refuse_unequal(runs: list[Result], records: int) -> None:
	if {run.punches for run in runs} != {records} or len({run.digest for run in runs}) != 1:
		raise SystemExit(f"the runs did not read the same {records} punches: {runs}")


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--records", type=int, default=100_000)
	parser.add_argument("--users", type=int, default=1_000)
	parser.add_argument("--rounds", type=int, default=3, help="runs of each for every layout")
	parser.add_argument("--layouts", type=int, nargs="+", choices=LAYOUTS, default=LAYOUTS)
	parser.add_argument("--folder", default=tempfile.gettempdir(), help="where the databases are made")
	options = parser.parse_args()
	ratios = [compare(layout, options) for layout in options.layouts]
	if short := [
		layout for layout, (speed, _memory) in zip(options.layouts, ratios, strict=True) if speed < SPEED_GOAL
	]:
		print(f"not {SPEED_GOAL} times as quick at {', '.join(map(str, short))} bytes a record")
	print(verdict(max(memory for _speed, memory in ratios), "<=1", name="memory_ratio"))
	print(verdict(min(speed for speed, _memory in ratios), f">={SPEED_GOAL}"))


if __name__ == "__main__":
	main()
