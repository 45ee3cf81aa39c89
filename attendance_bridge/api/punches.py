"""What the people of HR ask about punches that need a hand. Each endpoint: permission, then one act.

HR Manager and HR User act; a System Manager reads.
"""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, getdate, sbool

from attendance_bridge.bench import dry_run as rehearsal
from attendance_bridge.bench import messages, retiming, reviewing, unmapped
from attendance_bridge.bench.permissions import SEE_ALL, require_role

MAY_ACT = ("HR Manager", "HR User")
MAY_REHEARSE = ("System Manager", "HR Manager")

MOST_IDS = 100
LONGEST_ID = 140


@frappe.whitelist()
def explanations() -> dict[str, dict[str, str]]:
	"""The reason codes that stand on a Punch Log: what they mean, and what to do."""
	frappe.has_permission("Punch Log", "read", throw=True)
	return {
		code: {"words": words, "advice": messages.advice(code)} for code, words in messages.reasons().items()
	}


@frappe.whitelist()
def unmapped_ids(start: int = 0, page_length: int = 20) -> dict[str, Any]:
	"""Ids on terminals that are nobody's, those with the most punches first; who they may be is told to those
	who may give an id to somebody."""
	require_role(*SEE_ALL)
	found = unmapped.groups()
	page = found[max(cint(start), 0) :][: max(1, min(cint(page_length), MOST_IDS))]
	may_map = _may_map()
	return {
		"total": len(found),
		"may_map": may_map,
		"ids": [_described(group, suggest=may_map) for group in page],
	}


@frappe.whitelist(methods=["POST"])
def map_employee(device_user_id: str, employee: str, replace: bool = False) -> dict[str, Any]:
	"""Give an id to an employee; their past punches become check-ins in the background."""
	require_role(*MAY_ACT)
	document = frappe.get_doc("Employee", employee)
	document.check_permission("write")
	reopened = unmapped.map_employee(_checked_id(device_user_id), employee, replace=bool(sbool(replace)))
	return {"punches": reopened, "employee_name": document.employee_name}


@frappe.whitelist(methods=["POST"])
def ignore_id(device_user_id: str, reason: str) -> dict[str, int]:
	"""Ignore all unmapped punches of an id."""
	require_role(*MAY_ACT)
	return {"punches": reviewing.ignore_id(_checked_id(device_user_id), reason)}


@frappe.whitelist(methods=["POST"])
def retry(punches: str | list[str]) -> dict[str, int]:
	"""Decide rejected punches anew."""
	return {"punches": reviewing.retry(_for_review(punches))}


@frappe.whitelist(methods=["POST"])
def approve_time(punches: str | list[str]) -> dict[str, int]:
	"""Believe the times of quarantined punches."""
	return {"punches": reviewing.approve_time(_for_review(punches))}


@frappe.whitelist(methods=["POST"])
def retime(punches: str | list[str]) -> dict[str, int]:
	"""Set the times of quarantined punches right by what their clocks were measured to be off."""
	done = retiming.retime(_for_review(punches))
	return {"punches": done.punches, "left": done.left}


@frappe.whitelist(methods=["POST"])
def retime_device(device: str) -> dict[str, int]:
	"""The same for all punches of a terminal that its clock keeps in quarantine."""
	require_role(*MAY_ACT)
	frappe.get_doc("Device Configuration", device).check_permission("read")
	done = retiming.retime_device(device)
	return {"punches": done.punches, "left": done.left}


@frappe.whitelist(methods=["POST"])
def undo_retiming(punches: str | list[str]) -> dict[str, int]:
	"""Punches count again where their terminals recorded them."""
	done = retiming.undo(_for_review(punches))
	return {"punches": done.punches, "left": done.left}


@frappe.whitelist(methods=["POST"])
def ignore(punches: str | list[str], reason: str) -> dict[str, int]:
	"""Punches are no check-ins of anybody."""
	return {"punches": reviewing.ignore(_for_review(punches), reason)}


@frappe.whitelist(methods=["POST"])
def take_back(punches: str | list[str]) -> dict[str, int]:
	"""Ignored punches are to be decided after all."""
	return {"punches": reviewing.take_back(_for_review(punches))}


@frappe.whitelist()
def dry_run(
	from_date: str,
	to_date: str,
	device: str | None = None,
	device_role: str | None = None,
	user_id_prefix: str | None = None,
	debounce: int | None = None,
	working_day_hours: int | None = None,
	clock_tolerance: int | None = None,
	start: int = 0,
) -> dict[str, Any]:
	"""What other rules would have made of the punches of some days. What is None stays as it is."""
	require_role(*MAY_REHEARSE)
	frappe.has_permission("Punch Log", "read", throw=True)
	changed = {
		"device_role": device_role,
		"user_id_prefix": user_id_prefix,
		"debounce": debounce,
		"working_day_hours": working_day_hours,
		"clock_tolerance": clock_tolerance,
	}
	given = {name: value for name, value in changed.items() if value is not None}
	found = rehearsal.run(getdate(from_date), getdate(to_date), rehearsal.proposal(given, device))
	page = found.changes[max(cint(start), 0) :][: rehearsal.PAGE_LENGTH]
	return {
		"punches": found.punches,
		"changed": len(found.changes),
		"counts": found.counts(),
		"rows": rehearsal.describe(page),
		"page_length": rehearsal.PAGE_LENGTH,
	}


def _may_map() -> bool:
	return not set(MAY_ACT).isdisjoint(frappe.get_roles()) and bool(
		frappe.has_permission("Employee", "write")
	)


def _described(group: unmapped.UnmappedGroup, *, suggest: bool) -> dict[str, Any]:
	return {
		"device_user_id": group.device_user_id,
		"punches": group.punches,
		"first": group.first,
		"last": group.last,
		"devices": group.devices,
		"ids_on_devices": group.ids_on_devices,
		"name_on_terminal": group.name_on_terminal,
		"suggestions": _visible(group.suggestions) if suggest else [],
	}


def _visible(suggestions: list[unmapped.Suggestion]) -> list[dict[str, str]]:
	names = [suggestion.employee for suggestion in suggestions]
	if not names:
		return []
	visible = set(frappe.get_list("Employee", filters={"name": ("in", names)}, pluck="name"))
	return [
		{
			"employee": suggestion.employee,
			"employee_name": suggestion.employee_name,
			"likeness": suggestion.likeness.value,
			"attendance_device_id": suggestion.attendance_device_id,
		}
		for suggestion in suggestions
		if suggestion.employee in visible
	]


def _checked_id(device_user_id: str) -> str:
	if not device_user_id or len(device_user_id) > LONGEST_ID:
		frappe.throw(_("An ID on a terminal has 1 to {0} characters.").format(LONGEST_ID))
	return device_user_id


def _for_review(punches: str | list[str]) -> list[str]:
	"""The names of punches that the user may see and act upon.

	:raises frappe.PermissionError: the user may not act, or not see one of them.
	"""
	require_role(*MAY_ACT)
	names = _names(punches)
	visible = set(
		frappe.get_list("Punch Log", filters={"name": ("in", names)}, pluck="name", limit_page_length=0)
	)
	if not visible.issuperset(names):
		raise frappe.PermissionError
	return names


def _names(punches: str | list[str]) -> list[str]:
	try:
		names = json.loads(punches) if isinstance(punches, str) else punches
	except ValueError:
		names = None
	if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
		frappe.throw(_("A list of punches is needed."))
	if not 1 <= len(names) <= reviewing.MOST_AT_ONCE:
		frappe.throw(_("Choose 1 to {0} punches.").format(reviewing.MOST_AT_ONCE))
	return names
