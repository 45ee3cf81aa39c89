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

	after_save(frm) {
		frm.saved_rule = frm.docname;
	},

	refresh(frm) {
		if (frm.is_new() || !attendance_bridge.count_again.may()) return;
		const count_again = () => attendance_bridge.count_again.ask(frm.doc.company);
		frm.add_custom_button(__("Count Days Again…"), count_again);
		if (frm.saved_rule === frm.docname) offer(frm, count_again);
		frm.saved_rule = null;
	},
});

/** A changed rule counts from then on. */
function offer(frm, count_again) {
	const said = __("Days that were counted before keep their figures.");
	const link = `<a href="#" class="count-again bold">${__("Count Days Again…")}</a>`;
	frm.dashboard.set_headline_alert(`${said} ${link}`, "blue");
	frm.layout.wrapper.find(".count-again").on("click", () => {
		count_again();
		return false;
	});
}
