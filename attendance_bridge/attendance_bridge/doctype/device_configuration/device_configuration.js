// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

const API = "attendance_bridge.api.devices";

frappe.ui.form.on("Device Configuration", {
	async onload(frm) {
		await load_context(frm);
		if (frm.is_new() && !frm.doc.time_zone) {
			frm.set_value("time_zone", frm.context.time_zone);
		}
		frm.trigger("show_driver");
	},

	refresh(frm) {
		frm.trigger("show_driver");
		frm.trigger("show_state");
		if (!frm.is_new()) {
			if (frm.perm[0].write) add_buttons(frm);
			add_views(frm);
			show_health(frm);
		}
		attendance_bridge.fetch.follow(frm);
	},

	driver(frm) {
		frm.set_value("driver_options", null);
		frm.trigger("show_driver");
	},

	/** Show what the chosen driver asks for, and nothing else. */
	show_driver(frm) {
		const driver = driver_of(frm);
		if (!frm.context) return;
		for (const field of [
			"device_ip",
			"port",
			"device_user",
			"device_user_password",
			"major",
			"minor",
		]) {
			const used = driver?.fields[field];
			frm.toggle_display(field, Boolean(used));
			frm.toggle_reqd(field, Boolean(used?.required));
			if (used) frm.set_df_property(field, "description", __(used.help));
		}
		frm.toggle_display("connection_section", !is_camera(frm));
		frm.toggle_reqd("edge_agent", is_camera(frm));
		for (const field of ["live", "push", "poll_interval"]) {
			frm.set_df_property(field, "hidden", is_camera(frm) ? 1 : 0);
		}
		frm.toggle_display("driver_options_section", Boolean(driver?.options.length));
		if (driver) draw_options(frm, driver);
	},

	show_state(frm) {
		frm.dashboard.clear_headline();
		if (frm.doc.last_error) {
			frm.dashboard.set_headline_alert(frappe.utils.escape_html(frm.doc.last_error), "red");
		}
	},
});

async function load_context(frm) {
	frm.context = await frappe.xcall(`${API}.form_context`);
	frm.fields_dict.driver.set_data(
		frm.context.drivers.map(({ name, label }) => ({ value: name, label }))
	);
	frm.fields_dict.time_zone.set_data(frm.context.time_zones);
	// The field was drawn before its choices came: show the label of the value.
	frm.refresh_field("driver");
}

function driver_of(frm) {
	return frm.context?.drivers.find(({ name }) => name === frm.doc.driver);
}

/** The camera of an agent: nobody calls it, its punches come by themselves. */
function is_camera(frm) {
	return frm.doc.driver === "edge_camera";
}

/** The options of a driver as a small form; only what differs from the default is kept. */
function draw_options(frm, driver) {
	const given = JSON.parse(frm.doc.driver_options || "{}");
	const wrapper = $(frm.fields_dict.driver_options_form.wrapper).empty();
	const columns = [driver.options.slice(0, Math.ceil(driver.options.length / 2))];
	columns.push(driver.options.slice(columns[0].length));
	const group = new frappe.ui.FieldGroup({
		body: wrapper,
		fields: [
			...columns[0].map(field_of_option),
			{ fieldtype: "Column Break" },
			...columns[1].map(field_of_option),
		],
	});
	group.make();
	for (const option of driver.options) {
		const control = group.fields_dict[option.name];
		control.set_input(to_form(option, given[option.name] ?? option.default));
		control.df.read_only = frm.perm[0].write ? 0 : 1;
		control.refresh();
		control.df.onchange = () => keep_options(frm, driver, group);
	}
}

function field_of_option(option) {
	return {
		fieldname: option.name,
		fieldtype: option.fieldtype,
		label: __(label_of(option.name)),
		precision: "1",
		options: option.choices.join("\n"),
		description: __(option.help),
	};
}

function label_of(name) {
	return frappe.unscrub(name).replace(/\b(https|tls|id)\b/gi, (word) => word.toUpperCase());
}

function keep_options(frm, driver, group) {
	const kept = {};
	for (const option of driver.options) {
		const value = from_form(option, group.get_value(option.name));
		if (value !== null && value !== option.default) kept[option.name] = value;
	}
	const text = Object.keys(kept).length ? JSON.stringify(kept) : null;
	if (text !== (frm.doc.driver_options || null)) {
		frappe.model.set_value(frm.doctype, frm.docname, "driver_options", text);
	}
}

function to_form(option, value) {
	return option.fieldtype === "Check" ? cint(value) : value;
}

/** A control gives numbers as it likes and a check as 0 or 1; an empty one means the default. */
function from_form(option, value) {
	if (value === undefined || value === null || value === "") return null;
	switch (option.fieldtype) {
		case "Check":
			return Boolean(cint(value));
		case "Int":
			return cint(value);
		case "Float":
			return flt(value);
		default:
			return value;
	}
}

