"""The fields and the index of the working day on Attendance, for sites that had the app before them."""

from __future__ import annotations

from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

from attendance_bridge.custom_fields import CUSTOM_FIELDS
from attendance_bridge.install import add_indexes


def execute() -> None:
	create_custom_fields(CUSTOM_FIELDS, update=True)
	add_indexes()
