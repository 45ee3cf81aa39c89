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
		if (frm.doc.retimed_by) {
			frm.dashboard.set_headline_alert(spell_retiming(frm.doc), "blue");
		}
	},
});

/** The terminal's own word stays: what it showed, and where the punch counts. */
function spell_retiming({ retimed_by, wall_time, occurred_at }) {
	const by = frappe.utils.get_formatted_duration(Math.abs(retimed_by)) || `${Math.abs(retimed_by)} s`;
	const shown = frappe.datetime.str_to_user(wall_time);
	const counts = frappe.datetime.str_to_user(occurred_at);
	return retimed_by > 0
		? __("Re-timed: the clock was measured {0} behind. The terminal showed {1}; it counts as {2}.", [by, shown, counts])
		: __("Re-timed: the clock was measured {0} ahead. The terminal showed {1}; it counts as {2}.", [by, shown, counts]);
}

function add_review_buttons(frm) {
	if (frm.doc.status === "Unmapped") {
		frm.add_custom_button(__("Unmapped People"), () => frappe.set_route("unmapped-people"));
	}
	if (!attendance_bridge.review.may_act()) return;
	for (const act of attendance_bridge.review.ACTS) {
		if (!attendance_bridge.review.can(act, frm.doc)) continue;
		frm.add_custom_button(act.label, () =>
			attendance_bridge.review.perform(act, [frm.docname], () => frm.reload_doc())
		);
	}
}
