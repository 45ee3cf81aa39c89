// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.ui.form.on("Shift Type", {
	async refresh(frm) {
		if (frm.is_new()) return;
		const shift = frm.docname;
		const why = await frappe.xcall("attendance_bridge.api.figures.why_held", { shift });
		if (why && frm.docname === shift) {
			frm.dashboard.set_headline_alert(frappe.utils.escape_html(why), "orange");
		}
	},
});
