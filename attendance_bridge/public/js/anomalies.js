// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// What people do about anomalies of days: on the form and the list.

frappe.provide("attendance_bridge.anomalies");

(() => {
	const API = "attendance_bridge.api.anomalies";

	const has_role = (...roles) =>
		frappe.session.user === "Administrator" || roles.some((role) => frappe.user.has_role(role));

	/** Whether the user may be somebody who decides; whose days those are is asked by the server. */
	attendance_bridge.anomalies.may_decide = () => has_role("HR Manager", "HR User", "Leave Approver");
	attendance_bridge.anomalies.may_correct = () => has_role("HR Manager", "HR User");

	const PUNCHES = ["Missing IN", "Missing OUT", "IN after IN", "OUT after OUT", "Hours Differ"];

	attendance_bridge.anomalies.ACTS = [
		{
			method: "add_punch",
			label: __("Add Missing Punch"),
			from: ["Open"],
			kinds: PUNCHES,
			single: true,
			corrects: true,
		},
		{
			method: "judge_again",
			label: __("Have HRMS Judge Again"),
			from: ["Open"],
			kinds: ["Hours Differ"],
			corrects: true,
		},
		{ method: "request_attendance", label: __("Attendance Request"), from: ["Open"], kinds: PUNCHES },
		{ method: "resolve", label: __("Resolve"), from: ["Open"] },
		{ method: "dismiss", label: __("Dismiss"), from: ["Open"] },
		{ method: "reopen", label: __("Open Again"), from: ["Resolved", "Dismissed"] },
	];

	/** What is told of an anomaly, `reason` or `advice`, in the language of the reader; see `anomalies/words.py`. */
	attendance_bridge.anomalies.told = function (doc, field) {
		// One from before it was kept in no language stays in the one it was found in.
		return doc.told ? say(JSON.parse(doc.told)[field]) : doc[field];
	};

	const say = (sentences) =>
		sentences
			.map(([pattern, ...values]) =>
				__(
					pattern,
					values.map((value) => (Array.isArray(value) ? say([value]) : value))
				)
			)
			.join(" ");

	/** Whether one of ACTS can be done about an anomaly, as far as the browser knows. */
	attendance_bridge.anomalies.can = (act, { state, kind }) =>
		act.from.includes(state) && (!act.kinds || act.kinds.includes(kind));

	/** Ask what has to be asked, do one of ACTS about anomalies (rows with name, kind …), then call `done`. */
	attendance_bridge.anomalies.perform = function (act, rows, done) {
		({
			add_punch: ask_punch,
			judge_again: ask_judge,
			request_attendance: ask_request,
		})[act.method]?.(act, rows, done) ?? ask_remark(act, rows, done);
	};

	function ask(title, label, fields, act) {
		const dialog = new frappe.ui.Dialog({
			title,
			fields,
			primary_action_label: label,
			async primary_action(values) {
				dialog.disable_primary_action();
				try {
					await act(values);
					dialog.hide();
				} finally {
					dialog.enable_primary_action();
				}
			},
		});
		dialog.show();
		return dialog;
	}

	function ask_remark(act, rows, done) {
		const remark = {
			fieldname: "remark",
			fieldtype: "Small Text",
			label: act.method === "resolve" ? __("What Was Done") : __("Why"),
			description: __("Stays on record, with your name."),
			reqd: 1,
		};
		return ask(__("{0}: {1} Anomalies", [act.label, rows.length]), act.label, [remark], async ({ remark }) => {
			const { anomalies } = await call(act, { anomalies: names_of(rows), remark });
			frappe.show_alert({
				message: __("{0}: {1} anomalies", [act.label, anomalies]),
				indicator: anomalies ? "green" : "orange",
			});
			done?.();
		});
	}

	function ask_request(act, rows, done) {
		const fields = [
			{
				fieldname: "hint",
				fieldtype: "HTML",
				options: `<p class="text-muted">${__(
					"A draft for each day. Once HR submits it, HRMS sets the status of the day, for example from Absent to Present. It never changes hours: for those, add the missing punch."
				)}</p>`,
			},
			{
				fieldname: "reason",
				fieldtype: "Select",
				label: __("Reason"),
				options: [
					{ value: "On Duty", label: __("On Duty") },
					{ value: "Work From Home", label: __("Work From Home") },
				],
				default: "On Duty",
				reqd: 1,
			},
			{ fieldname: "explanation", fieldtype: "Small Text", label: __("Explanation") },
		];
		return ask(__("Attendance Request: {0} Anomalies", [rows.length]), __("Draft"), fields, async (values) => {
			const { reason, explanation } = values;
			tell(await call(act, { anomalies: names_of(rows), reason, explanation: explanation || "" }), {
				made: (made) => __("{0} Attendance Requests were drafted", [made.length]),
			});
			done?.();
		});
	}

	function ask_judge(act, rows, done) {
		const hint = {
			fieldname: "hint",
			fieldtype: "HTML",
			options: `<p>${__(
				"The Attendance of each day is cancelled, and HRMS makes a new one of all check-ins of the day. Where it would not make one, nothing is cancelled."
			)}</p>`,
		};
		return ask(__("Judge Again: {0} Anomalies", [rows.length]), __("Judge Again"), [hint], async () => {
			tell(await call(act, { anomalies: names_of(rows) }), {
				made: (made) => __("{0} days are judged again", [made.length]),
			});
			done?.();
		});
	}

	function ask_punch(act, [row], done) {
		const missing_in = ["Missing IN", "OUT after OUT"].includes(row.kind);
		const fields = [
			{
				fieldname: "date",
				fieldtype: "Date",
				label: __("Date"),
				default: row.attendance_date,
				description: __("The OUT of a night shift is of the next date."),
				reqd: 1,
			},
			{
				fieldname: "time",
				fieldtype: "Time",
				label: __("Time"),
				reqd: 1,
			},
			{
				fieldname: "log_type",
				fieldtype: "Select",
				label: __("Log Type"),
				options: "IN\nOUT",
				default: missing_in ? "IN" : "OUT",
				reqd: 1,
			},
			{
				fieldname: "why",
				fieldtype: "Small Text",
				label: __("Why"),
				description: __("Stays with the check-in, with your name. If HRMS has judged the day, it judges it again."),
				reqd: 1,
			},
		];
		return ask(__("Add Missing Punch"), __("Add"), fields, async ({ date, time, log_type, why }) => {
			const moment = `${date} ${time}`;
			const { checkin } = await call(act, { anomaly: row.name, time: moment, log_type, why });
			frappe.show_alert({ message: __("Check-in {0} was added", [checkin]), indicator: "green" });
			done?.();
		});
	}

	/** What was made, and what HRMS refused. */
	function tell({ made, refused }, words) {
		if (made.length) frappe.show_alert({ message: words.made(made), indicator: "green" });
		if (refused.length) {
			frappe.msgprint({
				title: __("Not Done"),
				indicator: "orange",
				message: refused.map((each) => frappe.utils.escape_html(each)),
				as_list: 1,
			});
		}
	}

	const names_of = (rows) => rows.map(({ name }) => name);

	const call = (act, args) => frappe.xcall(`${API}.${act.method}`, args, "POST");
})();
