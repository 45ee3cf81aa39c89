"""A month of a factory, from its terminals to its salary slips, against a sheet worked out by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import frappe
from frappe.utils import getdate

from attendance_bridge.bench import jobs
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import payroll_office, payroll_plan, premises, terminals
from attendance_bridge.bench.tests.payroll_plan import DAY, FIRST, LAST, NIGHT, PEOPLE, Person
from attendance_bridge.bench.workdays import counting
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.hikvision import verbs as hikvision
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal

HOUR = 3600
DEPARTMENT = f"{premises.MARK} Mill"
LEAVE_TYPE = f"{premises.MARK} Unpaid"
_SHIFT = {
	"enable_auto_attendance": 1,
	"process_attendance_after": FIRST,
	"last_sync_of_checkin": datetime(2026, 5, 2, 12),
	"determine_check_in_and_check_out": "Alternating entries as IN and OUT during the same shift",
	"working_hours_calculation_based_on": "First Check-in and Last Check-out",
	"enable_late_entry_marking": 1,
	"late_entry_grace_period": 10,
	"enable_early_exit_marking": 1,
	"early_exit_grace_period": 10,
	"working_hours_threshold_for_half_day": 4,
	"working_hours_threshold_for_absent": 2,
	"mark_auto_attendance_on_holidays": 1,
}


class TestPayrollMonth(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		cls.addClassCleanup(cls._leave)
		payroll_office.open_office()
		cls._settle_payroll()
		cls.head = premises.user("mill-head", "Leave Approver", "Employee")
		cls.department = _department(cls.head)
		cls.shifts = {
			DAY: premises.shift_type("Day", "09:00:00", "17:00:00", after=480, **_SHIFT),
			NIGHT: premises.shift_type("Night", "22:00:00", "06:00:00", after=240, **_SHIFT),
		}
		_make_rules(cls.shifts)
		holidays = payroll_office.holiday_list("Mill", payroll_plan.HOLIDAY)
		cls.employees = {person.number: cls._hire(person, holidays) for person in PEOPLE}
		frappe.db.commit()

	@classmethod
	def _settle_payroll(cls) -> None:
		"""By attendance, half a day is half of one, and what nobody has marked is no absence."""
		settings = frappe.get_single("Payroll Settings")
		former = settings.payroll_based_on
		cls.addClassCleanup(frappe.db.commit)
		cls.addClassCleanup(frappe.db.set_single_value, "Payroll Settings", "payroll_based_on", former)
		frappe.db.set_single_value("Payroll Settings", "payroll_based_on", "Attendance")
		frappe.clear_document_cache("Payroll Settings", "Payroll Settings")

	@classmethod
	def _leave(cls) -> None:
		frappe.db.rollback()
		frappe.set_user("Administrator")
		approvals = frappe.get_all("Overtime Approval", {"department": cls.department}, pluck="name")
		premises.clear()
		frappe.db.delete("Overtime Approval", {"name": ("in", approvals or [""])})
		frappe.delete_doc("Department", cls.department, force=True, ignore_missing=True)
		frappe.db.commit()

	@classmethod
	def _hire(cls, person: Person, holidays: str) -> str:
		joined = date(2026, 4, person.joined) if person.joined else premises.JOINED
		rotates = len(person.shifts) > 1
		employee = premises.employee(
			person.number,
			device_user_id=_id(person),
			department=cls.department,
			date_of_joining=joined,
			relieving_date=date(2026, 4, person.left) if person.left else None,
			default_shift=None if rotates else cls.shifts[person.shifts[1]],
		)
		payroll_office.give_holidays(employee, holidays)
		payroll_office.assign(employee, payroll_plan.BASE, max(joined, date(2026, 1, 1)))
		if rotates:
			premises.assignment(employee, cls.shifts[DAY], FIRST, date(2026, 4, 15))
			premises.assignment(employee, cls.shifts[NIGHT], date(2026, 4, 16), LAST)
		if person.leave:
			_take_leave(employee, *(date(2026, 4, day) for day in person.leave))
		if person.half_leave:
			day = date(2026, 4, person.half_leave)
			_take_leave(employee, day, day, half_day=1, half_day_date=day)
		return employee

	def test_the_month_comes_to_what_was_worked_out_by_hand(self) -> None:
		self._punch_and_pull()
		for shift in self.shifts.values():
			frappe.get_doc("Shift Type", shift).process_auto_attendance()
		counting.count_all()
		self._approve()
		slips = {person.number: self._slip(person) for person in PEOPLE}
		for person in PEOPLE:
			with self.subTest(person=person.number):
				self.assertEqual(self._told(person, slips[person.number]), _sheet(person))

	def _punch_and_pull(self) -> None:
		"""Everybody comes past a Hikvision terminal and leaves past a ZKTeco terminal."""
		gate = HikvisionState(serial=f"{premises.MARK}HIKMILL")
		yard = ZktecoState(serial=f"{premises.MARK}ZKMILL")
		for person in PEOPLE:
			hikvision.enroll(gate, _id(person))
			yard.add_user(_id(person))
		passes = sorted((at, place, _id(person)) for person in PEOPLE for at, place in person.punches())
		for at, place, user_id in passes:
			if place == 0:
				hikvision.punch(gate, user_id, at=at.replace(tzinfo=terminals.ZONE))
			else:
				yard.record(user_id, at, VerifyMode.FINGER, DeviceKey.CHECK_OUT)
		for terminal, configure in (
			(HikvisionTerminal(gate), terminals.hikvision),
			(ZktecoTerminal(yard), terminals.zkteco),
		):
			terminal.start()
			self.addCleanup(terminal.stop)
			device = configure(terminal.port)
			frappe.db.commit()
			log = frappe.get_doc("Device Sync Log", jobs.pull_device(device, "Scheduler"))
			self.assertEqual(log.status, "Complete", log.as_dict())
		made = frappe.db.count("Employee Checkin", {"employee": ("in", list(self.employees.values()))})
		self.assertEqual(made, len(passes))

	def _approve(self) -> None:
		frappe.set_user(self.head)
		approval = frappe.get_doc(
			{
				"doctype": "Overtime Approval",
				"company": premises.company(),
				"department": self.department,
				"from_date": FIRST,
				"to_date": LAST,
			}
		)
		approval.get_overtime()
		numbers = {employee: number for number, employee in self.employees.items()}
		people = {person.number: person for person in PEOPLE}
		for row in approval.days:
			person, day = people[numbers[row.employee]], getdate(row.attendance_date).day
			if day == person.rejected:
				row.decision, row.remark = "Reject", "Nobody had asked for it"
			if day in person.cut:
				overtime, extra = person.cut[day]
				row.approved_overtime, row.approved_extra_overtime = overtime * HOUR, extra * HOUR
				row.remark = "Stayed for a part of it only"
		approval.insert()
		approval.submit()
		frappe.set_user("Administrator")
		self.assertEqual(approval.payroll_status, "All")

	def _slip(self, person: Person) -> Any:
		slip = payroll_office.slip(self.employees[person.number], FIRST, LAST)
		slip.submit()
		return slip

	def _told(self, person: Person, slip: Any) -> dict[str, float]:
		days = frappe.get_all(
			"Attendance",
			filters={
				"employee": self.employees[person.number],
				"attendance_date": ("between", (FIRST, LAST)),
				"docstatus": 1,
			},
			fields=["status", "late_entry", "early_exit"],
		)
		paid = {row.salary_component: row.amount for row in slip.earnings}
		return {
			"present": sum(day.status == "Present" for day in days),
			"half": sum(day.status == "Half Day" for day in days),
			"late": sum(day.late_entry for day in days),
			"early": sum(day.early_exit for day in days),
			"working days": slip.total_working_days,
			"absent": slip.absent_days,
			"unpaid leave": slip.leave_without_pay,
			"payment days": slip.payment_days,
			"basic": paid.pop(payroll_office.BASIC),
			"overtime": paid.pop(payroll_office.OVERTIME, 0.0),
			"extra": paid.pop(payroll_office.EXTRA, 0.0),
			"snacks": paid.pop(payroll_office.SNACKS, 0.0),
			"night bill": paid.pop(payroll_office.NIGHT_BILL, 0.0),
			"anything else": sum(paid.values()),
			"gross": slip.gross_pay,
		}


def _sheet(person: Person) -> dict[str, float]:
	"""The hand-computed line of somebody, in the shape of what HRMS says."""
	parts = (person.basic, person.overtime, person.extra, person.snacks, person.night_bill)
	return {
		"present": person.present,
		"half": person.half,
		"late": person.late,
		"early": person.early,
		"working days": 25,
		"absent": person.absent,
		"unpaid leave": person.unpaid_leave,
		"payment days": person.payment_days,
		"basic": person.basic,
		"overtime": person.overtime,
		"extra": person.extra,
		"snacks": person.snacks,
		"night bill": person.night_bill,
		"anything else": 0,
		"gross": sum(parts),
	}


def _id(person: Person) -> str:
	return f"77{person.number:03d}"


def _department(head: str) -> str:
	made = frappe.get_doc(
		{
			"doctype": "Department",
			"department_name": DEPARTMENT,
			"company": premises.company(),
			"leave_approvers": [{"approver": head}],
		}
	)
	return str(made.insert().name)


def _make_rules(shifts: dict[str, str]) -> None:
	payroll_office.rule("Day", shift_type=shifts[DAY], hourly_rate=12, day_off_multiplier=2)
	payroll_office.rule(
		"Night",
		shift_type=shifts[NIGHT],
		hour_is_worth="Share of the Salary",
		base_hours=200,
		overtime_multiplier=1.2,
		extra_overtime_multiplier=1.6,
	)


def _take_leave(employee: str, first: date, last: date, **values: Any) -> None:
	"""Approved leave without pay."""
	if not frappe.db.exists("Leave Type", LEAVE_TYPE):
		frappe.get_doc({"doctype": "Leave Type", "leave_type_name": LEAVE_TYPE, "is_lwp": 1}).insert()
	frappe.get_doc(
		{
			"doctype": "Leave Application",
			"employee": employee,
			"leave_type": LEAVE_TYPE,
			"from_date": first,
			"to_date": last,
			"leave_approver": "Administrator",
			"status": "Approved",
			"posting_date": first,
			"company": premises.company(),
			**values,
		}
	).insert().submit()
