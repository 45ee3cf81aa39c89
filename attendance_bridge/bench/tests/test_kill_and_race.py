"""Real processes on the real site: two that read one terminal at once, jobs that are killed in the middle."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import frappe

from attendance_bridge.bench import jobs
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.workforce import build

PEOPLE, DAYS, SEED = 20, 15, 20260316
PREFIX = "ABT-"
KILLS = 8
SECONDS_OF_A_PROCESS = 120

_PROGRAM = """
import sys
import frappe
frappe.init(site=sys.argv[1], sites_path=sys.argv[2])
frappe.connect()
from attendance_bridge.bench import jobs
print("begun", flush=True)
{act}
frappe.destroy()
"""


class TestKillAndRace(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		yesterday = datetime.now(ZoneInfo("Asia/Dubai")).date() - timedelta(days=1)
		workforce = build(PEOPLE, DAYS, SEED, yesterday)
		self.state = HikvisionState.from_workforce(
			workforce, number=1, of=1, serial=f"{premises.MARK}HIKRACE"
		)
		for number, worker in enumerate(workforce.workers, start=1):
			premises.employee(number, device_user_id=PREFIX + worker.device_user_id)
		terminal = HikvisionTerminal(self.state)
		terminal.start()
		self.addCleanup(terminal.stop)
		self.device = terminals.hikvision(terminal.port, user_id_prefix=PREFIX)
		frappe.db.commit()

	def _process(self, act: str) -> subprocess.Popen[str]:
		"""Another process of this site, as a worker would be; returns when it is about to act."""
		process = subprocess.Popen(
			[sys.executable, "-c", _PROGRAM.format(act=act), frappe.local.site, frappe.local.sites_path],
			stdout=subprocess.PIPE,
			stderr=subprocess.STDOUT,
			text=True,
			cwd=frappe.local.sites_path,
			env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
		)
		self.addCleanup(process.stdout.close)
		self.assertEqual(process.stdout.readline().strip(), "begun")
		return process

	def _pull(self) -> subprocess.Popen[str]:
		return self._process(f"jobs.pull_device({self.device!r}, 'Scheduler')")

	def _finish(self, process: subprocess.Popen[str]) -> None:
		words, _none = process.communicate(timeout=SECONDS_OF_A_PROCESS)
		self.assertEqual(process.returncode, 0, words)

	def _assert_everything_once(self) -> None:
		frappe.db.rollback()  # what the other processes wrote
		held = frappe.get_all(
			"Punch Log",
			filters={"device": self.device},
			fields=["device_user_id", "wall_time", "status", "employee_checkin"],
		)
		self.assertEqual({(row.device_user_id, row.wall_time) for row in held}, set(self.state.expected()))
		self.assertEqual(len(held), len({(row.device_user_id, row.wall_time) for row in held}))
		self.assertFalse([row for row in held if row.status in ("Received", "Pending")])
		checkins = frappe.get_all(
			"Employee Checkin",
			filters={"employee": ("in", premises.own_employees())},
			fields=["name", "employee", "time"],
		)
		self.assertEqual(len({(row.employee, row.time) for row in checkins}), len(checkins))
		self.assertEqual(
			sorted(row.employee_checkin for row in held if row.status == "Checked in"),
			sorted(row.name for row in checkins),
		)
		self.assertGreater(len(checkins), PEOPLE * DAYS)

	def test_two_processes_at_one_terminal(self) -> None:
		both = [self._pull(), self._pull()]
		for process in both:
			self._finish(process)
		frappe.db.rollback()
		ends = frappe.get_all(
			"Device Sync Log", filters={"device": self.device}, fields=["status", "error_code"]
		)
		# One reads, the other is told so; or it came after the first had read and found nothing new.
		self.assertIn(
			sorted((row.status, row.error_code) for row in ends),
			[[("Complete", None), ("Failed", "busy")], [("Complete", None)] * 2],
		)
		self._assert_everything_once()

	def test_two_processes_carry_the_same_punches_on(self) -> None:
		self._read_without_carrying_on()
		both = [self._process("jobs.carry_on()") for _each in range(2)]
		for process in both:
			self._finish(process)
		self._assert_everything_once()

	def _read_without_carrying_on(self) -> None:
		program = "from attendance_bridge.bench import terminal; terminal.read({!r})"
		self._finish(self._process(program.format(self.device)))

	def test_a_job_that_is_killed_again_and_again(self) -> None:
		chance = random.Random(SEED)
		for _each in range(KILLS):
			process = self._pull()
			time.sleep(chance.uniform(0.02, 1.2))
			process.send_signal(signal.SIGKILL)
			process.wait(SECONDS_OF_A_PROCESS)
		frappe.db.rollback()
		jobs.pull_device(self.device, "Scheduler")
		self._assert_everything_once()
		self.assertEqual(
			frappe.db.get_value("Device Configuration", self.device, "failures"),
			0,
			"no failure of the terminal",
		)
