"""A backlog on terminals becomes Employee Checkins on a real site, against one post a punch.

200 people have punched IN and OUT on 50 of the last 60 days: 20,000 punches, held by two simulated Hikvision
terminals (ISAPI over HTTP with Digest, 30 rows a page) and two simulated ZKTeco terminals (port 4370), which
serve in a process of their own. Everybody has a terminal on their way; one passage in seven is at another.
Most people have a day, late or night shift by default, some an assignment, a few none.

- Ours: what the site's background job does for each terminal (`bench.jobs.pull_device`), by one worker, one
  terminal after the other: pulled page by page, held durably in Punch Log, decided, delivered, shifts looked
  up, punch and check-in linked, the run written down. Every punch must become exactly one check-in, or the
  run fails.
- The rival: one post a punch to HRMS's `add_log_based_on_employee_field` through gunicorn (2 workers), by one
  client over one kept connection, for the same people on earlier days. Half of its posts are made before ours
  is measured and half after, so that a slow minute of the machine strikes both.

Then rows are compared with what `insert()` makes: check-ins of some people over the whole time are read,
deleted and inserted again with the same employee, time, log type, device and punch; every column but name,
creation and modified must come out the same (`rows_equal`).

Needs a site: see benchmarks/README.md.
"""

from __future__ import annotations

import _site

_site.enter()  # from here on this is the interpreter of the bench

import argparse  # noqa: E402
import cProfile  # noqa: E402
import multiprocessing  # noqa: E402
import os  # noqa: E402
import pstats  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from concurrent.futures import ProcessPoolExecutor  # noqa: E402
from contextlib import ExitStack, nullcontext  # noqa: E402
from datetime import date, datetime, timedelta  # noqa: E402
from multiprocessing.connection import Connection  # noqa: E402
from random import Random  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

import _site_company as company  # noqa: E402
import frappe  # noqa: E402
from _figures import verdict  # noqa: E402
from _processes import ask, beside, serve_questions  # noqa: E402

from attendance_bridge.bench import jobs  # noqa: E402
from attendance_bridge.bench.tests import premises  # noqa: E402
from attendance_bridge.core.punch import DeviceKey, VerifyMode  # noqa: E402
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal  # noqa: E402
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs  # noqa: E402
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal  # noqa: E402
from attendance_bridge.simulators.zkteco import verbs as zkteco_verbs  # noqa: E402

SEED = 20260302
DAYS = 60
DAYS_AT_WORK = 50
TERMINALS = 4
"""The first half Hikvision, the others ZKTeco."""
ELSEWHERE = 7
"""One passage in so many is at another terminal than the person's own."""
STARTS = (8, 14, 22)
LENGTHS = (timedelta(hours=9), timedelta(hours=8, minutes=30), timedelta(hours=8))
"""Of the day, late and night shift; see `company.shift_of`."""
WARM = 20
"""Posts of the rival that are not counted: its workers load what they need."""
GOAL = ">=60"
EACH_ITS_OWN = {"name", "creation", "modified"}


class Passage(NamedTuple):
	"""One punch as the terminals record it."""

	wall_time: datetime
	person: int
	key: DeviceKey
	terminal: int


def history(people: int, last_day: date, seed: int) -> list[Passage]:
	"""Every punch of everybody, in the order in which they were made; no two of a person in one minute."""
	chance = Random(seed)
	passages = []
	for person in range(people):
		shift = company.shift_of(person)
		at_work = sorted(chance.sample(range(DAYS), DAYS_AT_WORK))
		for day in at_work:
			begins = datetime.combine(last_day - timedelta(days=day), datetime.min.time())
			begins += timedelta(hours=STARTS[shift])
			came = begins + timedelta(seconds=chance.randrange(-1200, 600))
			left = begins + LENGTHS[shift] + timedelta(seconds=chance.randrange(-120, 1500))
			for wall_time, key in ((came, DeviceKey.CHECK_IN), (left, DeviceKey.CHECK_OUT)):
				elsewhere = chance.randrange(1, TERMINALS) if chance.randrange(ELSEWHERE) == 0 else 0
				passages.append(Passage(wall_time, person, key, (person + elsewhere) % TERMINALS))
	return sorted(passages)


# the terminals


