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

// Of a Link, Frappe would ask for the permission to read what is chosen; v16 again when the report runs.
attendance_bridge.workdays.autocomplete = (method, params = {}) => ({
	fieldtype: "Autocomplete",
	get_query: () => ({ query: `attendance_bridge.api.workdays.${method}`, params }),
	ignore_validation: 1,
});

// Whoever approves the leave of people may not read their Employee, but may see their days.
attendance_bridge.workdays.employee_filter = (more = {}) => ({
	fieldname: "employee",
	label: __("Employee"),
	...attendance_bridge.workdays.autocomplete("find_people"),
	...more,
});

/**
 * What people are chosen by. Who may not read the doctype itself (v15: HR without the role Employee a Company,
 * an Employee a Branch) chooses among what there is of the people whose days they see.
 */
attendance_bridge.workdays.link_filter = (fieldname, label, options, more = {}) => ({
	fieldname,
	label,
	...(frappe.model.can_select(options) || frappe.model.can_read(options)
		? { fieldtype: "Link", options }
		: attendance_bridge.workdays.autocomplete("find_groups", { doctype: options })),
	...more,
});

attendance_bridge.workdays.people_filters = () => [
	attendance_bridge.workdays.link_filter("company", __("Company"), "Company"),
	attendance_bridge.workdays.link_filter("branch", __("Branch"), "Branch"),
	attendance_bridge.workdays.link_filter("department", __("Department"), "Department"),
	attendance_bridge.workdays.link_filter("shift", __("Shift"), "Shift Type"),
	attendance_bridge.workdays.employee_filter(),
];
