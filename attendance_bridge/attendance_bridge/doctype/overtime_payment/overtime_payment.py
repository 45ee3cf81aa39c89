# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe.model.document import Document


class OvertimePayment(Document):
	"""How overtime of one person reaches the payroll, or why not. `bench.overtime.paying` writes it."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		additional_salary: DF.Link | None
		employee: DF.Link | None
		employee_name: DF.Data | None
		hours: DF.Float
		note: DF.SmallText | None
		overtime_slip: DF.Data | None
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		payroll_date: DF.Date | None
		salary_component: DF.Link | None
		times: DF.Int
	# end: auto-generated types


def on_doctype_update() -> None:
	# A person is paid once for an approval and a component, beside what an Overtime Slip of HRMS pays;
	# notes have no component.
	frappe.db.add_unique(
		"Overtime Payment",
		["parent", "employee", "salary_component", "overtime_slip"],
		constraint_name="handed_on_once",
	)
