"""Holiday Lists and leave that change after days were counted, on a real HRMS: just those days are due."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import frappe
from frappe.utils import getdate

from attendance_bridge.bench.anomalies import nightly, register
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import payroll_office, premises
from attendance_bridge.bench.tests.anomalies_at_work import statements
from attendance_bridge.bench.workdays import changed_days_off, counting, days, due, tally
from attendance_bridge.core.workday.plan import Off

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 3, day) for day in (2, 3, 4, 5))
SUNDAY = date(2026, 3, 8)
AFTERWARDS = datetime(2026, 3, 20, tzinfo=timezone.utc)
DAYS = (MONDAY, TUESDAY, SUNDAY)
LISTS_ARE_ASSIGNED = "v16: a Holiday List Assignment says it, not a field"


def see_queued(case: IntegrationTestCase) -> list[tuple[list[str], list[str] | None]]:
	"""What is to be looked at again from now on, instead of a job of it."""
	queued: list[tuple[list[str], list[str] | None]] = []
	queue = changed_days_off.background.queue_look_again
	changed_days_off.background.queue_look_again = lambda *asked: queued.append(asked)
	case.addCleanup(setattr, changed_days_off.background, "queue_look_again", queue)
	return queued


def other_company() -> str:
	"""Its row alone: accounts have no part in it."""
	company = frappe.get_doc("Company", premises.company())
	company.update(
		{"name": f"{premises.MARK} Later", "company_name": f"{premises.MARK} Later", "abbr": "ABTL"}
	)
	company.db_insert()
	return str(company.name)


class TestChangedDaysOff(IntegrationTestCase):
	"""Ann has a Holiday List of her own, Ben is of a shift with one, Cem goes by the company's alone."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		cls.addClassCleanup(premises.clear)
		cls.own = payroll_office.holiday_list("Own")
		cls.of_shift = payroll_office.holiday_list("Of Shift")
		cls.other = payroll_office.holiday_list("Other", TUESDAY)
		plain = premises.shift_type("Plain", "09:00:00", "17:00:00", after=420)
		cls.shift = premises.shift_type("Listed", "09:00:00", "17:00:00", holiday_list=cls.of_shift)
		cls.ann, cls.ben, cls.cem = (premises.employee(number, default_shift=plain) for number in (1, 2, 3))
		payroll_office.give_holidays(cls.ann, cls.own)
		for employee, shift in ((cls.ann, plain), (cls.ben, cls.shift), (cls.cem, plain)):
			for day in DAYS:
				frappe.get_doc(
					{
						"doctype": "Attendance",
						"employee": employee,
						"attendance_date": day,
						"status": "Present",
						"shift": shift,
					}
				).submit()
		counting.count_all()

	def setUp(self) -> None:
		# Nothing here ends its transaction.
		self.addCleanup(frappe.clear_cache)
		self.addCleanup(frappe.db.rollback)

	def due(self) -> set[tuple[str, date]]:
		rows = frappe.get_all(
			"Attendance",
			filters={
				"employee": ("in", (self.ann, self.ben, self.cem)),
				"bridge_counted_at": ("is", "not set"),
			},
			fields=["employee", "attendance_date"],
		)
		return {(row.employee, row.attendance_date) for row in rows}

	def save_list(self, name: str, act: Any) -> None:
		document = frappe.get_doc("Holiday List", name)
		act(document)
		document.save()

	def test_a_holiday_that_is_added(self) -> None:
		def add(document: Any) -> None:
			document.append("holidays", {"holiday_date": MONDAY, "description": "x"})

		self.save_list(self.own, add)
		self.assertEqual(self.due(), {(self.ann, MONDAY)})
		self.save_list(self.of_shift, add)
		self.assertEqual(self.due(), {(self.ann, MONDAY), (self.ben, MONDAY)})
		self.save_list(self.other, add)
		self.assertEqual(len(self.due()), 2)

	def test_a_weekly_off_that_is_removed_or_becomes_a_holiday(self) -> None:
		def change(document: Any) -> None:
			(sunday,) = (row for row in document.holidays if getdate(row.holiday_date) == SUNDAY)
			sunday.weekly_off = 0

		self.save_list(self.own, change)
		self.assertEqual(self.due(), {(self.ann, SUNDAY)})

		def remove(document: Any) -> None:
			document.holidays = [row for row in document.holidays if getdate(row.holiday_date) != SUNDAY]

		self.save_list(self.of_shift, remove)
		self.assertEqual(self.due(), {(self.ann, SUNDAY), (self.ben, SUNDAY)})

	def test_what_changes_no_date_has_nothing_counted(self) -> None:
		self.save_list(self.own, lambda document: document.update({"color": "#ff0000"}))
		self.assertEqual(self.due(), set())

	def test_the_number_of_statements_does_not_depend_on_the_dates(self) -> None:
		document = frappe.get_doc("Holiday List", self.own)
		document._doc_before_save = frappe.copy_doc(document)
		(one, *_rest), every = document.holidays, document.holidays
		document.holidays = [row for row in every if row is not one]
		few = statements(lambda: changed_days_off.list_changed(document))
		document.holidays = []
		self.assertEqual(statements(lambda: changed_days_off.list_changed(document)), few)
		self.assertLessEqual(few, 6)

	def test_another_list_of_an_employee(self) -> None:
		if frappe.db.table_exists("Holiday List Assignment"):
			self.skipTest(LISTS_ARE_ASSIGNED)
		employee = frappe.get_doc("Employee", self.ann)
		employee.holiday_list = self.other
		employee.save()
		# Sundays are off in both.
		self.assertEqual(self.due(), {(self.ann, TUESDAY)})

	def test_another_list_of_a_company(self) -> None:
		if frappe.db.table_exists("Holiday List Assignment"):
			self.skipTest(LISTS_ARE_ASSIGNED)
		company = frappe.get_doc("Company", premises.company())
		company.default_holiday_list = self.own
		company.save()
		frappe.db.sql("UPDATE `tabAttendance` SET `bridge_counted_at` = NOW()")
		company.default_holiday_list = self.other
		company.save()
		self.assertEqual(self.due(), {(each, TUESDAY) for each in (self.ann, self.ben, self.cem)})

	def test_another_company(self) -> None:
		"""What was worked is of the company it was worked in; other days go by the new one's holidays."""
		former, later = premises.company(), other_company()
		holidays = payroll_office.holiday_list("Later", TUESDAY, THURSDAY)
		payroll_office.give_holidays(former, self.own, doctype="Company")
		payroll_office.give_holidays(later, holidays, doctype="Company")
		frappe.db.sql("UPDATE `tabAttendance` SET `bridge_counted_at` = NOW()")
		queued = see_queued(self)
		employee = frappe.get_doc("Employee", self.cem)
		employee.company = later
		employee.save()
		self.assertEqual(self.due(), set())
		# Sundays are off in both.
		self.assertEqual(queued, [([str(TUESDAY), str(THURSDAY)], [self.cem])])

		def add(document: Any) -> None:
			document.append("holidays", {"holiday_date": MONDAY, "description": "x"})

		self.save_list(holidays, add)
		self.assertEqual(self.due(), set())
		self.save_list(self.own, add)
		self.assertIn((self.cem, MONDAY), self.due())
		self.assertNotIn((self.cem, TUESDAY), self.due())

		due.mark_days([(self.cem, TUESDAY)])
		found = days.load([self.cem], MONDAY, THURSDAY, now=AFTERWARDS)
		off = {each.day.date: each.plan.off for each in found if each.plan is not None}
		# Monday and Tuesday have an Attendance.
		self.assertEqual(off, {MONDAY: Off.HOLIDAY, TUESDAY: None, WEDNESDAY: None, THURSDAY: Off.HOLIDAY})

	def test_another_list_of_a_shift(self) -> None:
		shift = frappe.get_doc("Shift Type", self.shift)
		shift.holiday_list = self.other
		shift.save()
		self.assertEqual(self.due(), {(self.ben, TUESDAY)})
		shift.holiday_list = None
		shift.save()
		self.assertEqual(self.due(), {(self.ben, TUESDAY), (self.ben, SUNDAY)})

	def test_a_list_that_is_assigned(self) -> None:
		if not frappe.db.table_exists("Holiday List Assignment"):
			self.skipTest("v15: a field says it")
		assignment = frappe.get_doc(
			{
				"doctype": "Holiday List Assignment",
				"applicable_for": "Employee",
				"assigned_to": self.ann,
				"holiday_list": self.other,
				"from_date": TUESDAY,
			}
		).insert()
		self.assertEqual(self.due(), set())
		assignment.submit()
		# Sundays are off in both.
		self.assertEqual(self.due(), {(self.ann, TUESDAY)})
		frappe.db.sql("UPDATE `tabAttendance` SET `bridge_counted_at` = NOW()")
		assignment.cancel()
		self.assertEqual(self.due(), {(self.ann, TUESDAY)})

	def test_a_list_of_a_company_that_is_assigned(self) -> None:
		if not frappe.db.table_exists("Holiday List Assignment"):
			self.skipTest("v15: a field says it")
		frappe.get_doc(
			{
				"doctype": "Holiday List Assignment",
				"applicable_for": "Company",
				"assigned_to": premises.company(),
				"holiday_list": self.other,
				"from_date": TUESDAY,
			}
		).insert().submit()
		self.assertLessEqual({(self.cem, TUESDAY), (self.ann, TUESDAY)}, self.due())
		self.assertNotIn((self.cem, MONDAY), self.due())

	def test_people_check_in_and_hr_corrects_before_our_columns_are_there(self) -> None:
		"""While the app is being installed: hooks are there before the Custom Fields are."""
		frappe.db.delete("Custom Field", {"dt": "Attendance", "fieldname": ("like", "bridge_%")})
		frappe.clear_cache(doctype="Attendance")
		statements_sent: list[str] = []
		real = frappe.db.sql

		def seen(query: Any, *args: Any, **kwargs: Any) -> Any:
			statements_sent.append(str(query))
			return real(query, *args, **kwargs)

		frappe.db.sql = seen
		self.addCleanup(setattr, frappe.db, "sql", real)
		frappe.get_doc(
			{"doctype": "Employee Checkin", "employee": self.ann, "time": f"{MONDAY} 09:00:00"}
		).insert()
		name = frappe.db.get_value("Attendance", {"employee": self.ann, "attendance_date": MONDAY})
		frappe.get_doc("Attendance", name).save()
		self.save_list(
			self.own,
			lambda document: document.append("holidays", {"holiday_date": MONDAY, "description": "x"}),
		)
		self.assertFalse([each for each in statements_sent if "bridge_counted_at" in each])

	def test_shift_assignments_change_nothing_that_is_counted(self) -> None:
		"""HRMS has written the shift into the Attendance and the check-ins, and keeps it."""
		name = premises.assignment(self.cem, self.shift, SUNDAY + timedelta(days=1))
		frappe.get_doc("Shift Assignment", name).cancel()
		self.assertEqual(self.due(), set())
		self.assertFalse(due.something_is_due())


