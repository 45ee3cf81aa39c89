# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import devices, held_shifts, visible
from attendance_bridge.bench.report_column import column, harmless


def execute(filters: dict[str, Any] | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
	"""Columns and rows of the shifts whose attendance is held back."""
	return _columns(), harmless(_rows())


def _columns() -> list[dict[str, Any]]:
	return [
		column(_("Shift Type"), "shift", "Link", 150, options="Shift Type"),
		column(_("Judged Up To"), "until", "Datetime", 190),
		column(_("Held By"), "device", "Link", 180, options=devices.DOCTYPE),
		column(_("Last Contact"), "last_contact", "Datetime", 190),
		column(_("Why"), "why", "Data", 420),
		column(_("Trouble with the Terminal"), "last_error", "Data", 420),
	]


def _rows() -> list[dict[str, Any]]:
	hidden = visible.hidden_devices()
	held = [each for each in held_shifts.held() if each.device not in hidden]
	state = {
		row.name: row
		for row in frappe.get_all(
			devices.DOCTYPE,
			filters={"name": ("in", [each.device for each in held] or [""])},
			fields=["name", "last_contact", "last_error"],
		)
	}
	return [
		{
			"shift": each.shift,
			"until": each.until,
			"device": each.device,
			"why": each.why,
			"last_contact": state[each.device].last_contact,
			"last_error": state[each.device].last_error,
		}
		for each in held
	]
