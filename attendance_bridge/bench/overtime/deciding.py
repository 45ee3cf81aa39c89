"""The days of an Overtime Approval: who may decide about them, what was counted, what is decided already."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

import frappe
from frappe import _
from frappe.utils import format_date, getdate

from attendance_bridge.bench.overtime import counted
from attendance_bridge.bench.overtime.counted import Days, OvertimeDay
from attendance_bridge.bench.permissions import SEE_ALL, approved_employees, visible_employees
from attendance_bridge.bench.workdays import choice

MOST_DAYS = 2000
"""On one approval."""
CLAIMED = "1"
"""Value of `claim` of a day that is decided; with employee and date it is unique in the database."""

_COUNTED = ("attendance", "shift", "day_off", "overtime_type", "standard_hours")


def open_days(approval: Any) -> list[OvertimeDay]:
	"""The days that its filters ask for, that its user may decide about, and that nobody has decided yet.

	:raises frappe.ValidationError: more than MOST_DAYS.
	"""
	chosen = choice.of_filters(
		{name: approval.get(name) for name in ("company", "department", "employee", "from_date", "to_date")}
	)
	own, theirs = set(own_employees()), _preparable()
	employees = [name for name in chosen.employees if name not in own and (theirs is None or name in theirs)]
	found = counted.load(employees, chosen.first, chosen.last)
	decided = claimed(employees, chosen.first, chosen.last)
	place = {name: number for number, name in enumerate(employees)}
	days = sorted(
		(day for key, day in found.items() if key not in decided and _has_any(day)),
		key=lambda day: (place[day.employee], day.date),
	)
	if len(days) > MOST_DAYS:
		frappe.throw(_("More than {0} days. Choose a department, or a shorter time.").format(MOST_DAYS))
	return days


def _preparable() -> set[str] | None:
	"""Whom the user may put on a list; None: everybody. HR prepares lists for others to decide about."""
	if frappe.session.user == "Administrator" or not SEE_ALL.isdisjoint(frappe.get_roles()):
		return None
	return set(approved_employees())


def _has_any(day: OvertimeDay) -> bool:
	return bool(day.overtime or day.extra_overtime or day.allowances)


def claimed(employees: Collection[str], first: date, last: date) -> dict[tuple[str, date], str]:
	"""The days that are decided, and by which approval. One statement."""
	rows = frappe.db.sql(
		"SELECT `employee`, `attendance_date`, `parent` FROM `tabOvertime Approval Day`"
		" WHERE `claim` = %(claim)s AND `employee` IN %(employees)s"
		" AND `attendance_date` BETWEEN %(first)s AND %(last)s",
		{"claim": CLAIMED, "employees": tuple(employees) or ("",), "first": first, "last": last},
	)
	return {(employee, day): parent for employee, day, parent in rows}


def own_employees() -> list[str]:
	names: list[str] = frappe.get_all("Employee", filters={"user_id": frappe.session.user}, pluck="name")
	return names


def counted_now(rows: Iterable[Any]) -> Days:
	"""What is counted now for the days of an approval. One statement."""
	rows = list(rows)
	if not rows:
		return {}
	dates = [getdate(row.attendance_date) for row in rows]
	return counted.load({row.employee for row in rows}, min(dates), max(dates))


def fill(row: Any, day: OvertimeDay) -> None:
	"""Put what was counted into a day of a draft. What was decided stays, as far as there is that much."""
	untouched = (row.approved_overtime or 0, row.approved_extra_overtime or 0) == (
		row.overtime or 0,
		row.extra_overtime or 0,
	)
	_describe(row, day)
	row.overtime, row.extra_overtime, row.allowances = day.overtime, day.extra_overtime, day.allowances
	if row.decision == "Reject":
		row.approved_overtime = row.approved_extra_overtime = 0
	elif untouched:
		row.approved_overtime, row.approved_extra_overtime = day.overtime, day.extra_overtime
	else:
		row.approved_overtime = min(row.approved_overtime or 0, day.overtime)
		row.approved_extra_overtime = min(row.approved_extra_overtime or 0, day.extra_overtime)


def _describe(row: Any, day: OvertimeDay) -> None:
	"""What is not decided about, and comes from nobody's browser."""
	row.employee_name, row.why = day.employee_name, day.why[:240]
	for name in _COUNTED:
		row.set(name, getattr(day, name))


