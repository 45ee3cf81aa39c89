// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// {% include "attendance_bridge/public/js/workday_filters.js" %}

frappe.query_reports["Monthly Timesheet"] = {
	filters: [
		{
			fieldname: "month",
			label: __("Any Date of the Month"),
			fieldtype: "Date",
			default: frappe.datetime.get_today(),
			reqd: 1,
		},
		...attendance_bridge.workdays.people_filters(),
	],
};
