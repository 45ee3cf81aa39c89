# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from collections import Counter
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import messages
from attendance_bridge.bench.report_column import bars_by_date, column, figure, harmless
from attendance_bridge.bench.workdays import choice

MOST_PUNCHES = 20_000
_COLOURS = {
	"Received": "light-blue",
	"Pending": "blue",
	"Checked in": "green",
	"Duplicate": "light-gray",
	"Unmapped": "orange",
	"Quarantined": "red",
	"Rejected": "red",
	"Ignored": "gray",
}


def execute(filters: dict[str, Any] | None = None) -> tuple[Any, ...]:
	"""Every punch of one person: what was recorded, by which road it came, what became of it and why."""
	if not (filters or {}).get("employee"):
		frappe.throw(_("Choose an employee."), frappe.MandatoryError)
	chosen = choice.of_filters(filters)
	# Nobody is left whom the reader may not see.
	rows = _rows(chosen) if chosen.employees else []
	return _columns(), harmless(_told(row) for row in rows), None, _chart(rows), _summary(rows)


def _columns() -> list[dict[str, Any]]:
	return [
		column(_("Time"), "occurred_at", "Datetime", 190),
		column(_("On the Terminal"), "wall_time", "Datetime", 190),
		column(_("Device"), "device", "Link", 150, options="Device Configuration"),
		column(_("By"), "verify_mode", "Data", 90),
		column(_("Key"), "device_key", "Data", 110),
		column(_("IN or OUT"), "log_type", "Data", 90),
		column(_("Because"), "log_type_reason", "Data", 220),
		column(_("Status"), "status", "Data", 110),
		column(_("Why"), "status_reason", "Data", 260),
		column(_("Road"), "road", "Data", 90),
		column(_("Received"), "received_at", "Datetime", 190),
		column(_("Employee Checkin"), "employee_checkin", "Link", 200, options="Employee Checkin"),
		column(_("Attendance"), "attendance", "Link", 160, options="Attendance"),
		column(_("Punch"), "punch", "Link", 280, options="Punch Log"),
	]


def _rows(chosen: choice.Choice) -> list[Any]:
	rows: list[Any] = frappe.db.sql(
		"SELECT p.`name` AS `punch`, p.`occurred_at`, p.`wall_time`, p.`device`, p.`verify_mode`,"
		" p.`device_key`, p.`log_type`, p.`log_type_reason`, p.`status`, p.`status_reason`, p.`road`,"
		" p.`received_at`, p.`employee_checkin`, c.`attendance` FROM `tabPunch Log` p"
		" LEFT JOIN `tabEmployee Checkin` c ON c.`name` = p.`employee_checkin`"
		" WHERE p.`employee` IN %(employees)s AND p.`occurred_at` >= %(first)s"
		" AND p.`occurred_at` < %(last)s + INTERVAL 1 DAY ORDER BY p.`occurred_utc` LIMIT %(most)s",
		{
			"employees": chosen.employees,
			"first": chosen.first,
			"last": chosen.last,
			"most": MOST_PUNCHES,
		},
		as_dict=True,
	)
	return rows


def _told(row: Any) -> Any:
	return {
		**row,
		"verify_mode": _word(row.verify_mode),
		"device_key": _word(row.device_key),
		"status": _(row.status),
		"status_reason": messages.reason(row.status_reason),
		"log_type_reason": messages.reason(row.log_type_reason),
		"road": _(row.road) if row.road else "",
	}


def _word(code: str | None) -> str:
	"""What a terminal says by a code; nothing where it says nothing."""
	return _(code.replace("_", " ").title()) if code and code not in ("undefined", "unknown") else ""


def _chart(rows: list[Any]) -> dict[str, Any] | None:
	"""How many punches on each date, by what became of them."""
	if not rows:
		return None
	counts = Counter((row.occurred_at.date(), row.status) for row in rows)
	dates = sorted({day for day, _status in counts})
	statuses = sorted({row.status for row in rows})
	return bars_by_date(
		dates,
		[(_(status), [counts[day, status] for day in dates]) for status in statuses],
		[_COLOURS.get(status, "gray") for status in statuses],
	)


def _summary(rows: list[Any]) -> list[dict[str, Any]]:
	counts = Counter(row.status for row in rows)
	return [
		figure(_("Punches"), len(rows), "Blue"),
		*(figure(_(status), number, "Gray") for status, number in counts.most_common()),
	]
