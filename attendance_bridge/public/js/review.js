// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// What people of HR do about punches that did not become check-ins: on the form, the list and the page.

frappe.provide("attendance_bridge.review");

(() => {
	const API = "attendance_bridge.api.punches";

	attendance_bridge.review.may_act = () =>
		frappe.session.user === "Administrator" ||
		["HR Manager", "HR User"].some((role) => frappe.user.has_role(role));

	attendance_bridge.review.ACTS = [
		{ method: "retry", label: __("Retry"), from: ["Rejected"] },
		{ method: "retime", label: __("Re-time"), from: ["Quarantined"] },
		{
			method: "undo_retiming",
			label: __("Undo Re-timing"),
			from: ["Checked in", "Pending", "Received", "Duplicate", "Unmapped", "Rejected", "Ignored"],
			applies: ({ retimed_by }) => Boolean(retimed_by),
		},
		{ method: "approve_time", label: __("Approve Time"), from: ["Quarantined"] },
		{
			method: "ignore",
			label: __("Ignore"),
			from: ["Unmapped", "Quarantined", "Rejected"],
			reason: true,
		},
		{ method: "take_back", label: __("Take Back Ignore"), from: ["Ignored"] },
	];

	/** Whether one of ACTS can be done to a punch, as far as the browser knows. */
	attendance_bridge.review.can = (act, punch) =>
		act.from.includes(punch.status) && (act.applies ? act.applies(punch) : true);

	/** Do one of ACTS to punches, after asking for a reason where one is needed, then call `done`. */
	attendance_bridge.review.perform = function (act, punches, done) {
		if (!act.reason) return send(act, { punches }, done);
		attendance_bridge.review.ask_reason(__("Ignore {0} Punches", [punches.length]), (reason) =>
			send(act, { punches, reason }, done)
		);
	};

	attendance_bridge.review.ask_reason = function (title, act) {
		const dialog = new frappe.ui.Dialog({
			title,
			fields: [
				{
					fieldname: "reason",
					fieldtype: "Data",
					label: __("Why"),
					description: __("Stays with the punches. They can be taken back later."),
					length: 120,
					reqd: 1,
				},
			],
			primary_action_label: __("Ignore"),
			primary_action({ reason }) {
				dialog.hide();
				act(reason);
			},
		});
		dialog.show();
	};

	/** The reason codes of Punch Log in words, fetched once. */
	attendance_bridge.review.explanations = function () {
		explanations ??= frappe.xcall(`${API}.explanations`);
		return explanations;
	};

	/** A reason code in words; what follows its colon are words already, somebody else's. */
	attendance_bridge.review.explain = function (known, code) {
		if (!code) return { words: "", advice: "" };
		const [head] = code.split(":", 1);
		const detail = code.slice(head.length + 1);
		const { words, advice } = known[head] || { words: code, advice: "" };
		const whole = known[head] && detail ? `${words} (${detail})` : words;
		return { words: frappe.utils.escape_html(whole), advice };
	};

	let explanations;

	async function send(act, args, done) {
		const { punches, left } = await frappe.xcall(`${API}.${act.method}`, args, "POST");
		frappe.show_alert({
			message: left
				? __("{0}: {1} punches; {2} stay as they are", [act.label, punches, left])
				: __("{0}: {1} punches", [act.label, punches]),
			indicator: punches ? "green" : "orange",
		});
		done?.();
	}
})();
