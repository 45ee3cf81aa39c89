# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe.model.document import Document


class OvertimeApprovalDay(Document):
	"""One person on one date. `bench.overtime.deciding` fills and checks it."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		allowances: DF.Data | None
		approve_allowances: DF.Check
		approved_extra_overtime: DF.Duration | None
		approved_overtime: DF.Duration | None
		attendance: DF.Link | None
		attendance_date: DF.Date
		claim: DF.Data | None
		day_off: DF.Check
		decision: DF.Literal["Approve", "Reject"]
		employee: DF.Link
		employee_name: DF.Data | None
		extra_overtime: DF.Duration | None
		overtime: DF.Duration | None
		overtime_type: DF.Data | None
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		remark: DF.Data | None
		shift: DF.Link | None
		standard_hours: DF.Float
		why: DF.SmallText | None
	# end: auto-generated types


def on_doctype_update() -> None:
	# A day is decided once, whoever is quicker: `claim` is empty (NULL) on drafts and on what was cancelled.
	frappe.db.add_unique(
		"Overtime Approval Day", ["employee", "attendance_date", "claim"], constraint_name="decided_once"
	)
