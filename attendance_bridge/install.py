"""What the app needs on a site beside its own doctypes."""

from __future__ import annotations

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

from attendance_bridge.custom_fields import CUSTOM_FIELDS

AGENT_ROLE = "Attendance Device Agent"
"""Of the users as whom Edge Agents sign in. No doctype grants it anything; endpoints ask for it."""

CHECKIN_INDEX = "attendance_bridge_employee_time"
"""On Employee Checkin. Whether one stands already is asked for every punch, and HRMS has no index for it."""

INDEXES = (
	("Employee Checkin", ("employee", "time"), CHECKIN_INDEX),
	# The Attendance of a day is asked for with every check-in.
	("Attendance", ("employee", "attendance_date"), "attendance_bridge_employee_date"),
	# What HRMS has written into one silently shows there; Frappe v16 has no such index.
	("Attendance", ("modified",), "attendance_bridge_modified"),
)
"""Doctypes of HRMS, the columns, and the name of our index on them."""


def after_install() -> None:
	create_agent_role()
	create_custom_fields(CUSTOM_FIELDS, update=True)
	add_indexes()


def create_agent_role() -> None:
	if not frappe.db.exists("Role", AGENT_ROLE):
		frappe.get_doc({"doctype": "Role", "role_name": AGENT_ROLE, "desk_access": 0, "is_custom": 0}).insert(
			ignore_permissions=True
		)


def add_indexes() -> None:
	for doctype, columns, name in INDEXES:
		if not _has_index_of_its_own(doctype, columns):
			frappe.db.add_index(doctype, list(columns), name)


def _has_index_of_its_own(doctype: str, columns: tuple[str, ...]) -> bool:
	"""Whether Frappe indexes that one column already."""
	return len(columns) == 1 and bool(frappe.db.get_column_index(f"tab{doctype}", columns[0]))
