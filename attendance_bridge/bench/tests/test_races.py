"""Everything at once on the real site: jobs that carry on, people who check in by telephone, a terminal read.

Where the database refuses to change what was changed behind a transaction's snapshot (MariaDB's
`innodb_snapshot_isolation`, on from 11.6), each of these is now and then refused though nothing is wrong.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.bench import jobs
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.sync_runs import SyncRun
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals

MONDAY = datetime(2026, 3, 2)
PAGES = 8
PUNCHES_A_PAGE = 100
AT_TERMINALS = 20
BY_TELEPHONE = 2
CALLS = 40

_CARRIER = """
import json, logging, sys, threading
import frappe
frappe.init(site=sys.argv[1]); frappe.connect()
from attendance_bridge.bench import jobs, turn
class Lost(logging.Handler):
	count = 0
	def emit(self, record):
		Lost.count += 1
turn.logger.addHandler(Lost()); turn.logger.setLevel(logging.INFO)
over = threading.Event()
print("ready", flush=True); sys.stdin.readline()
threading.Thread(target=lambda: (sys.stdin.readline(), over.set()), daemon=True).start()
rounds = 0
while not over.is_set():
	jobs.carry_on(); rounds += 1
print(json.dumps({"rounds": rounds, "lost": Lost.count}), flush=True)
frappe.destroy()
"""

_TELEPHONE = """
import json, sys
from datetime import datetime, timedelta
import frappe
frappe.init(site=sys.argv[1]); frappe.connect(); frappe.set_user("Administrator")
from hrms.hr.doctype.employee_checkin.employee_checkin import add_log_based_on_employee_field
user_id, calls = sys.argv[2], int(sys.argv[3])
print("ready", flush=True); sys.stdin.readline()
refused = 0
for call in range(calls):
	at = datetime(2026, 3, 2) + timedelta(minutes=10 * call)
	while True:
		try:
			add_log_based_on_employee_field(user_id, str(at), device_id="telephone", log_type="IN")
			frappe.db.commit()
			break
		except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			frappe.db.rollback(); refused += 1
print(json.dumps({"refused": refused}), flush=True)
frappe.destroy()
"""


def _process(code: str, *arguments: str) -> subprocess.Popen[str]:
	return subprocess.Popen(
		[sys.executable, "-c", code, frappe.local.site, *arguments],
		cwd=frappe.utils.get_bench_path() + "/sites",
		stdin=subprocess.PIPE,
		stdout=subprocess.PIPE,
		stderr=subprocess.PIPE,
		text=True,
	)


def _say(processes: list[subprocess.Popen[str]], word: str) -> None:
	for process in processes:
		process.stdin.write(f"{word}\n")
		process.stdin.flush()


class TestRaces(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		cls.addClassCleanup(premises.clear)
		day = premises.shift_type("RC day", "08:00:00", "17:00:00")
		cls.people = [
			premises.employee(number, device_user_id=f"abt{number}", default_shift=day)
			for number in range(AT_TERMINALS + BY_TELEPHONE)
		]
		cls.device = terminals.silent(1)
		frappe.db.commit()

	def test_nothing_is_lost_or_doubled(self) -> None:
		carriers = [_process(_CARRIER), _process(_CARRIER)]
		telephones = [
			_process(_TELEPHONE, f"abt{AT_TERMINALS + number}", str(CALLS)) for number in range(BY_TELEPHONE)
		]
		for process in (*carriers, *telephones):
			self.addCleanup(process.kill)
			self.assertEqual(process.stdout.readline(), "ready\n")
		_say([*carriers, *telephones], "go")
		self._read_the_terminal()
		refused = [self._end(process)["refused"] for process in telephones]
		carried = [self._end(process, "stop") for process in carriers]
		frappe.db.rollback()
		jobs.carry_on()  # what came in after the last round
		print(f"  carried on: {carried}; refused by telephone: {refused}", file=sys.stderr)  # noqa: T201
		self.assertEqual(Counter(self._punches()), {"Checked in": PAGES * PUNCHES_A_PAGE})
		self._assert_one_each()

	def test_a_run_that_was_stopped_since_it_looked_comes_to_its_end(self) -> None:
		run = SyncRun.begin(self.device, "Scheduler")
		self.assertFalse(run.was_stopped())
		stop = {"status": "Stopped"}
		premises.elsewhere(lambda: frappe.db.set_value("Device Sync Log", run.name, stop))
		run.end(stopped=True)
		self.assertTrue(run.was_stopped())

	def _read_the_terminal(self) -> None:
		"""Page by page while the others are busy, as a pull does; everybody is there every 11 minutes."""
		log = PunchLog(self.device)
		for number in range(PAGES):
			punches = [
				terminals.punch(
					f"abt{nth % AT_TERMINALS}", MONDAY + timedelta(minutes=11 * (nth // AT_TERMINALS))
				)
				for nth in range(number * PUNCHES_A_PAGE, (number + 1) * PUNCHES_A_PAGE)
			]
			log.accept(terminals.page(*punches), terminals.serial(1), None)
			time.sleep(0.3)

	def _end(self, process: subprocess.Popen[str], word: str = "") -> dict[str, Any]:
		out, err = process.communicate(f"{word}\n", timeout=120)
		self.assertEqual(process.returncode, 0, err)
		return json.loads(out.splitlines()[-1])

	def _punches(self) -> list[str]:
		return frappe.get_all("Punch Log", filters={"device": self.device}, pluck="status")

	def _assert_one_each(self) -> None:
		made = frappe.get_all(
			"Employee Checkin",
			filters={"employee": ("in", self.people)},
			fields=["name", "employee", "time", "device_id", "punch_log"],
		)
		self.assertEqual(len({(row.employee, row.time) for row in made}), len(made))
		by_telephone = [row for row in made if row.device_id == "telephone"]
		self.assertEqual(len(by_telephone), BY_TELEPHONE * CALLS)
		punches = frappe.get_all(
			"Punch Log", filters={"device": self.device}, fields=["name", "employee_checkin"]
		)
		self.assertEqual(
			{(row.name, row.employee_checkin) for row in punches},
			{(row.punch_log, row.name) for row in made if row.device_id != "telephone"},
		)
