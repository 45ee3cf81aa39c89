"""Fields that this app adds to doctypes of HRMS. Put there on install, taken away on uninstall."""

from __future__ import annotations

from typing import Any

MODULE = "Attendance Bridge"

DAY_STATUSES = (
	"On Time",
	"Considered",
	"Late",
	"Early Exit",
	"Half Day",
	"Present",
	"Absent",
	"On Leave",
	"Holiday",
	"Weekly Off",
	"Not Scheduled",
)
"""Of a day that is over, as `core.workday.day.Status` has them."""


def _(text: str) -> str:
	"""Marks a text as one to translate; it is stored in English, and the Desk translates it."""
	return text


def _of_attendance(fieldname: str, label: str, fieldtype: str, after: str, **values: Any) -> dict[str, Any]:
	return {
		"fieldname": fieldname,
		"label": label,
		"fieldtype": fieldtype,
		"insert_after": after,
		"read_only": 1,
		"no_copy": 1,
		"module": MODULE,
		**values,
	}


CUSTOM_FIELDS: dict[str, list[dict[str, Any]]] = {
	"Employee Checkin": [
		{
			"fieldname": "punch_log",
			"label": _("Punch Log"),
			"fieldtype": "Link",
			"options": "Punch Log",
			"insert_after": "device_id",
			"read_only": 1,
			"no_copy": 1,
			"print_hide": 1,
			"ignore_user_permissions": 1,
			"module": MODULE,
		},
		{
			"fieldname": "bridge_added_by",
			"label": _("Added by Hand by"),
			"fieldtype": "Link",
			"options": "User",
			"insert_after": "punch_log",
			"depends_on": "bridge_added_by",
			"description": _("No terminal has brought this"),
			"read_only": 1,
			"no_copy": 1,
			"print_hide": 1,
			"ignore_user_permissions": 1,
			"module": MODULE,
		},
		{
			"fieldname": "bridge_added_why",
			"label": _("Why"),
			"fieldtype": "Small Text",
			"insert_after": "bridge_added_by",
			"depends_on": "bridge_added_by",
			"read_only": 1,
			"no_copy": 1,
			"print_hide": 1,
			"module": MODULE,
		},
	],
	"Shift Type": [
		{
			"fieldname": "attendance_bridge_status",
			"label": _("Attendance Bridge"),
			"fieldtype": "Small Text",
			"insert_after": "last_sync_of_checkin",
			"depends_on": "attendance_bridge_status",
			"description": _("How far the punches of the terminals that serve this shift are here"),
			"read_only": 1,
			"no_copy": 1,
			"print_hide": 1,
			"module": MODULE,
		},
	],
	"Attendance": [
		_of_attendance(
			"bridge_section",
			_("Working Day"),
			"Section Break",
			"early_exit",
			collapsible=1,
			depends_on="bridge_day_status",
		),
		_of_attendance(
			"bridge_day_status",
			_("Day"),
			"Select",
			"bridge_section",
			options="\n".join(("", *DAY_STATUSES)),
			in_standard_filter=1,
		),
		_of_attendance("bridge_day_reason", _("Why"), "Data", "bridge_day_status"),
		_of_attendance(
			"bridge_late", _("Late by"), "Duration", "bridge_day_reason", hide_days=1, hide_seconds=1
		),
		_of_attendance(
			"bridge_early", _("Left Early by"), "Duration", "bridge_late", hide_days=1, hide_seconds=1
		),
		_of_attendance("bridge_breaks", _("Breaks"), "Duration", "bridge_early", hide_days=1, hide_seconds=1),
		_of_attendance("bridge_column", "", "Column Break", "bridge_breaks"),
		_of_attendance(
			"bridge_overtime", _("Overtime"), "Duration", "bridge_column", hide_days=1, hide_seconds=1
		),
		_of_attendance(
			"bridge_extra_overtime",
			_("Extra Overtime"),
			"Duration",
			"bridge_overtime",
			hide_days=1,
			hide_seconds=1,
		),
		_of_attendance("bridge_allowances", _("Allowances"), "Data", "bridge_extra_overtime"),
		_of_attendance("bridge_anomalies", _("To Look At"), "Data", "bridge_allowances"),
		_of_attendance(
			"bridge_counted_at", _("Counted At"), "Datetime", "bridge_anomalies", hidden=1, search_index=1
		),
		_of_attendance("bridge_changes", _("Changes"), "Int", "bridge_counted_at", hidden=1, default="0"),
	],
}
