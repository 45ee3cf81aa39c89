// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.ui.form.on("Employee", {
	async refresh(frm) {
		if (frm.is_new() || !frappe.user.has_role(["HR Manager", "HR User"])) return;
		const employee = frm.docname;
		const holding = await frappe.db.count("Face Consent", {
			filters: { employee, withdrawn_at: ["is", "not set"] },
		});
		if (!holding || frm.docname !== employee) return;
		const group = __("Face");
		const act = (method, question, done) =>
			frappe.confirm(question, async () => {
				await frappe.xcall(method, { employee });
				frappe.show_alert({ message: done, indicator: "green" });
				frm.reload_doc();
			});
		frm.add_custom_button(
			__("Withdraw Consent"),
			() =>
				act(
					"attendance_bridge.api.faces.withdraw",
					__(
						"Withdraw the consent to be recognised by face? The face templates are erased here at once, and at every edge agent when it is next in contact."
					),
					__("Withdrawn, and erased on this site")
				),
			group
		);
		frm.add_custom_button(
			__("Erase Face Templates"),
			() =>
				act(
					"attendance_bridge.api.faces.erase",
					__("Erase the face templates here and at every edge agent? The consent stays."),
					__("Erased on this site")
				),
			group
		);
	},
});
