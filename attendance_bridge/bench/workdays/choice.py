"""Whose days somebody asks for: what a filter of a report says, within what the user may see."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypedDict

import frappe
from frappe import _
from frappe.utils import get_first_day, get_last_day, getdate

from attendance_bridge.bench import messages
from attendance_bridge.bench.visible import narrow

LONGEST_RANGE = timedelta(days=366)
_AFTER_DATE = ("", " ", "T")
_GROUPS = {
	"Company": (("Employee", "name", "company"),),
	"Branch": (("Employee", "name", "branch"),),
	"Department": (("Employee", "name", "department"),),
	"Shift Type": (("Employee", "name", "default_shift"), ("Shift Assignment", "employee", "shift_type")),
}
"""What people are chosen by, and where it stands: a doctype, its field of the employee, that of the group."""
_WORDS = ("company", "branch", "department", "employee", "shift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
	"""People by name, in the order of their names, and two dates, both included."""

	employees: tuple[str, ...]
	first: date
	last: date


def of_filters(filters: Mapping[str, Any] | None) -> Choice:
	"""Read `from_date` and `to_date`, `date` or `month` (any date in it), `company`, `branch`, `department`
	(and those below it), `employee`, `shift` (by default or assignment in the time).

	:raises frappe.ValidationError: a date is missing or none, the range is longer than a year, or a filter is
		no single word.
	"""
	given = frappe._dict(filters or {})
	for field in _WORDS:
		require_word(given.get(field))
	first, last = _dates(given)
	return Choice(employees=tuple(_employees(given, first, last)), first=first, last=last)


def require_word(value: Any) -> None:
	"""
	:raises frappe.ValidationError: something is given that is no text, such as a condition.
	"""
	if value and not isinstance(value, str):
		frappe.throw(_("Choose one value for each filter."))


def dates_of(from_date: Any, to_date: Any) -> tuple[date, date]:
	"""A range of dates, both included.

	:raises frappe.ValidationError: a date is missing or none, or the range is longer than a year.
	"""
	if not from_date or not to_date:
		frappe.throw(_("A date is missing."), frappe.MandatoryError)
	first, last = _date(from_date), _date(to_date)
	if last < first or last - first > LONGEST_RANGE:
		frappe.throw(_("Choose a range of dates of at most one year."))
	return first, last


def _dates(given: Any) -> tuple[date, date]:
	if given.month:
		day = _date(given.month)
		return getdate(get_first_day(day)), getdate(get_last_day(day))
	if given.date:
		return dates_of(given.date, given.date)
	return dates_of(given.from_date, given.to_date)


def _date(value: Any) -> date:
	"""
	:param value: a date, or text that begins with one as 2026-03-02; Frappe itself would take a lone 5 for
		the fifth of this month.
	:raises frappe.ValidationError: it is none.
	"""
	if isinstance(value, date):
		return getdate(value)
	day = None
	if isinstance(value, str) and value[10:11] in _AFTER_DATE:
		with suppress(ValueError):
			day = date.fromisoformat(value[:10])
	if day is None or not 1900 <= day.year <= 2200:
		frappe.throw(_("{0} is no date.").format(messages.harmless(str(value)[:40])))
	return day


def _employees(given: Any, first: date, last: date) -> list[str]:
	employee = frappe.qb.DocType("Employee")
	query = (
		frappe.qb.from_(employee)
		.select(employee.name)
		.where(employee.date_of_joining.isnull() | (employee.date_of_joining <= last))
		.where(employee.relieving_date.isnull() | (employee.relieving_date >= first))
		.where(
			(employee.status == "Active")
			| employee.relieving_date.isnotnull()
			| employee.name.isin(_judged(first, last))
		)
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
	names: list[str] = narrow(query, employee).run(pluck=True)
	if given.shift:
		in_shift = _in_shift(given.shift, first, last)
		names = [name for name in names if name in in_shift]
	return names


def _judged(first: date, last: date) -> Any:
	"""Those who have an Attendance: who is not active any more has worked until then."""
	attendance = frappe.qb.DocType("Attendance")
	return (
		frappe.qb.from_(attendance)
		.select(attendance.employee)
		.where(attendance.attendance_date.between(first, last))
		.where(attendance.docstatus == 1)
	)


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


class Option(TypedDict):
	"""As an Autocomplete field takes it, which shows all but the value as HTML."""

	value: str
	label: str
	description: str


def find_groups(doctype: str, text: str, *, most: int) -> list[Option]:
	"""What there is of a doctype of `_GROUPS` among the people whose days who asks may see, by a part of a
	name.

	:raises frappe.ValidationError: people are not chosen by this doctype.
	"""
	if doctype not in _GROUPS:
		frappe.throw(_("People are not chosen by {0}.").format(messages.harmless(doctype[:60])))
	employee = frappe.qb.DocType("Employee")
	people = narrow(frappe.qb.from_(employee).select(employee.name), employee)
	names: set[str] = set()
	for holder, key, fieldname in _GROUPS[doctype]:
		rows = frappe.qb.DocType(holder)
		query = frappe.qb.from_(rows).select(rows[fieldname]).distinct()
		names.update(
			query.where(rows[fieldname].like(_pattern(text))).where(rows[key].isin(people)).run(pluck=True)
		)
	return [_option(name, name) for name in sorted(names - {""})[:most]]


def find_people(text: str, *, most: int) -> list[Option]:
	"""People whose days who asks may see, by a part of their name or of their Employee's."""
	employee = frappe.qb.DocType("Employee")
	pattern = _pattern(text)
	query = (
		frappe.qb.from_(employee)
		.select(employee.name, employee.employee_name, employee.department)
		.where(employee.name.like(pattern) | employee.employee_name.like(pattern))
		.orderby(employee.employee_name)
		.orderby(employee.name)
		.limit(most)
	)
	return [
		# Both in the label: what is typed is looked for in it.
		_option(name, f"{called} ({name})" if called else name, department or "")
		for name, called, department in narrow(query, employee).run()
	]


def _option(value: str, label: str, description: str = "") -> Option:
	return {
		"value": value,
		"label": messages.harmless(label),
		"description": messages.harmless(description),
	}


def _pattern(text: str) -> str:
	"""Of LIKE: anything with a text in it."""
	return "%{}%".format(text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_"))
