// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.ui.form.on("Punch Log", {
	async refresh(frm) {
		frm.disable_save();
		add_review_buttons(frm);
		const known = await attendance_bridge.review.explanations();
		const status = attendance_bridge.review.explain(known, frm.doc.status_reason);
		const direction = attendance_bridge.review.explain(known, frm.doc.log_type_reason);
		frm.set_df_property("status_reason", "description", status.words);
		frm.set_df_property("log_type_reason", "description", direction.words);
		frm.dashboard.clear_headline();
		if (status.words) {
			const colour = status.advice ? "orange" : "blue";
			frm.dashboard.set_headline_alert(`${status.words}. ${status.advice}`, colour);
		}
	},
});

function add_review_buttons(frm) {
	if (frm.doc.status === "Unmapped") {
		frm.add_custom_button(__("Unmapped People"), () => frappe.set_route("unmapped-people"));
	}
	if (!attendance_bridge.review.may_act()) return;
	for (const act of attendance_bridge.review.ACTS) {
		if (!act.from.includes(frm.doc.status)) continue;
		frm.add_custom_button(act.label, () =>
			attendance_bridge.review.perform(act, [frm.docname], () => frm.reload_doc())
		);
	}
}
