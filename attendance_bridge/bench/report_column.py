"""A column of a Script Report."""

from __future__ import annotations

from typing import Any


def column(label: str, fieldname: str, fieldtype: str, width: int, **more: Any) -> dict[str, Any]:
	return {"label": label, "fieldname": fieldname, "fieldtype": fieldtype, "width": width, **more}


def employee_columns(label: str, name_label: str, department_label: str) -> list[dict[str, Any]]:
	"""Who it is; the labels come translated."""
	return [
		column(label, "employee", "Link", 150, options="Employee"),
		column(name_label, "employee_name", "Data", 160),
		column(department_label, "department", "Link", 130, options="Department"),
	]
