"""Eight edge agents send punches to a real site at once: how fast, how long one waits, nothing lost.

Every agent has its own user, token and terminal. 200 people have punched on all eight terminals; each agent
sends its terminal's punches in batches of 250 to `attendance_bridge.api.ingest.punches` over a kept
connection, through gunicorn with 2 workers. As in the field, things are sent twice: every fourth batch begins
with the last fifty punches of the batch before it, and every fifth is sent twice at the same time, by a
second thread of the same agent. Only distinct punches count.

- Ours is measured from the first request until the last punch is a check-in: what the site could not finish
  within its requests is carried on here (`jobs.carry_on`), on the clock. 99 of 100 requests were
  answered within `p99`.
- The rival: eight clients, each one post a punch to HRMS's `add_log_based_on_employee_field`, through the
  same gunicorn, half before ours and half after.

Then both tables are looked through: every distinct punch stands once in Punch Log and has exactly one
check-in, of its person and second. Anything else ends the run with an error.

Why the goal is 20: the rival keeps both workers as busy as ours does; what a batch saves is the request
around each punch and HRMS's statements for each check-in. Eight agents cannot save more by being eight:
check-ins of one site are made in turns.

Needs a site: see benchmarks/README.md.
"""

from __future__ import annotations

import _site

_site.enter()  # from here on this is the interpreter of the bench

import argparse  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402
from datetime import datetime, timedelta  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

import _site_company as company  # noqa: E402
import frappe  # noqa: E402
import requests  # noqa: E402
from _figures import verdict  # noqa: E402

from attendance_bridge.bench import agents, jobs  # noqa: E402
from attendance_bridge.bench.tests import agents_at_work, terminals  # noqa: E402
from attendance_bridge.core.punch import DeviceKey  # noqa: E402

AGENTS = 8
PEOPLE = 200
BATCH = 250
OVERLAP = 50
FIRST_DAY = datetime(2026, 3, 2)  # noqa: DTZ001  # by the wall at the terminals
METHOD = "attendance_bridge.api.ingest.punches"
GOAL = ">=20"


class Answer(NamedTuple):
	"""What came back for one batch."""

	seconds: float
	receipts: list[dict[str, Any]]


def punches_of(number: int, count: int) -> list[dict[str, Any]]:
	"""What the terminal of one agent has recorded, in its order; nobody is at two terminals in one minute."""
	found = []
	for place in range(count):
		day, rest = divmod(place, 2 * PEOPLE)
		half, person = divmod(rest, PEOPLE)
		at = FIRST_DAY + timedelta(days=day, hours=7 + half, minutes=6 * number, seconds=person)
		key = (DeviceKey.CHECK_IN, DeviceKey.CHECK_OUT)[half]
		user_id = company.user_id(person)
		raw = f'{{"employeeNoString":"{user_id}","serialNo":{place},"currentVerifyMode":"face"}}'
		found.append(agents_at_work.sent(user_id, at, number=number, key=key, raw=raw))
	return found


