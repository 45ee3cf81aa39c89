// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// {% include "attendance_bridge/public/js/workday_filters.js" %}

frappe.query_reports["Device against Site"] = {
	filters: [
		attendance_bridge.workdays.link_filter("company", __("Company"), "Company"),
		attendance_bridge.workdays.link_filter("branch", __("Branch"), "Branch"),
	],
};
