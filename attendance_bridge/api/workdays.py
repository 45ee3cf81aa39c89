"""Working days for programs: a day, a month of days. Each endpoint: permission, then one answer."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.utils import cint

from attendance_bridge.bench import background, moments
from attendance_bridge.bench.permissions import require_role
from attendance_bridge.bench.workdays import choice, days, due, told

MOST_PEOPLE = 500
"""On one page."""


@frappe.whitelist()
def daily_summary(
	date: str,
	company: str | None = None,
	branch: str | None = None,
	department: str | None = None,
	shift: str | None = None,
	start: int = 0,
	page_length: int = 100,
) -> dict[str, Any]:
	"""The day of everybody that the caller may see, a page of people at a time."""
	frappe.has_permission("Punch Log", "read", throw=True)
	chosen = choice.of_filters(
		{"date": date, "company": company, "branch": branch, "department": department, "shift": shift}
	)
	page = _page(chosen.employees, start, page_length)
	found = days.load(page, chosen.first, chosen.last, now=moments.utc_now())
	zone = moments.site_zone()
	return {"total": len(chosen.employees), "days": [told.daily(each, zone) for each in found]}


@frappe.whitelist()
def timesheet(
	month: str,
	employee: str | None = None,
	company: str | None = None,
	branch: str | None = None,
	department: str | None = None,
	shift: str | None = None,
	start: int = 0,
	page_length: int = 100,
) -> dict[str, Any]:
	"""The month of everybody that the caller may see, or of one of them; `month` is any date in it."""
	frappe.has_permission("Punch Log", "read", throw=True)
	chosen = choice.of_filters(
		{
			"month": month,
			"employee": employee,
			"company": company,
			"branch": branch,
			"department": department,
			"shift": shift,
		}
	)
	page = _page(chosen.employees, start, page_length)
	found = days.load(page, chosen.first, chosen.last, now=moments.utc_now())
	return {"total": len(chosen.employees), "timesheets": told.timesheets(found, moments.site_zone())}


@frappe.whitelist()
def count_again_affects(from_date: str, to_date: str, company: str | None = None) -> int:
	"""How many Attendances `count_again` would have counted anew."""
	require_role("HR Manager", "System Manager")
	first, last = choice.dates_of(from_date, to_date)
	return due.count_range(first, last, company)


@frappe.whitelist(methods=["POST"])
def count_again(from_date: str, to_date: str, company: str | None = None) -> int:
	"""Have overtime and status of a range of dates counted anew, after a rule was changed; returns how many
	Attendances are affected."""
	require_role("HR Manager", "System Manager")
	first, last = choice.dates_of(from_date, to_date)
	marked = due.mark_range(first, last, company)
	background.queue_count_days()
	return marked


@frappe.whitelist()
def find_people(txt: str = "") -> list[choice.Option]:
	"""The people whose days the caller may see, for an Autocomplete field: those with `txt` in their name or
	in that of their Employee, at most MOST_PEOPLE."""
	frappe.has_permission("Punch Log", "read", throw=True)
	return choice.find_people(txt, most=MOST_PEOPLE)


@frappe.whitelist()
def find_groups(doctype: str, txt: str = "") -> list[choice.Option]:
	"""Companies, branches, departments or Shift Types of the people whose days the caller may see, for an
	Autocomplete field: those with `txt` in their name, at most MOST_PEOPLE."""
	frappe.has_permission("Punch Log", "read", throw=True)
	return choice.find_groups(doctype, txt, most=MOST_PEOPLE)


def _page(employees: tuple[str, ...], start: int, page_length: int) -> tuple[str, ...]:
	begin = max(cint(start), 0)
	return employees[begin : begin + max(1, min(cint(page_length), MOST_PEOPLE))]
