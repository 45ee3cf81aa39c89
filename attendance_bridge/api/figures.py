"""What the number cards and charts of the workspace ask. Each endpoint: permission, then one figure."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.utils import cint, getdate

from attendance_bridge.bench import figures, held_shifts
from attendance_bridge.bench.permissions import SEE_ALL, require_role
from attendance_bridge.bench.workdays import trends

DAYS = 14
MONTH_DAYS = 30


@frappe.whitelist()
def devices_online(filters: str | None = None) -> dict[str, Any]:
	"""Terminals that answer."""
	_for_those_who_see_all()
	return _card(figures.devices_online(), ["List", "Device Configuration"], {"enabled": 1})


@frappe.whitelist()
def punches_today(filters: str | None = None) -> dict[str, Any]:
	"""Punches of today, whatever became of them."""
	_for_those_who_see_all()
	return _card(figures.punches_today(), ["List", "Punch Log"], {"occurred_at": ["Timespan", "today"]})


@frappe.whitelist()
def unmapped_ids(filters: str | None = None) -> dict[str, Any]:
	"""Ids that are nobody's."""
	_for_those_who_see_all()
	return _card(figures.unmapped_ids(), ["unmapped-people"])


@frappe.whitelist()
def shifts_held(filters: str | None = None) -> dict[str, Any]:
	"""Shifts whose attendance is held back."""
	_for_those_who_see_all()
	return _card(len(held_shifts.held()), ["query-report", "Held Shifts"])


@frappe.whitelist()
def punches_by_day(filters: str | dict[str, Any] | None = None) -> dict[str, Any]:
	"""What became of the punches of the last days."""
	_for_those_who_see_all()
	return figures.punches_by_day(cint(_chosen(filters).get("days")) or DAYS)


@frappe.whitelist()
def checkins_by_hour(filters: str | dict[str, Any] | None = None) -> dict[str, Any]:
	"""IN and OUT an hour of one day; of today if none is chosen."""
	_for_those_who_see_all()
	return figures.checkins_by_hour(getdate(_chosen(filters).get("day") or None))


@frappe.whitelist()
def attendance_by_day(filters: str | dict[str, Any] | None = None) -> dict[str, Any]:
	"""Who was present, late, absent and on leave in the last days."""
	_for_those_who_see_all()
	chosen = _chosen(filters)
	return trends.attendance_by_day(cint(chosen.get("days")) or MONTH_DAYS, _company(chosen))


@frappe.whitelist()
def overtime_by_department(filters: str | dict[str, Any] | None = None) -> dict[str, Any]:
	"""Overtime of a month; of this one if none is chosen."""
	_for_those_who_see_all()
	chosen = _chosen(filters)
	month = chosen.get("month")
	return trends.overtime_by_department(getdate(month) if month else None, _company(chosen))


@frappe.whitelist()
def why_held(shift: str) -> str:
	"""Why the attendance of a Shift Type is held, in words; empty if it is not."""
	frappe.has_permission("Shift Type", "read", doc=shift, throw=True)
	return held_shifts.why_held(shift)


def _for_those_who_see_all() -> None:
	require_role(*SEE_ALL)


def _chosen(filters: str | dict[str, Any] | None) -> dict[str, Any]:
	"""The filters of a chart as it sends them."""
	chosen = frappe.parse_json(filters)
	return chosen if isinstance(chosen, dict) else {}


def _company(chosen: dict[str, Any]) -> str | None:
	return str(chosen["company"]) if chosen.get("company") else None


def _card(value: int, route: list[str], route_options: dict[str, Any] | None = None) -> dict[str, Any]:
	"""What a custom Number Card shows, and where it leads."""
	return {"value": value, "fieldtype": "Int", "route": route, "route_options": route_options or {}}
