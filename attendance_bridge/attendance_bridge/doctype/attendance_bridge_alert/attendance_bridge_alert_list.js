// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.listview_settings["Attendance Bridge Alert"] = {
	add_fields: ["status"],
	hide_name_column: true,
	filters: [["status", "=", "Open"]],

	get_indicator({ status }) {
		const colour = { Watching: "gray", Open: "red", Cleared: "green" }[status] || "gray";
		return [__(status), colour, `status,=,${status}`];
	},
};
