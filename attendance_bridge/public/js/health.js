// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// How a terminal or an agent is, drawn on its form.

frappe.provide("attendance_bridge.health");

(() => {
	const API = "attendance_bridge.api.health";

	/** Fetch and draw how a terminal is; returns what was fetched. */
	attendance_bridge.health.show_device = async function (frm) {
		const health = await frappe.xcall(`${API}.device`, { device: frm.docname });
		draw(frm, health, rows_of_device(health));
		return health;
	};

	attendance_bridge.health.show_agent = async function (frm) {
		const health = await frappe.xcall(`${API}.agent`, { agent: frm.docname });
		draw(frm, health, rows_of_agent(health));
		return health;
	};

	function rows_of_device(health) {
		return [
			[__("Last Contact"), ago(health.last_contact)],
			[__("Watermark"), moment_of(health.watermark)],
			[__("Clock"), spell_clock(health.clock)],
			[__("Log"), spell_log(health.log)],
			[__("Missing Punches"), health.missing ? String(health.missing) : ""],
			[__("Failures"), spell_errors(health.errors)],
			[__("Circuit"), spell_circuit(health.circuit)],
			[__("Firmware"), [health.model, health.firmware].filter(Boolean).join(", ")],
		];
	}

	function rows_of_agent(health) {
		return [
			[__("Last Heartbeat"), ago(health.last_heartbeat)],
			[__("Punches Waiting"), String(health.waiting)],
			[__("Oldest Punch Waiting"), moment_of(health.oldest_waiting)],
			[__("Free Disk Space"), health.disk_free === null ? "" : `${health.disk_free} MB`],
			[__("Terminals"), __("{0} of {1} online", [health.devices_online, health.devices])],
			[__("Version"), health.version],
		];
	}

	function draw(frm, health, rows) {
		const wrapper = $(frm.get_field("health").wrapper).empty();
		const colour = !health.enabled ? "gray" : health.online ? "green" : "red";
		const state = !health.enabled ? __("Disabled") : health.online ? __("Online") : __("Not Online");
		$(`<p><span class="indicator-pill ${colour}">${state}</span></p>`).appendTo(wrapper);
		for (const { what, advice } of health.findings) {
			const box = $('<div class="alert alert-warning mb-2"></div>').appendTo(wrapper);
			$("<b></b>").text(what).appendTo(box);
			$('<div class="small"></div>').text(advice).appendTo(box);
		}
		const table = $('<table class="table table-sm mb-0"></table>').appendTo(wrapper);
		for (const [label, value] of rows) {
			if (!value) continue;
			const row = $("<tr></tr>").appendTo(table);
			$('<td class="text-muted" style="width: 35%"></td>').text(label).appendTo(row);
			$("<td></td>").text(value).appendTo(row);
		}
	}

	function spell_clock({ known, offset, right, looks_like }) {
		if (!known) return "";
		const seconds = Math.abs(offset).toFixed(0);
		if (right) return __("right, within {0} seconds", [seconds]);
		const words =
			offset > 0 ? __("{0} seconds ahead", [seconds]) : __("{0} seconds behind", [seconds]);
		return `${words}. ${looks_like}`;
	}

	function spell_log({ held, capacity, percent, left, per_day, full_in_days }) {
		if (!capacity) return held ? __("{0} records", [held]) : "";
		const full = __("{0} of {1} records ({2} %), {3} more fit in", [held, capacity, percent, left]);
		if (full_in_days === null) return full;
		return __("{0}; {1} a day: full in {2} days", [full, per_day, full_in_days]);
	}

	function spell_errors({ day, week, most }) {
		if (!week.readings) return "";
		const words = __("{0} of {1} readings in 24 hours, {2} of {3} in 7 days", [
			day.failures,
			day.readings,
			week.failures,
			week.readings,
		]);
		return most ? `${words} (${most})` : words;
	}

	function spell_circuit({ state, until, failures }) {
		if (state === "closed") return __("closed: it is read as usual");
		if (state === "open") {
			return __("open: after {0} failures it is left alone until {1}", [failures, moment_of(until)]);
		}
		return __("half open: after {0} failures the next reading is a try", [failures]);
	}

	function ago(value) {
		return value ? `${comment_when(value, true)} (${moment_of(value)})` : __("never");
	}

	function comment_when(value) {
		return frappe.datetime.comment_when(value).replace(/<[^>]*>/g, "");
	}

	function moment_of(value) {
		return value ? frappe.datetime.str_to_user(value) : "";
	}
})();
