// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// Fetch Check-in: asked for on the form and on the list of Device Configuration.

frappe.provide("attendance_bridge.fetch");

const EVENT = "attendance_bridge_progress";

/** Ask for a range, queue one job a terminal, tell what was queued, then call `done`. */
attendance_bridge.fetch.ask = function (devices, done) {
	const dialog = new frappe.ui.Dialog({
		title: __("Fetch Check-in"),
		fields: [
			{
				fieldname: "range",
				fieldtype: "Select",
				label: __("Read"),
				options: [
					{ value: "new", label: __("What is new") },
					{ value: "dates", label: __("Everything between two dates") },
				],
				default: "new",
			},
			{
				fieldname: "dates",
				fieldtype: "Section Break",
				depends_on: "eval:doc.range === 'dates'",
			},
			{
				fieldname: "from_date",
				fieldtype: "Date",
				label: __("From Date"),
				default: frappe.datetime.add_days(frappe.datetime.get_today(), -7),
				mandatory_depends_on: "eval:doc.range === 'dates'",
			},
			{ fieldtype: "Column Break" },
			{
				fieldname: "to_date",
				fieldtype: "Date",
				label: __("To Date"),
				default: frappe.datetime.get_today(),
				mandatory_depends_on: "eval:doc.range === 'dates'",
			},
			{ fieldtype: "Section Break" },
			{
				fieldname: "note",
				fieldtype: "HTML",
				options: `<p class="text-muted small">${__(
					"Punches that are here already are recognised and not doubled."
				)}</p>`,
			},
		],
		primary_action_label: __("Fetch"),
		async primary_action(values) {
			dialog.hide();
			await queue_all(devices, values);
			done?.();
		},
	});
	dialog.show();
};

/** Show on a form how the running job of its terminal goes. */
attendance_bridge.fetch.follow = function (frm) {
	frappe.realtime.off(EVENT);
	if (frm.is_new()) return;
	frappe.realtime.on(EVENT, async (state) => {
		if (state.device !== frm.docname || cur_frm !== frm) return;
		if (state.stage !== "done") return show_progress(frm, state);
		frm.dashboard.hide_progress();
		await frm.reload_doc();
		tell_result(state);
	});
};

async function queue_all(devices, { range, from_date, to_date }) {
	const window = range === "dates" ? { from_date, to_date } : {};
	const busy = [];
	for (const device of devices) {
		const answer = await frappe.xcall("attendance_bridge.api.devices.fetch_checkins", {
			device,
			...window,
		});
		if (!answer.queued) busy.push(device);
	}
	tell_queued(devices, busy);
}

function tell_queued(devices, busy) {
	if (devices.length > busy.length) {
		frappe.show_alert({
			message: __("Being read in the background: {0}", [
				frappe.utils.escape_html(
					devices.filter((device) => !busy.includes(device)).join(", ")
				),
			]),
			indicator: "blue",
		});
	}
	if (busy.length) {
		frappe.show_alert({
			message: __("Being read already: {0}", [frappe.utils.escape_html(busy.join(", "))]),
			indicator: "orange",
		});
	}
}

function show_progress(frm, { stage, done, expected }) {
	const percent = expected ? Math.min(99, (done / expected) * 100) : 50;
	const words = {
		reading: expected
			? __("{0} of {1} records read", [done, expected])
			: __("{0} records read", [done]),
		delivering: __("{0} punches settled", [done]),
	};
	frm.dashboard.show_progress(__("Fetch Check-in"), percent, words[stage]);
}

async function tell_result({ sync_log, device, status }) {
	const { message: log } = await frappe.db.get_value("Device Sync Log", sync_log, [
		"fetched",
		"new",
		"checked_in",
		"unmapped",
	]);
	const words = __("{0}: {1} punches, {2} new, {3} checked in, {4} unmapped", [
		frappe.utils.escape_html(device),
		log.fetched,
		log.new,
		log.checked_in,
		log.unmapped,
	]);
	const link = frappe.utils.get_form_link("Device Sync Log", sync_log, true, __("Show"));
	const seconds = 15;
	frappe.show_alert(
		{ message: `${words} ${link}`, indicator: status === "Complete" ? "green" : "red" },
		seconds
	);
}
