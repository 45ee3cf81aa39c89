// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.ui.form.on("Punch Log", {
	async refresh(frm) {
		frm.disable_save();
		const words = await frappe.xcall("attendance_bridge.api.devices.reasons");
		for (const field of ["status_reason", "log_type_reason"]) {
			frm.set_df_property(field, "description", words[frm.doc[field]] || "");
		}
	},
});
