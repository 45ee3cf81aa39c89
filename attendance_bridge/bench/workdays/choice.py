"""Whose days somebody asks for: what a filter of a report says, within what the user may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import get_first_day, get_last_day, getdate

from attendance_bridge.bench.permissions import visible_employees

LONGEST_RANGE = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
	"""People by name, in the order of their names, and two dates, both included."""

	employees: tuple[str, ...]
	first: date
	last: date


def of_filters(filters: Mapping[str, Any] | None) -> Choice:
	"""Read `from_date` and `to_date`, `date` or `month` (any date in it), `company`, `branch`, `department`
	(and those below it), `employee`, `shift` (by default or assignment in the time).

	:raises frappe.ValidationError: a date is missing, or the range is longer than a year.
	"""
	given = frappe._dict(filters or {})
	first, last = _dates(given)
	if last < first or last - first > LONGEST_RANGE:
		frappe.throw(_("Choose a range of dates of at most one year."))
	return Choice(employees=tuple(_employees(given, first, last)), first=first, last=last)


def _dates(given: Any) -> tuple[date, date]:
	if given.month:
		day = getdate(given.month)
		return getdate(get_first_day(day)), getdate(get_last_day(day))
	if given.date:
		return getdate(given.date), getdate(given.date)
	if not given.from_date or not given.to_date:
		frappe.throw(_("A date is missing."), frappe.MandatoryError)
	return getdate(given.from_date), getdate(given.to_date)


def _employees(given: Any, first: date, last: date) -> list[str]:
	employee = frappe.qb.DocType("Employee")
	query = (
		frappe.qb.from_(employee)
		.select(employee.name)
		.where(employee.date_of_joining.isnull() | (employee.date_of_joining <= last))
		.where(employee.relieving_date.isnull() | (employee.relieving_date >= first))
		.where((employee.status == "Active") | employee.relieving_date.isnotnull())
		.orderby(employee.employee_name)
		.orderby(employee.name)
	)
	if given.company:
		query = query.where(employee.company == given.company)
	if given.branch:
		query = query.where(employee.branch == given.branch)
	if given.department:
		query = query.where(employee.department.isin(_departments(given.department)))
	if given.employee:
		query = query.where(employee.name == given.employee)
	visible = visible_employees()
	if visible is not None:
		query = query.where(employee.name.isin(visible or [""]))
	names: list[str] = query.run(pluck=True)
	if given.shift:
		in_shift = _in_shift(given.shift, first, last)
		names = [name for name in names if name in in_shift]
	return names


def _departments(name: str) -> list[str]:
	bounds = frappe.db.get_value("Department", name, ("lft", "rgt"))
	if bounds is None:
		return [name]
	below: list[str] = frappe.get_all(
		"Department", filters={"lft": (">=", bounds[0]), "rgt": ("<=", bounds[1])}, pluck="name"
	)
	return below


def _in_shift(shift: str, first: date, last: date) -> set[str]:
	return set(
		frappe.db.sql_list(
			"SELECT `name` FROM `tabEmployee` WHERE `default_shift` = %(shift)s"
			" UNION SELECT `employee` FROM `tabShift Assignment` WHERE `shift_type` = %(shift)s"
			" AND `docstatus` = 1 AND `start_date` <= %(last)s"
			" AND (`end_date` IS NULL OR `end_date` >= %(first)s)",
			{"shift": shift, "first": first, "last": last},
		)
	)
