"""Moments whose names looked like Frappe's own `_seen`, which its lists leave out, get other names."""

from __future__ import annotations

import frappe

_RENAMED = {
	"Attendance Bridge Alert": {"first_seen": "first_noticed", "last_seen": "last_noticed"},
	"Device Pairing": {"first_seen": "first_called", "last_seen": "last_called"},
}


def execute() -> None:
	for doctype, names in _RENAMED.items():
		for former, name in names.items():
			if frappe.db.has_column(doctype, former):
				frappe.db.sql(
					f"UPDATE `tab{doctype}` SET `{name}` = `{former}` WHERE `{name}` IS NULL"  # noqa: S608
				)
