// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Punches by Day"] = {
	method: "attendance_bridge.api.figures.punches_by_day",
	filters: [
		{
			fieldname: "days",
			label: __("Days"),
			fieldtype: "Select",
			options: ["7", "14", "31"],
			default: "14",
			reqd: 1,
		},
	],
};
