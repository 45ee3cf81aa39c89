"""How far the overtime of people has come: waiting, approved, rejected, paid; for reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import frappe

from attendance_bridge.bench.overtime import counted, deciding


@dataclass(slots=True, kw_only=True)
class Standing:
	"""Of one employee; spans in seconds, overtime and extra overtime together."""

	waiting: int = 0
	"""Counted, and nobody has decided."""
	approved: int = 0
	"""Of it `paid` is in a Salary Slip that was submitted."""
	rejected: int = 0
	paid: int = 0
	changed: int = 0
	"""Days that came to something else since they were decided."""


def of(employees: Collection[str], first: date, last: date) -> dict[str, Standing]:
	"""The standing of those who have any overtime. Three statements, however many people."""
	standings: dict[str, Standing] = defaultdict(Standing)
	now = counted.load(employees, first, last)
	decided = _decided(employees, first, last)
	paid = _paid({row.parent for row in decided})
	for row in decided:
		one = standings[row.employee]
		approved = int((row.approved_overtime or 0) + (row.approved_extra_overtime or 0))
		one.approved += approved
		one.rejected += int((row.overtime or 0) + (row.extra_overtime or 0)) - approved
		if (row.parent, row.employee) in paid:
			one.paid += approved
		one.changed += deciding.differs(row, now.get((row.employee, row.attendance_date)))
	seen = {(row.employee, row.attendance_date) for row in decided}
	for key, day in now.items():
		if key not in seen:
			standings[day.employee].waiting += day.overtime + day.extra_overtime
	return standings


def _decided(employees: Collection[str], first: date, last: date) -> list[frappe._dict]:
	rows: list[frappe._dict] = frappe.db.sql(
		"SELECT `parent`, `employee`, `attendance_date`, `overtime`, `extra_overtime`, `allowances`,"
		" `approved_overtime`, `approved_extra_overtime` FROM `tabOvertime Approval Day`"
		" WHERE `claim` = %(claim)s AND `employee` IN %(employees)s"
		" AND `attendance_date` BETWEEN %(first)s AND %(last)s",
		{
			"claim": deciding.CLAIMED,
			"employees": tuple(employees) or ("",),
			"first": first,
			"last": last,
		},
		as_dict=True,
	)
	return rows


def _paid(approvals: Collection[str]) -> set[tuple[str, str]]:
	"""Approvals and employees of which every payment is in a Salary Slip that was submitted."""
	rows = frappe.db.sql(
		"SELECT p.`parent`, p.`employee` FROM `tabOvertime Payment` p"
		" LEFT JOIN `tabSalary Detail` s ON s.`additional_salary` = p.`additional_salary`"
		" AND s.`parenttype` = 'Salary Slip' AND s.`docstatus` = 1"
		" WHERE p.`parent` IN %s GROUP BY p.`parent`, p.`employee`"
		" HAVING COUNT(*) = COUNT(s.`name`)",
		(tuple(approvals) or ("",),),
	)
	return {(parent, employee) for parent, employee in rows}
