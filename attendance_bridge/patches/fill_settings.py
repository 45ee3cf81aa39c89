"""Settings that are new begin with their defaults: on a site that is there already they would be empty."""

from __future__ import annotations

import frappe

SETTINGS = "Attendance Bridge Settings"


def execute() -> None:
	stored = frappe.db.get_singles_dict(SETTINGS)
	for field in frappe.get_meta(SETTINGS).fields:
		if field.default is not None and stored.get(field.fieldname) is None:
			frappe.db.set_single_value(SETTINGS, field.fieldname, field.default, update_modified=False)
