// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const COMMAND_COLORS = { Queued: "orange", Sent: "blue", Done: "green", Failed: "red", Expired: "gray" };

frappe.listview_settings["Push Command"] = {
	add_fields: ["state"],

	get_indicator(doc) {
		return [__(doc.state), COMMAND_COLORS[doc.state], `state,=,${doc.state}`];
	},
};
