// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.ui.form.on("Overtime Rule", {
	onload(frm) {
		// What holds where there is no rule at all is the beginning of a new one.
		if (frm.is_new() && !frm.doc.allowances?.length) {
			frm.add_child("allowances", { allowance: "snacks", from_hours: 1 });
			frm.add_child("allowances", { allowance: "night_bill", from_hours: 5 });
			frm.refresh_field("allowances");
		}
	},
});
