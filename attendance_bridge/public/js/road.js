// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// By which road the punches of a terminal come, whether all are here, and what may be wrong with it.

(() => {
	const API = "attendance_bridge.api.devices";
	const escape = frappe.utils.escape_html;

	frappe.ui.form.on("Device Configuration", {
		refresh(frm) {
			if (frm.is_new()) return;
			frm.set_df_property("road", "description", road_of(frm.doc));
			frm.set_df_property("count_here", "description", count_of(frm.doc));
			const [words, color] = trouble_of(frm.doc);
			frm.layout.show_message(words && escape(words), color);
			if (can_post(frm)) add_listener(frm);
		},
	});

	function road_of({ road, edge_agent, push, push_peer }) {
		if (road === "Relayed") return __("Read by the Edge Agent {0}", [escape(edge_agent)]);
		if (road === "Push" && !push) return __("It waits for its approval in Device Pairing");
		if (road === "Push") return __("It calls this site by itself, last from {0}", [escape(push_peer || "?")]);
		return push ? __("Read by this site, and it calls by itself") : __("Read by this site");
	}

	function count_of({ counted_at, count_there, count_here }) {
		if (!counted_at) return "";
		const counts = [count_there, count_here].map((count) => format_number(count, null, 0));
		return __("The terminal says {0}, we hold {1}", counts);
	}

	function trouble_of(doc) {
		if (doc.push_trouble === "twin") {
			return [
				__(
					"Two terminals call with the serial number {0}. Their punches cannot be told apart: switch one off.",
					[doc.serial_number]
				),
				"red",
			];
		}
		if (doc.push_trouble === "encrypted") {
			return [__("The terminal wants to speak in cipher. Switch its encryption off."), "red"];
		}
		if (doc.gap) {
			return [
				__("{0} punches are on the terminal and not here, although it was read again.", [doc.gap]),
				"orange",
			];
		}
		if (doc.listener_state === "Silent") {
			if (doc.edge_agent) return [doc.listener_words, "orange"];
			return [
				__(
					"It was set up to post its events here and does not. They are read all the same; restart it, or set the listener up again."
				),
				"orange",
			];
		}
		return has_stale_offset(doc)
			? [__("Its time zone has changed since it was told the time. Ask it to reboot."), "orange"]
			: ["", ""];
	}

	/** A terminal of the older dialect asks for the UTC offset when it boots, and then never again. */
	function has_stale_offset({ push_dialect, push_offset_minutes, push_told_at, time_zone }) {
		if (push_dialect !== "attendance" || !push_told_at) return false;
		return moment().tz(time_zone).utcOffset() !== push_offset_minutes;
	}

	function can_post(frm) {
		return frm.doc.driver === "hikvision_isapi" && !frm.doc.edge_agent && frm.perm[0].write;
	}

	function add_listener(frm) {
		frm.add_custom_button(
			__("Set Up Listener"),
			() =>
				frappe.confirm(
					__("Have {0} post its events to this site? It is read all the same.", [
						escape(frm.docname).bold(),
					]),
					() => act(frm, "set_up_listener")
				),
			__("Terminal")
		);
		if (frm.doc.listener_state) {
			frm.add_custom_button(__("Check Listener"), () => act(frm, "check_listener"), __("Terminal"));
		}
	}

	async function act(frm, method) {
		const { message } = await frappe.call({
			method: `${API}.${method}`,
			type: "POST",
			args: { device: frm.docname },
			freeze: true,
			freeze_message: __("Talking to the terminal …"),
		});
		await frm.reload_doc();
		frappe.msgprint({
			title: __("Listener of {0}", [escape(frm.docname)]),
			message: escape(message.words),
			indicator: message.is_good ? "green" : "orange",
		});
	}
})();
