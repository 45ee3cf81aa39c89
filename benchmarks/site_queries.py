"""How many SQL statements a batch of 500 punches costs on a real site, whatever Punch Log holds already.

Punch Log is filled to 1,000, then 100,000, then 1,000,000 rows: punches of the same people and of as many
others on another terminal in earlier years, all of them check-ins, written by the server itself. At each size
the same kind of batch, 500 new punches of 100 people over five days, goes the whole way: held
(`PunchLog.accept`), then decided and made check-ins (`settle_received`, as jobs and agents' requests call
it). Every statement that reaches the server is counted, commits too; one batch before the first is not
counted, so that caches are warm.

`ratio` is the number of statements at the largest size over that at the smallest. The seconds of each batch
stand beside it: they show whether a statement looks at more rows than it needs to.

Needs a site: see benchmarks/README.md. The filling is deleted again, batch by batch, at the end.
"""

from __future__ import annotations

import _site

_site.enter()  # from here on this is the interpreter of the bench

import argparse  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from datetime import datetime, timedelta  # noqa: E402
from typing import NamedTuple  # noqa: E402

import _site_company as company  # noqa: E402
import frappe  # noqa: E402
from _figures import verdict  # noqa: E402

from attendance_bridge.bench import deciding, punch_log  # noqa: E402
from attendance_bridge.bench.tests import premises, terminals  # noqa: E402
from attendance_bridge.core.punch import Punch  # noqa: E402

SIZES = (1_000, 100_000, 1_000_000)
PEOPLE = 100
DAYS = 5
FIRST_DAY = datetime(2026, 3, 2)  # noqa: DTZ001  # by the wall at the terminal
ROWS_A_STATEMENT = 50_000
FILLING = f"{premises.MARK} Filling"
"""Their `device`."""
GOAL = "<=1.0"


class Cost(NamedTuple):
	"""What one step of a batch took."""

	statements: int
	seconds: float


def fill(size: int) -> None:
	"""Bring Punch Log to `size` rows, of the people hired and of strangers in turn."""
	held = frappe.db.sql("SELECT COUNT(*) FROM `tabPunch Log`")[0][0]
	while held < size:
		last = min(size, held + ROWS_A_STATEMENT)
		frappe.db.sql(
			"INSERT INTO `tabPunch Log` (`name`, `creation`, `modified`, `owner`, `modified_by`, `device`,"
			" `device_serial`, `device_user_id`, `wall_time`, `time_zone`, `occurred_at`, `occurred_utc`,"
			" `verify_mode`, `device_key`, `raw`, `road`, `received_at`, `status`, `employee`, `log_type`,"
			" `log_type_reason`, `employee_checkin`)"
			" SELECT UUID(), NOW(6), NOW(6), 'Administrator', 'Administrator', %(device)s, 'ABTFILLING',"
			" `seq` MOD 1000, `at`, 'Asia/Dubai', `at`, `at` - INTERVAL 4 HOUR, 'face', 'undefined',"
			" REPEAT('x', 300), 'Pull', NOW(6), 'Checked in', ELT(1 + `seq` MOD 200, %(people)s),"
			" IF(`seq` MOD 2, 'IN', 'OUT'), 'device_key', CONCAT('ABT-FILLING-', `seq`)"
			" FROM (SELECT `seq`, TIMESTAMP('2020-01-01') + INTERVAL `seq` * 180 SECOND AS `at`"
			f" FROM seq_{held + 1}_to_{last}) AS `numbers`".replace("%(people)s", _strangers_and(people())),
			{"device": FILLING},
		)
		frappe.db.commit()
		held = last
	frappe.db.sql("ANALYZE TABLE `tabPunch Log`")


def people() -> list[str]:
	"""Those hired for this run."""
	return premises.own_employees()


def _strangers_and(employees: Sequence[str]) -> str:
	return ", ".join(frappe.db.escape(name) for each in employees for name in (each, f"NOBODY-{each}"))


def empty() -> None:
	"""Delete what `fill` wrote, in bites."""
	while True:
		frappe.db.sql("DELETE FROM `tabPunch Log` WHERE `device` = %s LIMIT 50000", FILLING)
		deleted = frappe.db._cursor.rowcount
		frappe.db.commit()
		if not deleted:
			return


def batch(number: int) -> list[Punch]:
	"""500 punches of days that no other batch has, IN and OUT in turn."""
	first = FIRST_DAY + timedelta(days=number * (DAYS + 2))
	return [
		terminals.punch(company.user_id(person), first + timedelta(days=day, hours=9, seconds=37 * person))
		for day in range(DAYS)
		for person in range(PEOPLE)
	]


def cost_of(act: Callable[[], object]) -> Cost:
	"""Run it; statements as the server counts them for this connection."""
	before, started = _questions(), time.perf_counter()
	act()
	seconds = time.perf_counter() - started
	return Cost(_questions() - before - 1, seconds)  # the question for them is one itself


def _questions() -> int:
	return int(frappe.db.sql("SHOW SESSION STATUS LIKE 'Questions'")[0][1])


def run(number: int, log: punch_log.PunchLog) -> list[Cost]:
	"""One batch the whole way: the cost of holding, and of deciding and making check-ins.

	:raises SystemExit: not every punch became a check-in.
	"""
	punches = batch(number)
	costs = [
		cost_of(lambda: log.accept(terminals.page(*punches), terminals.serial(), None)),
		cost_of(deciding.settle_received),
	]
	made = frappe.db.count("Employee Checkin", {"employee": ("in", people())})
	if made != len(punches) * (number + 1):
		raise SystemExit(f"{made} check-ins of {len(punches) * (number + 1)} punches")
	return costs


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="rows held, ascending")
	options = parser.parse_args()
	print(f"load of the machine: {os.getloadavg()[0]:.2f}")
	totals = []
	with company.company():
		if frappe.db.count("Punch Log"):
			_site.skip("Punch Log of the site must be empty: it is a site for trials")
		company.hire(PEOPLE, FIRST_DAY.date())
		log = punch_log.PunchLog(terminals.silent())
		frappe.db.commit()
		try:
			run(0, log)
			for number, size in enumerate(options.sizes, start=1):
				fill(size)
				costs = run(number, log)
				totals.append(sum(cost.statements for cost in costs))
				steps = zip(("held", "settled"), costs, strict=True)
				told = ", ".join(f"{step} {cost.statements} in {cost.seconds:.3f} s" for step, cost in steps)
				print(f"{size:>9,} rows: {totals[-1]} statements ({told})", flush=True)
		finally:
			frappe.db.rollback()
			empty()
	print(f"load of the machine: {os.getloadavg()[0]:.2f}")
	print(verdict(totals[-1] / totals[0], GOAL))


if __name__ == "__main__":
	main()
