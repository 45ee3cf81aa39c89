// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.ui.form.on("Device Clock Log", {
	refresh(frm) {
		frm.disable_save();
	},
});
