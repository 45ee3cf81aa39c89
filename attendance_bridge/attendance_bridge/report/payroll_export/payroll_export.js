// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// {% include "attendance_bridge/public/js/workday_filters.js" %}

frappe.query_reports["Payroll Export"] = {
	filters: [
		...attendance_bridge.workdays.range_filters(),
		...attendance_bridge.workdays.people_filters(),
		{ fieldname: "profile", label: __("Columns"), fieldtype: "Link", options: "Payroll Export Profile" },
	],
};