def batches_of(punches: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
	"""In batches; every fourth begins with the end of the one before."""
	starts = range(0, len(punches), BATCH)
	return [
		list(punches[max(0, start - (OVERLAP if place % 4 == 3 else 0)) : start + BATCH])
		for place, start in enumerate(starts)
	]


def send(session: requests.Session, address: str, batch: Sequence[dict[str, Any]]) -> Answer:
	"""One request, again while the site is busy, as an agent does.

	:raises SystemExit: it was refused, or a punch was not accepted.
	"""
	started = time.perf_counter()
	for _attempt in range(10):
		answer = session.post(f"{address}/api/method/{METHOD}", json={"punches": batch}, timeout=120)
		if answer.status_code < 500:
			break
	if answer.status_code != 200:
		raise SystemExit(f"a batch was refused: {answer.status_code} {answer.text[:500]}")
	receipts = answer.json()["message"]["receipts"]
	if {receipt["outcome"] for receipt in receipts} != {"accepted"}:
		raise SystemExit(f"not all were accepted: {Counter(receipt['outcome'] for receipt in receipts)}")
	return Answer(time.perf_counter() - started, receipts)


def run_agent(token: str, address: str, batches: Sequence[Sequence[dict[str, Any]]]) -> list[Answer]:
	"""All of one agent's batches in their order, some of them twice."""
	answers = []
	with company.client(token) as session, company.client(token) as twin, ThreadPoolExecutor(1) as again:
		for place, batch in enumerate(batches):
			doubled = again.submit(send, twin, address, batch) if place % 5 == 4 else None
			answers.append(send(session, address, batch))
			if doubled is not None:
				answers.append(doubled.result())
	return answers


def at_once(acts: Sequence[Callable[[], Any]]) -> tuple[float, list[Any]]:
	"""Run all at the same time; returns the seconds and what each returned."""
	with ThreadPoolExecutor(len(acts)) as pool:
		started = time.perf_counter()
		futures = [pool.submit(act) for act in acts]
		results = [future.result() for future in futures]
		return time.perf_counter() - started, results


def measure_rival(token: str, address: str, first: int, posts: int) -> float:
	"""Eight clients post as many check-ins; returns the seconds.

	:param first: the day, in days before ours begin, on which these are.
	"""

	def post(number: int) -> None:
		with company.client(token) as session:
			for place in range(posts // AGENTS):
				at = FIRST_DAY - timedelta(days=first) + timedelta(hours=7, minutes=number, seconds=place)
				values = {"timestamp": str(at), "log_type": "IN", "device_id": "Rival"}
				company.add_log(session, address, company.user_id((number + AGENTS * place) % PEOPLE), values)

	return at_once([lambda number=number: post(number) for number in range(AGENTS)])[0]


def refuse_wrong(wanted: Sequence[dict[str, Any]]) -> None:
	"""Every distinct punch once in Punch Log, with one check-in of its person and second.

	:raises SystemExit: it is not so.
	"""
	frappe.db.rollback()
	held, linked, checkins = frappe.db.sql(
		"SELECT COUNT(*), SUM(c.`name` IS NOT NULL), COUNT(DISTINCT p.`employee_checkin`)"
		" FROM `tabPunch Log` p LEFT JOIN `tabEmployee Checkin` c ON c.`name` = p.`employee_checkin`"
		" AND c.`punch_log` = p.`name`"
		" AND c.`employee` = p.`employee` AND c.`time` = p.`occurred_at` WHERE p.`name` IN %s",
		([punch["punch_id"] for punch in wanted],),
	)[0]
	made = frappe.db.count("Employee Checkin", {"punch_log": ("is", "set"), "device_id": ("like", "ABT%")})
	if not held == linked == checkins == made == len(wanted):
		raise SystemExit(
			f"{len(wanted)} punches: {held} held, {linked} linked, {checkins} distinct, {made} made"
		)


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--punches", type=int, default=2_500, help="of each agent")
	parser.add_argument("--posts", type=int, default=800, help="of the rival")
	parser.add_argument("--port", type=int, default=8014, help="of the web server")
	options = parser.parse_args()
	punches = [punches_of(number, options.punches) for number in range(AGENTS)]
	print(f"load of the machine: {os.getloadavg()[0]:.2f}")
	with company.company():
		agents_at_work.clear()
		try:
			company.hire(PEOPLE, FIRST_DAY.date() - timedelta(days=30))
			tokens = [_agent(number) for number in range(AGENTS)]
			_, token = company.user(1, "HR User")
			with _site.web_server(options.port) as address:
				measure_rival(token, address, 20, 4 * AGENTS)  # its workers load what they need
				rival = measure_rival(token, address, 10, options.posts // 2)
				ours, answers = at_once(
					[
						lambda token=token, sent=sent: run_agent(token, address, batches_of(sent))
						for token, sent in zip(tokens, punches, strict=True)
					]
				)
				frappe.db.rollback()
				started = time.perf_counter()
				jobs.carry_on()
				settled = time.perf_counter() - started
				rival += measure_rival(token, address, 15, options.posts // 2)
			refuse_wrong([punch for sent in punches for punch in sent])
		finally:
			agents_at_work.clear()
	report(ours, settled, [answer for told in answers for answer in told], AGENTS * options.punches)
	posts = 2 * (options.posts // 2 // AGENTS * AGENTS)
	print(f"  rival  {posts / rival:,.1f} punches a second, {AGENTS} clients, one post each")
	print(f"load of the machine: {os.getloadavg()[0]:.2f}")
	print(verdict(AGENTS * options.punches / (ours + settled) / (posts / rival), GOAL))


def _agent(number: int) -> str:
	"""A new agent with a terminal; returns the value of its Authorization header."""
	agent = agents_at_work.agent(number)
	terminals.silent(number, edge_agent=agent.name)
	keys = agents.make_api_key(agent.name)
	frappe.db.commit()
	return f"token {keys['api_key']}:{keys['api_secret']}"


def report(ours: float, settled: float, answers: Sequence[Answer], distinct: int) -> None:
	"""Print what the agents saw."""
	times = sorted(answer.seconds for answer in answers)
	sent = sum(len(answer.receipts) for answer in answers)
	new = sum(not receipt["known"] for answer in answers for receipt in answer.receipts)
	if new != distinct:
		raise SystemExit(f"{distinct} punches, and {new} receipts say that theirs was new")
	print(f"{sent:,} punches sent in {len(answers)} requests by {AGENTS} agents, {distinct:,} distinct")
	print(
		f"  ours   {distinct / (ours + settled):,.0f} punches a second until all are check-ins"
		f" ({ours:.2f} s of requests, {settled:.2f} s carried on after); lost 0, doubled 0"
	)
	p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
	print(f"  a request  p50={times[len(times) // 2]:.2f} s  p99={p99:.2f} s  slowest={times[-1]:.2f} s")


if __name__ == "__main__":
	main()
