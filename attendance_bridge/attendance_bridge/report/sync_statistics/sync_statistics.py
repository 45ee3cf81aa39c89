# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint

from attendance_bridge.bench import visible
from attendance_bridge.bench.report_column import bars_by_date, column, figure
from attendance_bridge.bench.workdays import choice

_FAILED = "Failed"
_COUNTS = ("failed", "fetched", "new", "checked_in", "unmapped", "quarantined", "unreadable")


def execute(filters: dict[str, Any] | None = None) -> tuple[Any, ...]:
	"""How the readings of each terminal went: runs, failures, punches, time."""
	given = frappe._dict(filters or {})
	first, last = choice.dates_of(given.from_date, given.to_date)
	choice.require_word(given.device)
	frappe.has_permission("Device Sync Log", "read", throw=True)
	values = {
		"first": first,
		"end": last + timedelta(days=1),
		"device": given.device,
		"hidden": visible.hidden_devices() or ("",),
	}
	rows = _rows(values)
	return _columns(), rows, None, _chart(values, first, last), _summary(rows)


def _columns() -> list[dict[str, Any]]:
	return [
		column(_("Device"), "device", "Link", 170, options="Device Configuration"),
		column(_("Runs"), "runs", "Int", 80),
		column(_("Failed"), "failed", "Int", 80),
		column(_("Failed (%)"), "share", "Percent", 100),
		column(_("Read", context="Records of a terminal"), "fetched", "Int", 90),
		column(_("New"), "new", "Int", 90),
		column(_("Checked In"), "checked_in", "Int", 110),
		column(_("Unmapped"), "unmapped", "Int", 100),
		column(_("Quarantined"), "quarantined", "Int", 110),
		column(_("Unreadable"), "unreadable", "Int", 110),
		column(_("Seconds (Mean)"), "mean", "Float", 130, precision=1),
		column(_("Seconds (Longest)"), "longest", "Float", 140, precision=1),
		column(_("Last Run"), "last_run", "Datetime", 190),
	]


def _of_device(values: dict[str, Any]) -> str:
	of_one = " AND `device` = %(device)s" if values["device"] else ""
	return f" AND `device` NOT IN %(hidden)s{of_one}"


def _rows(values: dict[str, Any]) -> list[Any]:
	rows: list[Any] = frappe.db.sql(
		"SELECT `device`, COUNT(*) AS `runs`, SUM(`status` = %(failed)s) AS `failed`,"  # noqa: S608
		" 100 * SUM(`status` = %(failed)s) / COUNT(*) AS `share`, SUM(`fetched`) AS `fetched`,"
		" SUM(`new`) AS `new`, SUM(`checked_in`) AS `checked_in`, SUM(`unmapped`) AS `unmapped`,"
		" SUM(`quarantined`) AS `quarantined`, SUM(`unreadable`) AS `unreadable`, AVG(`duration`) AS `mean`,"
		" MAX(`duration`) AS `longest`, MAX(`started_at`) AS `last_run` FROM `tabDevice Sync Log`"
		f" WHERE `started_at` >= %(first)s AND `started_at` < %(end)s{_of_device(values)}"
		" GROUP BY `device` ORDER BY `failed` DESC, `device`",
		{**values, "failed": _FAILED},
		as_dict=True,
	)
	for row in rows:  # sums come as decimals
		row.update({field: cint(row[field]) for field in _COUNTS})
	return rows


def _summary(rows: list[Any]) -> list[dict[str, Any]]:
	failed = sum(row.failed for row in rows)
	return [
		figure(_("Runs"), sum(row.runs for row in rows), "Blue"),
		figure(_("Failed"), failed, "Red" if failed else "Green"),
		figure(_("New"), sum(row.new for row in rows), "Blue"),
		figure(_("Checked In"), sum(row.checked_in for row in rows), "Green"),
	]


def _chart(values: dict[str, Any], first: date, last: date) -> dict[str, Any] | None:
	rows = frappe.db.sql(
		"SELECT DATE(`started_at`), `status` = %(failed)s, COUNT(*) FROM `tabDevice Sync Log`"  # noqa: S608
		f" WHERE `started_at` >= %(first)s AND `started_at` < %(end)s{_of_device(values)}"
		" GROUP BY DATE(`started_at`), `status` = %(failed)s",
		{**values, "failed": _FAILED},
	)
	if not rows:
		return None
	counts: Counter[tuple[date, bool]] = Counter()
	for day, failed, runs in rows:
		counts[day, bool(failed)] += runs
	dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
	return bars_by_date(
		dates,
		[
			(_("Read to the End"), [counts[day, False] for day in dates]),
			(_("Failed"), [counts[day, True] for day in dates]),
		],
		["green", "red"],
	)
