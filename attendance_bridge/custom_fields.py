"""Fields that this app adds to doctypes of HRMS. Put there on install, taken away on uninstall."""

from __future__ import annotations

from typing import Any

MODULE = "Attendance Bridge"

CUSTOM_FIELDS: dict[str, list[dict[str, Any]]] = {
	"Employee Checkin": [
		{
			"fieldname": "punch_log",
			"label": "Punch Log",
			"fieldtype": "Link",
			"options": "Punch Log",
			"insert_after": "device_id",
			"read_only": 1,
			"no_copy": 1,
			"print_hide": 1,
			"ignore_user_permissions": 1,
			"module": MODULE,
		},
	],
	"Shift Type": [
		{
			"fieldname": "attendance_bridge_status",
			"label": "Attendance Bridge",
			"fieldtype": "Small Text",
			"insert_after": "last_sync_of_checkin",
			"depends_on": "attendance_bridge_status",
			"description": "How far the punches of the terminals that serve this shift are here",
			"read_only": 1,
			"no_copy": 1,
			"print_hide": 1,
			"module": MODULE,
		},
	],
}
