"""The company that bench tests work on: its people, shifts and assignments, and how to clear it away.

What a turn does is committed, so tests cannot lean on a rollback: everything made here is marked, and
`clear` removes it together with all that came of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any
from unittest.mock import patch

import frappe

from attendance_bridge.bench import compat

MARK = "ABT"
"""Employee numbers, shifts and terminals of tests begin with it."""

JOINED = date(2020, 1, 1)


def company() -> str:
	return frappe.get_all("Company", pluck="name", limit=1)[0]


def employee(number: int, *, device_user_id: str | None = None, **values: Any) -> str:
	"""A new employee; returns its name."""
	document = frappe.get_doc(
		{
			"doctype": "Employee",
			"first_name": f"Worker {number:03d}",
			"employee_number": f"{MARK}-{number:05d}",
			"company": company(),
			"gender": "Other",
			"date_of_birth": date(1990, 1, 1),
			"date_of_joining": JOINED,
			"status": "Active",
			"attendance_device_id": device_user_id,
			**values,
		}
	)
	with patch.object(frappe, "clear_cache", _empty_cache_of_one):
		return document.insert(ignore_permissions=True).name


_empty_cache = frappe.clear_cache


def _empty_cache_of_one(user: str | None = None, doctype: str | None = None) -> None:
	"""ERPNext empties every cache of the site with each Employee, and all doctypes are read anew after it."""
	if user or doctype:
		_empty_cache(user=user, doctype=doctype)


def shift_type(name: str, start: str, end: str, *, before: int = 60, after: int = 60, **values: Any) -> str:
	"""A Shift Type; times as "08:00:00", margins in minutes."""
	document = frappe.get_doc(
		{
			"doctype": "Shift Type",
			"__newname": f"{MARK} {name}",
			"start_time": start,
			"end_time": end,
			"begin_check_in_before_shift_start_time": before,
			"allow_check_out_after_shift_end_time": after,
			**values,
		}
	)
	return document.insert(ignore_permissions=True).name


def with_overtime() -> dict[str, Any]:
	"""Values of a Shift Type that allows overtime; empty where HRMS knows none (v15)."""
	if not compat.overtime_fields("Shift Type"):
		return {}
	document = frappe.get_doc(
		{
			"doctype": "Overtime Type",
			"__newname": f"{MARK} overtime",
			"overtime_salary_component": frappe.get_all("Salary Component", pluck="name", limit=1)[0],
			"overtime_calculation_method": "Fixed Hourly Rate",
			"hourly_rate": 10,
			"standard_multiplier": 1,
		}
	)
	return {"allow_overtime": 1, "overtime_type": document.insert(ignore_permissions=True).name}


def assignment(employee: str, shift: str, start: date, end: date | None = None) -> str:
	"""A submitted Shift Assignment."""
	document = frappe.get_doc(
		{
			"doctype": "Shift Assignment",
			"employee": employee,
			"company": company(),
			"shift_type": shift,
			"start_date": start,
			"end_date": end,
			"status": "Active",
		}
	)
	document.insert(ignore_permissions=True)
	document.submit()
	return document.name


def user(name: str, *roles: str) -> str:
	"""Somebody with just these roles, the same whenever asked for: Frappe lets few users be made an hour."""
	email = f"{MARK}-{name}@example.com".lower()
	if not frappe.db.exists("User", email):
		made = frappe.get_doc(
			{
				"doctype": "User",
				"email": email,
				"first_name": name,
				"send_welcome_email": 0,
				"user_type": "System User",
			}
		)
		made.append_roles(*roles)
		made.insert(ignore_permissions=True)
	return email


def elsewhere(act: Callable[[], object]) -> None:
	"""Run something in a transaction of another connection, and commit it."""
	site = frappe.local.site

	def run() -> None:
		frappe.init(site=site)
		frappe.connect()
		try:
			act()
			frappe.db.commit()
		finally:
			frappe.destroy()

	other = threading.Thread(target=run)
	other.start()
	other.join(20)


def own_employees() -> list[str]:
	return frappe.get_all("Employee", filters={"employee_number": ("like", f"{MARK}-%")}, pluck="name")


def clear() -> None:
	"""Remove everything that tests made, and commit."""
	people = own_employees() or [""]
	shifts = frappe.get_all("Shift Type", filters={"name": ("like", f"{MARK} %")}, pluck="name") or [""]
	_clear_overtime(people)
	clear_anomalies(people)
	for doctype in ("Employee Checkin", "Attendance", "Shift Assignment", "Employee Internal Work History"):
		column = "parent" if doctype == "Employee Internal Work History" else "employee"
		frappe.db.delete(doctype, {column: ("in", people)})
	clear_own_doctypes()
	frappe.db.delete("Employee", {"name": ("in", people)})
	frappe.db.delete("Shift Type", {"name": ("in", shifts)})
	if compat.overtime_fields("Shift Type"):
		frappe.db.delete("Overtime Type", {"name": ("like", f"{MARK} %")})
	frappe.db.commit()
	_forget_documents()


def _forget_documents() -> None:
	"""Empty the caches of what may be gone. What Frappe knows of doctypes stays: reading it takes long."""
	frappe.cache.delete_keys("document_cache::")
	frappe.db.value_cache.clear()


def clear_anomalies(people: list[str]) -> None:
	names = frappe.get_all("Attendance Anomaly", {"employee": ("in", people)}, pluck="name") or [""]
	for doctype, column in (
		("Comment", "reference_name"),
		("Attendance Anomaly Punch", "parent"),
		("Attendance Anomaly", "name"),
	):
		frappe.db.delete(doctype, {column: ("in", names)})


def _clear_overtime(people: list[str]) -> None:
	approvals = frappe.get_all(
		"Overtime Approval Day", filters={"employee": ("in", people)}, pluck="parent", distinct=True
	)
	for child in ("Overtime Approval Day", "Overtime Payment"):
		frappe.db.delete(child, {"parent": ("in", approvals or [""])})
	frappe.db.delete("Overtime Approval", {"name": ("in", approvals or [""])})
	slips = frappe.get_all("Salary Slip", filters={"employee": ("in", people)}, pluck="name")
	frappe.db.delete("Salary Detail", {"parent": ("in", slips or [""])})
	for doctype in ("Additional Salary", "Salary Structure Assignment", "Salary Slip", "Leave Application"):
		frappe.db.delete(doctype, {"employee": ("in", people)})
	if compat.overtime_fields("Attendance"):
		frappe.db.delete("Overtime Slip", {"employee": ("in", people)})
	if frappe.db.table_exists("Holiday List Assignment"):
		frappe.db.delete("Holiday List Assignment", {"assigned_to": ("in", people)})
	for doctype in ("Salary Detail", "Holiday"):
		frappe.db.delete(doctype, {"parent": ("like", f"{MARK} %")})
	for doctype in ("Salary Structure", "Salary Component", "Holiday List", "Leave Type"):
		frappe.db.delete(doctype, {"name": ("like", f"{MARK} %")})
	rules = frappe.get_all("Overtime Rule", filters={"name": ("like", f"{MARK} %")}, pluck="name")
	for rule in rules:
		frappe.delete_doc("Overtime Rule", rule, force=True)


def clear_own_doctypes() -> None:
	own = ("like", f"{MARK}%")
	for doctype in ("Punch Log", "Unreadable Record", "Device Sync Log", "Device Clock Log"):
		frappe.db.delete(doctype, {"device": own})
	frappe.db.delete("Attendance Bridge Alert", {"subject": own})
	frappe.db.delete("Device Shift", {"parent": own})
	frappe.db.delete("Device Configuration", {"name": own})
