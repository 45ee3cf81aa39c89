// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const PUSH_API = "attendance_bridge.api.push";

frappe.ui.form.on("Device Pairing", {
	refresh(frm) {
		frm.disable_save();
		frm.dashboard.clear_headline();
		if (frm.is_new()) return; // only terminals make one
		frm.dashboard.set_headline_alert(...words_of(frm.doc));
		if (!frappe.model.can_write("Device Configuration")) return;
		if (frm.doc.state !== "Approved") {
			frm.add_custom_button(__("Approve"), () => ask_approval(frm)).addClass("btn-primary");
		}
		if (frm.doc.state !== "Refused") {
			frm.add_custom_button(__("Refuse"), () => confirm_refusal(frm));
		}
		if (frm.doc.device) {
			frm.add_custom_button(__("Device Configuration"), () =>
				frappe.set_route("Form", "Device Configuration", frm.doc.device)
			);
		}
	},
});

function words_of({ state }) {
	switch (state) {
		case "Approved":
			return [__("It may push: what it sends is taken."), "green"];
		case "Refused":
			return [__("It is turned away: nothing of what it sends is kept."), "gray"];
		default:
			return [
				__("It waits. Nothing of what it sends is kept here, and it keeps all of it until it is approved."),
				"orange",
			];
	}
}

async function ask_approval(frm) {
	const known = await frappe.xcall(
		`${PUSH_API}.pairing_suggestions`,
		{ pairing_name: frm.docname },
		"GET"
	);
	if (known.device) {
		frappe.confirm(
			__("It is {0}. Let it push?", [frappe.utils.escape_html(known.device).bold()]),
			() => approve(frm, known.device)
		);
		return;
	}
	const context = await frappe.xcall("attendance_bridge.api.devices.form_context");
	const is_new = "eval:!doc.device";
	const dialog = new frappe.ui.Dialog({
		title: __("Approve {0}", [frappe.utils.escape_html(frm.docname)]),
		fields: [
			{
				fieldname: "device",
				fieldtype: "Select",
				label: __("Device Configuration"),
				options: [{ value: "", label: __("Make a new one") }, ...known.others.map(as_option)],
				hidden: known.others.length ? 0 : 1,
			},
			{
				fieldname: "device_name",
				fieldtype: "Data",
				label: __("Device Name"),
				default: known.device_name,
				description: __("How people call this terminal, for example Main gate"),
				depends_on: is_new,
				mandatory_depends_on: is_new,
			},
			{
				fieldname: "time_zone",
				fieldtype: "Autocomplete",
				label: __("Time Zone"),
				options: context.time_zones,
				default: known.time_zone,
				description: __("Of the wall that the terminal hangs on: its display shows this time"),
				depends_on: is_new,
				mandatory_depends_on: is_new,
			},
			{
				fieldname: "device_role",
				fieldtype: "Select",
				label: __("Device Role"),
				options: ["As the key says", "In", "Out", "Both"].map(as_option),
				default: "As the key says",
				depends_on: is_new,
			},
			{
				fieldname: "branch",
				fieldtype: "Link",
				options: "Branch",
				label: __("Branch"),
				depends_on: is_new,
			},
			{
				fieldname: "shifts",
				fieldtype: "MultiSelectPills",
				label: __("Shifts"),
				get_data: (text) => frappe.db.get_link_options("Shift Type", text),
				description: __("Whose people use this terminal"),
				depends_on: is_new,
			},
		],
		primary_action_label: __("Approve"),
		async primary_action({ device, ...values }) {
			dialog.hide();
			await approve(frm, device || null, values);
		},
	});
	dialog.show();
}

function as_option(value) {
	return { value, label: __(value) };
}

async function approve(frm, device, values) {
	const made = await frappe.xcall(`${PUSH_API}.approve`, { pairing_name: frm.docname, device, values });
	frappe.show_alert({
		message: __("{0} may push.", [frappe.utils.escape_html(made.device)]),
		indicator: "green",
	});
	frm.reload_doc();
}

function confirm_refusal(frm) {
	frappe.confirm(
		__("Turn the terminal {0} away?", [frappe.utils.escape_html(frm.docname).bold()]),
		async () => {
			await frappe.xcall(`${PUSH_API}.refuse`, { pairing_name: frm.docname });
			frm.reload_doc();
		}
	);
}
