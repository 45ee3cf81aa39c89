// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.ui.form.on("Overtime Approval", {
	onload(frm) {
		if (!frm.is_new()) return;
		if (frm.doc.amended_from) return frm.clear_table("payments");
		if (!frm.doc.from_date) {
			const last_month = frappe.datetime.add_months(frappe.datetime.month_start(), -1);
			frm.set_value("from_date", last_month);
			frm.set_value("to_date", frappe.datetime.add_days(frappe.datetime.month_start(), -1));
		}
	},

	refresh(frm) {
		frm.ignore_doctypes_on_cancel_all = ["Additional Salary", "Overtime Slip"];
		for (const table of ["days", "payments"]) frm.set_df_property(table, "cannot_add_rows", 1);
		if (frm.doc.docstatus === 0) add_list_buttons(frm);
		if (frm.doc.docstatus === 1) tell_standing(frm);
	},
});

frappe.ui.form.on("Overtime Approval Day", {
	decision(frm, cdt, cdn) {
		const row = locals[cdt][cdn];
		decide(row, row.decision);
		frm.refresh_field("days");
	},
});

function add_list_buttons(frm) {
	frm.add_custom_button(__("Get Overtime"), () => get_overtime(frm));
	const grid = frm.get_field("days").grid;
	grid.add_custom_button(__("Approve Selected"), () => decide_selected(frm, "Approve"));
	grid.add_custom_button(__("Reject Selected"), () =>
		frappe.prompt(
			{ fieldname: "remark", fieldtype: "Data", label: __("Remark"), reqd: 1 },
			({ remark }) => decide_selected(frm, "Reject", remark),
			__("Reject Selected")
		)
	);
}

function get_overtime(frm) {
	const { company, department, employee, from_date, to_date } = frm.doc;
	if (!company || !from_date || !to_date) {
		return frappe.show_alert({ message: __("Choose a company and two dates first."), indicator: "orange" });
	}
	return frappe
		.call({
			method: "attendance_bridge.api.overtime.waiting",
			args: { company, department, employee, from_date, to_date },
			freeze: true,
		})
		.then(({ message: days }) => {
			frm.clear_table("days");
			for (const day of days) frm.add_child("days", day);
			frm.dirty();
			frm.refresh_field("days");
			frappe.show_alert(
				days.length
					? { message: __("{0} days wait for a decision.", [days.length]), indicator: "blue" }
					: { message: __("No day waits for a decision."), indicator: "green" }
			);
		});
}

function decide_selected(frm, decision, remark) {
	const rows = frm.get_field("days").grid.get_selected_children();
	if (!rows.length) return frappe.show_alert({ message: __("Select days first."), indicator: "orange" });
	for (const row of rows) {
		decide(row, decision);
		if (remark) row.remark = remark;
	}
	frm.dirty();
	frm.refresh_field("days");
}

function decide(row, decision) {
	const approved = decision === "Approve";
	row.decision = decision;
	row.approved_overtime = approved ? row.overtime : 0;
	row.approved_extra_overtime = approved ? row.extra_overtime : 0;
	row.approve_allowances = approved ? 1 : 0;
}

/** What became of it since: days that came to something else, and what is still missing in the payroll. */
function tell_standing(frm) {
	const { changed = [] } = frm.doc.__onload || {};
	if (changed.length) {
		const days = changed.map(({ employee_name, date }) =>
			frappe.utils.escape_html(`${employee_name} ${frappe.datetime.str_to_user(date)}`)
		);
		frm.dashboard.add_comment(
			__("Changed since approval, and neither paid nor taken back by itself: {0}", [days.join(", ")]),
			"orange",
			true
		);
	}
	if (["Not Yet", "Partly"].includes(frm.doc.payroll_status)) {
		frm.add_custom_button(__("Hand to the Payroll Again"), () =>
			frappe
				.call({
					method: "attendance_bridge.api.overtime.pay_again",
					args: { approval: frm.doc.name },
					freeze: true,
				})
				.then(() => frm.reload_doc())
		);
	}
}
