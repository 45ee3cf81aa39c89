# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document

from attendance_bridge.bench.workdays import overtime_rules


class OvertimeRule(Document):
	"""How overtime is counted for whom. `bench.workdays.overtime_rules` chooses and reads it."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from attendance_bridge.attendance_bridge.doctype.overtime_allowance.overtime_allowance import (
			OvertimeAllowance,
		)

		allowances: DF.Table[OvertimeAllowance]
		breaks_by_key_unpaid: DF.Check
		company: DF.Link | None
		days_off: DF.Literal["All of It Is Overtime", "As on Any Other Day"]
		deducted_break_minutes: DF.Int
		deducted_over_hours: DF.Float
		employee_grade: DF.Link | None
		enabled: DF.Check
		extra_overtime_begins: DF.Time
		minimum_minutes: DF.Int
		overtime_begins: DF.Time
		paid_break_minutes: DF.Int
		rounding_minutes: DF.Int
		rounding_mode: DF.Literal["Down", "Nearest", "Up"]
		shift_type: DF.Link | None
		standard_hours: DF.Float
		title: DF.Data
		within_shift: DF.Check
	# end: auto-generated types

	def validate(self) -> None:
		self._refuse_a_second()
		names = [row.allowance.strip() for row in self.allowances]
		if len(set(names)) < len(names):
			frappe.throw(_("Each allowance is named once."))
		try:
			overtime_rules.read(self)
		except ValueError:
			frappe.throw(
				_("Extra Overtime Begins must be later than Overtime Begins, and a step is a minute or more.")
			)

	def _refuse_a_second(self) -> None:
		"""Of two that fit the same people, nobody could say which counts."""
		if not self.enabled:
			return
		same = {
			field: ("is", "not set") if not self.get(field) else self.get(field)
			for field in overtime_rules.FITS
		}
		other = frappe.db.get_value("Overtime Rule", {"enabled": 1, "name": ("!=", self.name or ""), **same})
		if other:
			frappe.throw(_("{0} is for the same people. Disable one of the two.").format(frappe.bold(other)))
