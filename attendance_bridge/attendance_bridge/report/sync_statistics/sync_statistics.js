// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// {% include "attendance_bridge/public/js/workday_filters.js" %}

frappe.query_reports["Sync Statistics"] = {
	filters: [
		...attendance_bridge.workdays.range_filters(),
		{ fieldname: "device", label: __("Device"), fieldtype: "Link", options: "Device Configuration" },
	],
};
