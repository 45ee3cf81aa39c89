// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const SILENT_AFTER_MINUTES = 15;
const LOOK_EVERY_MS = 5000;

frappe.ui.form.on("Edge Agent", {
	setup(frm) {
		frm.set_query("user", () => ({ filters: { name: ["not in", frappe.STANDARD_USERS] } }));
	},

	refresh(frm) {
		frm.dashboard.clear_headline();
		if (frm.is_new()) return;
		show_state(frm);
		attendance_bridge.health.show_agent(frm);
		if (frappe.user.has_role("System Manager")) {
			frm.add_custom_button(__("Make API Key"), () => confirm_key(frm));
			frm.add_custom_button(__("Find Terminals"), () => find_terminals(frm));
		}
		show_found(frm);
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

async function find_terminals(frm) {
	if (frm.is_dirty()) frappe.throw(__("Save first: the ranges that are saved are looked through."));
	await frappe.xcall("attendance_bridge.api.agents.find_terminals", { agent: frm.docname });
	frappe.show_alert({
		message: __("The agent is told at its next heartbeat, within a minute. This page shows what it finds."),
		indicator: "blue",
	});
	await frm.reload_doc();
	wait_for_scan(frm);
}

/** Until the agent has told what it found, or somebody has gone to another page. */
function wait_for_scan(frm) {
	clearTimeout(frm.scan_timer);
	const agent = frm.docname;
	frm.scan_timer = setTimeout(async () => {
		if (frm.docname !== agent || cur_frm !== frm) return;
		const { message } = await frappe.db.get_value("Edge Agent", agent, "scan_wanted_at");
		if (message.scan_wanted_at) wait_for_scan(frm);
		else if (!frm.is_dirty()) frm.reload_doc();
	}, LOOK_EVERY_MS);
}

async function show_found(frm) {
	const wrapper = $(frm.fields_dict.scan_found.wrapper).empty();
	if (frm.doc.scan_wanted_at) wait_for_scan(frm);
	if (!frm.doc.scan_done_at) return;
	const found = await frappe.xcall(
		"attendance_bridge.api.agents.found_terminals",
		{ agent: frm.docname },
		"GET"
	);
	wrapper.html(found_table(found));
	wrapper.find("button[data-serial]").on("click", async (event) => {
		const { serial } = event.currentTarget.dataset;
		await frappe.xcall("attendance_bridge.api.agents.take_over_address", { agent: frm.docname, serial });
		frm.reload_doc();
	});
}

function found_table({ terminals, addresses, error }) {
	if (error) return `<p>${frappe.utils.escape_html(error)}</p>`;
	const summary = __("{0} terminals answer at {1} addresses", [terminals.length, addresses]);
	const head = [__("Serial Number"), __("Address"), __("Driver"), __("Model"), __("Device"), ""];
	const cell = (text) => `<td>${text}</td>`;
	const rows = terminals.map((each) =>
		[
			frappe.utils.escape_html(each.serial) || "–",
			frappe.utils.escape_html(`${each.host}:${each.port}`),
			frappe.utils.escape_html(each.driver),
			frappe.utils.escape_html(each.model),
			each.device ? frappe.utils.get_form_link("Device Configuration", each.device, true) : "–",
			found_state(each),
		]
			.map(cell)
			.join("")
	);
	return `<p>${summary}</p><div class="table-responsive"><table class="table table-bordered"><thead><tr>${head
		.map((label) => `<th>${label}</th>`)
		.join("")}</tr></thead><tbody>${rows.map((row) => `<tr>${row}</tr>`).join("")}</tbody></table></div>`;
}

function found_state({ state, serial, configured }) {
	const serial_text = frappe.utils.escape_html(serial);
	const take_over = `<button class="btn btn-xs btn-default" data-serial="${serial_text}">${__(
		"Take Over Address"
	)}</button>`;
	switch (state) {
		case "known":
			return __("At its address");
		case "moved":
			return `${__("Was {0}", [frappe.utils.escape_html(configured)])} ${take_over}`;
		case "locked":
			return __("Wants its comm key before it says who it is");
		case "elsewhere":
			return `${__("Not relayed by this agent yet")} ${take_over}`;
		default:
			return __("New");
	}
}
