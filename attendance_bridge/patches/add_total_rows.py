"""Reports from before they had a total row get it: Frappe never updates that field of a report by itself."""

from __future__ import annotations

import frappe

_WITH_TOTAL = (
	"Monthly Timesheet",
	"Overtime and Eligibility",
)


def execute() -> None:
	for report in _WITH_TOTAL:
		frappe.db.set_value("Report", report, "add_total_row", 1, update_modified=False)