def serve_terminals(connection: Connection, people: int, last_day: date) -> None:
	"""The process of all terminals."""
	half = TERMINALS // 2
	states: list[Any] = [
		*(HikvisionState(serial=f"{premises.MARK}HIK{number}", zone=company.ZONE) for number in range(half)),
		*(ZktecoState(serial=f"{premises.MARK}ZK{number}", zone=company.ZONE) for number in range(half)),
	]
	for person in range(people):
		for state in states[:half]:
			hikvision_verbs.enroll(state, company.user_id(person))
		for state in states[half:]:
			zkteco_verbs.add_user(state, company.user_id(person))
	for passage in history(people, last_day, SEED):
		state, user_id = states[passage.terminal], company.user_id(passage.person)
		if isinstance(state, HikvisionState):
			at = passage.wall_time.replace(tzinfo=company.ZONE)
			hikvision_verbs.punch(state, user_id, VerifyMode.FACE, passage.key, at=at)
		else:
			state.record(user_id, passage.wall_time, VerifyMode.FINGER, passage.key)
	with ExitStack() as running:
		services = (
			HikvisionTerminal(state) if isinstance(state, HikvisionState) else ZktecoTerminal(state)
			for state in states
		)
		ports = [running.enter_context(service).port for service in services]
		serve_questions(connection, {"ports": lambda: ports})


def configure(ports: Sequence[int]) -> list[str]:
	"""Device Configurations for the terminals; returns their names."""
	half = TERMINALS // 2
	devices = [
		company.terminal(number, "hikvision_isapi" if number < half else "zkteco_tcp", port)
		for number, port in enumerate(ports)
	]
	frappe.db.commit()
	return devices


# the measurements


def measure_ours(devices: Sequence[str], workers: int) -> float:
	"""Read all terminals; returns the seconds."""
	if workers == 1:
		started = time.perf_counter()
		told = [read_terminal(device) for device in devices]
		seconds = time.perf_counter() - started
	else:
		context = multiprocessing.get_context("spawn")
		with ProcessPoolExecutor(workers, mp_context=context, initializer=connect) as pool:
			list(pool.map(time.sleep, [0.5] * workers * 2))  # until all of them are connected
			started = time.perf_counter()
			told = list(pool.map(read_terminal, devices))
			seconds = time.perf_counter() - started
	print("\n".join(told))
	frappe.db.rollback()  # what the workers have written is seen from here on
	return seconds


def connect() -> None:
	"""As a background worker begins."""
	frappe.init(site=_site.name())
	frappe.connect()
	frappe.set_user("Administrator")


def read_terminal(device: str) -> str:
	"""The job of one terminal; returns a line about it.

	:raises SystemExit: it was not read to its end.
	"""
	before = time.perf_counter()
	log = frappe.get_doc("Device Sync Log", jobs.pull_device(device, "Scheduler"))
	if log.status != "Complete":
		raise SystemExit(f"{device} was not read: {log.status} {log.error}")
	seconds = time.perf_counter() - before
	return f"  {device}: {log.new:,} punches in {seconds:.2f} s, {log.new / seconds:,.0f} a second"


def refuse_wrong(hired: Sequence[str], wanted: int) -> None:
	"""Every punch is one check-in of its person and second, linked both ways.

	:raises SystemExit: it is not so.
	"""
	statuses = frappe.db.sql("SELECT `status`, COUNT(*) FROM `tabPunch Log` GROUP BY `status`")
	if dict(statuses) != {"Checked in": wanted}:
		raise SystemExit(f"{wanted} punches became {dict(statuses)}")
	checkins, moments, linked = frappe.db.sql(
		"SELECT COUNT(*), COUNT(DISTINCT c.`employee`, c.`time`), SUM(p.`name` IS NOT NULL)"
		" FROM `tabEmployee Checkin` c LEFT JOIN `tabPunch Log` p ON p.`name` = c.`punch_log`"
		" AND p.`employee_checkin` = c.`name` AND p.`employee` = c.`employee` AND p.`occurred_at` = c.`time`"
		" AND p.`log_type` = c.`log_type` WHERE c.`employee` IN %s AND c.`punch_log` IS NOT NULL",
		(hired,),
	)[0]
	if not checkins == moments == linked == wanted:
		raise SystemExit(f"{wanted} punches: {checkins} check-ins, {moments} moments, {linked} linked")


