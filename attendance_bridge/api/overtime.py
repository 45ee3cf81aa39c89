"""Overtime that waits for a decision, and approved overtime that waits for the payroll."""

from __future__ import annotations

from typing import Any

import frappe

from attendance_bridge.bench.overtime import paying


@frappe.whitelist()
def waiting(
	company: str,
	from_date: str,
	to_date: str,
	department: str | None = None,
	employee: str | None = None,
) -> list[dict[str, Any]]:
	"""The days that the caller may decide about and nobody has decided, as rows of an Overtime Approval."""
	frappe.has_permission(paying.APPROVAL, "create", throw=True)
	approval = frappe.new_doc(paying.APPROVAL)
	approval.update({"company": company, "from_date": from_date, "to_date": to_date})
	approval.update({"department": department, "employee": employee})
	approval.get_overtime()
	return [row.as_dict(no_default_fields=True) for row in approval.days]


@frappe.whitelist(methods=["POST"])
def pay_again(approval: str) -> None:
	"""Try once more to hand to the payroll what could not be handed to it."""
	frappe.has_permission(paying.APPROVAL, "submit", throw=True)
	frappe.get_doc(paying.APPROVAL, approval).check_permission("submit")
	paying.pay(approval)
