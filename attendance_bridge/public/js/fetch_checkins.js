// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// Fetch Check-in: asked for on the form and on the list of Device Configuration.

frappe.provide("attendance_bridge.fetch");

(() => {
	const EVENT = "attendance_bridge_progress";
	const ENDED = ["Complete", "Failed", "Stopped"];
	const LOOK_EVERY_MS = 3000;
	const NEEDS_A_HAND = ["Unmapped", "Quarantined", "Rejected"];
	const LOG_FIELDS = [
		"status",
		"error",
		"fetched",
		"new",
		"checked_in",
		"duplicates",
		"unmapped",
		"quarantined",
		"rejected",
	];

	const escape = frappe.utils.escape_html;

	/** Ask for a range, queue one job a terminal, show how each goes; `done` is called when all were queued. */
	attendance_bridge.fetch.ask = function (devices, done) {
		const dialog = new frappe.ui.Dialog({
			title: __("Fetch Check-in"),
			fields: [
				{
					fieldname: "range",
					fieldtype: "Select",
					label: __("What to Read"),
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
				const runs = await queue_all(devices, values);
				done?.();
				new Watch(runs);
			},
		});
		dialog.show();
	};

	/** Keep a form up to date while its terminal is read, whoever started that. */
	attendance_bridge.fetch.follow = function (frm) {
		if (frm.fetch_listener) frappe.realtime.off(EVENT, frm.fetch_listener);
		if (frm.is_new()) return;
		frm.fetch_listener = (state) => {
			if (state.device !== frm.docname || cur_frm !== frm) return;
			if (state.stage === "done" && !frm.is_dirty()) frm.reload_doc();
		};
		frappe.realtime.on(EVENT, frm.fetch_listener);
	};

	/** How several runs go, one row each, until the last has ended or the dialog is closed. */
	class Watch {
		constructor(runs) {
			this.runs = runs;
			this.listener = (state) => this.heard(state);
			frappe.realtime.on(EVENT, this.listener);
			// Realtime may be down, and a job may die without a word: the log has the truth.
			this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
			this.dialog = new frappe.ui.Dialog({
				title: __("Fetch Check-in"),
				fields: [{ fieldname: "rows", fieldtype: "HTML" }],
				primary_action_label: __("Close"),
				primary_action: () => this.dialog.hide(),
				on_hide: () => this.stop(),
			});
			this.wrapper = this.dialog.fields_dict.rows.$wrapper.addClass("fetch-watch");
			this.wrapper.on("click", "[data-show]", (event) => {
				this.dialog.hide();
				show(event.currentTarget.dataset);
			});
			this.draw();
			this.dialog.show();
			this.look();
		}

		stop() {
			clearInterval(this.timer);
			frappe.realtime.off(EVENT, this.listener);
		}

		heard(state) {
			const run = this.runs.find(({ sync_log }) => sync_log === state.sync_log);
			if (!run || run.log) return;
			if (state.stage === "done") {
				this.look();
			} else {
				run.state = state;
				this.draw();
			}
		}

		async look() {
			const open = this.runs.filter(({ sync_log, log }) => sync_log && !log);
			if (!open.length) return this.stop();
			await Promise.all(
				open.map(async (run) => {
					const { message } = await frappe.db.get_value(
						"Device Sync Log",
						run.sync_log,
						LOG_FIELDS
					);
					if (message && ENDED.includes(message.status)) run.log = message;
				})
			);
			this.draw();
		}

		draw() {
			this.wrapper.html(this.runs.map(draw_run).join(""));
		}
	}

	async function queue_all(devices, { range, from_date, to_date }) {
		const window = range === "dates" ? { from_date, to_date } : {};
		const runs = [];
		for (const device of devices) {
			const answer = await frappe.xcall("attendance_bridge.api.devices.fetch_checkins", {
				device,
				...window,
			});
			runs.push({ device, sync_log: answer.queued ? answer.sync_log : null });
		}
		return runs;
	}

	function draw_run(run) {
		return `<div class="mb-3" data-device="${escape(run.device)}">
			<div class="d-flex justify-content-between">
				<b class="text-break">${escape(run.device)}</b>
				${draw_pill(run)}
			</div>
			${run.log ? draw_result(run) : draw_progress(run)}
		</div>`;
	}

	function draw_pill({ sync_log, log, state }) {
		const [words, colour] = log
			? [__(log.status), { Complete: "green", Failed: "red", Stopped: "orange" }[log.status]]
			: !sync_log
			? [__("Being read already"), "orange"]
			: state
			? [__("Running"), "blue"]
			: [__("Queued"), "gray"];
		return `<span class="indicator-pill ${colour} no-indicator-dot ml-2">${words}</span>`;
	}

	function draw_progress({ sync_log, state }) {
		if (!sync_log || !state) return "";
		const { stage, done, expected } = state;
		const percent = expected ? Math.min(99, (done / expected) * 100) : 50;
		const words = {
			reading: expected
				? __("{0} of {1} records read", [done, expected])
				: __("{0} records read", [done]),
			delivering: __("{0} punches settled", [done]),
		};
		return `<div class="progress my-2" style="height: 6px">
				<div class="progress-bar" style="width: ${percent}%"></div>
			</div>
			<div class="text-muted small">${words[stage] || ""}</div>`;
	}

	function draw_result({ device, sync_log, log }) {
		const parts = [
			__("{0} punches read", [log.fetched]),
			__("{0} new", [log.new]),
			__("{0} checked in", [log.checked_in]),
		];
		if (log.duplicates) parts.push(__("{0} repeated", [log.duplicates]));
		if (log.unmapped) parts.push(__("{0} unmapped", [log.unmapped]));
		if (log.quarantined) parts.push(__("{0} quarantined", [log.quarantined]));
		if (log.rejected) parts.push(__("{0} rejected", [log.rejected]));
		const links = [link("log", __("Show Log"), { name: sync_log })];
		if (log.unmapped) links.unshift(link("people", __("Map People"), {}));
		if (log.quarantined || log.rejected || log.unmapped) {
			links.unshift(link("punches", __("What Needs a Hand"), { device }));
		}
		const error = log.error ? `<div class="text-danger small">${escape(log.error)}</div>` : "";
		return `<div class="small my-1">${parts.join(" · ")}</div>${error}<div>${links.join(" ")}</div>`;
	}

	function link(what, label, data) {
		const attributes = Object.entries(data).map(([key, value]) => `data-${key}="${escape(value)}"`);
		return `<button class="btn btn-default btn-xs" data-show="${what}" ${attributes.join(
			" "
		)}>${label}</button>`;
	}

	function show({ show: what, name, device }) {
		switch (what) {
			case "log":
				return frappe.set_route("Form", "Device Sync Log", name);
			case "people":
				return frappe.set_route("unmapped-people");
			case "punches":
				return frappe.set_route("List", "Punch Log", {
					device,
					status: ["in", NEEDS_A_HAND],
				});
		}
	}
})();
