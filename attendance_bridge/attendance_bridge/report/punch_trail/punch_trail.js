// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// {% include "attendance_bridge/public/js/workday_filters.js" %}

frappe.query_reports["Punch Trail"] = {
	filters: [
		attendance_bridge.workdays.employee_filter({ reqd: 1 }),
		...attendance_bridge.workdays.range_filters(),
	],
};
