"""Whom and what the reports of working days show: filters, heads of departments, User Permissions, cells."""

from __future__ import annotations

import csv
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import Any
from unittest.mock import patch

import frappe
import openpyxl
from frappe.desk import query_report
from frappe.utils import format_datetime, formatdate

from attendance_bridge.api import workdays as api
from attendance_bridge.bench import moments
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises
from attendance_bridge.bench.workdays import counting, days

MONDAY = date(2026, 3, 2)
DAY = {"date": str(MONDAY)}
RANGE = {"from_date": str(MONDAY), "to_date": str(MONDAY)}
OF_DAYS = {
	"Daily Attendance Summary": DAY,
	"Monthly Timesheet": {"month": str(MONDAY)},
	"Late and Absent": RANGE,
	"Overtime and Eligibility": RANGE,
}
HOSTILE = '=HYPERLINK("http://192.0.2.1","x")'


class TestReportAccess(IntegrationTestCase):
	"""Four people, all late and long: two of one department and branch, two of another."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		cls.addClassCleanup(premises.clear)
		cls.addClassCleanup(cls._clear)
		cls._clear()
		cls.shifts = [cls._shift(name) for name in ("Access", "Access too")]
		cls.departments = [cls._department(name) for name in ("Bakery", "Office")]
		cls.branches = [cls._branch(name) for name in ("North", "South")]
		cls.people = [
			premises.employee(
				number,
				default_shift=cls.shifts[number // 2],
				department=cls.departments[number // 2],
				branch=cls.branches[number // 2],
			)
			for number in range(4)
		]
		for employee in cls.people:
			for at, log_type in (("10:00:00", "IN"), ("20:30:00", "OUT")):
				frappe.get_doc(
					doctype="Employee Checkin", employee=employee, time=f"{MONDAY} {at}", log_type=log_type
				).insert()
		for shift in cls.shifts:
			frappe.get_doc("Shift Type", shift).process_auto_attendance()
		cls.head = cls._user("head-of-bakery", cls.people[0])
		department = frappe.get_doc("Department", cls.departments[0])
		department.append("leave_approvers", {"approver": cls.head})
		department.save()
		cls.hr = premises.user("hr-of-a-branch", "HR User")
		frappe.db.commit()

	@classmethod
	def _shift(cls, name: str) -> str:
		return premises.shift_type(
			name,
			"09:00:00",
			"17:00:00",
			after=360,
			enable_auto_attendance=1,
			process_attendance_after=MONDAY,
			last_sync_of_checkin=datetime(2026, 3, 3, 0, 30),
			determine_check_in_and_check_out="Alternating entries as IN and OUT during the same shift",
			working_hours_calculation_based_on="First Check-in and Last Check-out",
			enable_late_entry_marking=1,
			late_entry_grace_period=10,
		)

	@classmethod
	def _department(cls, name: str) -> str:
		made = frappe.get_doc(
			doctype="Department",
			department_name=f"{premises.MARK} {name}",
			company=premises.company(),
			parent_department="All Departments",
		)
		return made.insert(ignore_permissions=True).name

	@classmethod
	def _branch(cls, name: str) -> str:
		return frappe.get_doc(doctype="Branch", branch=f"{premises.MARK} {name}").insert().name

	@classmethod
	def _user(cls, name: str, employee: str) -> str:
		"""An employee who is a user, as ERPNext makes them: they may read no Employee but themselves."""
		user = premises.user(name)
		document = frappe.get_doc("Employee", employee)
		document.update({"user_id": user, "create_user_permission": 1})
		document.save(ignore_permissions=True)
		return user

	@classmethod
	def _clear(cls) -> None:
		frappe.set_user("Administrator")
		users = [
			f"{premises.MARK}-{name}@example.com".lower() for name in ("head-of-bakery", "hr-of-a-branch")
		]
		frappe.db.delete("User Permission", {"user": ("in", users)})
		frappe.db.delete("Department Approver", {"approver": ("in", users)})
		for doctype in ("Department", "Branch"):
			for name in frappe.get_all(
				doctype, filters={"name": ("like", f"{premises.MARK} %")}, pluck="name"
			):
				frappe.delete_doc(doctype, name, force=True, ignore_permissions=True)

	def setUp(self) -> None:
		self.addCleanup(frappe.set_user, "Administrator")

	def answer(self, name: str, **filters: Any) -> dict[str, Any]:
		return query_report.run(name, filters={**OF_DAYS[name], **filters}, ignore_prepared_report=True)

	def shown(self, name: str, **filters: Any) -> set[str]:
		rows = self.answer(name, **filters)["result"]
		named = {row["employee"] for row in rows if isinstance(row, dict)}  # the row of totals is none
		return named & set(self.people)

	def permit(self, user: str, doctype: str, name: str) -> None:
		permission = frappe.get_doc(doctype="User Permission", user=user, allow=doctype, for_value=name)
		permission.insert(ignore_permissions=True)
		self.addCleanup(permission.delete, ignore_permissions=True)

	def offered(self, doctype: str, text: str = "") -> set[str]:
		"""What a filter has to choose from."""
		return {option["value"] for option in api.find_groups(doctype, text)}

	def test_filters_offer_what_there_is_of_the_people_somebody_sees(self) -> None:
		"""HR without the role Employee may read no Company (v15), the head of a department no Branch."""
		everything = {
			"Company": {premises.company()},
			"Branch": set(self.branches),
			"Department": set(self.departments),
			"Shift Type": set(self.shifts),
		}
		frappe.set_user(self.hr)
		for doctype, names in everything.items():
			with self.subTest(doctype=doctype):
				self.assertLessEqual(names, self.offered(doctype))
		self.assertEqual(self.offered("Branch", "nort"), {self.branches[0]})
		self.assertEqual(self.offered("Branch", "%") | self.offered("Branch", "N_rth"), set())
		frappe.set_user(self.head)
		own = {doctype: self.offered(doctype) for doctype in ("Branch", "Department", "Shift Type")}
		self.assertEqual(
			own,
			{
				"Branch": {self.branches[0]},
				"Department": {self.departments[0]},
				"Shift Type": {self.shifts[0]},
			},
		)
		with self.assertRaises(frappe.ValidationError):
			self.offered("User")
		frappe.set_user(premises.user("sales", "Sales User"))
		self.assertRaises(frappe.PermissionError, api.find_groups, "Company")

	def test_each_filter_leaves_only_those_it_names(self) -> None:
		for name in OF_DAYS:
			for filters in (
				{"department": self.departments[1]},
				{"branch": self.branches[1]},
				{"shift": self.shifts[1]},
			):
				with self.subTest(report=name, filters=filters):
					self.assertEqual(self.shown(name, **filters), set(self.people[2:]))
			with self.subTest(report=name, filters="employee"):
				self.assertEqual(self.shown(name, employee=self.people[3]), {self.people[3]})
			with self.subTest(report=name, filters="company"):
				self.assertEqual(self.shown(name, company="Nobody's"), set())

	def test_a_head_sees_the_whole_department(self) -> None:
		frappe.set_user(self.head)
		for name in OF_DAYS:
			with self.subTest(report=name):
				self.assertEqual(self.shown(name), set(self.people[:2]))
		self.assertEqual(api.daily_summary(str(MONDAY))["total"], 2)

	def test_a_user_permission_narrows_rows_and_figures(self) -> None:
		for doctype, value in (("Branch", self.branches[0]), ("Department", self.departments[0])):
			self.permit(self.hr, doctype, value)
			frappe.set_user(self.hr)
			for name in OF_DAYS:
				with self.subTest(report=name, by=doctype):
					# Frappe's own meaning: where nothing is said, everybody may look.
					self.assertEqual(self.shown(name), set(self.people[:2]))
			late = self.answer("Daily Attendance Summary", department=self.departments[1])["report_summary"]
			self.assertEqual({each["value"] for each in late}, {"0", "0.00"})
			asked = api.daily_summary(str(MONDAY), department=self.departments[1])
			self.assertEqual(asked["total"], 0)
			frappe.set_user("Administrator")
			self.doCleanups()

	def test_a_user_permission_for_another_doctype_narrows_nothing(self) -> None:
		permission = frappe.get_doc(
			doctype="User Permission",
			user=self.hr,
			allow="Branch",
			for_value=self.branches[0],
			apply_to_all_doctypes=0,
			applicable_for="Salary Slip"
			if frappe.db.exists("DocType", "Salary Slip")
			else "Leave Application",
		).insert(ignore_permissions=True)
		self.addCleanup(permission.delete, ignore_permissions=True)
		frappe.set_user(self.hr)
		self.assertEqual(self.shown("Late and Absent"), set(self.people))

	def test_filters_that_are_no_words_are_refused(self) -> None:
		for value in (["like", "%"], {"name": 1}):
			for field in ("employee", "company", "department", "branch", "shift"):
				with self.subTest(field=field, value=value), self.assertRaises(frappe.ValidationError):
					self.answer("Late and Absent", **{field: value})
		for value in ("2026-13-45", "yesterday", "0000-00-00", ["2026-03-02"]):
			for field in ("from_date", "to_date"):
				with self.subTest(field=field, value=value), self.assertRaises(frappe.ValidationError):
					self.answer("Late and Absent", **{field: value})

	def test_a_counted_day_is_told_as_it_was_counted(self) -> None:
		judged = {"employee": ("in", self.people)}
		fresh = {"bridge_counted_at": None}
		self.addCleanup(frappe.db.set_value, "Attendance", judged, fresh, update_modified=False)
		worked_out = [self.answer(name)["result"] for name in OF_DAYS]
		counting.count_all()
		self.assertFalse(frappe.db.exists("Attendance", {**judged, "bridge_counted_at": ("is", "not set")}))
		counted = [self.answer(name)["result"] for name in OF_DAYS]
		for name, before, after in zip(OF_DAYS, worked_out, counted, strict=True):
			with self.subTest(report=name):
				if name == "Overtime and Eligibility":  # what waits for approval is what was counted
					before, after = ([{**row, "waiting": 0} for row in rows[:-1]] for rows in (before, after))
				self.assertEqual(before, after)
		# An Overtime Rule that was changed since says nothing about it.
		frappe.db.set_value("Attendance", {"employee": self.people[0]}, "bridge_overtime", 5400)
		for name in ("Daily Attendance Summary", "Monthly Timesheet", "Overtime and Eligibility"):
			with self.subTest(report=name):
				row = next(row for row in self.answer(name)["result"] if row["employee"] == self.people[0])
				self.assertEqual(row["overtime"], 1.5)

	def test_the_number_of_statements_does_not_depend_on_people(self) -> None:
		few, many = (self._statements(people) for people in (self.people[:1], self.people))
		self.assertEqual(few, many)

	def _statements(self, people: list[str]) -> int:
		sent = 0
		execute = frappe.db.sql

		def count(*arguments: Any, **options: Any) -> Any:
			nonlocal sent
			sent += 1
			return execute(*arguments, **options)

		with patch.object(frappe.db, "sql", count):
			days.load(people, MONDAY, MONDAY, now=moments.utc_now(), punches_of=())
		return sent

	def test_who_is_not_active_any_more_has_worked_until_then(self) -> None:
		frappe.db.set_value("Employee", self.people[0], "status", "Inactive")
		self.addCleanup(frappe.db.set_value, "Employee", self.people[0], "status", "Active")
		answer = self.answer("Monthly Timesheet", employee=self.people[0])
		row = answer["result"][0]
		# 10:00 to 20:30, and nothing is asked of the days after
		self.assertEqual((row["hours"], row["days"], row["absent"]), (10.5, 1, 0))

	def test_nobody_is_an_empty_report(self) -> None:
		for name in OF_DAYS:
			with self.subTest(report=name):
				self.assertEqual(self.answer(name, company="Nobody's")["result"], [])

	def test_no_cell_is_a_formula(self) -> None:
		employee = self.people[3]
		frappe.db.set_value("Employee", employee, "employee_name", HOSTILE)
		self.addCleanup(frappe.db.set_value, "Employee", employee, "employee_name", "Worker 003")
		for name in (*OF_DAYS, "Payroll Export"):
			filters = {**OF_DAYS.get(name, RANGE), "employee": employee}
			with self.subTest(report=name, kind="Excel"):
				book = openpyxl.load_workbook(BytesIO(self.exported(name, filters, "Excel")))
				cells = [cell for row in book.active.iter_rows() for cell in row]
				self.assertNotIn("f", {cell.data_type for cell in cells})
				self.assertIn(f"'{HOSTILE}", [cell.value for cell in cells])
			with self.subTest(report=name, kind="CSV"):
				text = self.exported(name, filters, "CSV").decode()
				words = [word for line in csv.reader(StringIO(text)) for word in line]
				self.assertIn(f"'{HOSTILE}", words)

	def test_no_cell_is_markup(self) -> None:
		"""The Desk shows texts of a report as HTML."""
		employee = self.people[3]
		frappe.db.set_value("Employee", employee, "employee_name", "<img src=x onerror=alert(1)>")
		self.addCleanup(frappe.db.set_value, "Employee", employee, "employee_name", "Worker 003")
		for name in (*OF_DAYS, "Payroll Export"):
			with self.subTest(report=name):
				filters = {**OF_DAYS.get(name, RANGE), "employee": employee}
				answer = query_report.run(name, filters=filters, ignore_prepared_report=True)
				self.assertNotIn("<img", frappe.as_json(answer))

	def exported(self, name: str, filters: dict[str, Any], kind: str) -> bytes:
		frappe.local.form_dict = frappe._dict(
			report_name=name,
			filters=frappe.as_json(filters),
			applied_filters="{}",
			file_format_type=kind,
			visible_idx="[]",
		)
		query_report.export_query()
		self.addCleanup(frappe.local.response.clear)
		return bytes(frappe.local.response["filecontent"])

	def test_sheets_hold_dates_and_numbers(self) -> None:
		filters = {**RANGE, "employee": self.people[0]}
		book = openpyxl.load_workbook(BytesIO(self.exported("Late and Absent", filters, "Excel")))
		header, row = list(book.active.iter_rows(values_only=True))
		told = dict(zip(header, row, strict=True))
		# The Frappe of v16 writes them as text, in the format of the site.
		monday, first_in = datetime(2026, 3, 2), datetime(2026, 3, 2, 10)
		self.assertIn(told["Date"], (monday, formatdate(monday)))
		self.assertIn(told["First In"], (first_in, format_datetime(first_in)))
		self.assertEqual(told["Late by (Minutes)"], 60)
		book = openpyxl.load_workbook(BytesIO(self.exported("Overtime and Eligibility", filters, "Excel")))
		header, row, _total = list(book.active.iter_rows(values_only=True))
		told = dict(zip(header, row, strict=True))
		# 17:00 to 19:00, 19:00 to 20:30
		self.assertEqual((told["Overtime"], told["Extra Overtime"], told["Snacks"]), (2, 1.5, 1))
