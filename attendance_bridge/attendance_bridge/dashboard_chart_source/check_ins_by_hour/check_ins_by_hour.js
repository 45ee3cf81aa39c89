// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Check-ins by Hour"] = {
	method: "attendance_bridge.api.figures.checkins_by_hour",
	filters: [
		{
			fieldname: "day",
			label: __("Day (empty: today)"),
			fieldtype: "Date",
		},
	],
};
