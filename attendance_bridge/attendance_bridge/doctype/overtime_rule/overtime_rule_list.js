// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.listview_settings["Overtime Rule"] = {
	onload(list) {
		const { may, ask } = attendance_bridge.count_again;
		if (may()) list.page.add_menu_item(__("Count Days Again…"), () => ask());
	},
};
