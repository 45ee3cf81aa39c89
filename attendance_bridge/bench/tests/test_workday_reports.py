"""Reports and answers to programs about working days, on a real site, by role."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import frappe
from frappe.desk.query_report import run

from attendance_bridge.api import workdays as api
from attendance_bridge.bench import jobs
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals

MONDAY = date(2026, 3, 2)
TUESDAY = MONDAY + timedelta(days=1)
REPORTS = ("Daily Attendance Summary", "Monthly Timesheet", "Late and Absent", "Overtime and Eligibility")
USER = "abt-worker@example.com"


class TestWorkdayReports(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		cls.addClassCleanup(premises.clear)
		shift = premises.shift_type(
			"Report",
			"09:00:00",
			"17:00:00",
			after=360,
			enable_auto_attendance=1,
			process_attendance_after=MONDAY,
			last_sync_of_checkin=datetime(2026, 3, 3, 23, 30),
			determine_check_in_and_check_out="Alternating entries as IN and OUT during the same shift",
			working_hours_calculation_based_on="First Check-in and Last Check-out",
			enable_late_entry_marking=1,
			late_entry_grace_period=10,
		)
		cls.people = [premises.employee(number, default_shift=shift) for number in (1, 2, 3)]
		for employee, times in zip(
			cls.people, (("09:00:00", "20:30:00"), ("09:30:00", "17:00:00"), ()), strict=True
		):
			for place, at in enumerate(times):
				frappe.get_doc(
					{
						"doctype": "Employee Checkin",
						"employee": employee,
						"time": f"{MONDAY} {at}",
						"log_type": "OUT" if place % 2 else "IN",
					}
				).insert()
		frappe.get_doc("Shift Type", shift).process_auto_attendance()
		cls._make_user()
		frappe.db.commit()

	@classmethod
	def _make_user(cls) -> None:
		if not frappe.db.exists("User", USER):
			frappe.get_doc(
				{
					"doctype": "User",
					"email": USER,
					"first_name": "Worker",
					"send_welcome_email": 0,
				}
			).insert(ignore_permissions=True)
		cls.addClassCleanup(frappe.delete_doc, "User", USER, force=True, ignore_permissions=True)
		frappe.db.set_value("Employee", cls.people[1], "user_id", USER)
		# ERPNext takes this role from a user who is no employee.
		frappe.get_doc("User", USER).add_roles("Employee")

	def setUp(self) -> None:
		self.addCleanup(frappe.set_user, "Administrator")

	def report(self, name: str, **filters: Any) -> dict[str, Any]:
		answer = run(name, filters=filters, ignore_prepared_report=True)
		rows = [row for row in answer["result"] if isinstance(row, dict)]
		own = [row for row in rows if row.get("employee") in self.people]
		return {**answer, "rows": {row["employee"]: row for row in own}, "count": len(rows)}

	def test_the_day(self) -> None:
		rows = self.report("Daily Attendance Summary", date=str(MONDAY))["rows"]
		on_time, late, missing = (rows[name] for name in self.people)
		self.assertEqual((on_time["status"], on_time["hours"]), ("On Time", 11.5))
		# 17:00 to 19:00, 19:00 to 20:30
		self.assertEqual((on_time["overtime"], on_time["extra_overtime"]), (2.0, 1.5))
		self.assertEqual((late["status"], late["hours"], late["judged"]), ("Late", 7.5, "Present"))
		self.assertEqual(missing["status"], "Absent")

	def test_nobody_is_absent_before_the_terminals_are_vouched_for(self) -> None:
		# Of Wednesday HRMS has judged nothing: the shift is vouched for up to Tuesday evening only.
		wednesday = str(MONDAY + timedelta(days=2))
		row = self.report("Daily Attendance Summary", date=wednesday)["rows"][self.people[2]]
		self.assertEqual((row["status"], row["attendance"]), ("Missing", ""))

	def test_the_month(self) -> None:
		rows = self.report("Monthly Timesheet", month=str(MONDAY))["rows"]
		row = rows[self.people[0]]
		self.assertEqual((row["day_2"], row["overtime"], row["extra_overtime"]), ("P 11.5", 2.0, 1.5))
		self.assertEqual(rows[self.people[1]]["day_2"], "L 7.5")
		self.assertEqual(rows[self.people[1]]["late"], 1)

	def test_late_and_absent(self) -> None:
		rows = self.report("Late and Absent", from_date=str(MONDAY), to_date=str(MONDAY))["rows"]
		self.assertNotIn(self.people[0], rows)
		self.assertEqual((rows[self.people[1]]["status"], rows[self.people[1]]["late"]), ("Late", 30))
		self.assertEqual(rows[self.people[2]]["status"], "Absent")

	def test_overtime(self) -> None:
		answer = self.report("Overtime and Eligibility", from_date=str(MONDAY), to_date=str(TUESDAY))
		self.assertEqual(list(answer["rows"]), [self.people[0]])
		row = answer["rows"][self.people[0]]
		self.assertEqual((row["days"], row["total"], row["allowance_snacks"]), (1, 3.5, 1))

	def test_an_employee_sees_only_their_own_days(self) -> None:
		frappe.set_user(USER)
		for name in REPORTS:
			with self.subTest(report=name):
				answer = self.report(
					name,
					date=str(MONDAY),
					**({"month": str(MONDAY)} if name == "Monthly Timesheet" else {}),
					from_date=str(MONDAY),
					to_date=str(MONDAY),
				)
				self.assertLessEqual(set(answer["rows"]), {self.people[1]})
				self.assertEqual(answer["count"], len(answer["rows"]))
		told = api.daily_summary(str(MONDAY))
		self.assertEqual((told["total"], [day["employee_id"] for day in told["days"]]), (1, [self.people[1]]))
		for act in (api.count_again, api.count_again_affects):
			with self.assertRaises(frappe.PermissionError):
				act(str(MONDAY), str(MONDAY))

	def test_it_is_told_how_many_days_are_counted_again(self) -> None:
		for asked in ((str(MONDAY), str(MONDAY)), (str(MONDAY), str(TUESDAY), premises.company())):
			with self.subTest(asked=asked):
				affected = api.count_again_affects(*asked)
				self.assertGreaterEqual(affected, len(self.people))
				self.assertEqual(api.count_again(*asked), affected)
		self.assertEqual(api.count_again_affects(str(MONDAY), str(MONDAY), "No Such Company"), 0)

	def test_the_day_as_programs_are_told(self) -> None:
		told = api.daily_summary(str(MONDAY), page_length=500)
		day = next(day for day in told["days"] if day["employee_id"] == self.people[0])
		self.assertEqual(
			json.loads(frappe.as_json(day)),
			{
				"employee_id": self.people[0],
				"employee_name": "Worker 001",
				"department": "",
				"designation": "",
				"date": "2026-03-02",
				"shift": f"{premises.MARK} Report",
				"status": "On Time",
				"reason": "Came in time",
				"attendance": "Present",
				"check_in": "2026-03-02 09:00:00",
				"check_out": "2026-03-02 20:30:00",
				"working_hours": 11.5,
				"overtime": 2.0,
				"extra_overtime": 1.5,
				"allowances": ["snacks"],
				"anomalies": [],
				"attendance_count": 2,
				"scans": [
					{"time": "2026-03-02 09:00:00", "type": "IN"},
					{"time": "2026-03-02 20:30:00", "type": "OUT"},
				],
			},
		)

	def test_a_question_that_makes_no_sense_is_refused(self) -> None:
		for question in ({"date": "yesterday"}, {"date": ""}, {"date": "2026-03-02; --"}, {"date": "5"}):
			with self.subTest(question=question), self.assertRaises(frappe.ValidationError):
				api.daily_summary(**question)
			with self.subTest(question=question), self.assertRaises(frappe.ValidationError):
				api.timesheet(question["date"])
		for page in ({"start": -5}, {"page_length": 0}, {"page_length": -1}):
			with self.subTest(page=page):
				self.assertGreaterEqual(len(api.daily_summary(str(MONDAY), **page)["days"]), 1)
		self.assertEqual(api.daily_summary(str(MONDAY), start=10**9)["days"], [])

	def test_people_are_found_by_a_part_of_their_name(self) -> None:
		def found(text: str) -> set[str]:
			return {option["value"] for option in api.find_people(text)} & set(self.people)

		self.assertEqual(found("orker 002"), {self.people[1]})
		self.assertEqual(found(self.people[2]), {self.people[2]})
		self.assertEqual(found("%") | found("_orker"), set())
		frappe.set_user(USER)
		self.assertEqual(found("orker"), {self.people[1]})

	def test_the_month_as_programs_are_told(self) -> None:
		(sheet,) = api.timesheet("2026-03-15", employee=self.people[0])["timesheets"]
		self.assertEqual([day["day"] for day in sheet["days"]], list(range(1, 32)))
		self.assertEqual(
			sheet["days"][1],
			{
				"day": 2,
				"date": "2026-03-02",
				"shift": f"{premises.MARK} Report",
				"status": "On Time",
				"checkIn": "2026-03-02 09:00:00",
				"checkOut": "2026-03-02 20:30:00",
				"workingHours": 11.5,
				"overtime": 2.0,
				"extraOvertime": 1.5,
			},
		)

	def test_pages(self) -> None:
		first = api.daily_summary(str(MONDAY), start=0, page_length=2)
		second = api.daily_summary(str(MONDAY), start=2, page_length=2)
		self.assertEqual(len(first["days"]), 2)
		seen = {day["employee_id"] for day in first["days"]} & {day["employee_id"] for day in second["days"]}
		self.assertFalse(seen)

	def test_a_range_is_bounded(self) -> None:
		with self.assertRaises(frappe.ValidationError):
			self.report("Late and Absent", from_date="2024-01-01", to_date="2026-01-01")

	def test_the_payroll_s_row(self) -> None:
		answer = run(
			"Payroll Export",
			filters={"from_date": str(MONDAY), "to_date": str(TUESDAY), "employee": self.people[1]},
			ignore_prepared_report=True,
		)
		headers = {each["label"]: each["fieldname"] for each in answer["columns"]}
		(row,) = answer["result"]
		told = {
			header: row[headers[header]] for header in ("Days Worked", "Days Absent", "Minutes Late", "Hours")
		}
		# Monday 09:30 to 17:00; Tuesday nothing: vouched for up to 23:30, so absent.
		self.assertEqual(told, {"Days Worked": 1.0, "Days Absent": 1.0, "Minutes Late": 30, "Hours": 7.5})

	def test_a_payroll_program_gets_its_own_columns(self) -> None:
		profile = frappe.get_doc(
			{
				"doctype": "Payroll Export Profile",
				"title": f"{premises.MARK} payroll",
				"columns": [
					{"source": "Employee", "header": "EMP"},
					{"source": "Extra Overtime"},
					{"source": "Allowances", "allowance": "snacks", "header": "SNACKS"},
				],
			}
		).insert()
		self.addCleanup(frappe.delete_doc, profile.doctype, profile.name, force=True)
		answer = run(
			"Payroll Export",
			filters={
				"from_date": str(MONDAY),
				"to_date": str(MONDAY),
				"employee": self.people[0],
				"profile": profile.name,
			},
			ignore_prepared_report=True,
		)
		self.assertEqual([each["label"] for each in answer["columns"]], ["EMP", "Extra Overtime", "SNACKS"])
		self.assertEqual(list(answer["result"][0].values())[:3], [self.people[0], 1.5, 1])

	def test_two_headers_alike_are_refused(self) -> None:
		profile = frappe.get_doc(
			{
				"doctype": "Payroll Export Profile",
				"title": f"{premises.MARK} twice",
				"columns": [{"source": "Hours"}, {"source": "Overtime", "header": "Hours"}],
			}
		)
		with self.assertRaises(frappe.ValidationError):
			profile.insert()

	def test_the_trail_of_a_person(self) -> None:
		device = terminals.silent(1)
		self.addCleanup(premises.clear_own_doctypes)
		frappe.db.set_value("Employee", self.people[2], "attendance_device_id", "abt-trail")
		log = PunchLog(device)
		log.accept(
			terminals.page(terminals.punch("abt-trail", datetime(2026, 3, 4, 8))), terminals.serial(1), None
		)
		jobs.carry_on()
		filters = {"employee": self.people[2], "from_date": "2026-03-04", "to_date": "2026-03-04"}
		(row,) = run("Punch Trail", filters=filters, ignore_prepared_report=True)["result"]
		self.assertEqual((row["device"], row["status"], row["log_type"]), (device, "Checked in", "IN"))
		self.assertTrue(row["log_type_reason"])
		self.assertTrue(frappe.db.exists("Employee Checkin", row["employee_checkin"]))

		frappe.set_user(USER)
		self.assertEqual(run("Punch Trail", filters=filters, ignore_prepared_report=True)["result"], [])

	def test_terminals_and_their_runs(self) -> None:
		device = terminals.silent(1)
		self.addCleanup(premises.clear_own_doctypes)
		frappe.db.set_value(
			"Device Configuration",
			device,
			{"count_there": 412, "count_here": 410, "counted_at": frappe.utils.now(), "gap": 2},
		)
		rows = run("Device against Site", filters={}, ignore_prepared_report=True)["result"]
		row = next(row for row in rows if row["device"] == device)
		self.assertEqual((row["count_there"], row["count_here"], row["gap"]), (412, 410, 2))

		for status in ("Complete", "Complete", "Failed"):
			frappe.get_doc(
				{
					"doctype": "Device Sync Log",
					"device": device,
					"trigger": "Scheduler",
					"status": status,
					"started_at": "2026-03-04 10:00:00",
					"duration": 2,
					"fetched": 5,
				}
			).insert(ignore_permissions=True)
		filters = {"from_date": "2026-03-04", "to_date": "2026-03-04", "device": device}
		(row,) = run("Sync Statistics", filters=filters, ignore_prepared_report=True)["result"]
		self.assertEqual((row["runs"], row["failed"], row["fetched"], row["mean"]), (3, 1, 15, 2.0))
