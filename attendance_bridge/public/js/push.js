// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// Terminals that push by themselves: what is typed in on them, tokens and commands; on the form of Device
// Configuration and on the settings.

frappe.provide("attendance_bridge.push");

(() => {
	const API = "attendance_bridge.api.push";
	const PUSH_DRIVER = "zkteco_adms";
	const PAIRING_MINUTES = 15;

	const escape = frappe.utils.escape_html;

	frappe.ui.form.on("Device Configuration", {
		async refresh(frm) {
			if (frm.is_new() || !frm.perm[0].write) return;
			if (frm.doc.road === "Push" && frm.doc.driver === PUSH_DRIVER) remove_calls(frm);
			if (frm.doc.driver === PUSH_DRIVER && !frm.doc.serial_number) {
				frm.add_custom_button(__("Set Serial Number"), () => ask_serial(frm), __("Push"));
			}
			if (!frm.doc.push) return;
			frm.add_custom_button(__("Make Token"), () => confirm_token(frm), __("Push"));
			for (const command of await frappe.xcall(`${API}.commands`, { device: frm.docname }, "GET")) {
				frm.add_custom_button(__(command), () => confirm_command(frm, command), __("Push"));
			}
			frm.add_custom_button(
				__("Commands"),
				() => frappe.set_route("List", "Push Command", { device: frm.docname }),
				__("View")
			);
		},
	});

	frappe.ui.form.on("Attendance Bridge Settings", {
		refresh(frm) {
			if (!frm.doc.push_enabled || !frm.perm[0].write) return;
			frm.add_custom_button(
				__("Address for Terminals"),
				async () => show_address(await frappe.xcall(`${API}.address`, {}, "GET")),
				__("Push")
			);
			if (is_open(frm.doc.pairing_open_until)) {
				frm.add_custom_button(__("Close Pairing"), () => set_pairing(frm, "close_pairing"), __("Push"));
			} else {
				frm.add_custom_button(
					__("Open Pairing for {0} Minutes", [PAIRING_MINUTES]),
					() => set_pairing(frm, "open_pairing", { minutes: PAIRING_MINUTES }),
					__("Push")
				);
			}
			frm.add_custom_button(
				__("Device Pairing"),
				() => frappe.set_route("List", "Device Pairing"),
				__("Push")
			);
		},
	});

	/** Nobody can call it: it calls. */
	function remove_calls(frm) {
		frm.remove_custom_button(__("Fetch Check-in"));
		for (const label of [__("Test Connection"), __("Sync Clock"), __("Download Diagnostics")]) {
			frm.remove_custom_button(label, __("Terminal"));
		}
	}

	function is_open(until) {
		return Boolean(until) && moment(until).isAfter(frappe.datetime.system_datetime());
	}

	async function set_pairing(frm, method, args) {
		await frappe.xcall(`${API}.${method}`, args);
		frm.reload_doc();
	}

	function ask_serial(frm) {
		frappe.prompt(
			{
				fieldname: "serial",
				fieldtype: "Data",
				label: __("Serial Number"),
				description: __("As the terminal itself shows it"),
				reqd: 1,
			},
			async ({ serial }) => {
				await frappe.xcall(`${API}.set_serial`, { device: frm.docname, serial });
				frm.reload_doc();
			},
			__("Set Serial Number")
		);
	}

	function confirm_token(frm) {
		frappe.confirm(
			__(
				"Make a new token for {0}? It is shown one time only, and has to be typed in on the terminal: until then what it sends is turned away.",
				[escape(frm.docname).bold()]
			),
			async () => {
				const address = await frappe.xcall(`${API}.make_token`, { device: frm.docname });
				await frm.reload_doc();
				show_address(address);
			}
		);
	}

	function confirm_command(frm, command) {
		frappe.confirm(__("Ask {0} for this: {1}?", [escape(frm.docname).bold(), __(command)]), async () => {
			await frappe.xcall(`${API}.send_command`, { device: frm.docname, command });
			frappe.show_alert({
				message: __("The terminal is told at its next call, within seconds if it is there."),
				indicator: "blue",
			});
		});
	}

	/** A token lives in this dialog alone: closing it is the end of it. */
	function show_address({ host, port, https, url, token }) {
		const rows = [
			[__("Server Address"), host],
			[__("Port"), port],
			["HTTPS", https ? __("Yes") : __("No")],
			[__("Token in the Path"), token || "–"],
			[__("Address, Where It Takes One"), url],
		];
		const dialog = new frappe.ui.Dialog({
			title: __("Address for Terminals"),
			fields: [{ fieldname: "address", fieldtype: "HTML" }],
			primary_action_label: __("Copy Address"),
			primary_action: () => frappe.utils.copy_to_clipboard(url),
			secondary_action_label: __("Close"),
			secondary_action: () => dialog.hide(),
		});
		dialog.get_field("address").$wrapper.html(
			[
				`<p>${__("Under Communication, Cloud Server (ADMS) on the terminal:")}</p>`,
				`<table class="table table-borderless mb-0">${rows
					.map(
						([label, value]) =>
							`<tr><td class="text-muted">${label}</td><td><code>${escape(
								String(value)
							)}</code></td></tr>`
					)
					.join("")}</table>`,
				token ? `<p>${__("The token is shown this one time only.")}</p>` : "",
			].join("")
		);
		dialog.onhide = () => dialog.$wrapper.remove();
		dialog.show();
	}
})();
