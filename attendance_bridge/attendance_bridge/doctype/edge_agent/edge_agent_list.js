// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const SILENT_AFTER_MINUTES = 15;

frappe.listview_settings["Edge Agent"] = {
	add_fields: ["enabled", "last_heartbeat"],

	get_indicator(doc) {
		if (!doc.enabled) return [__("Disabled"), "gray", "enabled,=,0"];
		if (!doc.last_heartbeat) {
			return [__("Not Seen Yet"), "orange", "enabled,=,1|last_heartbeat,is,not set"];
		}
		const silent = moment(frappe.datetime.now_datetime()).diff(doc.last_heartbeat, "minutes");
		return silent > SILENT_AFTER_MINUTES
			? [__("Silent"), "red", "enabled,=,1"]
			: [__("Online"), "green", "enabled,=,1"];
	},
};
