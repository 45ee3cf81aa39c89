"""Employee Checkins on the real site: rows equal to inserts, nothing doubled, every refusal with a reason."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from attendance_bridge.bench import checkin_rows, checkins, compat, deciding, reviewing
from attendance_bridge.bench.checkin_customs import customs
from attendance_bridge.bench.checkin_rows import Passage
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.bench.workdays import counting
from attendance_bridge.core.projection import State

MONDAY = datetime(2026, 3, 2)
DAYS = 6

_CHILD = """
import sys, frappe
frappe.init(site=sys.argv[1]); frappe.connect()
from attendance_bridge.bench import checkins, deciding
print("ready", flush=True); sys.stdin.readline()
deciding.decide_received()
print(checkins.deliver_pending(lambda settled: print("settled", settled, flush=True)).total(), flush=True)
frappe.destroy()
"""


def _another_job() -> subprocess.Popen[str]:
	"""A process of its own that waits at the line for a word, then decides and delivers."""
	return subprocess.Popen(
		[sys.executable, "-c", _CHILD, frappe.local.site],
		cwd=frappe.utils.get_bench_path() + "/sites",
		stdin=subprocess.PIPE,
		stdout=subprocess.PIPE,
		text=True,
	)


class TestCheckins(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		cls.addClassCleanup(premises.clear)
		cls.overtime = premises.with_overtime()
		day = premises.shift_type("CK day", "08:00:00", "17:00:00", **cls.overtime)
		night = premises.shift_type("CK night", "22:00:00", "06:00:00")
		cls.people = [
			premises.employee(1, device_user_id="abt1", default_shift=day),
			premises.employee(2, device_user_id="abt2", default_shift=night),
			premises.employee(3, device_user_id="abt3"),
			premises.employee(4, device_user_id="abt4"),
		]
		premises.assignment(cls.people[3], day, date(2026, 3, 3), date(2026, 3, 5))
		frappe.db.commit()

	def setUp(self) -> None:
		self._clear_punches()
		self.addCleanup(self._clear_punches)
		self.devices = [terminals.silent(1), terminals.silent(2)]
		frappe.db.commit()

	def _clear_punches(self) -> None:
		frappe.db.rollback()
		for doctype in ("Employee Checkin", "Attendance"):
			frappe.db.delete(doctype, {"employee": ("in", self.people)})
		frappe.db.delete("Punch Log", {"device": ("like", f"{premises.MARK}%")})
		frappe.db.delete("Device Configuration", {"name": ("like", f"{premises.MARK}%")})
		frappe.db.commit()

	def _hold(self, *punches: Any, number: int = 1) -> None:
		log = PunchLog(self.devices[number - 1])
		log.accept(terminals.page(*punches), terminals.serial(number), None)

	def _hold_many(self) -> int:
		"""Punches all through the clock, of everybody, far enough apart to be no echoes."""
		punches = [
			terminals.punch(f"abt{person}", MONDAY + timedelta(minutes=137 * step, seconds=person * 600))
			for step in range(DAYS * 24 * 60 // 137)
			for person in range(1, 5)
		]
		self._hold(*punches)
		return len(punches)

	def _checkins(self, *fields: str) -> list[Any]:
		return frappe.get_all(
			"Employee Checkin",
			filters={"employee": ("in", self.people)},
			fields=list(fields) or ["*"],
			order_by="time, employee",
		)

	def _punches(self, **filters: Any) -> list[Any]:
		return frappe.get_all(
			"Punch Log",
			filters={"device": ("in", self.devices), **filters},
			fields=["name", "status", "status_reason", "log_type", "employee_checkin", "employee"],
			order_by="occurred_utc, device",
		)

	def _carry_on(self) -> Counter[State]:
		deciding.decide_received()
		return checkins.deliver_pending()

	def test_rows_equal_inserts_field_by_field(self) -> None:
		held = self._hold_many()
		self.assertEqual(customs(), [], "this site bends Employee Checkin: nothing to compare")
		with self.assertNoLogs("attendance_bridge.bench.checkins", "WARNING"):  # rows it was
			self.assertEqual(self._carry_on()[State.CHECKED_IN], held)
		as_rows = self._checkins("*")
		for field in compat.overtime_fields("Employee Checkin"):
			self.assertEqual({row[field] for row in as_rows}, {None, self.overtime[field]})
		frappe.db.delete("Employee Checkin", {"employee": ("in", self.people)})
		frappe.db.sql(
			"UPDATE `tabPunch Log` SET `status` = 'Pending', `employee_checkin` = NULL WHERE `device` IN %s",
			(self.devices,),
		)
		frappe.db.commit()
		worth, checkins.WORTH_ROWS = checkins.WORTH_ROWS, held + 1
		self.addCleanup(setattr, checkins, "WORTH_ROWS", worth)
		self.assertEqual(checkins.deliver_pending()[State.CHECKED_IN], held)
		inserted = self._checkins("*")
		own = ("name", "creation", "modified")
		self.assertEqual(
			[{key: value for key, value in row.items() if key not in own} for row in as_rows],
			[{key: value for key, value in row.items() if key not in own} for row in inserted],
		)
		self.assertEqual({bool(row.shift) for row in inserted}, {True, False})
		self.assertEqual(len({row.shift for row in inserted}), 3)
		series = as_rows[0].name[: -len("000000")]
		numbers = sorted(int(row.name.removeprefix(series)) for row in [*as_rows, *inserted])
		self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 2 * held)))

	def test_a_row_that_would_differ_sends_everything_the_long_way(self) -> None:
		held = self._hold_many()
		right = checkin_rows.CheckinRows.row
		self.addCleanup(setattr, checkin_rows.CheckinRows, "row", right)
		checkin_rows.CheckinRows.row = lambda rows, passage: {
			**right(rows, passage),
			"skip_auto_attendance": 1,
		}
		with self.assertLogs("attendance_bridge.bench.checkins", "WARNING") as logged:
			self.assertEqual(self._carry_on()[State.CHECKED_IN], held)
		self.assertIn("skip_auto_attendance", logged.output[0])
		self.assertEqual({row.skip_auto_attendance for row in self._checkins()}, {0})

	def test_customs_of_a_site_are_found(self) -> None:
		frappe.get_doc(
			{
				"doctype": "Notification",
				"name": "ABT Notification",
				"subject": "x",
				"document_type": "Employee Checkin",
				"event": "New",
				"channel": "System Notification",
				"message": "x",
				"enabled": 1,
			}
		).insert(ignore_permissions=True)
		self.assertEqual(customs(), ["Notification"])
		frappe.db.set_single_value("HR Settings", "allow_geolocation_tracking", 1)
		self.assertEqual(customs(), ["Notification", "geolocation tracking"])
		frappe.db.set_single_value("HR Settings", "allow_geolocation_tracking", 0)
		frappe.db.rollback()
		frappe.clear_cache()
		handler = "attendance_bridge.bench.tests.test_checkins.somebody_elses_handler"
		hooks = frappe.get_doc_hooks()
		hooks.setdefault("Employee Checkin", {}).setdefault("validate", []).append(handler)
		self.addCleanup(hooks["Employee Checkin"]["validate"].remove, handler)
		self.assertEqual(customs(), [handler])

	def test_what_another_tool_made_is_adopted(self) -> None:
		at = MONDAY + timedelta(hours=8)
		other = frappe.get_doc(
			{"doctype": "Employee Checkin", "employee": self.people[0], "time": at, "log_type": "IN"}
		).insert(ignore_permissions=True)
		reverse = frappe.get_doc(
			{"doctype": "Employee Checkin", "employee": self.people[2], "time": at, "log_type": "OUT"}
		).insert(ignore_permissions=True)
		self._hold(terminals.punch("abt1", at), terminals.punch("abt3", at))
		self._carry_on()
		self.assertEqual(
			{(row.employee, row.status, row.status_reason, row.employee_checkin) for row in self._punches()},
			{
				(self.people[0], "Checked in", checkins.ADOPTED, other.name),
				(self.people[2], "Checked in", checkins.ADOPTED_OTHER_LOG_TYPE, reverse.name),
			},
		)
		self.assertEqual(len(self._checkins()), 2)

	def test_a_checkin_can_be_deleted_and_its_punch_says_so(self) -> None:
		self._hold(terminals.punch("abt1", MONDAY + timedelta(hours=8)))
		self._carry_on()
		(checkin,) = self._checkins("name")
		frappe.delete_doc("Employee Checkin", checkin.name)
		(punch,) = self._punches()
		self.assertEqual(
			(punch.status, punch.status_reason, punch.employee_checkin, punch.log_type),
			("Ignored", reviewing.CHECKIN_DELETED, None, None),
		)
		self.assertEqual(self._carry_on(), {})
		self.assertEqual(self._checkins("name"), [])
		reviewing.take_back([punch.name])
		self.assertEqual(self._carry_on(), {State.CHECKED_IN: 1})
		self.assertEqual(len(self._checkins("name")), 1)

	def test_one_second_at_two_terminals_is_one_checkin(self) -> None:
		frappe.db.set_value("Device Configuration", self.devices[0], "device_role", "In")
		frappe.db.set_value("Device Configuration", self.devices[1], "device_role", "Out")
		at = MONDAY + timedelta(hours=9)
		self._hold(terminals.punch("abt1", at))
		self._hold(terminals.punch("abt1", at, number=2), number=2)
		self._carry_on()
		self.assertEqual(len(self._checkins()), 1)
		self.assertEqual(
			sorted((row.status, row.status_reason or "") for row in self._punches()),
			[("Checked in", ""), ("Duplicate", checkins.SAME_SECOND)],
		)
		self.assertEqual(len({row.employee_checkin for row in self._punches()}), 1)

	def test_refusals_carry_their_reason_and_stop_nobody(self) -> None:
		frappe.db.set_value("Employee", self.people[0], "status", "Inactive")
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.set_value, "Employee", self.people[0], "status", "Active")
		held = self._hold_many()
		settled = self._carry_on()
		self.assertEqual(settled[State.REJECTED], held // 4)
		self.assertEqual(settled[State.CHECKED_IN], held - held // 4)
		refused = self._punches(status="Rejected")
		self.assertEqual(
			{(row.employee, row.status_reason) for row in refused}, {(self.people[0], "inactive_employee")}
		)
		self.assertEqual(frappe.local.message_log, [])

	def test_a_job_whose_time_is_over_ends_and_its_punches_wait(self) -> None:
		self._hold(terminals.punch("abt1", MONDAY + timedelta(hours=8)))
		deciding.decide_received()
		right = Passage.document

		def slow(passage: Passage) -> Any:
			time.sleep(5)
			return right(passage)

		with (
			patch.object(Passage, "document", slow),
			self.assertRaises(JobTimeoutException),
			UnixSignalDeathPenalty(1, JobTimeoutException),
		):
			checkins.deliver_pending()
		self.assertEqual([punch.status for punch in self._punches()], ["Pending"])
		self.assertEqual(checkins.deliver_pending(), {State.CHECKED_IN: 1})

	def test_geolocation_tracking_is_explained(self) -> None:
		frappe.db.set_single_value("HR Settings", "allow_geolocation_tracking", 1)
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.set_single_value, "HR Settings", "allow_geolocation_tracking", 0)
		self._hold(terminals.punch("abt1", MONDAY))
		self.assertEqual(self._carry_on(), {State.REJECTED: 1})
		self.assertEqual(self._punches()[0].status_reason, checkins.GEOLOCATION_REQUIRED)

	def test_a_terminal_that_knows_its_place_tells_it_where_it_is_asked_for(self) -> None:
		place = (25.2048493, 55.2707828)
		frappe.db.set_value(
			"Device Configuration", self.devices[0], {"latitude": place[0], "longitude": place[1]}
		)
		self._hold(terminals.punch("abt1", MONDAY))
		self._carry_on()
		frappe.db.set_single_value("HR Settings", "allow_geolocation_tracking", 1)
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.set_single_value, "HR Settings", "allow_geolocation_tracking", 0)
		self._hold(terminals.punch("abt1", MONDAY + timedelta(hours=9)))
		self.assertEqual(self._carry_on(), {State.CHECKED_IN: 1})
		untold, told = self._checkins()
		self.assertEqual((untold.latitude, untold.longitude), (0, 0))
		self.assertEqual((told.latitude, told.longitude), place)
		self.assertIn("55.2707828", told.geolocation)

	def test_a_day_whose_attendance_stands_is_said_so(self) -> None:
		attendance = frappe.get_doc(
			{
				"doctype": "Attendance",
				"employee": self.people[2],
				"attendance_date": MONDAY.date(),
				"status": "Absent",
				"company": premises.company(),
			}
		).insert(ignore_permissions=True)
		attendance.submit()
		self._hold(terminals.punch("abt3", MONDAY + timedelta(hours=8)))
		self._carry_on()
		self.assertEqual(
			[(row.status, row.status_reason) for row in self._punches()],
			[("Checked in", checkins.ATTENDANCE_MARKED)],
		)

	def test_a_day_that_gets_check_ins_is_counted_again(self) -> None:
		attendance = frappe.get_doc(
			{
				"doctype": "Attendance",
				"employee": self.people[2],
				"attendance_date": MONDAY.date(),
				"status": "Present",
			}
		).submit()
		counting.count_all()
		self.assertTrue(attendance.reload().bridge_counted_at)

		self._hold_many()  # enough to be written as rows
		self._carry_on()
		self.assertIsNone(attendance.reload().bridge_counted_at)

	def test_the_first_names_of_a_month(self) -> None:
		prefix = "EMP-CKIN-ABT-"
		with patch.object(checkin_rows, "_series", return_value=(prefix, 6)):
			names = [*checkin_rows._reserve_names(2), *checkin_rows._reserve_names(1)]
		frappe.db.delete("Series", {"name": prefix})
		self.assertEqual(names, [f"{prefix}{number:06d}" for number in (1, 2, 3)])

	def test_two_jobs_at_once_double_nothing(self) -> None:
		for round_number in range(3):
			self._clear_punches()
			self.setUp()
			held = self._hold_many()
			jobs = [_another_job(), _another_job()]
			for job in jobs:
				self.assertEqual(job.stdout.readline(), "ready\n")
			for job in jobs:
				job.stdin.write("go\n")
				job.stdin.flush()
			settled = [int(job.communicate(timeout=60)[0].splitlines()[-1]) for job in jobs]
			self.assertEqual([job.returncode for job in jobs], [0, 0])
			frappe.db.rollback()
			self.assertEqual(sum(settled), held, f"round {round_number}: {settled}")
			self._assert_one_each(held)

	def test_one_second_at_two_terminals_and_two_jobs_is_one_checkin(self) -> None:
		moments_of_all = [MONDAY + timedelta(minutes=2 * step) for step in range(400)]
		for number, role in ((1, "In"), (2, "Out")):
			frappe.db.set_value("Device Configuration", self.devices[number - 1], "device_role", role)
			self._hold(*(terminals.punch("abt3", at, number=number) for at in moments_of_all), number=number)
		jobs = [_another_job(), _another_job()]
		for job in jobs:
			self.assertEqual(job.stdout.readline(), "ready\n")
		for job in jobs:
			job.stdin.write("go\n")
			job.stdin.flush()
		for job in jobs:
			job.communicate(timeout=60)
		frappe.db.rollback()
		self.assertEqual([row.time for row in self._checkins("time")], moments_of_all)
		self.assertEqual(
			Counter(row.status for row in self._punches()), {"Checked in": 400, "Duplicate": 400}
		)

	def test_a_job_killed_in_the_middle_leaves_nothing_half_done(self) -> None:
		held = self._hold_many()
		job = _another_job()
		self.assertEqual(job.stdout.readline(), "ready\n")
		# Another transaction locks where the check-ins of two people go: the job will be stopped in the
		# middle of its turn, when it has made one or two of the others'.
		old = [self._old_checkin(person) for person in self.people[2:]]
		frappe.db.commit()
		frappe.db.sql("SELECT * FROM `tabEmployee Checkin` WHERE `employee` = %s FOR UPDATE", self.people[3])
		job.stdin.write("go\n")
		job.stdin.flush()
		self._wait_until_somebody_waits_for_its_checkins()
		os.kill(job.pid, signal.SIGKILL)
		job.communicate(timeout=30)
		frappe.db.rollback()
		self.assertEqual(sorted(row.name for row in self._checkins()), sorted(old))
		frappe.db.delete("Employee Checkin", {"name": ("in", old)})
		self.assertEqual({row.status for row in self._punches()}, {"Pending"})
		self.assertEqual(self._carry_on()[State.CHECKED_IN], held)
		self._assert_one_each(held)

	def _old_checkin(self, employee: str) -> str:
		document = frappe.get_doc(
			{
				"doctype": "Employee Checkin",
				"employee": employee,
				"time": datetime(2021, 1, 1),
				"log_type": "IN",
			}
		)
		return document.insert(ignore_permissions=True).name

	def _wait_until_somebody_waits_for_its_checkins(self) -> None:
		until = time.monotonic() + 60
		while time.monotonic() < until:
			waiting = frappe.db.sql(
				"SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()"
				" AND INFO LIKE 'INSERT INTO `tabEmployee Checkin`%%' AND TIME_MS > 20"
			)
			if waiting:
				return
			time.sleep(0.01)
		self.fail("the other job never came to its check-ins")

	def _assert_one_each(self, held: int) -> None:
		made = self._checkins("name", "employee", "time", "punch_log")
		self.assertEqual(len(made), held)
		self.assertEqual(len({(row.employee, row.time) for row in made}), held)
		linked = self._punches(status="Checked in")
		self.assertEqual(
			{(row.name, row.employee_checkin) for row in linked}, {(row.punch_log, row.name) for row in made}
		)


def somebody_elses_handler(document: Any, method: str | None = None) -> None:
	"""Stands for a handler of another app."""
	json.dumps({"method": method})
