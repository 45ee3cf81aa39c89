"""Whose days, and which terminals, somebody may see: by relation, and by their User Permissions."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.utils import cint

from attendance_bridge.bench.permissions import visible_employees

_OF_DAYS = (None, "", "Employee", "Attendance")
"""A User Permission for one of these doctypes, or for all, counts."""


def narrow(query: Any, employee: Any) -> Any:
	"""Leave the employees whose days who asks may see.

	:param query: of `frappe.qb`, on Employee.
	:param employee: its `DocType("Employee")`.
	"""
	visible = visible_employees()
	if visible is not None:
		query = query.where(employee.name.isin(visible or [""]))
	given = get_user_permissions(frappe.session.user)
	if not given:
		return query
	strict = cint(frappe.get_system_settings("apply_strict_user_permissions"))
	for doctype, fieldname in _links():
		# ERPNext gives each employee one for their own record, the head of a department as well: of those
		# who see by relation it says nothing.
		if doctype == "Employee" and visible is not None:
			continue
		allowed = [each.doc for each in given.get(doctype, ()) if each.applicable_for in _OF_DAYS]
		if allowed:
			column = employee[fieldname]
			condition = column.isin(allowed)
			query = query.where(condition if strict else condition | column.isnull() | (column == ""))
	return query


def _links() -> list[tuple[str, str]]:
	"""Doctype and field, for each that Frappe lets a User Permission narrow a list of Employee by."""
	fields = frappe.get_meta("Employee").get_link_fields()
	return [
		("Employee", "name"),
		*((field.options, field.fieldname) for field in fields if not field.ignore_user_permissions),
	]


def hidden_devices() -> tuple[str, ...]:
	"""The terminals that a User Permission hides from who asks.

	:raises frappe.PermissionError: who asks may read none.
	"""
	seen = set(frappe.get_list("Device Configuration", pluck="name", limit_page_length=0))
	everything = frappe.get_all("Device Configuration", pluck="name", order_by=None)
	return tuple(name for name in everything if name not in seen)
