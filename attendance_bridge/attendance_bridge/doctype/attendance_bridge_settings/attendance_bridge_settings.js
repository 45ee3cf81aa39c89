// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const RULES = ["debounce", "working_day_hours", "clock_tolerance"];

frappe.ui.form.on("Attendance Bridge Settings", {
	refresh(frm) {
		frm.add_custom_button(__("Dry Run"), () =>
			attendance_bridge.dry_run.ask(
				RULES.map((fieldname) => {
					const { fieldtype, label } = frm.get_field(fieldname).df;
					return { fieldname, fieldtype, label: __(label), default: frm.doc[fieldname] };
				})
			)
		);
	},
});
