// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// As on the workspace: so many readings missed in a row, and a terminal is not online.
const SILENT_AFTER_READINGS = 3;

function is_silent({ last_contact, poll_interval }) {
	const minutes = moment(frappe.datetime.system_datetime()).diff(last_contact, "minutes");
	return minutes > SILENT_AFTER_READINGS * Math.max(cint(poll_interval), 1) + 1;
}

function road_in_words(road, { edge_agent, push }) {
	if (road === "Relayed") return __("Relayed by {0}", [frappe.utils.escape_html(edge_agent)]);
	return push && road !== "Push" ? __("{0}, Push", [__(road)]) : __(road);
}

frappe.listview_settings["Device Configuration"] = {
	add_fields: ["enabled", "last_contact", "last_error_code", "poll_interval", "edge_agent", "road", "push"],
	hide_name_filter: false,

	get_indicator(doc) {
		if (!doc.enabled) return [__("Disabled"), "gray", "enabled,=,0"];
		if (doc.last_error_code) return [__("Failing"), "red", "enabled,=,1|last_error_code,is,set"];
		if (!doc.last_contact) return [__("Not Reached Yet"), "orange", "enabled,=,1|last_contact,is,not set"];
		if (is_silent(doc)) return [__("Silent"), "orange", "enabled,=,1|last_error_code,is,not set"];
		return [__("Online"), "green", "enabled,=,1|last_error_code,is,not set"];
	},

	formatters: {
		// v16 measures it as an element, and takes bare words for a selector.
		road(value, _df, doc) {
			return `<span class="ellipsis">${road_in_words(value, doc)}</span>`;
		},
	},

	onload(list) {
		if (!frappe.model.can_write("Device Configuration")) return;
		list.page.add_action_item(__("Fetch Check-in"), () =>
			attendance_bridge.fetch.ask(list.get_checked_items(true), () => list.clear_checked_items())
		);
	},
};
