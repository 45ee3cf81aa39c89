// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.listview_settings["Device Configuration"] = {
	add_fields: ["enabled", "last_contact", "last_error_code", "poll_interval", "edge_agent"],
	hide_name_filter: false,

	get_indicator(doc) {
		if (!doc.enabled) return [__("Disabled"), "gray", "enabled,=,0"];
		if (doc.last_error_code) return [__("Failing"), "red", "enabled,=,1|last_error_code,is,set"];
		if (!doc.last_contact) return [__("Not Reached Yet"), "orange", "enabled,=,1|last_contact,is,not set"];
		return [__("Online"), "green", "enabled,=,1|last_error_code,is,not set"];
	},

	onload(list) {
		if (!frappe.model.can_write("Device Configuration")) return;
		list.page.add_action_item(__("Fetch Check-in"), () =>
			attendance_bridge.fetch.ask(list.get_checked_items(true), () => list.clear_checked_items())
		);
	},
};
