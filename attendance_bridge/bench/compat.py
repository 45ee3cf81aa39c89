"""What differs between the versions of Frappe and HRMS that this app runs on, v15 and v16, and nowhere else.

It goes by what is there, not by version numbers: what is carried back to v15 then works unasked, and so does
a distribution that counts its versions in its own way. The base class of tests has its shim in
`bench.testing`, so that nothing on a working site loads Frappe's test code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import frappe
from frappe.utils import getdate

_OVERTIME_TYPE = "overtime_type"
_HALF_DAY = "is_half_day"


def overtime_fields(doctype: str) -> tuple[str, ...]:
	"""`overtime_type` where a doctype of HRMS has it, else nothing.

	v16: a Shift Type and a Shift Assignment name a kind of overtime, HRMS's shift functions hand it on under
	this name, and `insert()` writes it on the check-in. v15 knows no overtime.
	"""
	return (_OVERTIME_TYPE,) if frappe.get_meta(doctype).has_field(_OVERTIME_TYPE) else ()


def is_searched(doctype: str) -> bool:
	"""Whether an app's full-text search covers a doctype, so that `insert()` puts documents into its index.

	v16: apps declare searches by the hook `sqlite_search`. v15 has neither the hook nor the index.
	"""
	return any(
		doctype in getattr(frappe.get_attr(path), "INDEXABLE_DOCTYPES", ())
		for path in frappe.get_hooks("sqlite_search")
	)


def assigned_holiday_lists(
	employees: Iterable[str],
) -> dict[str, list[tuple[date, str]]] | None:
	"""From when on which Holiday List counts for employees, and for every company; None where they name their
	own.

	v16: the doctype Holiday List Assignment says so. v15: a field of Employee and one of Company.
	"""
	if not frappe.db.table_exists("Holiday List Assignment"):
		return None
	rows = frappe.get_all(
		"Holiday List Assignment",
		filters={"docstatus": 1},
		or_filters={"assigned_to": ("in", sorted(employees) or [""]), "applicable_for": "Company"},
		fields=["assigned_to", "from_date", "holiday_list"],
		order_by="from_date",
	)
	lists: dict[str, list[tuple[date, str]]] = defaultdict(list)
	for row in rows:
		lists[row.assigned_to].append((row.from_date, row.holiday_list))
	return lists


def owners_of_holiday_list(name: str) -> list[str]:
	"""The employees and companies that a Holiday List has ever counted for.

	v16: the doctype Holiday List Assignment says so. v15: a field of Employee and one of Company.
	"""
	if frappe.db.table_exists("Holiday List Assignment"):
		filters = {"docstatus": 1, "holiday_list": name}
		assigned: list[str] = frappe.get_all("Holiday List Assignment", filters, pluck="assigned_to")
		return assigned
	people: list[str] = frappe.get_all("Employee", {"holiday_list": name}, pluck="name")
	companies: list[str] = frappe.get_all("Company", {"default_holiday_list": name}, pluck="name")
	return people + companies


def half_holiday_field() -> tuple[str, ...]:
	"""`is_half_day` where the rows of a Holiday List have it, else nothing.

	v16: only half of such a date is off. HRMS's auto attendance halves its thresholds there; payroll and
	leave take it for a whole holiday. v15 knows whole ones only.
	"""
	return (_HALF_DAY,) if frappe.get_meta("Holiday").has_field(_HALF_DAY) else ()


def words_of(error: Exception) -> str:
	"""What Frappe or HRMS says when it refuses something, as one text; it may hold HTML.

	v16: an Attendance Request is refused with a table of headings and a row a day. v15: with a sentence.
	"""
	said = error.args[0] if error.args else ""
	if not isinstance(said, list):
		return str(error)
	rows = [row if isinstance(row, list) else [row] for row in said]
	return "; ".join(", ".join(str(cell) for cell in row) for row in rows[1:] or rows)


def overtime_slip(approval: Any, days: Sequence[Any]) -> Any:
	"""HRMS's Overtime Slip for days of one person, with the hours that were approved; not saved.

	v16 only: `overtime_fields("Attendance")` is not empty where there is one.

	:param days: rows of Overtime Approval Day that have an overtime type.
	"""
	return frappe.get_doc(
		{
			"doctype": "Overtime Slip",
			"employee": days[0].employee,
			"employee_name": days[0].employee_name,
			"company": approval.company,
			"posting_date": approval.to_date,
			"start_date": getdate(approval.from_date),
			"end_date": getdate(approval.to_date),
			"overtime_details": [
				{
					"reference_document": day.attendance,
					"date": day.attendance_date,
					"overtime_type": day.overtime_type,
					"overtime_duration": ((day.approved_overtime or 0) + (day.approved_extra_overtime or 0))
					/ 3600,
					"standard_working_hours": day.standard_hours,
				}
				for day in days
			],
		}
	)
