"""Working days of a real HRMS: check-ins, HRMS's own Attendance, and what is counted beside it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe

from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises
from attendance_bridge.bench.workdays import counting, due

MONDAY = date(2026, 3, 2)
HOURS = 3600


class TestWorkdays(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		self.shift = premises.shift_type(
			"Workday",
			"09:00:00",
			"17:00:00",
			after=480,
			enable_auto_attendance=1,
			process_attendance_after=MONDAY - timedelta(days=1),
			last_sync_of_checkin=datetime(2026, 3, 4),
			determine_check_in_and_check_out="Alternating entries as IN and OUT during the same shift",
			working_hours_calculation_based_on="First Check-in and Last Check-out",
			enable_late_entry_marking=1,
			late_entry_grace_period=10,
			working_hours_threshold_for_half_day=4,
		)

	def employee(self, number: int, **values: Any) -> str:
		return premises.employee(number, default_shift=self.shift, **values)

	def check_in(self, employee: str, *times: str, day: date = MONDAY) -> list[Any]:
		return [
			frappe.get_doc(
				{
					"doctype": "Employee Checkin",
					"employee": employee,
					"time": f"{day} {at}",
					"log_type": "OUT" if place % 2 else "IN",
				}
			).insert()
			for place, at in enumerate(times)
		]

	def judge(self) -> None:
		"""HRMS makes Attendance, then we count."""
		frappe.get_doc("Shift Type", self.shift).process_auto_attendance()
		counting.count_all()

	def day(self, employee: str, day: date = MONDAY) -> Any:
		return frappe.db.get_value(
			"Attendance", {"employee": employee, "attendance_date": day, "docstatus": 1}, "*", as_dict=True
		)

	def test_overtime_stands_on_hrms_s_own_attendance(self) -> None:
		employee = self.employee(1)
		self.check_in(employee, "09:05:00", "20:30:00")
		self.judge()

		day = self.day(employee)
		# HRMS: 20:30 - 09:05 = 11:25 = 11.42 hours, Present, not late within 10 minutes
		self.assertEqual((day.status, day.working_hours, day.late_entry), ("Present", 11.42, 0))
		self.assertEqual(
			(day.bridge_day_status, day.bridge_day_reason),
			("Considered", "Came within the grace period"),
		)
		# 17:00 to 19:00 and 19:00 to 20:30
		self.assertEqual((day.bridge_overtime, day.bridge_extra_overtime), (2 * HOURS, 1.5 * HOURS))
		self.assertEqual((day.bridge_allowances, day.bridge_anomalies), ("snacks", ""))
		self.assertEqual(day.bridge_late, 300)

	def test_a_late_punch_has_the_day_counted_again(self) -> None:
		employee = self.employee(1)
		self.check_in(employee, "09:00:00", "17:30:00")
		self.judge()
		self.assertEqual(self.day(employee).bridge_overtime, 0.5 * HOURS)

		(late,) = self.check_in(employee, "18:45:00")
		self.assertIsNone(self.day(employee).bridge_counted_at)
		counting.count_all()
		day = self.day(employee)
		self.assertEqual(day.bridge_overtime, 1.75 * HOURS)
		# HRMS keeps its 8.5 hours; somebody should look.
		self.assertEqual((day.working_hours, day.bridge_anomalies), (8.5, "hours_differ, missing_out"))

		late.delete()
		counting.count_all()
		day = self.day(employee)
		self.assertEqual((day.bridge_overtime, day.bridge_anomalies), (0.5 * HOURS, ""))

	def test_a_day_that_changes_while_it_is_counted_stays_due(self) -> None:
		employee = self.employee(1)
		self.check_in(employee, "09:00:00", "17:30:00")
		frappe.get_doc("Shift Type", self.shift).process_auto_attendance()
		row = self.day(employee)
		due.mark_days([(employee, MONDAY)])

		self.assertEqual(counting.count([row]), 0)
		self.assertTrue(due.something_is_due())

	def test_a_batch_that_lost_against_another_transaction_is_counted_again(self) -> None:
		employee = self.employee(1)
		self.check_in(employee, "09:00:00", "17:30:00")
		frappe.get_doc("Shift Type", self.shift).process_auto_attendance()
		keep, lost = counting.keep_counted, []

		def lose_once(counted: Any) -> None:
			keep(counted)
			if not lost:
				lost.append(1)
				raise frappe.QueryDeadlockError("1020")

		with patch.object(counting, "keep_counted", lose_once):
			counting.count_all()
		self.assertEqual(lost, [1])
		self.assertEqual(self.day(employee).bridge_overtime, 0.5 * HOURS)

	def test_nobody_is_counted_twice_without_a_change(self) -> None:
		self.check_in(self.employee(1), "09:00:00", "17:30:00")
		self.judge()
		self.assertFalse(due.something_is_due())
		self.assertEqual(counting.count_all(), 0)

	def test_absent_leave_and_days_marked_by_hand(self) -> None:
		absent, away, present = (self.employee(number) for number in (1, 2, 3))
		for employee, values in (
			(absent, {"status": "Absent", "shift": self.shift}),
			(away, {"status": "On Leave", "leave_type": _leave_type()}),
			(present, {"status": "Present"}),
		):
			document = {"doctype": "Attendance", "employee": employee, "attendance_date": MONDAY, **values}
			frappe.get_doc(document).submit()
		counting.count_all()

		self.assertEqual(self.day(absent).bridge_day_status, "Absent")
		self.assertEqual(self.day(away).bridge_day_status, "On Leave")
		by_hand = self.day(present)
		self.assertEqual(by_hand.bridge_day_status, "Present")
		self.assertEqual(by_hand.bridge_day_reason, "Marked by hand, without a punch")

	def test_leave_that_comes_after_the_day_was_counted(self) -> None:
		employee = self.employee(1)
		self.check_in(employee, "09:00:00", "20:30:00")
		self.judge()
		self.assertEqual(self.day(employee).bridge_overtime, 2 * HOURS)
		# As HRMS's Leave Application does it, which runs no event of a changed Attendance.
		frappe.get_doc("Attendance", self.day(employee).name).db_set(
			{"status": "On Leave", "leave_type": _leave_type()}
		)
		self.assertTrue(due.something_is_due())
		counting.count_all()
		day = self.day(employee)
		self.assertEqual((day.bridge_day_status, day.bridge_anomalies), ("On Leave", "punch_on_leave"))
		self.assertFalse(due.something_is_due())

	def test_half_a_day_of_leave_before_the_day_is_worked(self) -> None:
		employee = self.employee(1)
		document = {
			"doctype": "Attendance",
			"employee": employee,
			"attendance_date": MONDAY,
			"status": "Half Day",
			"leave_type": _leave_type(),
			"half_day_status": "Present",
			"modify_half_day_status": 1,
		}
		leave = frappe.get_doc(document)
		leave.flags.ignore_validate = True  # as the Leave Application makes it
		leave.insert().submit()
		counting.count_all()
		self.check_in(employee, "13:00:00", "20:30:00")
		counting.count_all()
		self.judge()  # HRMS puts shift and hours into that Attendance, and says so to nobody
		day = self.day(employee)
		self.assertEqual((day.shift, day.working_hours), (self.shift, 7.5))
		self.assertEqual((day.bridge_overtime, day.bridge_extra_overtime), (2 * HOURS, 1.5 * HOURS))

	def test_what_hrms_writes_while_a_day_is_counted_stays_due(self) -> None:
		employee = self.employee(1)
		self.check_in(employee, "09:00:00", "17:30:00")
		frappe.get_doc("Shift Type", self.shift).process_auto_attendance()
		row = self.day(employee)
		frappe.get_doc("Attendance", row.name).db_set({"status": "On Leave", "leave_type": _leave_type()})
		self.assertEqual(counting.count([row]), 0)
		self.assertTrue(due.something_is_due())

	def test_work_on_a_weekly_off_is_overtime(self) -> None:
		holidays = frappe.get_doc(
			{
				"doctype": "Holiday List",
				"holiday_list_name": f"{premises.MARK} Mondays",
				"from_date": "2026-01-01",
				"to_date": "2026-12-31",
				"holidays": [{"holiday_date": MONDAY, "weekly_off": 1, "description": "Monday"}],
			}
		).insert()
		self.addCleanup(frappe.delete_doc, "Holiday List", holidays.name, force=True)
		frappe.db.set_value(
			"Shift Type",
			self.shift,
			{"holiday_list": holidays.name, "mark_auto_attendance_on_holidays": 1},
		)
		self.addCleanup(frappe.db.set_value, "Shift Type", self.shift, "holiday_list", None)
		employee = self.employee(1)
		self.check_in(employee, "10:00:00", "13:00:00")
		self.judge()

		day = self.day(employee)
		self.assertEqual((day.bridge_day_status, day.bridge_overtime), ("Weekly Off", 3 * HOURS))
		self.assertEqual(day.bridge_anomalies, "punch_on_day_off")

	def test_the_nearest_rule_counts(self) -> None:
		for title, values in (
			("company", {"company": premises.company(), "overtime_begins": "17:15:00"}),
			("shift", {"shift_type": self.shift, "overtime_begins": "17:30:00"}),
			("off", {"shift_type": self.shift, "overtime_begins": "17:45:00", "enabled": 0}),
		):
			rule = frappe.get_doc(
				{"doctype": "Overtime Rule", "title": f"{premises.MARK} {title}", **values}
			).insert()
			self.addCleanup(frappe.delete_doc, "Overtime Rule", rule.name, force=True)
		employee = self.employee(1)
		self.check_in(employee, "09:00:00", "18:00:00")
		self.judge()
		self.assertEqual(self.day(employee).bridge_overtime, 0.5 * HOURS)

		frappe.db.set_value("Overtime Rule", f"{premises.MARK} shift", "enabled", 0)
		self.assertEqual(due.mark_range(MONDAY, MONDAY), 1)
		counting.count_all()
		self.assertEqual(self.day(employee).bridge_overtime, 0.75 * HOURS)

	def test_two_rules_for_the_same_people_are_refused(self) -> None:
		values = {"doctype": "Overtime Rule", "shift_type": self.shift}
		first = frappe.get_doc({**values, "title": f"{premises.MARK} one"}).insert()
		self.addCleanup(frappe.delete_doc, "Overtime Rule", first.name, force=True)
		with self.assertRaises(frappe.ValidationError):
			frappe.get_doc({**values, "title": f"{premises.MARK} two"}).insert()

	def test_the_number_of_statements_does_not_depend_on_people(self) -> None:
		for number in range(1, 9):
			self.check_in(self.employee(number), "09:00:00", "18:00:00")
		frappe.get_doc("Shift Type", self.shift).process_auto_attendance()
		rows = frappe.get_all("Attendance", {"shift": self.shift, "attendance_date": MONDAY}, ["*"])
		self.assertEqual(len(rows), 8)

		few = self._statements(lambda: counting.count(rows[:2]))
		many = self._statements(lambda: counting.count(rows))
		self.assertEqual(few, many)

	def _statements(self, act: Any) -> int:
		act()  # what is read once and kept is read
		seen: list[str] = []
		execute = frappe.db.sql

		def counted(query: Any, *arguments: Any, **options: Any) -> Any:
			seen.append(str(query))
			return execute(query, *arguments, **options)

		frappe.db.sql = counted
		try:
			act()
		finally:
			frappe.db.sql = execute
		return len(seen)


def _leave_type() -> str:
	return str(frappe.get_all("Leave Type", pluck="name", limit=1)[0])
