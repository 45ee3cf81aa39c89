// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// What the reports of working days ask for. Each of them includes this file.

frappe.provide("attendance_bridge.workdays");

attendance_bridge.workdays.range_filters = () => [
	{
		fieldname: "from_date",
		label: __("From Date"),
		fieldtype: "Date",
		default: frappe.datetime.month_start(),
		reqd: 1,
	},
	{
		fieldname: "to_date",
		label: __("To Date"),
		fieldtype: "Date",
		default: frappe.datetime.get_today(),
		reqd: 1,
	},
];

// Whoever approves the leave of people may not read their Employee, but may see their days.
attendance_bridge.workdays.employee_filter = (more = {}) => ({
	fieldname: "employee",
	label: __("Employee"),
	fieldtype: "Link",
	options: "Employee",
	get_query: () => ({ query: "attendance_bridge.api.workdays.find_people" }),
	...more,
});

attendance_bridge.workdays.people_filters = () => [
	{ fieldname: "company", label: __("Company"), fieldtype: "Link", options: "Company" },
	{ fieldname: "branch", label: __("Branch"), fieldtype: "Link", options: "Branch" },
	{ fieldname: "department", label: __("Department"), fieldtype: "Link", options: "Department" },
	{ fieldname: "shift", label: __("Shift"), fieldtype: "Link", options: "Shift Type" },
	attendance_bridge.workdays.employee_filter(),
];
