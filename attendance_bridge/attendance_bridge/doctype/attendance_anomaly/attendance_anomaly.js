// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.ui.form.on("Attendance Anomaly", {
	refresh(frm) {
		frm.disable_save();
		if (frm.is_new()) {
			frm.set_intro(__("An anomaly is found by counting a day; nobody writes one."), "orange");
			return;
		}
		for (const field of ["reason", "advice"]) {
			frm.doc[field] = attendance_bridge.anomalies.told(frm.doc, field);
			frm.refresh_field(field);
		}
		add_acts(frm);
		add_request(frm);
	},
});

function add_acts(frm) {
	const { ACTS, may_decide, may_correct, can, perform } = attendance_bridge.anomalies;
	if (!may_decide() || is_own(frm)) return;
	for (const act of ACTS) {
		if (!can(act, frm.doc) || (act.corrects && !may_correct())) continue;
		frm.add_custom_button(act.label, () => perform(act, [frm.doc], () => frm.reload_doc()));
	}
}

/** The person whose day it is asks for its correction by HRMS's own form. */
function add_request(frm) {
	if (frm.doc.state !== "Open" || !is_own(frm) || !frappe.model.can_create("Attendance Request")) return;
	frm.add_custom_button(__("Ask for Correction"), () =>
		frappe.new_doc("Attendance Request", {
			employee: frm.doc.employee,
			company: frm.doc.company,
			from_date: frm.doc.attendance_date,
			to_date: frm.doc.attendance_date,
			shift: frm.doc.shift || undefined,
			reason: "On Duty",
			explanation: frm.doc.reason,
		})
	);
}

const is_own = (frm) => Boolean(frm.doc.__onload?.is_own);