def rival_posts(people: int, posts: int, last_day: date) -> Iterator[tuple[str, dict[str, Any]]]:
	"""The same people on the days before our history begins: who, and what is posted."""
	earlier = history(people, last_day - timedelta(days=DAYS), SEED + 1)
	for passage in Random(SEED).sample(earlier, posts):
		log_type = "IN" if passage.key is DeviceKey.CHECK_IN else "OUT"
		values = {"timestamp": str(passage.wall_time), "log_type": log_type, "device_id": "Rival"}
		yield company.user_id(passage.person), values


def measure_rival(token: str, address: str, posts: Sequence[tuple[str, dict[str, Any]]]) -> float:
	"""Post them one after the other; returns the seconds."""
	with company.client(token) as session:
		started = time.perf_counter()
		for user_id, values in posts:
			company.add_log(session, address, user_id, values)
		return time.perf_counter() - started


def unequal_rows(hired: Sequence[str], wanted: int) -> tuple[int, int]:
	"""Insert some of our check-ins anew; returns how many were compared and how many differ."""
	columns = "SELECT * FROM `tabEmployee Checkin` WHERE `employee` = %s AND `punch_log` IS NOT NULL"
	compared = unequal = 0
	order = Random(SEED).sample(hired, len(hired))
	while compared < wanted:
		employee = order.pop()
		written = frappe.db.sql(f"{columns} ORDER BY `time`", employee, as_dict=True)
		frappe.db.delete("Employee Checkin", {"name": ("in", [row.name for row in written])})
		for row in written:
			given = ("employee", "time", "log_type", "device_id", "punch_log")
			document = frappe.get_doc({"doctype": "Employee Checkin", **{key: row[key] for key in given}})
			name = document.insert().name
			again = "SELECT * FROM `tabEmployee Checkin` WHERE `name` = %s"
			(inserted,) = frappe.db.sql(again, name, as_dict=True)
			differing = [key for key in row if key not in EACH_ITS_OWN and row[key] != inserted[key]]
			compared += 1
			unequal += bool(differing)
			if differing:
				print(f"  {row.name} differs in {', '.join(differing)}")
	return compared, unequal


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--people", type=int, default=200)
	parser.add_argument("--posts", type=int, default=1500, help="of the rival")
	parser.add_argument("--compared", type=int, default=500, help="rows compared with insert(), at least")
	parser.add_argument("--port", type=int, default=8014, help="of the web server")
	parser.add_argument("--workers", type=int, default=1, help="background workers that read terminals")
	parser.add_argument("--profile", action="store_true", help="profile ours; it is slower then")
	options = parser.parse_args()
	last_day = datetime.now(company.ZONE).date() - timedelta(days=2)
	posts = list(rival_posts(options.people, options.posts, last_day))
	half = len(posts) // 2
	print(f"load of the machine: {os.getloadavg()[0]:.2f}")
	with company.company(), beside(serve_terminals, options.people, last_day) as served:
		hired = company.hire(options.people, last_day - timedelta(days=2 * DAYS + 1))
		devices = configure(ask(served, "ports"))
		_, token = company.user(1, "HR User")
		with _site.web_server(options.port) as address:
			measure_rival(token, address, posts[:WARM])
			rival = measure_rival(token, address, posts[WARM:half])
			profile = cProfile.Profile() if options.profile else nullcontext()
			with profile:
				ours = measure_ours(devices, options.workers)
			rival += measure_rival(token, address, posts[half:])
		wanted = 2 * DAYS_AT_WORK * options.people
		refuse_wrong(hired, wanted)
		compared, unequal = unequal_rows(hired, options.compared)
	if options.profile:
		pstats.Stats(profile).sort_stats("tottime").print_stats(45)
	print(f"{wanted:,} punches of {options.people} people over {DAYS} days, {TERMINALS} terminals")
	print(f"  ours   {wanted / ours:,.0f} punches a second, {ours:.2f} s, the whole way")
	print(f"  rival  {len(posts[WARM:]) / rival:,.1f} punches a second, one post each")
	print(f"load of the machine: {os.getloadavg()[0]:.2f}")
	print(f"rows_equal={'no' if unequal else 'yes'} ({compared} compared with insert(), {unequal} differ)")
	if unequal:
		raise SystemExit(1)
	print(verdict(wanted / ours / (len(posts[WARM:]) / rival), GOAL))


if __name__ == "__main__":
	main()
