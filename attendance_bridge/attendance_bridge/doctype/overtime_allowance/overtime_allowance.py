# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from frappe.model.document import Document


class OvertimeAllowance(Document):
	"""A name, and the hours of extra overtime in a day that give a right to it."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		allowance: DF.Data
		amount: DF.Currency
		from_hours: DF.Float
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		salary_component: DF.Link | None
	# end: auto-generated types
