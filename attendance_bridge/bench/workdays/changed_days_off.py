"""Days off and leave that were changed after days had been counted: those days are counted again.

A holiday was added, removed, or made a weekly off; or other people, a company or a shift got another Holiday
List. Only the dates are marked that came to something else, and only Attendances that the list may concern:
one of a shift with a list of its own is counted again for nothing, which does no harm.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import frappe
from frappe.utils import getdate

from attendance_bridge.bench import background, compat, moments
from attendance_bridge.bench.workdays import due
from attendance_bridge.bench.workdays.holidays import Holidays, Lists, days_of, lists_of, off_of
from attendance_bridge.core.workday.plan import Off


def list_changed(holiday_list: Any, method: str | None = None) -> None:
	"""Document event `on_update` of Holiday List. At most four statements, however many people."""
	former = holiday_list.get_doc_before_save()
	if former is None:
		return  # a new one is nobody's yet
	before, after = _days(former), _days(holiday_list)
	dates = {day for day in before.keys() | after.keys() if before.get(day) is not after.get(day)}
	if not dates:
		return
	owners = compat.owners_of_holiday_list(holiday_list.name)
	shifts = frappe.get_all("Shift Type", {"holiday_list": holiday_list.name}, pluck="name")
	due.mark_dates(dates, employees=owners, companies=owners, shifts=shifts)
	look_again(dates)


def employee_changed(employee: Any, method: str | None = None) -> None:
	"""Document event `on_update` of Employee: another Holiday List (v15), or another company.

	An Attendance is of the company that it was worked in, and its day off or on by that one's holidays.
	"""
	former = _former(employee, "holiday_list", "company")
	if former is None:
		return
	before, after = lists_of([former]), lists_of([employee])
	dates = _changed(before, after, employee.name, former.company)
	due.mark_dates(dates, employees=[employee.name])
	moved = _changed(before, after, employee.name, former.company, employee.company)
	look_again(moved, [employee.name])


def company_changed(company: Any, method: str | None = None) -> None:
	"""Document event `on_update` of Company: another Default Holiday List (v15)."""
	former = _former(company, "default_holiday_list")
	if former is None:
		return
	before, after = (
		{company.name: [(date.min, name)]} if name else {}
		for name in (former.default_holiday_list, company.default_holiday_list)
	)
	dates = _changed(before, after, "", company.name)
	due.mark_dates(dates, companies=[company.name])
	look_again(dates)


def shift_type_changed(shift_type: Any, method: str | None = None) -> None:
	"""Document event `on_update` of Shift Type: another Holiday List."""
	former = _former(shift_type, "holiday_list")
	if former is None:
		return
	names = [former.holiday_list, shift_type.holiday_list]
	if all(names):
		before, after = ({shift_type.name: [(date.min, name)]} for name in names)
		dates = _changed(before, after, shift_type.name, "")
	else:
		# Before, or from now on, everybody in the shift has a list of their own.
		dates = set(frappe.get_all("Holiday", {"parenttype": "Holiday List"}, pluck="holiday_date"))
	due.mark_dates(dates, shifts=[shift_type.name])
	look_again(dates)


def assignment_changed(assignment: Any, method: str | None = None) -> None:
	"""Document events `on_submit` and `on_cancel` of Holiday List Assignment (v16)."""
	owner = assignment.assigned_to
	company = frappe.db.get_value("Employee", owner, "company")
	standing = compat.assigned_holiday_lists([owner]) or {}
	own = (getdate(assignment.from_date), assignment.holiday_list)
	others = [each for each in standing.get(owner, ()) if each != own]
	without = {**standing, owner: others}
	with_it = {**standing, owner: sorted([*others, own])}
	dates = _changed(without, with_it, owner if company else "", company or owner)
	due.mark_dates(dates, **{"employees" if company else "companies": [owner]})
	look_again(dates, [owner] if company else None)


def leave_changed(leave: Any, method: str | None = None) -> None:
	"""Document events `on_submit` and `on_cancel` of Leave Application.

	An Attendance into which HRMS writes leave is due by itself (`due.mark_rewritten`). HRMS also takes
	Attendances away: all of a leave that is cancelled, and those of holidays within one.
	"""
	first, last = getdate(leave.from_date), getdate(leave.to_date)
	length = (last - first).days + 1
	look_again([first + timedelta(days=number) for number in range(length)], [leave.employee])


def look_again(dates: Collection[date], employees: list[str] | None = None) -> None:
	"""Have days without an Attendance looked at for anomalies, once the transaction is committed.

	:param employees: None: everybody.
	"""
	today = moments.now().date()
	past = sorted(str(day) for day in dates if day <= today)
	if past:
		background.queue_look_again(past, employees)


def _former(document: Any, *fields: str) -> Any:
	"""The document as it was, if one of the fields has been changed since."""
	former = document.get_doc_before_save()
	if former is None or all((former.get(field) or "") == (document.get(field) or "") for field in fields):
		return None
	return former


def _days(holiday_list: Any) -> dict[date, Off]:
	return {getdate(row.holiday_date): off_of(row) for row in holiday_list.holidays}


def _changed(
	before: Lists, after: Lists, employee: str, company: str, company_after: str | None = None
) -> set[date]:
	"""The dates that are off, or not, or off as something else, by one set of lists and not by the other.

	:param company_after: of the other; by default the same.
	"""
	days = days_of({name for lists in (before, after) for each in lists.values() for _, name in each})
	one, other = Holidays(before, days), Holidays(after, days)
	return {
		day
		for day in {day for of_list in days.values() for day in of_list}
		if one.of(day, employee=employee, company=company, shift_list=None)
		is not other.of(day, employee=employee, company=company_after or company, shift_list=None)
	}
