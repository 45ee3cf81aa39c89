// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.ui.form.on("Overtime Rule", {
	onload(frm) {
		// What holds where there is no rule at all is the beginning of a new one.
		if (!frm.is_new()) return;
		if (!frm.doc.title) {
			// Frappe begins a Time field with the present time.
			frm.doc.overtime_begins = "17:00:00";
			frm.doc.extra_overtime_begins = "19:00:00";
		}
		if (!frm.doc.allowances?.length) {
			frm.add_child("allowances", { allowance: "snacks", from_hours: 1 });
			frm.add_child("allowances", { allowance: "night_bill", from_hours: 5 });
			frm.refresh_field("allowances");
		}
	},
});
