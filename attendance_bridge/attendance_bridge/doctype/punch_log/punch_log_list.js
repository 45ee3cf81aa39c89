// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const PUNCH_COLOURS = {
	Received: "light-gray",
	Pending: "blue",
	"Checked in": "green",
	Duplicate: "gray",
	Unmapped: "orange",
	Quarantined: "yellow",
	Rejected: "red",
	Ignored: "gray",
};

let reason_words = {};

frappe.listview_settings["Punch Log"] = {
	add_fields: ["status", "status_reason", "device_user_id", "employee_name", "retimed_by"],
	hide_name_column: true,

	formatters: {
		// Nobody's yet: the id on the terminal is all that is known of the person.
		employee_name(value, df, doc) {
			return harmless(doc.employee_name || __("ID {0}", [doc.device_user_id || ""]));
		},
		status_reason(value) {
			// v16 measures it as an element, and takes bare words for a selector.
			const { words } = attendance_bridge.review.explain(reason_words, value);
			return `<span class="ellipsis" title="${words}">${words}</span>`;
		},
	},

	get_indicator(doc) {
		return [__(doc.status), PUNCH_COLOURS[doc.status] || "gray", `status,=,${doc.status}`];
	},

	async onload(list) {
		reason_words = await attendance_bridge.review.explanations();
		// Narrow screens get four columns, and the reason would not be one of them.
		const total_fields = list.list_view_settings?.total_fields || 5;
		list.list_view_settings = { ...list.list_view_settings, total_fields };
		list.setup_columns();
		list.render_header(true);
		if (list.data?.length) list.render_list();
		if (!attendance_bridge.review.may_act()) return;
		for (const act of attendance_bridge.review.ACTS) {
			list.page.add_actions_menu_item(act.label, () => perform_on_checked(list, act), true);
		}
	},
};

/** The list takes markup out of a title, and would hide that an id looks like some. */
function harmless(text) {
	return text.replaceAll("<", "‹").replaceAll(">", "›");
}

/** On those of the checked punches that stand where the act begins. */
function perform_on_checked(list, act) {
	const punches = list
		.get_checked_items()
		.filter((punch) => attendance_bridge.review.can(act, punch))
		.map(({ name }) => name);
	if (!punches.length) {
		frappe.show_alert({
			message: __("None of the chosen punches is {0}", [
				frappe.utils.comma_or(act.from.map((status) => __(status))),
			]),
			indicator: "orange",
		});
		return;
	}
	attendance_bridge.review.perform(act, punches, () => {
		list.clear_checked_items();
		list.refresh();
	});
}
