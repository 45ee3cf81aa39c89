// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Attendance by Day"] = {
	method: "attendance_bridge.api.figures.attendance_by_day",
	filters: [
		{
			fieldname: "company",
			label: __("Company"),
			fieldtype: "Link",
			options: "Company",
		},
		{
			fieldname: "days",
			label: __("Days"),
			fieldtype: "Select",
			options: ["14", "30", "60"],
			default: "30",
			reqd: 1,
		},
	],
};