class TestAnomaliesFollow(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		self.holidays = payroll_office.holiday_list("Sundays")
		self.shift = premises.shift_type(
			"Followed",
			"09:00:00",
			"17:00:00",
			holiday_list=self.holidays,
			enable_auto_attendance=1,
			process_attendance_after=MONDAY,
			last_sync_of_checkin=datetime(2026, 3, 9, 3),
			determine_check_in_and_check_out="Alternating entries as IN and OUT during the same shift",
			working_hours_calculation_based_on="First Check-in and Last Check-out",
		)
		self.employee = premises.employee(1, default_shift=self.shift)
		payroll_office.give_holidays(self.employee, self.holidays)

	def check_in(self, day: date, *times: str) -> None:
		for place, at in enumerate(times):
			frappe.get_doc(
				{
					"doctype": "Employee Checkin",
					"employee": self.employee,
					"time": f"{day} {at}",
					"log_type": "OUT" if place % 2 else "IN",
				}
			).insert()

	def judge(self) -> None:
		frappe.get_doc("Shift Type", self.shift).process_auto_attendance()
		counting.count_all()

	def anomalies(self, **filters: Any) -> dict[tuple[date, str], str]:
		rows = frappe.get_all(
			register.DOCTYPE,
			filters={"employee": self.employee, **filters},
			fields=["attendance_date", "kind", "state"],
		)
		return {(row.attendance_date, row.kind): row.state for row in rows}

	def leave(self, first: date, last: date) -> Any:
		"""An approved Leave Application, submitted."""
		leave_type = frappe.get_doc(
			{"doctype": "Leave Type", "leave_type_name": f"{premises.MARK} Unpaid", "is_lwp": 1}
		).insert()
		leave = frappe.get_doc(
			{
				"doctype": "Leave Application",
				"employee": self.employee,
				"company": premises.company(),
				"leave_type": leave_type.name,
				"from_date": first,
				"to_date": last,
				"status": "Approved",
				"leave_approver": "Administrator",
			}
		).insert()
		leave.submit()
		return leave

	def set_off(self, day: date, off: bool) -> None:
		document = frappe.get_doc("Holiday List", self.holidays)
		document.holidays = [row for row in document.holidays if getdate(row.holiday_date) != day]
		if off:
			document.append("holidays", {"holiday_date": day, "description": "x"})
		document.save()

	def test_punches_on_a_day_off(self) -> None:
		self.check_in(MONDAY, "09:00:00", "17:00:00")
		self.check_in(SUNDAY, "10:00:00", "13:00:00")
		self.judge()
		overtime = ("Attendance", {"employee": self.employee, "attendance_date": MONDAY}, "bridge_overtime")
		self.assertEqual((self.anomalies(), frappe.db.get_value(*overtime)), ({}, 0))

		# Monday has an Attendance, Sunday has none: HRMS marks none on days off.
		self.set_off(MONDAY, True)
		nightly.look_again([str(MONDAY), str(SUNDAY)])
		counting.count_all()
		expected = {(MONDAY, "Punch on Day Off"): "Open", (SUNDAY, "Punch on Day Off"): "Open"}
		self.assertEqual((self.anomalies(), frappe.db.get_value(*overtime)), (expected, 8 * 3600))

		for day in (MONDAY, SUNDAY):
			self.set_off(day, False)
		nightly.look_again([str(SUNDAY)])
		counting.count_all()
		self.assertEqual(self.anomalies(kind="Punch on Day Off"), dict.fromkeys(expected, "Resolved"))
		self.assertEqual(frappe.db.get_value(*overtime), 0)

	def test_leave_that_is_granted_and_cancelled(self) -> None:
		"""HRMS writes leave into the Attendance that is there, and takes that away with the leave."""
		# Less than an hour: HRMS calls it Absent.
		frappe.db.set_value("Shift Type", self.shift, "working_hours_threshold_for_absent", 1)
		frappe.clear_document_cache("Shift Type", self.shift)
		self.check_in(MONDAY, "09:00:00", "09:30:00")
		self.judge()
		leave = self.leave(MONDAY, MONDAY)
		self.assertTrue(due.something_is_due())
		counting.count_all()
		self.assertEqual(self.anomalies(), {(MONDAY, "Punch on Leave"): "Open"})

		leave.reload()
		leave.cancel()
		of_day = {"employee": self.employee, "attendance_date": MONDAY, "docstatus": 1}
		self.assertFalse(frappe.db.exists("Attendance", of_day))
		nightly.look_again([str(MONDAY)], [self.employee])
		self.assertEqual(self.anomalies(kind="Punch on Leave"), {(MONDAY, "Punch on Leave"): "Resolved"})

	def test_a_day_off_within_leave_is_no_leave(self) -> None:
		leave = self.leave(MONDAY, SUNDAY + timedelta(days=1))
		self.check_in(SUNDAY, "10:00:00", "13:00:00")
		found = days.load([self.employee], MONDAY, SUNDAY + timedelta(days=1), now=AFTERWARDS)
		sums = tally.tally(found)
		# Monday to Saturday and Monday: 7; Sunday is off.
		self.assertEqual((sums.leave, sums.off), (leave.total_leave_days, 1))
		self.assertEqual(leave.total_leave_days, 7)
		nightly.look_again([str(SUNDAY)], [self.employee])
		self.assertEqual(self.anomalies(), {(SUNDAY, "Punch on Day Off"): "Open"})

	def test_what_is_queued(self) -> None:
		queued = see_queued(self)
		self.set_off(TUESDAY, True)
		self.set_off(date(2026, 12, 30), True)  # to come
		changed_days_off.leave_changed(
			frappe._dict(employee=self.employee, from_date="2026-03-02", to_date="2026-03-03")
		)
		self.assertEqual(queued, [([str(TUESDAY)], None), ([str(MONDAY), str(TUESDAY)], [self.employee])])