function add_buttons(frm) {
	frm.add_custom_button(__("Fetch Check-in"), () =>
		attendance_bridge.fetch.ask([frm.docname], () => attendance_bridge.fetch.follow(frm))
	);
	frm.add_custom_button(__("Test Connection"), () => contact(frm, "test_connection"), __("Terminal"));
	if (driver_of(frm)?.capabilities.includes("set_clock") ?? true) {
		frm.add_custom_button(__("Sync Clock"), () => confirm_sync_clock(frm), __("Terminal"));
	}
	if (!is_camera(frm)) {
		frm.add_custom_button(
			__("Download Diagnostics"),
			() => download_diagnostics(frm),
			__("Terminal")
		);
	}
	if (frm.doc.serial_number) {
		frm.add_custom_button(
			__("Accept New Terminal"),
			() => confirm_new_terminal(frm),
			__("Terminal")
		);
	}
}

function add_views(frm) {
	const may_rehearse = ["System Manager", "HR Manager"].some((role) => frappe.user.has_role(role));
	if (may_rehearse && frm.doc.serial_number) {
		frm.add_custom_button(__("Dry Run"), () => ask_dry_run(frm));
	}
	frm.add_custom_button(
		__("Punches"),
		() => frappe.set_route("List", "Punch Log", { device: frm.docname }),
		__("View")
	);
	frm.add_custom_button(
		__("Readings"),
		() => frappe.set_route("List", "Device Sync Log", { device: frm.docname }),
		__("View")
	);
}

async function show_health(frm) {
	const { retimable } = await attendance_bridge.health.show_device(frm);
	if (!retimable || !attendance_bridge.review.may_act()) return;
	frm.add_custom_button(__("Re-time {0} Quarantined Punches", [retimable]), () => retime(frm));
}

async function retime(frm) {
	const { punches, left } = await frappe.xcall(
		"attendance_bridge.api.punches.retime_device",
		{ device: frm.docname },
		"POST"
	);
	frappe.show_alert({
		message: __("{0} punches were re-timed, {1} stay as they are. Undo it on the Punch Log.", [
			punches,
			left,
		]),
		indicator: punches ? "green" : "orange",
	});
	frm.reload_doc();
}

function ask_dry_run(frm) {
	const fields = ["device_role", "user_id_prefix"].map((fieldname) => {
		const { fieldtype, label, options } = frm.get_field(fieldname).df;
		return { fieldname, fieldtype, options, label: __(label), default: frm.doc[fieldname] };
	});
	attendance_bridge.dry_run.ask(fields, frm.docname);
}

function download_diagnostics(frm) {
	if (frm.is_dirty()) {
		frappe.throw(__("Save first: the terminal is reached with what is saved."));
	}
	open_url_post("/api/method/attendance_bridge.api.devices.download_diagnostics", {
		device: frm.docname,
	});
}

function confirm_sync_clock(frm) {
	frappe.confirm(__("Set the clock of {0} to the present time?", [frm.docname.bold()]), () =>
		contact(frm, "sync_clock")
	);
}

function confirm_new_terminal(frm) {
	frappe.confirm(
		__(
			"Has another terminal been put in the place of {0} (serial number {1})? Its log is then read from the beginning. Punches that are here stay.",
			[frm.docname.bold(), frappe.utils.escape_html(frm.doc.serial_number)]
		),
		async () => {
			await frappe.xcall(`${API}.accept_new_terminal`, { device: frm.docname });
			frm.reload_doc();
		}
	);
}

async function contact(frm, method) {
	if (frm.is_dirty()) {
		frappe.throw(__("Save first: the terminal is reached with what is saved."));
	}
	const { message } = await frappe.call({
		method: `${API}.${method}`,
		type: "POST",
		args: { device: frm.docname },
		freeze: true,
		freeze_message: __("Talking to the terminal …"),
	});
	await frm.reload_doc();
	show_answer(frm, message);
}

function show_answer(frm, answer) {
	if (answer.error) {
		frappe.msgprint({
			title: answer.is_camera
				? __("The Camera of an Agent")
				: __("The Terminal Could Not Be Reached as Configured"),
			message: frappe.utils.escape_html(answer.error),
			indicator: answer.is_camera ? "blue" : "red",
		});
		return;
	}
	const rows = [
		[__("Model"), answer.model],
		[__("Firmware"), answer.firmware],
		[__("Serial Number"), answer.serial],
		[__("Records on Device"), spell_records(answer)],
		[__("Clock"), spell_clock(answer)],
	].filter(([, value]) => value);
	frappe.msgprint({
		title: __("{0} Answers", [frappe.utils.escape_html(frm.docname)]),
		message: `<table class="table table-borderless mb-0">${rows
			.map(
				([label, value]) =>
					`<tr><td class="text-muted">${label}</td><td>${frappe.utils.escape_html(
						String(value)
					)}</td></tr>`
			)
			.join("")}</table>`,
		indicator: answer.clock_is_right ? "green" : "orange",
	});
}

function spell_records({ records, capacity }) {
	if (records === null) return "";
	return capacity ? __("{0} of {1}", [records, capacity]) : String(records);
}

function spell_clock({ clock_offset, clock_is_right }) {
	if (clock_offset === null) return "";
	const seconds = Math.abs(clock_offset).toFixed(0);
	if (clock_is_right) return __("right, within {0} seconds", [seconds]);
	return clock_offset > 0 ? __("{0} seconds ahead", [seconds]) : __("{0} seconds behind", [seconds]);
}
