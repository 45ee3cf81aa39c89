# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from attendance_bridge.bench.workdays import overtime_rules

_DEFAULT = overtime_rules.DEFAULT.overtime


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
		base_hours: DF.Float
		breaks_by_key_unpaid: DF.Check
		company: DF.Link | None
		day_off_multiplier: DF.Float
		days_off: DF.Literal["All of It Is Overtime", "As on Any Other Day"]
		deducted_break_minutes: DF.Int
		deducted_over_hours: DF.Float
		employee_grade: DF.Link | None
		enabled: DF.Check
		extra_overtime_begins: DF.Time
		extra_overtime_component: DF.Link | None
		extra_overtime_multiplier: DF.Float
		hour_is_worth: DF.Literal["", "Fixed Amount", "Share of the Salary"]
		hourly_rate: DF.Currency
		minimum_minutes: DF.Int
		overtime_begins: DF.Time
		overtime_component: DF.Link | None
		overtime_multiplier: DF.Float
		paid_break_minutes: DF.Int
		rounding_minutes: DF.Int
		rounding_mode: DF.Literal["Down", "Nearest", "Up"]
		shift_type: DF.Link | None
		standard_hours: DF.Float
		title: DF.Data
		within_shift: DF.Check
	# end: auto-generated types

	def __init__(self, *args: Any, **kwargs: Any) -> None:
		super().__init__(*args, **kwargs)
		# On insert Frappe would fill a Time field that is empty with the present time, whatever its default.
		self.overtime_begins = self.overtime_begins or str(_DEFAULT.begins)
		self.extra_overtime_begins = self.extra_overtime_begins or str(_DEFAULT.extra_begins)

	def validate(self) -> None:
		self._refuse_a_second()
		names = [row.allowance.strip() for row in self.allowances]
		if len(set(names)) < len(names):
			frappe.throw(_("Each allowance is named once."))
		self._check_components()
		try:
			overtime_rules.read(self)
		except ValueError:
			frappe.throw(
				_("Extra Overtime Begins must be later than Overtime Begins, and a step is a minute or more.")
			)

	def _check_components(self) -> None:
		"""Overtime is earned: a deduction would take it off the salary."""
		if self.hour_is_worth and not self.overtime_component:
			frappe.throw(_("Choose the salary component of overtime."), frappe.MandatoryError)
		names = {self.overtime_component, self.extra_overtime_component}
		names |= {row.salary_component for row in self.allowances}
		for name in sorted(names - {None, ""}):
			if frappe.db.get_value("Salary Component", name, "type") != "Earning":
				frappe.throw(_("{0} is no earning.").format(frappe.bold(name)))

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
