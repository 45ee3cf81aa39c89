// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Overtime by Department"] = {
	method: "attendance_bridge.api.figures.overtime_by_department",
	filters: [
		{
			fieldname: "company",
			label: __("Company"),
			fieldtype: "Link",
			options: "Company",
		},
		{
			fieldname: "month",
			label: __("Month of This Day (empty: this month)"),
			fieldtype: "Date",
		},
	],
};
