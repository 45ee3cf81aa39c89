// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.ui.form.on("Face Consent", {
	refresh(frm) {
		if (frm.is_new() || frm.doc.withdrawn_at) return;
		frm.add_custom_button(__("Withdraw"), () => {
			frappe.confirm(
				__(
					"Withdraw the consent to be recognised by face? The face templates are erased here at once, and at every edge agent when it is next in contact."
				),
				async () => {
					const employee = frm.doc.employee;
					await frappe.xcall("attendance_bridge.api.faces.withdraw", { employee });
					frappe.show_alert({
						message: __("Withdrawn, and erased on this site"),
						indicator: "green",
					});
					frm.reload_doc();
				}
			);
		});
	},
});
