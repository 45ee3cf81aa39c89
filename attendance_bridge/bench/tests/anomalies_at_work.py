"""A company with a shift whose Monday HRMS judges, and what happens to its people, for tests of anomalies."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import frappe

from attendance_bridge.bench.anomalies import register
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import payroll_office, premises, terminals
from attendance_bridge.bench.workdays import counting

MONDAY = date(2026, 3, 2)
SHIFT = {
	"enable_auto_attendance": 1,
	"process_attendance_after": MONDAY,
	"last_sync_of_checkin": datetime(2026, 3, 3, 2),
	"determine_check_in_and_check_out": "Strictly based on Log Type in Employee Checkin",
	"working_hours_calculation_based_on": "Every Valid Check-in and Check-out",
	"working_hours_threshold_for_absent": 1,
}
HOSTILE = "<img src=x onerror=alert(1)> ' \" \\ %s {0} 日本"


PEOPLE: dict[int, str] = {}
"""Made once: what is cleared after each test is what happened to them."""


def set_up() -> None:
	clear()
	holidays = {
		"holiday_list_name": f"{premises.MARK} None",
		"from_date": "2026-01-01",
		"to_date": "2026-12-31",
	}
	if not frappe.db.exists("Holiday List", holidays["holiday_list_name"]):
		frappe.get_doc({"doctype": "Holiday List", **holidays}).insert()
	shift = premises.shift_type("Anomalies", "09:00:00", "17:00:00", after=480, **SHIFT)
	for number in range(1, 6):
		PEOPLE[number] = premises.employee(
			number,
			device_user_id=f"abt{number}",
			default_shift=shift,
			department=department(),
		)
		payroll_office.give_holidays(PEOPLE[number], holidays["holiday_list_name"])
	for number, site in ((1, "North"), (2, "South"), (3, "North")):
		terminals.silent(number, branch=branch(site))
	frappe.db.commit()


def tear_down() -> None:
	clear()


def clear() -> None:
	clear_what_happened()
	premises.clear()
	for doctype in ("Holiday List", "Branch"):
		frappe.db.delete(doctype, {"name": ("like", f"{premises.MARK} %")})
	frappe.db.commit()


def clear_what_happened() -> None:
	frappe.set_user("Administrator")
	people = premises.own_employees() or [""]
	premises.clear_anomalies(people)
	checkins = frappe.get_all("Employee Checkin", {"employee": ("in", people)}, pluck="name") or [""]
	frappe.db.delete("Comment", {"reference_name": ("in", checkins)})
	for doctype in ("Attendance Request", "Attendance", "Employee Checkin"):
		frappe.db.delete(doctype, {"employee": ("in", people)})
	frappe.db.delete("Punch Log", {"device": ("like", f"{premises.MARK} %")})


class Anomalies(IntegrationTestCase):
	"""A company with a shift of 9 to 5, whose Monday is judged."""

	shift = f"{premises.MARK} Anomalies"

	def setUp(self) -> None:
		self.addCleanup(frappe.db.commit)
		self.addCleanup(clear_what_happened)
		self.addCleanup(self._set_shift, **SHIFT, holiday_list=None)

	def _set_shift(self, **values: Any) -> None:
		frappe.db.set_value("Shift Type", self.shift, values)
		frappe.clear_document_cache("Shift Type", self.shift)

	def employee(self, number: int, **values: Any) -> str:
		if values:
			former = frappe.db.get_value("Employee", PEOPLE[number], list(values), as_dict=True)
			self.addCleanup(frappe.db.set_value, "Employee", PEOPLE[number], former)
			frappe.db.set_value("Employee", PEOPLE[number], values)
		return PEOPLE[number]

	def check_in(self, employee: str, *punches: str, day: date = MONDAY) -> list[Any]:
		"""Check-ins, each as "IN 09:00"."""
		return [
			frappe.get_doc(
				{
					"doctype": "Employee Checkin",
					"employee": employee,
					"time": f"{day} {punch.split()[1]}:00",
					"log_type": punch.split()[0],
				}
			).insert()
			for punch in punches
		]

	def judge(self) -> None:
		frappe.get_doc("Shift Type", self.shift).process_auto_attendance()
		counting.count_all()

	def found(self, employee: str | None = None, **filters: Any) -> list[Any]:
		people = [employee] if employee else premises.own_employees()
		return frappe.get_all(
			register.DOCTYPE,
			filters={"employee": ("in", people), **filters},
			fields=["*"],
			order_by="attendance_date, kind, employee",
		)

	def kinds(self, employee: str, state: str = "Open") -> list[str]:
		return [row.kind for row in self.found(employee, state=state)]

	def one(self, employee: str, **filters: Any) -> Any:
		(row,) = self.found(employee, **filters)
		return row

	def comments(self, name: str) -> list[str]:
		filters = {"reference_doctype": register.DOCTYPE, "reference_name": name}
		return frappe.get_all("Comment", filters, pluck="content", order_by="creation")

	def attendance(self, employee: str, day: date = MONDAY) -> Any:
		return frappe.db.get_value(
			"Attendance", {"employee": employee, "attendance_date": day, "docstatus": 1}, "*", as_dict=True
		)


def statements(act: Any) -> int:
	act()  # what is read once and kept is read, and what is to be written is written
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


def department() -> str:
	return str(frappe.get_all("Department", {"company": premises.company()}, pluck="name", limit=1)[0])


def branch(name: str) -> str:
	full_name = f"{premises.MARK} {name}"
	if not frappe.db.exists("Branch", full_name):
		frappe.get_doc({"doctype": "Branch", "branch": full_name}).insert()
	return full_name
