"""Overtime is approved by whoever may, once, and reaches the payroll once: on a real HRMS.

Long, because the people and their payroll take longer to set up than any of the tests.
"""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from typing import Any

import frappe
from frappe.desk.query_report import run
from frappe.utils import getdate

from attendance_bridge.api import overtime
from attendance_bridge.bench.overtime import paying
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import payroll_office, premises
from attendance_bridge.bench.workdays import counting

MONDAY = date(2026, 3, 2)
LAST = date(2026, 3, 31)
HOUR = 3600
DEPARTMENT = f"{premises.MARK} Weaving"
APPROVAL = "Overtime Approval"


class TestOvertimeApproval(IntegrationTestCase):
	"""09:00 to 17:00. An hour is worth 10: overtime 1.25 times, extra overtime 1.5 times, snacks 15."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		payroll_office.open_office()
		cls.head = premises.user("head", "Leave Approver", "Employee")
		cls.stranger = premises.user("other-head", "Leave Approver", "Employee")
		cls.officer = premises.user("hr-user", "HR User")
		cls.manager = premises.user("hr-manager", "HR Manager")
		cls.worker = premises.user("weaver", "Employee")
		cls.department = cls._department()
		cls.shift = premises.shift_type(
			"Weaving",
			"09:00:00",
			"17:00:00",
			after=420,
			enable_auto_attendance=1,
			process_attendance_after=MONDAY - timedelta(days=1),
			last_sync_of_checkin=datetime(2026, 3, 5),
			determine_check_in_and_check_out="Alternating entries as IN and OUT during the same shift",
			working_hours_calculation_based_on="First Check-in and Last Check-out",
		)
		payroll_office.rule("Weaving", shift_type=cls.shift)
		sundays = payroll_office.holiday_list("Sundays")
		own = {"department": cls.department, "default_shift": cls.shift}
		cls.ann, cls.ben, cls.cem = (
			premises.employee(number, **own, **more)
			for number, more in ((1, {"user_id": cls.worker}), (2, {}), (3, {"user_id": cls.head}))
		)
		cls.dan = premises.employee(4, default_shift=cls.shift)
		for employee in (cls.ann, cls.ben, cls.cem):
			payroll_office.assign(employee, 2080, date(2026, 1, 1))
			payroll_office.give_holidays(employee, sundays)
		for user in (cls.head, cls.stranger):
			# ERPNext takes the role Employee from users who are none.
			frappe.get_doc("User", user).add_roles("Leave Approver", "Employee")
		# Monday: 2 hours and 1.5 hours more, snacks. Tuesday: half an hour.
		for employee in (cls.ann, cls.ben, cls.cem, cls.dan):
			_check_in(employee, MONDAY, "09:00:00", "20:30:00")
		_check_in(cls.ann, MONDAY + timedelta(days=1), "09:00:00", "17:30:00")
		frappe.get_doc("Shift Type", cls.shift).process_auto_attendance()
		counting.count_all()
		frappe.db.commit()
		cls.addClassCleanup(cls._leave)

	@classmethod
	def _department(cls) -> str:
		company = premises.company()
		name = frappe.db.get_value("Department", {"department_name": DEPARTMENT, "company": company})
		if name:
			return str(name)
		made = frappe.get_doc(
			{
				"doctype": "Department",
				"department_name": DEPARTMENT,
				"company": company,
				"leave_approvers": [{"approver": cls.head}],
			}
		)
		return str(made.insert().name)

	@classmethod
	def _leave(cls) -> None:
		frappe.set_user("Administrator")
		premises.clear()
		frappe.delete_doc("Department", cls.department, force=True)
		frappe.db.commit()

	def setUp(self) -> None:
		self.addCleanup(self._forget)

	def _forget(self) -> None:
		frappe.db.rollback()
		frappe.set_user("Administrator")
		for doctype in ("Salary Slip", "Additional Salary"):
			frappe.db.delete(doctype, {"employee": ("in", premises.own_employees())})
		for doctype in ("Overtime Approval Day", "Overtime Payment", APPROVAL):
			frappe.db.delete(doctype)
		frappe.db.commit()

	def listed(self, **values: Any) -> Any:
		"""A new list of what is waiting, saved."""
		approval = frappe.get_doc(
			{
				"doctype": APPROVAL,
				"company": premises.company(),
				"from_date": MONDAY,
				"to_date": LAST,
				**values,
			}
		)
		approval.get_overtime()
		return approval.insert()

	def salaries(self, **filters: Any) -> list[tuple[Any, ...]]:
		rows = frappe.get_all(
			"Additional Salary",
			filters={"employee": ("in", premises.own_employees()), "docstatus": 1, **filters},
			fields=["employee", "salary_component", "amount"],
			order_by="employee, salary_component",
		)
		return [(row.employee, row.salary_component.removeprefix("ABT "), row.amount) for row in rows]

	def test_the_head_of_a_department_approves_their_people(self) -> None:
		frappe.set_user(self.head)
		approval = self.listed(department=self.department)
		self.assertEqual(
			[
				(row.employee, getdate(row.attendance_date).day, row.overtime, row.extra_overtime)
				for row in approval.days
			],
			[
				(self.ann, 2, 2 * HOUR, 1.5 * HOUR),
				(self.ann, 3, 0.5 * HOUR, 0),
				(self.ben, 2, 2 * HOUR, 1.5 * HOUR),
			],
		)
		self.assertEqual(approval.days[0].why, "09:00–20:30 · On Time")
		tuesday, ben = approval.days[1], approval.days[2]
		tuesday.decision = "Reject"
		ben.approved_overtime = HOUR
		with self.assertRaises(frappe.ValidationError):  # without a remark
			approval.submit()
		approval.reload()
		tuesday, ben = approval.days[1], approval.days[2]
		tuesday.decision, tuesday.remark = "Reject", "Waited for the bus"
		ben.approved_overtime, ben.remark = HOUR, "Left the loom at 18:00"
		approval.submit()

		self.assertEqual((approval.approved_overtime, approval.approved_extra_overtime), (3 * HOUR, 3 * HOUR))
		self.assertEqual(approval.payroll_status, "All")
		self.assertEqual(
			self.salaries(),
			[
				(self.ann, "Extra Overtime", 22.5),  # 1.5 h x 10 x 1.5
				(self.ann, "Overtime", 25.0),  # 2 h x 10 x 1.25
				(self.ann, "Snacks", 15.0),
				(self.ben, "Extra Overtime", 22.5),
				(self.ben, "Overtime", 12.5),  # 1 h x 10 x 1.25
				(self.ben, "Snacks", 15.0),
			],
		)
		self.assertEqual(self.listed(department=self.department).days, [])

	def test_who_may_not(self) -> None:
		frappe.set_user(self.head)
		approval = self.listed()
		for employee in (self.cem, self.dan):  # themselves, and somebody of other people
			approval.append("days", {"employee": employee, "attendance_date": MONDAY, "decision": "Approve"})
			with self.assertRaises(frappe.PermissionError):
				approval.submit()
			approval.reload()

		for user, may in (
			(self.head, {"read", "write", "submit"}),
			(self.manager, {"read", "write", "submit"}),
			(self.officer, {"read", "write"}),
			(self.stranger, set()),
			(self.worker, set()),
		):
			frappe.set_user(user)
			with self.subTest(user=user):
				self.assertEqual(
					{ptype for ptype in ("read", "write", "submit") if approval.has_permission(ptype)}, may
				)
				for doctype in (APPROVAL, "Overtime Approval Day", "Overtime Payment"):
					self.assertEqual(self._listed_of(doctype), bool(may) and doctype != "Overtime Payment")
		frappe.set_user(self.stranger)
		self.assertEqual(self.listed().days, [])

	def test_who_prepares_lists_approves_only_for_people_of_their_own(self) -> None:
		"""HR User and Leave Approver of another department, in one person."""
		both = premises.user("hr-head", "HR User", "Leave Approver")
		frappe.set_user(both)
		approval = self.listed(employee=self.ben)
		self.assertEqual(len(approval.days), 1)
		with self.assertRaises(frappe.PermissionError):
			approval.submit()
		frappe.set_user("Administrator")
		frappe.db.set_value("Employee", self.ben, "leave_approver", both)
		frappe.set_user(both)
		approval.reload()
		approval.submit()
		self.assertEqual(len(self.salaries()), 3)

	def test_whom_somebody_reports_to_does_not_approve(self) -> None:
		boss = premises.employee(6, user_id=self.stranger)
		frappe.db.set_value("Employee", self.ben, "reports_to", boss)
		mine = self.listed(employee=self.ben)
		frappe.set_user(self.stranger)
		self.assertEqual(self.listed(employee=self.ben).days, [])
		with self.assertRaises(frappe.PermissionError):
			frappe.get_doc(APPROVAL, mine.name).submit()

	def test_nobody_takes_back_what_was_decided_about_them(self) -> None:
		frappe.set_user(self.manager)
		approval = self.listed(employee=self.ben)
		(row,) = approval.days
		row.decision, row.remark = "Reject", "Not agreed"
		approval.submit()
		other = premises.user("second-hr-manager", "HR Manager")
		frappe.db.set_value("Employee", self.ben, "user_id", other)
		frappe.set_user(other)
		with self.assertRaises(frappe.PermissionError):
			frappe.get_doc(APPROVAL, approval.name).cancel()
		frappe.set_user(self.manager)
		frappe.get_doc(APPROVAL, approval.name).cancel()

	def test_a_rule_with_other_components_pays_nothing_twice(self) -> None:
		rule = frappe.get_doc("Overtime Rule", f"{premises.MARK} Weaving")
		approval = self.listed(department=self.department)
		approval.submit()
		paid = self.salaries()
		frappe.db.set_value("Overtime Rule", rule.name, "overtime_component", payroll_office.NIGHT_BILL)
		overtime.pay_again(approval.name)
		self.assertEqual(self.salaries(), paid)
		approval.reload()
		self.assertEqual(approval.payroll_status, "Partly")
		self.assertIn("rule", (approval.payments[-1].note or "").lower())

		# Both kinds of hours under what was the component of one.
		frappe.db.set_value(
			"Overtime Rule",
			rule.name,
			{"overtime_component": payroll_office.EXTRA, "extra_overtime_component": None},
		)
		overtime.pay_again(approval.name)
		self.assertEqual(self.salaries(), paid)

	def test_overtime_that_somebody_writes_into_an_attendance_is_counted_first(self) -> None:
		frappe.set_user(self.officer)
		day = MONDAY + timedelta(days=3)
		made = frappe.get_doc(
			{
				"doctype": "Attendance",
				"employee": self.dan,
				"attendance_date": day,
				"status": "Present",
				"company": premises.company(),
				"shift": self.shift,
				"bridge_overtime": 9 * HOUR,
				"bridge_day_status": "On Time",
				"bridge_day_reason": "on_time",
				"bridge_counted_at": frappe.utils.now(),
			}
		).insert(ignore_permissions=True)
		made.submit()
		frappe.set_user("Administrator")
		self.addCleanup(frappe.db.delete, "Attendance", {"name": made.name})
		self.addCleanup(frappe.db.rollback)
		counting.count_all()
		self.assertNotIn(day, [getdate(row.attendance_date) for row in self.listed(employee=self.dan).days])

	def _listed_of(self, doctype: str) -> bool:
		parent = {} if doctype == APPROVAL else {"parent_doctype": APPROVAL}
		try:
			return bool(frappe.get_list(doctype, fields=["name"], **parent))
		except frappe.PermissionError:
			return False

	def test_nothing_is_taken_from_a_browser(self) -> None:
		frappe.set_user(self.head)
		approval = self.listed(employee=self.ben)
		(row,) = approval.days
		row.overtime = row.approved_overtime = 9 * HOUR
		approval.save()
		self.assertEqual((row.overtime, row.approved_overtime), (2 * HOUR, 2 * HOUR))

		row.approved_overtime = 3 * HOUR
		approval.docstatus = 1
		with self.assertRaises(frappe.ValidationError):  # more than was counted
			approval.save()
		approval.reload()
		(row,) = approval.days
		row.day_off, row.shift = 1, None
		approval.append("payments", {"employee": self.ben, "salary_component": payroll_office.OVERTIME})
		approval.submit()
		self.assertEqual((approval.days[0].day_off, approval.days[0].shift), (0, self.shift))
		self.assertEqual(len(self.salaries(salary_component=payroll_office.OVERTIME)), 1)

	def test_a_day_is_decided_once(self) -> None:
		first, second = self.listed(employee=self.ben), self.listed(employee=self.ben)
		first.submit()
		with self.assertRaises(frappe.ValidationError):
			second.submit()
		self.assertEqual(len(self.salaries()), 3)

	def test_two_who_approve_at_the_same_moment(self) -> None:
		lists = [self.listed(employee=self.ben).name for _ in range(4)]
		frappe.db.commit()
		site, barrier = frappe.local.site, threading.Barrier(len(lists))

		def submit(name: str) -> None:
			frappe.init(site=site)
			frappe.connect()
			try:
				approval = frappe.get_doc(APPROVAL, name)
				barrier.wait(10)
				approval.submit()
				frappe.db.commit()
			except Exception:
				frappe.db.rollback()  # all but one
			finally:
				frappe.destroy()

		threads = [threading.Thread(target=submit, args=(name,)) for name in lists]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(60)
		frappe.db.rollback()
		self.assertEqual(frappe.db.count(APPROVAL, {"name": ("in", lists), "docstatus": 1}), 1)
		self.assertEqual(len(self.salaries()), 3)

	def test_what_changes_later_is_told_and_not_paid(self) -> None:
		approval = self.listed(employee=self.ben)
		approval.submit()
		paid = self.salaries()
		late = _check_in(self.ben, MONDAY, "21:00:00")[0]
		self.addCleanup(counting.count_all)
		self.addCleanup(frappe.delete_doc, "Employee Checkin", late.name, force=True)
		counting.count_all()
		frappe.db.set_value("Attendance", approval.days[0].attendance, {"bridge_extra_overtime": 2 * HOUR})

		seen = frappe.get_doc(APPROVAL, approval.name)
		seen.run_method("onload")
		(told,) = seen.get_onload("changed")
		self.assertEqual((told["employee"], told["was"], told["now"]), (self.ben, 3.5 * HOUR, 4 * HOUR))
		paying.pay(approval.name)
		self.assertEqual(self.salaries(), paid)
		self.assertEqual(self.listed(employee=self.ben).days, [])

		approval.cancel()
		self.assertEqual(self.salaries(), [])
		again = frappe.copy_doc(approval, ignore_no_copy=False)
		again.docstatus, again.amended_from = 0, approval.name
		again.insert()
		self.assertEqual(again.days[0].extra_overtime, 2 * HOUR)
		again.submit()
		self.assertEqual(self.salaries()[0], (self.ben, "Extra Overtime", 30.0))  # 2 h x 10 x 1.5
		self.assertEqual(len(self.salaries()), 3)

	def test_a_salary_slip_that_is_made_already_sends_it_to_the_next(self) -> None:
		march = payroll_office.slip(self.ben, date(2026, 3, 1), LAST)
		march.submit()
		approval = self.listed(employee=self.ben)
		approval.submit()
		self.assertEqual({str(row.payroll_date) for row in approval.payments}, {"2026-04-01"})
		self.assertIn(march.name, approval.payments[0].note)

		april = payroll_office.slip(self.ben, date(2026, 4, 1), date(2026, 4, 30))
		april.submit()
		told = {row.salary_component: row.amount for row in april.earnings}
		self.assertEqual((told[payroll_office.OVERTIME], told[payroll_office.SNACKS]), (25.0, 15.0))
		with self.assertRaises(frappe.ValidationError):
			approval.cancel()
		self.assertEqual(len(self.salaries()), 3)

	def test_a_slip_that_was_made_meanwhile_does_not_lose_it(self) -> None:
		approval = self.listed(employee=self.ben)
		march = payroll_office.slip(self.ben, date(2026, 3, 1), LAST)
		approval.submit()
		# As if it had been submitted in the same moment, by somebody who did not see the Additional Salary.
		frappe.db.set_value("Salary Slip", march.name, "docstatus", 1)
		approval.reload()
		overtime.pay_again(approval.name)
		approval.reload()
		self.assertEqual({str(row.payroll_date) for row in approval.payments}, {"2026-04-01"})
		self.assertEqual(len(self.salaries()), 3)

	def test_whoever_cannot_be_paid_yet_is_paid_later(self) -> None:
		approval = self.listed(employee=self.dan)
		approval.submit()
		self.assertEqual((approval.payroll_status, self.salaries()), ("Not Yet", []))
		self.assertTrue(approval.payments[0].note)

		payroll_office.assign(self.dan, 2080, date(2026, 1, 1))
		overtime.pay_again(approval.name)
		overtime.pay_again(approval.name)
		approval.reload()
		self.assertEqual(approval.payroll_status, "All")
		self.assertEqual(len(self.salaries()), 3)

	def test_an_hour_as_a_share_of_the_salary(self) -> None:
		rule = frappe.get_doc("Overtime Rule", f"{premises.MARK} Weaving")
		self.addCleanup(frappe.db.set_value, "Overtime Rule", rule.name, "hour_is_worth", rule.hour_is_worth)
		frappe.db.set_value(
			"Overtime Rule", rule.name, {"hour_is_worth": "Share of the Salary", "base_hours": 104}
		)
		self.listed(employee=self.ben).submit()
		# 2080 / 104 = 20 an hour; 1.5 h x 20 x 1.5 and 2 h x 20 x 1.25
		self.assertEqual([row[2] for row in self.salaries()], [45.0, 50.0, 15.0])

	def test_the_report_says_how_far_it_has_come(self) -> None:
		self.assertEqual(
			self._reported(), {"waiting": 3.5, "approved": 0, "rejected": 0, "paid": 0, "changed": 0}
		)
		approval = self.listed(employee=self.ben)
		(row,) = approval.days
		row.approved_overtime, row.remark = HOUR, "Left the loom at 18:00"
		approval.submit()
		told = {"waiting": 0, "approved": 2.5, "rejected": 1, "paid": 0, "changed": 0}
		self.assertEqual(self._reported(), told)
		# A payroll program is told what was counted, and what of it was approved.
		answer = run(
			"Payroll Export",
			filters={"from_date": str(MONDAY), "to_date": str(LAST), "employee": self.ben},
			ignore_prepared_report=True,
		)
		export = {each["label"]: answer["result"][0][each["fieldname"]] for each in answer["columns"]}
		self.assertEqual(
			[export[name] for name in ("Overtime", "Extra Overtime", "Approved Overtime")], [2.0, 1.5, 2.5]
		)
		payroll_office.slip(self.ben, date(2026, 3, 1), LAST).submit()
		self.assertEqual(self._reported(), {**told, "paid": 2.5})
		frappe.db.set_value("Attendance", row.attendance, "bridge_overtime", 0)
		self.assertEqual(self._reported(), {**told, "paid": 2.5, "changed": 1})

	def test_work_on_a_day_off_without_an_attendance_is_told(self) -> None:
		"""HRMS marks none on a weekly off, so there is nothing that could be approved yet."""
		sunday = MONDAY - timedelta(days=1)
		frappe.db.set_value("Shift Type", self.shift, "process_attendance_after", sunday - timedelta(days=1))
		_check_in(self.ben, sunday, "09:00:00", "12:00:00")
		filters = {"from_date": str(sunday), "to_date": str(LAST), "employee": self.ben}

		def told() -> tuple[float, ...]:
			row = run("Overtime and Eligibility", filters=filters, ignore_prepared_report=True)["result"][0]
			return row["total"], row["without_attendance"], row["waiting"]

		self.assertEqual(told(), (6.5, 3.0, 3.5))
		request = {
			"doctype": "Attendance Request",
			"employee": self.ben,
			"company": premises.company(),
			"from_date": sunday,
			"to_date": sunday,
			"include_holidays": 1,
			"shift": self.shift,
			"reason": "On Duty",
		}
		frappe.get_doc(request).insert().submit()
		due_days = frappe.get_all(
			"Attendance", {"employee": self.ben, "attendance_date": sunday, "docstatus": 1}, "*"
		)
		counting.count(due_days)
		self.assertEqual(told(), (6.5, 0, 6.5))
		(day_off, _monday) = self.listed(employee=self.ben, from_date=sunday).days
		self.assertEqual((day_off.overtime, day_off.day_off), (3 * HOUR, 1))

	def _reported(self) -> dict[str, float]:
		filters = {"from_date": str(MONDAY), "to_date": str(LAST), "employee": self.ben}
		rows = run("Overtime and Eligibility", filters=filters, ignore_prepared_report=True)["result"]
		row = next(row for row in rows if isinstance(row, dict) and row.get("employee") == self.ben)
		return {name: row[name] for name in ("waiting", "approved", "rejected", "paid", "changed")}

	def test_a_list_that_is_not_approved_is_not_handed_over(self) -> None:
		frappe.set_user(self.head)
		draft = self.listed(employee=self.ben)
		paying.hand_over(draft.name)
		self.assertEqual(self.salaries(), [])

	def test_where_hrms_has_its_own_overtime_it_pays(self) -> None:
		if not payroll_office.has_own_overtime():
			self.skipTest("this HRMS has no overtime of its own")
		shift = premises.shift_type(
			"Own",
			"09:00:00",
			"17:00:00",
			after=420,
			**{**premises.with_overtime(), "enable_auto_attendance": 1},
			process_attendance_after=MONDAY - timedelta(days=1),
			last_sync_of_checkin=datetime(2026, 3, 5),
			determine_check_in_and_check_out="Alternating entries as IN and OUT during the same shift",
			working_hours_calculation_based_on="First Check-in and Last Check-out",
		)
		payroll_office.rule("Own", shift_type=shift)
		employee = premises.employee(5, default_shift=shift, department=self.department)
		payroll_office.assign(employee, 2080, date(2026, 1, 1))
		payroll_office.give_holidays(employee, f"{premises.MARK} Sundays")
		_check_in(employee, MONDAY, "09:00:00", "20:30:00")
		frappe.get_doc("Shift Type", shift).process_auto_attendance()
		counting.count_all()

		frappe.set_user(self.head)
		approval = self.listed(employee=employee)
		(row,) = approval.days
		self.assertTrue(row.overtime_type)
		row.approved_extra_overtime, row.remark = HOUR, "Left at 20:00"
		approval.submit()
		# HRMS lets nobody make an Additional Salary out of it who has no right to those: the system does.
		self.assertEqual(approval.payroll_status, "Partly")
		self.assertIn("background", approval.payments[-1].note)
		paying.hand_over(approval.name)
		self.assertEqual(frappe.session.user, "Administrator")
		approval.reload()
		self.assertEqual(approval.payroll_status, "All")
		# 2 + 1 hours x 10, by the Overtime Type; of ours only the snacks.
		paid = self.salaries(employee=employee)
		self.assertEqual(sorted(amount for _, _, amount in paid), [15.0, 30.0])
		slip = frappe.get_doc("Overtime Slip", {"employee": employee, "docstatus": 1})
		self.assertEqual([each.overtime_duration for each in slip.overtime_details], [3.0])
		overtime.pay_again(approval.name)
		self.assertEqual(self.salaries(employee=employee), paid)
		approval.reload()
		approval.cancel()
		self.assertEqual(self.salaries(employee=employee), [])
		self.assertEqual(frappe.db.get_value("Overtime Slip", slip.name, "docstatus"), 2)

	def test_a_long_list_costs_a_few_statements_a_line(self) -> None:
		people = [self.ann, self.ben]
		frappe.db.delete("Attendance", {"employee": ("in", people), "attendance_date": (">", LAST)})
		counts = []
		for month in (5, 7):  # two months, 50 and 200 days of two people
			days = 25 if month == 5 else 100
			first = date(2026, month, 1)
			for employee in people:
				_attendances(employee, self.shift, first, days)
			approval = self.listed(
				from_date=first, to_date=first + timedelta(days=days), department=self.department
			)
			self.assertEqual(len(approval.days), 2 * days)
			counts.append(_statements(approval.submit))
			self.assertEqual(len(self.salaries(payroll_date=approval.to_date)), 4)
		few, many = counts
		self.assertLess((many - few) / 150, 4, counts)


def _check_in(employee: str, day: date, *times: str) -> list[Any]:
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


def _attendances(employee: str, shift: str, first: date, days: int) -> None:
	"""Counted Attendances with an hour of overtime and one of extra overtime each, in one statement."""
	now = frappe.utils.now()
	fields = (
		"name",
		"employee",
		"employee_name",
		"company",
		"attendance_date",
		"shift",
		"status",
		"docstatus",
	)
	fields += (
		"bridge_day_status",
		"bridge_overtime",
		"bridge_extra_overtime",
		"bridge_counted_at",
		"creation",
	)
	rows = []
	for number in range(days):
		day = first + timedelta(days=number)
		name = f"{premises.MARK}-{employee}-{day}"
		rows.append((name, employee, employee, premises.company(), day, shift, "Present", 1))
		rows[-1] += ("On Time", HOUR, HOUR, now, now)
	frappe.db.bulk_insert("Attendance", fields, rows)


def _statements(act: Any) -> int:
	seen = 0
	execute = frappe.db.sql

	def counted(*arguments: Any, **options: Any) -> Any:
		nonlocal seen
		seen += 1
		return execute(*arguments, **options)

	frappe.db.sql = counted
	try:
		act()
	finally:
		frappe.db.sql = execute
	return seen
