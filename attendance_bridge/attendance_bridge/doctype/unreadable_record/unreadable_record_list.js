// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.listview_settings["Unreadable Record"] = {
	add_fields: ["reason", "device"],
	hide_name_column: true,

	get_indicator() {
		return [__("Unreadable"), "red", "reason,is,set"];
	},
};
