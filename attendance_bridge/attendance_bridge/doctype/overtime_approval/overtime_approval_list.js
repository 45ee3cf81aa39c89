// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.listview_settings["Overtime Approval"] = {
	add_fields: ["payroll_status"],
	get_indicator(doc) {
		if (doc.docstatus !== 1) return;
		const missing = ["Not Yet", "Partly"].includes(doc.payroll_status);
		return missing
			? [__("To Be Paid"), "orange", "docstatus,=,1|payroll_status,in,Not Yet,Partly"]
			: [__("Approved"), "green", "docstatus,=,1"];
	},
};
