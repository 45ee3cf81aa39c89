// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const ANOMALY_COLOURS = { Open: "orange", Resolved: "green", Dismissed: "gray" };

frappe.listview_settings["Attendance Anomaly"] = {
	add_fields: ["state", "kind", "attendance_date", "employee_name", "by_itself", "told"],
	hide_name_column: true,
	// What is to be done, until somebody asks for more.
	filters: [["state", "=", "Open"]],

	formatters: {
		// The list takes markup out of a title, and would hide that a name looks like some.
		employee_name(value) {
			return (value || "").replaceAll("<", "‹").replaceAll(">", "›");
		},
		reason(value, df, doc) {
			// v16 measures it as an element, and takes bare words for a selector.
			const said = attendance_bridge.anomalies.told(doc, "reason") || "";
			return `<span>${frappe.utils.escape_html(said)}</span>`;
		},
	},

	/** On a phone the list has nothing else to tell what it is. */
	get_indicator(doc) {
		const state = doc.by_itself ? __("Gone") : __(doc.state);
		const words = doc.state === "Open" ? __(doc.kind) : `${__(doc.kind)} · ${state}`;
		return [words, ANOMALY_COLOURS[doc.state] || "gray", `state,=,${doc.state}`];
	},

	onload(list) {
		// Narrow screens get four columns, and what it is would not be one of them.
		const total_fields = list.list_view_settings?.total_fields || 5;
		list.list_view_settings = { ...list.list_view_settings, total_fields };
		list.setup_columns();
		list.render_header(true);
		if (list.data?.length) list.render_list();
		const { ACTS, may_decide, may_correct } = attendance_bridge.anomalies;
		if (!may_decide()) return;
		for (const act of ACTS) {
			if (act.single || (act.corrects && !may_correct())) continue;
			list.page.add_actions_menu_item(act.label, () => decide_on_checked(list, act), true);
		}
	},
};

/** On those of the checked anomalies that the act is for. */
function decide_on_checked(list, act) {
	const rows = list.get_checked_items().filter((row) => attendance_bridge.anomalies.can(act, row));
	if (!rows.length) {
		frappe.show_alert({
			message: __("This can be done about none of the chosen anomalies."),
			indicator: "orange",
		});
		return;
	}
	attendance_bridge.anomalies.perform(act, rows, () => {
		list.clear_checked_items();
		list.refresh();
	});
}
