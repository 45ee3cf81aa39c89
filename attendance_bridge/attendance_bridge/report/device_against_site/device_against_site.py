# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import devices
from attendance_bridge.bench.report_column import column, figure, harmless
from attendance_bridge.bench.workdays import choice

_SHOWN_IN_CHART = 20


def execute(filters: dict[str, Any] | None = None) -> tuple[Any, ...]:
	"""For every enabled terminal what it says it holds and what is here, and what nobody can explain."""
	rows = harmless(_row(each) for each in _devices(frappe._dict(filters or {})))
	return _columns(), rows, None, _chart(rows), _summary(rows)


def _columns() -> list[dict[str, Any]]:
	return [
		column(_("Device"), "device", "Link", 170, options=devices.DOCTYPE),
		column(_("Serial Number"), "serial_number", "Data", 150),
		column(_("Road"), "road", "Data", 90),
		column(_("The Terminal Says"), "count_there", "Int", 140),
		column(_("We Hold"), "count_here", "Int", 100),
		column(_("Unexplained"), "gap", "Int", 110),
		column(_("Since"), "gap_since", "Datetime", 190),
		column(_("Counted"), "counted_at", "Datetime", 190),
		column(_("Vouched for up to"), "watermark", "Datetime", 190),
		column(_("Last Contact"), "last_contact", "Datetime", 190),
		column(_("Trouble"), "last_error", "Data", 320),
	]


def _devices(given: Any) -> list[Any]:
	wanted: dict[str, Any] = {"enabled": 1}
	for field in ("company", "branch", "road"):
		if given.get(field):
			choice.require_word(given[field])
			wanted[field] = given[field]
	rows: list[Any] = frappe.get_list(
		devices.DOCTYPE,
		filters=wanted,
		fields=[
			"name as device",
			"serial_number",
			"road",
			"count_there",
			"count_here",
			"gap",
			"gap_since",
			"counted_at",
			"watermark",
			"last_contact",
			"last_error",
		],
		order_by="name",
		limit_page_length=0,
	)
	return rows


def _row(device: Any) -> dict[str, Any]:
	told = dict(device)
	if device.counted_at is None:  # never counted is not the same as nothing
		told |= {"count_there": None, "count_here": None}
	for field in ("gap_since", "counted_at", "watermark", "last_contact"):
		told[field] = told[field] and told[field].replace(microsecond=0)
	return {**told, "road": _(device.road) if device.road else ""}


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	counted = [row for row in rows if row["counted_at"]][:_SHOWN_IN_CHART]
	if not counted:
		return None
	return {
		"type": "bar",
		"colors": ["blue", "green"],
		"data": {
			"labels": [row["device"] for row in counted],
			"datasets": [
				{"name": _("The Terminal Says"), "values": [row["count_there"] or 0 for row in counted]},
				{"name": _("We Hold"), "values": [row["count_here"] or 0 for row in counted]},
			],
		},
	}


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	counted = [row for row in rows if row["counted_at"]]
	missing = sum(row["gap"] or 0 for row in rows)
	return [
		figure(_("Terminals Counted"), f"{len(counted)} / {len(rows)}", "Blue"),
		figure(_("The Terminals Say"), sum(row["count_there"] or 0 for row in counted), "Blue"),
		figure(_("We Hold"), sum(row["count_here"] or 0 for row in counted), "Blue"),
		figure(_("Unexplained"), missing, "Red" if missing else "Green"),
	]
