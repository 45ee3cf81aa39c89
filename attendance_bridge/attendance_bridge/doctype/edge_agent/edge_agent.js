// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const SILENT_AFTER_MINUTES = 15;

frappe.ui.form.on("Edge Agent", {
	setup(frm) {
		frm.set_query("user", () => ({ filters: { name: ["not in", frappe.STANDARD_USERS] } }));
	},

	refresh(frm) {
		frm.dashboard.clear_headline();
		if (frm.is_new()) return;
		show_state(frm);
		if (frappe.user.has_role("System Manager")) {
			frm.add_custom_button(__("Make API Key"), () => confirm_key(frm));
		}
	},
});

function show_state(frm) {
	const [words, color] = state_of(frm.doc);
	frm.dashboard.set_headline_alert(words, color);
}

function state_of({ enabled, last_heartbeat, waiting }) {
	if (!enabled) return [__("Disabled: it is refused whatever it brings."), "gray"];
	if (!last_heartbeat) {
		return [__("Not seen yet. Make an API key and put it into the agent's configuration."), "orange"];
	}
	const minutes = moment(frappe.datetime.now_datetime()).diff(last_heartbeat, "minutes");
	if (minutes > SILENT_AFTER_MINUTES) {
		return [
			__("Silent for {0} minutes: attendance of its terminals waits, and their punches are not lost.", [
				minutes,
			]),
			"red",
		];
	}
	return waiting
		? [__("Online; {0} punches are on their way.", [waiting]), "blue"]
		: [__("Online; all its punches are here."), "green"];
}

function confirm_key(frm) {
	frappe.confirm(
		__(
			"Make a new API key for {0}? A key that it has already stops working at once. The new secret is shown one time only.",
			[frappe.utils.escape_html(frm.docname).bold()]
		),
		async () => {
			const key = await frappe.xcall("attendance_bridge.api.agents.make_api_key", {
				agent: frm.docname,
			});
			show_key(frm, key);
		}
	);
}

/** The secret lives in this dialog alone: closing it is the end of it. */
function show_key(frm, { api_key, api_secret, url }) {
	const settings = [
		"[upstream]",
		'kind = "frappe_bridge"',
		`url = ${JSON.stringify(url)}`,
		'api_key_env = "SITE_API_KEY"',
		'api_secret_env = "SITE_API_SECRET"',
	].join("\n");
	const secrets = `SITE_API_KEY=${api_key}\nSITE_API_SECRET=${api_secret}`;
	const dialog = new frappe.ui.Dialog({
		title: __("API Key of {0}", [frappe.utils.escape_html(frm.docname)]),
		fields: [{ fieldname: "key", fieldtype: "HTML" }],
		primary_action_label: __("Copy Secrets"),
		primary_action: () => frappe.utils.copy_to_clipboard(secrets),
		secondary_action_label: __("Close"),
		secondary_action: () => dialog.hide(),
	});
	// As `options` of the field it would be taken for a template, which loses the ends of lines.
	dialog.get_field("key").$wrapper.html(
		[
			`<p>${__("The secret is shown this one time only.")}</p>`,
			block(__("Into edge.toml"), settings),
			block(__("Into the file of secrets (secrets.env), readable by the agent alone"), secrets),
		].join("")
	);
	dialog.onhide = () => dialog.$wrapper.remove();
	dialog.show();
}

function block(label, text) {
	return `<label class="control-label">${label}</label><pre>${frappe.utils.escape_html(text)}</pre>`;
}
