# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document


class PayrollExportProfile(Document):
	"""The columns of the report Payroll Export as a payroll program wants them, in their order."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from attendance_bridge.attendance_bridge.doctype.payroll_export_column.payroll_export_column import (
			PayrollExportColumn,
		)

		columns: DF.Table[PayrollExportColumn]
		title: DF.Data
	# end: auto-generated types

	def validate(self) -> None:
		headers = [(row.header or row.source).strip() for row in self.columns]
		if len(set(headers)) < len(headers):
			frappe.throw(_("Two columns have the same header."))
