"""What the Desk asks about faces. Each endpoint: permission, then one act."""

from __future__ import annotations

import frappe

from attendance_bridge.bench import erasing, permissions


@frappe.whitelist(methods=["POST"])
def withdraw(employee: str) -> None:
	"""Take back an employee's consent and erase their face everywhere: by HR, or by the employee."""
	permissions.require_own_or_role(employee, "HR Manager", "HR User")
	erasing.withdraw_at_the_desk(employee)


@frappe.whitelist(methods=["POST"])
def erase(employee: str) -> None:
	"""Erase an employee's face everywhere, leaving the consent alone."""
	permissions.require_role("HR Manager", "HR User")
	frappe.get_doc("Employee", employee).check_permission("read")
	erasing.erase_at_the_desk(employee)