def differs(row: Any, day: OvertimeDay | None) -> bool:
	"""Whether a day came to something else than an approval has it."""
	if day is None:
		return bool(row.overtime or row.extra_overtime or row.allowances)
	return day.due or (row.overtime or 0, row.extra_overtime or 0, row.allowances or "") != (
		day.overtime,
		day.extra_overtime,
		day.allowances,
	)


def changed(rows: Iterable[Any]) -> list[dict[str, Any]]:
	"""The days of a submitted approval that came to something else since. One statement."""
	rows = list(rows)
	now = counted_now(rows)
	found = []
	for row in rows:
		day = now.get((row.employee, getdate(row.attendance_date)))
		if differs(row, day):
			found.append(
				{
					"employee": row.employee,
					"employee_name": row.employee_name,
					"date": str(row.attendance_date),
					"was": (row.overtime or 0) + (row.extra_overtime or 0),
					"now": day.overtime + day.extra_overtime if day is not None else 0,
					"due": day.due if day is not None else False,
				}
			)
	return found


def check_people(approval: Any) -> None:
	"""
	:raises frappe.PermissionError: somebody among them is not for the user to decide about.
	:raises frappe.ValidationError: somebody is of another company.
	"""
	people = {row.employee for row in approval.days}
	visible = visible_employees()
	if visible is not None and not people <= set(visible):
		frappe.throw(_("Somebody on the list is not of your people."), frappe.PermissionError)
	others = {"name": ("in", sorted(people) or [""]), "company": ("!=", approval.company)}
	if frappe.get_all("Employee", filters=others, limit=1):
		frappe.throw(_("Somebody on the list is not of {0}.").format(frappe.bold(approval.company)))


def check_decider(rows: Iterable[Any]) -> None:
	"""Whether the user may decide about these days, and take back what was decided: HR Manager about
	everybody, others about the people whose leave they approve, whatever they see, nobody about themselves.

	:raises frappe.PermissionError: it is not for the user.
	"""
	people = {row.employee for row in rows}
	if people & set(own_employees()):
		frappe.throw(
			_("Nobody decides about their own overtime. Take yourself off the list."), frappe.PermissionError
		)
	if frappe.session.user == "Administrator" or "HR Manager" in frappe.get_roles():
		return
	if not people <= set(approved_employees()):
		frappe.throw(_("Somebody on the list is not of your people."), frappe.PermissionError)


def check_decided(rows: Collection[Any]) -> None:
	"""What has to be right before days are approved.

	:raises frappe.ValidationError: a remark is missing, a day is decided elsewhere or came to something else.
	:raises frappe.PermissionError: the user may not decide about all of the people.
	"""
	if not rows:
		frappe.throw(_("There is no overtime on the list."))
	check_decider(rows)
	_refuse(
		(row for row in rows if not (row.remark or "").strip() and _is_less(row)),
		_("A remark is missing where less is approved than was counted: {0}"),
	)
	now = counted_now(rows)
	_refuse(
		(row for row in rows if differs(row, now.get((row.employee, getdate(row.attendance_date))))),
		_("These days have changed since the list was made. Save it again, and look at them: {0}"),
	)
	for row in rows:
		_describe(row, now[row.employee, getdate(row.attendance_date)])
	dates = [getdate(row.attendance_date) for row in rows]
	decided = claimed({row.employee for row in rows}, min(dates), max(dates))
	_refuse(
		(row for row in rows if (row.employee, getdate(row.attendance_date)) in decided),
		_("These days have been decided on another list: {0}"),
	)


def _is_less(row: Any) -> bool:
	return (
		row.decision == "Reject"
		or (row.approved_overtime or 0) < (row.overtime or 0)
		or (row.approved_extra_overtime or 0) < (row.extra_overtime or 0)
		or bool(row.allowances and not row.approve_allowances)
	)


def _refuse(rows: Iterable[Any], sentence: str, shown: int = 10) -> None:
	named = [f"{row.employee_name or row.employee} {format_date(row.attendance_date)}" for row in rows]
	if named:
		rest = ["…"] if len(named) > shown else []
		frappe.throw(
			sentence.format(", ".join([*(frappe.utils.escape_html(each) for each in named[:shown]), *rest]))
		)
