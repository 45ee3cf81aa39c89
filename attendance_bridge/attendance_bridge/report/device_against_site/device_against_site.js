// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.query_reports["Device against Site"] = {
	filters: [
		{ fieldname: "company", label: __("Company"), fieldtype: "Link", options: "Company" },
		{ fieldname: "branch", label: __("Branch"), fieldtype: "Link", options: "Branch" },
	],
};
