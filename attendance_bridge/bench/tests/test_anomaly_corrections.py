"""Days corrected by HRMS's own means: a check-in by hand, a judgement anew, an Attendance Request."""

from __future__ import annotations

from datetime import datetime, timedelta

import frappe

from attendance_bridge.api import anomalies as api
from attendance_bridge.bench.anomalies import rejudging
from attendance_bridge.bench.tests import anomalies_at_work
from attendance_bridge.bench.tests.anomalies_at_work import (
	HOSTILE,
	MONDAY,
	Anomalies,
)
from attendance_bridge.bench.workdays import counting


def setUpModule() -> None:
	anomalies_at_work.set_up()


def tearDownModule() -> None:
	anomalies_at_work.tear_down()


class TestCorrecting(Anomalies):
	def missing_out(self, number: int = 1) -> tuple[str, str]:
		employee = self.employee(number)
		self.check_in(employee, "IN 09:00")
		self.judge()
		return employee, self.one(employee).name

	def test_a_missing_punch_gives_the_day_its_hours(self) -> None:
		employee, name = self.missing_out()
		former = self.attendance(employee)
		self.assertEqual((former.status, former.working_hours), ("Absent", 0))

		added = api.add_punch(name, f"{MONDAY} 17:30:00", "OUT", f"was seen leaving {HOSTILE}")
		checkin = frappe.get_doc("Employee Checkin", added["checkin"])
		self.assertEqual(checkin.bridge_added_by, "Administrator")
		self.assertIn("was seen leaving", checkin.bridge_added_why)
		self.assertEqual(frappe.db.get_value("Attendance", former.name, "docstatus"), 2)
		rejudging.judge(self.shift)
		counting.count_all()
		day = self.attendance(employee)
		self.assertEqual((day.status, day.working_hours), ("Present", 8.5))
		row = self.one(employee)
		self.assertEqual((row.state, row.by_itself, row.attendance), ("Resolved", 1, former.name))

	def test_a_punch_that_hrms_would_not_count_is_not_added(self) -> None:
		employee, name = self.missing_out()
		for time, log_type, why in (
			(f"{MONDAY} 17:30:00", "OUT", " "),
			(f"{MONDAY} 17:30:00", "BREAK", "x"),
			("soon", "OUT", "x"),
			("2026-03-01 17:00:00", "OUT", "x"),
			("2026-03-04 00:00:00", "OUT", "x"),
			(f"{MONDAY + timedelta(days=1)} 09:00:00", "OUT", "of the next shift"),
		):
			with self.subTest(time=time, log_type=log_type), self.assertRaises(frappe.ValidationError):
				api.add_punch(name, time, log_type, why)
			frappe.db.rollback()
		self.assertEqual(frappe.db.count("Employee Checkin", {"employee": employee}), 1)
		self.assertTrue(self.attendance(employee))

	def test_nothing_is_cancelled_that_hrms_would_not_make_again(self) -> None:
		employee, name = self.missing_out()
		self._set_shift(last_sync_of_checkin=datetime(2026, 3, 2))
		answer = api.judge_again([name])
		self.assertEqual(answer["made"], [])
		self.assertIn("does not reach", answer["refused"][0])
		self.assertTrue(self.attendance(employee))

	def test_a_late_check_in_that_hrms_has_skipped_counts_when_the_day_is_judged_again(self) -> None:
		employee, _name = self.missing_out()
		(late,) = self.check_in(employee, "OUT 16:00")
		self.judge()
		# HRMS will not touch a day that it has judged.
		self.assertEqual(frappe.db.get_value("Employee Checkin", late.name, "skip_auto_attendance"), 1)
		self.assertEqual(self.kinds(employee), ["Hours Differ"])

		name = self.one(employee, state="Open").name
		self.assertEqual(len(api.judge_again([name])["made"]), 1)
		rejudging.judge(self.shift)
		counting.count_all()
		self.assertEqual(self.attendance(employee).working_hours, 7)
		self.assertEqual(self.kinds(employee), [])

	def test_an_attendance_request_changes_the_status_and_no_hours(self) -> None:
		employee, name = self.missing_out()
		(request,) = api.request_attendance([name], explanation="forgot the card")["made"]
		self.assertEqual(self.one(employee).attendance_request, request)
		self.assertEqual(self.one(employee).state, "Open")
		again = api.request_attendance([name])
		self.assertEqual(again["made"], [])
		self.assertIn("overlaps", again["refused"][0])

		document = frappe.get_doc("Attendance Request", request)
		document.submit()
		day = self.attendance(employee)
		self.assertEqual((day.status, day.working_hours), ("Present", 0))
		self.assertIsNone(day.bridge_counted_at)
		counting.count_all()
		row = self.one(employee)
		self.assertEqual((row.state, row.decided_by), ("Resolved", "Administrator"))

		# What a request has corrected is not cancelled behind its back.
		api.reopen([name], "look again")
		self.assertIn(request, api.judge_again([name])["refused"][0])
		api.resolve([name], "as it was")
		document.reload()
		document.cancel()
		self.assertEqual(self.one(employee).state, "Open")

	def test_what_hrms_refuses_is_told_in_words(self) -> None:
		employee, name = self.missing_out()
		frappe.db.set_value("Attendance", self.attendance(employee).name, "status", "Present")
		answer = api.request_attendance([name])
		self.assertEqual(answer["made"], [])
		self.assertRegex(answer["refused"][0], f"^{employee}, [^:]+: .*status")
		self.assertNotIn("[", answer["refused"][0])

	def test_a_request_needs_one_of_hrms_s_reasons(self) -> None:
		_employee, name = self.missing_out()
		with self.assertRaises(frappe.ValidationError):
			api.request_attendance([name], reason="Because")

	def test_many_at_once(self) -> None:
		pairs = [self.missing_out(number) for number in range(1, 4)]
		names = [name for _employee, name in pairs]
		self.assertEqual(len(api.request_attendance(names)["made"]), 3)
		self.assertEqual(api.dismiss(names, "all of them"), {"anomalies": 3})
		self.assertEqual(api.dismiss(names, "once more"), {"anomalies": 0})
		self.assertEqual(api.reopen(names[:2], "no"), {"anomalies": 2})
		for wrong in ("no list", "{}", [1], [], ["x"] * 501):
			with self.subTest(wrong=wrong), self.assertRaises(frappe.ValidationError):
				api.dismiss(wrong, "x")
