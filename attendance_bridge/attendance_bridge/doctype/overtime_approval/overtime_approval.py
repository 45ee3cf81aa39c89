# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import getdate

from attendance_bridge.bench.overtime import deciding, paying
from attendance_bridge.bench.workdays.choice import LONGEST_RANGE


class OvertimeApproval(Document):
	"""The overtime of some people in some time, and what whoever approves their leave decided about each day.

	What was counted is frozen when it is submitted: a day that comes to something else later is told, and
	neither paid nor taken back by itself.
	"""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from attendance_bridge.attendance_bridge.doctype.overtime_approval_day.overtime_approval_day import (
			OvertimeApprovalDay,
		)
		from attendance_bridge.attendance_bridge.doctype.overtime_payment.overtime_payment import (
			OvertimePayment,
		)

		amended_from: DF.Link | None
		approved_extra_overtime: DF.Duration | None
		approved_overtime: DF.Duration | None
		company: DF.Link
		days: DF.Table[OvertimeApprovalDay]
		department: DF.Link | None
		employee: DF.Link | None
		from_date: DF.Date
		payments: DF.Table[OvertimePayment]
		payroll_date: DF.Date | None
		payroll_status: DF.Literal["", "Nothing to Pay", "Not Yet", "Partly", "All"]
		people: DF.Int
		to_date: DF.Date
	# end: auto-generated types

	def onload(self) -> None:
		if self.docstatus == 1:
			self.set_onload("changed", deciding.changed(self.days))
			paid = paying.paid_by([row.additional_salary for row in self.payments if row.additional_salary])
			self.set_onload("paid", paid)

	def validate(self) -> None:
		self._check_dates()
		deciding.check_people(self)
		# Whatever a browser says of them: they are written after it is submitted.
		self.payments, self.payroll_status = [], ""
		if self.docstatus == 0:
			self._count_again()
		self._settle_days()
		self._sum_up()

	def before_submit(self) -> None:
		deciding.check_decided(self.days)
		for row in self.days:
			row.claim = deciding.CLAIMED

	def on_submit(self) -> None:
		paying.pay(self.name)
		self.reload()

	def before_cancel(self) -> None:
		deciding.check_decider(self.get_doc_before_save().days)

	def on_cancel(self) -> None:
		paying.take_back(self.get_doc_before_save())
		frappe.db.sql("UPDATE `tabOvertime Approval Day` SET `claim` = NULL WHERE `parent` = %s", self.name)

	def get_overtime(self) -> None:
		"""Put the days on the list that are waiting for a decision of the user."""
		self._check_dates()
		self.days = []
		for day in deciding.open_days(self):
			row = self.append(
				"days",
				{
					"employee": day.employee,
					"attendance_date": day.date,
					"decision": "Approve",
					"approve_allowances": 1,
				},
			)
			deciding.fill(row, day)
		self._sum_up()

	def _check_dates(self) -> None:
		if not self.from_date or not self.to_date:
			frappe.throw(_("A date is missing."), frappe.MandatoryError)
		first, last = getdate(self.from_date), getdate(self.to_date)
		if last < first or last - first > LONGEST_RANGE:
			frappe.throw(_("Choose a range of dates of at most one year."))
		if self.payroll_date and getdate(self.payroll_date) < first:
			frappe.throw(_("The payroll date lies before the overtime."))

	def _count_again(self) -> None:
		now = deciding.counted_now(self.days)
		for row in self.days:
			row.claim = None
			day = now.get((row.employee, getdate(row.attendance_date)))
			if day is not None:
				deciding.fill(row, day)
		# What has no overtime any more has nothing to be decided.
		self.days = [row for row in self.days if (row.employee, getdate(row.attendance_date)) in now]
		for place, row in enumerate(self.days, start=1):
			row.idx = place

	def _settle_days(self) -> None:
		seen = set()
		first, last = getdate(self.from_date), getdate(self.to_date)
		for row in self.days:
			day = getdate(row.attendance_date)
			if (row.employee, day) in seen or not first <= day <= last:
				frappe.throw(_("Row {0}: a day stands twice, or outside the dates.").format(row.idx))
			seen.add((row.employee, day))
			if row.decision == "Reject":
				row.approved_overtime = row.approved_extra_overtime = row.approve_allowances = 0
			for approved, counted in (
				(row.approved_overtime, row.overtime),
				(row.approved_extra_overtime, row.extra_overtime),
			):
				if not 0 <= (approved or 0) <= (counted or 0):
					frappe.throw(_("Row {0}: no more can be approved than was counted.").format(row.idx))

	def _sum_up(self) -> None:
		self.people = len({row.employee for row in self.days})
		self.approved_overtime = sum(int(row.approved_overtime or 0) for row in self.days)
		self.approved_extra_overtime = sum(int(row.approved_extra_overtime or 0) for row in self.days)
