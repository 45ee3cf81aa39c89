// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const PUNCH_COLOURS = {
	Received: "light-gray",
	Pending: "blue",
	"Checked in": "green",
	Duplicate: "gray",
	Unmapped: "orange",
	Quarantined: "yellow",
	Rejected: "red",
	Ignored: "gray",
};

frappe.listview_settings["Punch Log"] = {
	add_fields: ["status", "device_user_id"],
	hide_name_column: true,

	formatters: {
		// Nobody's yet: the id on the terminal is all that is known of the person.
		employee_name(value, df, doc) {
			return frappe.utils.escape_html(
				doc.employee_name || __("ID {0}", [doc.device_user_id || ""])
			);
		},
	},

	get_indicator(doc) {
		return [__(doc.status), PUNCH_COLOURS[doc.status] || "gray", `status,=,${doc.status}`];
	},
};
