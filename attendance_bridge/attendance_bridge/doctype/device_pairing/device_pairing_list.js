// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const STATE_COLORS = { Waiting: "orange", Approved: "green", Refused: "gray" };

frappe.listview_settings["Device Pairing"] = {
	add_fields: ["state"],

	get_indicator(doc) {
		return [__(doc.state), STATE_COLORS[doc.state], `state,=,${doc.state}`];
	},
};
