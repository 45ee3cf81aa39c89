// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const SYNC_COLOURS = {
	Queued: "light-gray",
	Running: "blue",
	Complete: "green",
	Failed: "red",
	Stopped: "orange",
};

frappe.listview_settings["Device Sync Log"] = {
	add_fields: ["status"],
	hide_name_column: true,

	get_indicator(doc) {
		return [__(doc.status), SYNC_COLOURS[doc.status] || "gray", `status,=,${doc.status}`];
	},
};
