// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.ui.form.on("Device Sync Log", {
	refresh(frm) {
		const { unmapped, quarantined, rejected, device, error } = frm.doc;
		frm.dashboard.clear_headline();
		if (error) frm.dashboard.set_headline_alert(frappe.utils.escape_html(error), "red");
		if (unmapped) {
			frm.add_custom_button(__("Map People"), () => frappe.set_route("unmapped-people"));
		}
		if (unmapped || quarantined || rejected) {
			frm.add_custom_button(__("What Needs a Hand"), () =>
				frappe.set_route("List", "Punch Log", {
					device,
					status: ["in", ["Unmapped", "Quarantined", "Rejected"]],
				})
			);
		}
	},
});
