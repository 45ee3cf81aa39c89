"""How many check-ins a second arrive at a stock ERPNext/HRMS site, against one plain post after the other.

A simulated site stands in a process of its own, a fresh one for every run; so does each client.

- Ours: `core.deliver.drain` over the real SQLite outbox until it is empty. Every batch of 200 is claimed
  durably before it is sent and its receipts are durable after, so that no crash can lose or double one.
- The rival: one `requests.post` a punch, each on a fresh connection, the way the official
  biometric-attendance-sync-tool does it. It writes nothing down.

After each run the site is asked what it holds: every check-in exactly once, and everybody's in order of time.
A run that fails this fails the benchmark.

Measured twice, because the two figures say different things:

- The site at full speed answers in well under a millisecond. What is compared is the work of the clients
  themselves: kept connections against fresh ones, claims and receipts included. This is the last line.
- The site takes 20 ms for a post and has 2 workers, as a small real one does. Then the site is what everybody
  waits for. One post after the other keeps one worker busy; no client whatever can do better than keep both
  busy, so the ratio cannot pass 2 by much (only by what the rival loses between two posts). The figure is
  printed beside that ceiling: it is the one to expect on a small site, and more workers raise it, up to the
  four lanes that are configured by default.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import requests
from _figures import alternate, spread, verdict
from _processes import alone, ask, beside, serve_questions

from attendance_bridge.core.cursor import START
from attendance_bridge.core.deliver import drain
from attendance_bridge.core.driver import Page
from attendance_bridge.core.person import Directory, Person
from attendance_bridge.core.projection import Rules, first_moments, project
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.retry import Backoff
from attendance_bridge.edge.uploader import DECIDE_AT_ONCE, SEND_AT_ONCE
from attendance_bridge.simulators.frappe_site import FrappeSite, SiteState
from attendance_bridge.simulators.frappe_site.verbs import hire
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.upstreams.erpnext_rest import Upstream
from attendance_bridge.upstreams.erpnext_rest.config import Config
from attendance_bridge.upstreams.erpnext_rest.site import ADD_LOG

ZONE = ZoneInfo("Asia/Dubai")
SERIAL = "SIMZK00000001"
API_KEY = "0123456789abcde"
API_SECRET = "edcba9876543210"
FIRST_DAY = datetime(2025, 1, 1, 8, tzinfo=ZONE)
SHIFT = timedelta(hours=9)
GOAL = 3

CheckIn = tuple[str, datetime, str, str]
"""Employee, site time (naive), log type, device."""


def make_punches(number: int, people: int) -> list[Punch]:
	"""An IN and an OUT a day of each of the people, in order of time, until there are enough."""
	made: list[Punch] = []
	for position in range(number):
		half_day, person = divmod(position, people)
		day, is_out = divmod(half_day, 2)
		made.append(
			Punch(
				device_serial=SERIAL,
				device_user_id=_device_user_id(person),
				occurred_at=FIRST_DAY + timedelta(days=day, seconds=7 * person) + SHIFT * is_out,
				verify_mode=VerifyMode.FACE,
				device_key=DeviceKey.CHECK_OUT if is_out else DeviceKey.CHECK_IN,
			)
		)
	return made


def _employee(person: int) -> str:
	return f"HR-EMP-{person + 1:05d}"


def _device_user_id(person: int) -> str:
	return str(1001 + person)


def expected(punches: Sequence[Punch]) -> list[CheckIn]:
	"""What the site has to hold in the end."""
	return [
		(
			_employee(int(punch.device_user_id) - 1001),
			punch.wall_time,
			"IN" if punch.device_key is DeviceKey.CHECK_IN else "OUT",
			SERIAL,
		)
		for punch in punches
	]


def serve_site(connection: Connection, people: int, service_seconds: float, workers: int) -> None:
	"""The process of the site."""
	state = SiteState(
		time_zone=ZONE.key,
		api_key=API_KEY,
		api_secret=API_SECRET,
		service_seconds=service_seconds,
		workers=workers,
	)
	for person in range(people):
		hire(state, _employee(person), device_id=_device_user_id(person))
	with FrappeSite(state) as site:

		def arrived() -> list[CheckIn]:
			return [(row.employee, row.time, row.log_type or "", row.device_id or "") for row in state.table]

		serve_questions(connection, {"url": lambda: site.url, "arrived": arrived})


def upload_with_us(url: str, number: int, people: int, folder: str) -> float:
	"""Seconds from a full outbox to an empty one."""
	config = Config(url=url, api_key=Secret(API_KEY), api_secret=Secret(API_SECRET), timezone=ZONE)
	with (
		tempfile.TemporaryDirectory(dir=folder) as fresh,
		Database.open(Path(fresh, "outbox.db")) as database,
	):
		_fill(PunchStore(database, now=_now), number, people)
		outbox = SqliteOutbox(
			database, settle=timedelta(seconds=config.settle_seconds), backoff=Backoff(), max_attempts=8
		)
		upstream = Upstream(config)
		started = time.perf_counter()
		while True:
			report = drain(outbox, upstream, limit=SEND_AT_ONCE, now=_now)
			if report.error is not None:
				raise report.error
			if not report.claimed:
				break
		upstream.close()
		return time.perf_counter() - started


def _fill(store: PunchStore, number: int, people: int) -> None:
	"""Hold the punches and decide them, so that they wait for the upstream."""
	store.accept(Page(punches=tuple(make_punches(number, people)), cursor=START), SERIAL, None)
	directory = Directory(
		Person(employee=_employee(person), attendance_device_id=_device_user_id(person))
		for person in range(people)
	)
	while observations := store.undecided(DECIDE_AT_ONCE):
		firsts = first_moments(observations, directory, {})
		store.record(project(observations, directory, {}, store.standings(firsts), Rules()), firsts)


def upload_plainly(url: str, number: int, people: int) -> float:
	"""Seconds of the rival for the same punches, made ready before."""
	headers = {"Authorization": f"token {API_KEY}:{API_SECRET}", "Accept": "application/json"}
	forms = [
		{
			"employee_field_value": punch.device_user_id,
			"timestamp": str(punch.wall_time),
			"device_id": SERIAL,
			"log_type": "IN" if punch.device_key is DeviceKey.CHECK_IN else "OUT",
		}
		for punch in make_punches(number, people)
	]
	# The site is on loopback: a proxy of this machine is not part of the contest.
	os.environ["NO_PROXY"] = "127.0.0.1"
	started = time.perf_counter()
	for form in forms:
		response = requests.post(f"{url}/api/method/{ADD_LOG}", headers=headers, data=form, timeout=60)
		response.raise_for_status()
	return time.perf_counter() - started


def _now() -> datetime:
	return datetime.now(timezone.utc)


class Contest:
	"""Both clients against one kind of site."""

	def __init__(
		self, number: int, people: int, folder: str, *, service_seconds: float = 0.0, workers: int = 2
	) -> None:
		self._number = number
		self._people = people
		self._folder = folder
		self._site = (people, service_seconds, workers)
		self._expected = expected(make_punches(number, people))

	def ours(self) -> float:
		"""Punches a second."""
		with beside(serve_site, *self._site) as site:
			seconds = alone(upload_with_us, ask(site, "url"), self._number, self._people, self._folder)
			self._refuse_wrong(ask(site, "arrived"))
		return self._number / seconds

	def rival(self) -> float:
		"""Punches a second."""
		with beside(serve_site, *self._site) as site:
			seconds = alone(upload_plainly, ask(site, "url"), self._number, self._people)
			self._refuse_wrong(ask(site, "arrived"))
		return self._number / seconds

	def _refuse_wrong(self, arrived: list[CheckIn]) -> None:
		"""Every check-in exactly once, and each person's in order."""
		if sorted(arrived) != sorted(self._expected):
			missing = len(set(self._expected) - set(arrived))
			raise SystemExit(f"{len(arrived)} check-ins at the site, {missing} of {self._number} missing")
		times: dict[str, list[datetime]] = defaultdict(list)
		for employee, moment, _log_type, _device in arrived:
			times[employee].append(moment)
		if any(moments != sorted(moments) for moments in times.values()):
			raise SystemExit("somebody's check-ins arrived out of order")

	def compare(self, rounds: int, title: str) -> float:
		"""Run, print, and return the ratio."""
		ours, theirs = alternate(rounds, self.ours, self.rival)
		ratio = median(ours) / median(theirs)
		print(f"{title}: {self._number:,} punches of {self._people} people")
		print(f"  drain, durable      {spread(ours, 'a second')}")
		print(f"  one requests.post   {spread(theirs, 'a second')}")
		print("  every check-in arrived exactly once and in order, in all runs", flush=True)
		return ratio


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--punches", type=int, default=10_000)
	parser.add_argument("--people", type=int, default=500)
	parser.add_argument("--rounds", type=int, default=3, help="runs of each client at full speed")
	parser.add_argument("--service-ms", type=float, default=20.0, help="of a post at the realistic site")
	parser.add_argument("--workers", type=int, default=2, help="of the realistic site")
	parser.add_argument("--slow-punches", type=int, default=600, help="sent to the realistic site")
	parser.add_argument("--folder", default=tempfile.gettempdir(), help="where the outbox is made")
	options = parser.parse_args()
	service_seconds = options.service_ms / 1000
	realistic = Contest(
		options.slow_punches,
		options.people,
		options.folder,
		service_seconds=service_seconds,
		workers=options.workers,
	)
	title = f"a site that takes {options.service_ms:g} ms a post with {options.workers} workers"
	slow_ratio = realistic.compare(1, title)
	ceiling = options.workers / service_seconds
	print(f"  {slow_ratio:.2f} times as quick; such a site takes {ceiling:.0f} a second at the most")
	full_speed = Contest(options.punches, options.people, options.folder)
	ratio = full_speed.compare(options.rounds, "a site at full speed")
	print(f"realistic_ratio={slow_ratio:.2f}")
	print(verdict(ratio, f">={GOAL}"))


if __name__ == "__main__":
	main()
