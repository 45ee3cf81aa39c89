"""Hands approved overtime to the payroll, once, and takes it back.

A payment is a row of the approval, one for each employee and salary component (unique in the database), with
the Additional Salary that HRMS's Salary Slip takes up. Where a day has a kind of overtime of HRMS (v16), its
hours go through HRMS's own Overtime Slip instead, and HRMS makes the Additional Salary.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import flt, getdate, strip_html

from attendance_bridge.bench import background, compat
from attendance_bridge.bench.overtime.rates import Account, Due, Rates

APPROVAL = "Overtime Approval"
_SAVEPOINT = "attendance_bridge_overtime"
_HOUR = 3600
_LONGEST_NOTE = 300


def pay(name: str) -> None:
	"""Make what is still missing of the payments of an approval; what stands is left alone.

	One at a time for an approval. Whoever cannot be paid (no Salary Structure, left meanwhile) keeps a note
	of why, and nobody else's payment is held up by it.
	"""
	if _make_missing(name):
		background.queue_hand_over(name)


def hand_over(name: str) -> None:
	"""Background job: as the system, make what HRMS let whoever approved the list not make.

	Nothing but what was approved is handed on, and whoever approved it was asked for the right to: HRMS's
	Overtime Slip makes its Additional Salaries in the name of whoever submits it, and asks once more.
	"""
	frappe.set_user("Administrator")
	_make_missing(name)
	frappe.get_doc(APPROVAL, name).notify_update()  # a form that is open shows it


def _make_missing(name: str) -> bool:
	"""Whether HRMS refused something because of who asked for it."""
	approval = frappe.get_doc(APPROVAL, name, for_update=True)
	if approval.docstatus != 1:
		return False
	_drop_what_fell_through(approval)
	days = [row for row in approval.days if row.decision == "Approve"]
	employees = sorted({row.employee for row in days})
	rates = Rates.load(employees)
	accounts = rates.accounts(days, approval.company)
	slips = Slips.load(employees, getdate(approval.from_date))
	payer = _Payer(approval, rates, slips)
	for employee in employees:
		payer.pay(employee, accounts[employee], [row for row in days if row.employee == employee])
	_settle(approval)
	return payer.left_over


def take_back(approval: Any) -> None:
	"""Cancel what an approval had handed to the payroll, when it is cancelled.

	:raises frappe.ValidationError: some of it is in a Salary Slip that was submitted.
	"""
	salaries = [row.additional_salary for row in approval.payments if row.additional_salary]
	for salary, slip in paid_by(salaries).items():
		frappe.throw(
			_("Additional Salary {0} is paid by Salary Slip {1}. Cancel that one first.").format(salary, slip)
		)
	for salary in salaries:
		_cancel("Additional Salary", salary)
	for slip in {row.overtime_slip for row in approval.payments if row.overtime_slip}:
		_cancel("Overtime Slip", slip)


def paid_by(salaries: Collection[str]) -> dict[str, str]:
	"""Which of these Additional Salaries are in a submitted Salary Slip, and in which. One statement."""
	return dict(
		frappe.db.sql(
			"SELECT `additional_salary`, `parent` FROM `tabSalary Detail` WHERE `additional_salary` IN %s"
			" AND `parenttype` = 'Salary Slip' AND `docstatus` = 1",
			(tuple(salaries) or ("",),),
		)
	)


class Slips:
	"""The Salary Slips that are made already: what is due in their time goes to the next one."""

	def __init__(self, rows: Sequence[Any]) -> None:
		self._of: dict[str, list[Any]] = defaultdict(list)
		for row in rows:
			self._of[row.employee].append(row)

	@classmethod
	def load(cls, employees: Collection[str], first: date) -> Slips:
		"""One statement."""
		return cls(
			frappe.db.sql(
				"SELECT `name`, `employee`, `start_date`, `end_date` FROM `tabSalary Slip`"
				" WHERE `docstatus` = 1 AND `employee` IN %s AND `end_date` >= %s ORDER BY `start_date`",
				(tuple(employees) or ("",), first),
				as_dict=True,
			)
		)

	def next_date(self, employee: str, wanted: date) -> tuple[date, str | None]:
		"""The first date from the wanted one on that no slip has paid, and the slip that was in the way."""
		passed = None
		for slip in self._of.get(employee, ()):
			if slip.start_date <= wanted <= slip.end_date:
				wanted, passed = slip.end_date + timedelta(days=1), slip.name
		return wanted, passed


class _Payer:
	"""Makes the payments of one approval, a person at a time."""

	def __init__(self, approval: Any, rates: Rates, slips: Slips) -> None:
		self._approval = approval
		self._rates = rates
		self._slips = slips
		self._precision = int(frappe.db.get_single_value("System Settings", "currency_precision") or 2)
		self._standing = {
			(row.employee, row.salary_component): (row.hours, row.times)
			for row in approval.payments
			if row.additional_salary and not row.overtime_slip
		}
		self._slipped = {row.employee for row in approval.payments if row.overtime_slip}
		self.left_over = False

	def pay(self, employee: str, account: Account, days: Sequence[Any]) -> None:
		wanted = self._rates.while_employed(employee, _wanted(self._approval))
		day, passed = self._slips.next_date(employee, wanted)
		note = _("Salary Slip {0} is made already: paid with the next one.").format(passed) if passed else ""
		missing = {
			component: due
			for component, due in account.sums.items()
			if flt(due.amount, self._precision) and (employee, component) not in self._standing
		}
		if missing and self._was_paid_otherwise(employee, account):
			self._add(
				days[0],
				note=_(
					"The Overtime Rule has changed since a part was handed on. Cancel the list and amend it"
					" to pay by the new one."
				),
			)
			missing = {}
		for component, due in missing.items():
			self._try(days[0], lambda c=component, d=due: self._salary(days[0], c, d, day, note))
		own = [
			row
			for row in days
			if row.overtime_type and (row.approved_overtime or row.approved_extra_overtime)
		]
		if own and employee not in self._slipped:
			self._try(days[0], lambda: self._overtime_slip(own, day, note))
		for text in account.notes:
			self._add(days[0], note=text)

	def _was_paid_otherwise(self, employee: str, account: Account) -> bool:
		"""Whether what was handed on already stood for other hours than the rules say now: the same hour
		under another component would be paid twice."""
		sums = account.sums
		return any(
			component not in sums or (round(sums[component].hours, 2), sums[component].times) != handed_on
			for (name, component), handed_on in self._standing.items()
			if name == employee
		)

	def _try(self, person: Any, act: Callable[[], None]) -> None:
		frappe.db.savepoint(_SAVEPOINT)
		try:
			act()
		except frappe.ValidationError as error:
			frappe.db.rollback(save_point=_SAVEPOINT)
			frappe.clear_last_message()
			self._add(person, note=strip_html(str(error))[:_LONGEST_NOTE])
		except frappe.PermissionError:
			frappe.db.rollback(save_point=_SAVEPOINT)
			frappe.clear_last_message()
			self.left_over = True
			self._add(person, note=_("Handed to the payroll in the background, within a minute or two."))

	def _salary(self, person: Any, component: str, due: Due, day: date, note: str) -> None:
		salary = frappe.get_doc(
			{
				"doctype": "Additional Salary",
				"employee": person.employee,
				"company": self._approval.company,
				"currency": self._rates.currency(person.employee, day),
				"salary_component": component,
				"amount": flt(due.amount, self._precision),
				"payroll_date": day,
				"overwrite_salary_structure_amount": 0,
				"ref_doctype": APPROVAL,
				"ref_docname": self._approval.name,
			}
		)
		_submit(salary)
		self._add(
			person,
			salary_component=component,
			hours=round(due.hours, 2),
			times=due.times,
			payroll_date=day,
			additional_salary=salary.name,
			note=note,
		)

	def _overtime_slip(self, days: Sequence[Any], day: date, note: str) -> None:
		slip = compat.overtime_slip(self._approval, days)
		_submit(slip)
		made = frappe.get_all(
			"Additional Salary",
			filters={"ref_doctype": slip.doctype, "ref_docname": slip.name, "docstatus": 1},
			fields=["name", "salary_component", "payroll_date"],
		)
		hours = sum((row.approved_overtime or 0) + (row.approved_extra_overtime or 0) for row in days) / _HOUR
		for salary in made or [frappe._dict()]:
			if salary.name and salary.payroll_date != day:
				frappe.db.set_value("Additional Salary", salary.name, "payroll_date", day)
			self._add(
				days[0],
				salary_component=salary.salary_component,
				hours=round(hours, 2),
				payroll_date=day if salary.name else None,
				additional_salary=salary.name,
				overtime_slip=slip.name,
				note=note if salary.name else _("HRMS's Overtime Slip came to no amount."),
			)

	def _add(self, person: Any, **values: Any) -> None:
		row = self._approval.append(
			"payments",
			{
				"employee": person.employee,
				"employee_name": person.employee_name,
				"overtime_slip": "",  # not NULL, of which a unique key would allow many
				**values,
			},
		)
		row.docstatus = 1
		row.db_insert()


def _wanted(approval: Any) -> date:
	return getdate(approval.payroll_date or approval.to_date)


def _drop_what_fell_through(approval: Any) -> None:
	"""Notes are written anew, and a payment is forgotten that no Salary Slip will ever take up."""
	salaries = [row.additional_salary for row in approval.payments if row.additional_salary]
	paid = paid_by(salaries)
	missed = _missed(salaries)
	kept = []
	for row in approval.payments:
		if row.additional_salary and (row.additional_salary in paid or row.additional_salary not in missed):
			kept.append(row)
			continue
		if row.additional_salary:
			_cancel("Additional Salary", row.additional_salary)
		if row.overtime_slip:
			_cancel("Overtime Slip", row.overtime_slip)
		frappe.db.delete(row.doctype, {"name": row.name})
	approval.payments = kept


def _missed(salaries: Collection[str]) -> set[str]:
	"""Additional Salaries that are cancelled or gone, or whose time a Salary Slip has paid without them."""
	if not salaries:
		return set()
	standing = frappe.db.sql_list(
		"SELECT s.`name` FROM `tabAdditional Salary` s WHERE s.`name` IN %s AND s.`docstatus` = 1"
		" AND NOT EXISTS (SELECT 1 FROM `tabSalary Slip` p WHERE p.`docstatus` = 1"
		" AND p.`employee` = s.`employee` AND s.`payroll_date` BETWEEN p.`start_date` AND p.`end_date`)",
		(tuple(salaries),),
	)
	return set(salaries) - set(standing)


def _settle(approval: Any) -> None:
	made = [row for row in approval.payments if row.additional_salary]
	missing = [row for row in approval.payments if not row.additional_salary]
	status = ("Partly" if missing else "All") if made else ("Not Yet" if missing else "Nothing to Pay")
	frappe.db.set_value(APPROVAL, approval.name, "payroll_status", status, update_modified=False)


def _submit(document: Any) -> None:
	# Whoever approves overtime need not have a right to salaries.
	document.flags.ignore_permissions = True
	document.insert()
	document.submit()


def _cancel(doctype: str, name: str) -> None:
	"""Cancel, if it still stands. The approval itself links to it: that is no hindrance."""
	if frappe.db.get_value(doctype, name, "docstatus") != 1:
		return
	document = frappe.get_doc(doctype, name)
	document.flags.ignore_permissions = True
	document.flags.ignore_links = True
	document.cancel()
