// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// Today's punches as they come, who is in, terminals and alerts. Real time only says that there is news; what
// it is, is asked for, by the rights of whoever looks. Where no real time comes through, it is asked for
// every few seconds. What terminals send is escaped wherever it is shown.

const LIVE_EVENT = "attendance_bridge_live";
const LIVE_ROOMS = ["Punch Log", "Device Configuration", "Attendance Bridge Alert"];
const LIVE_TOGETHER_MS = 400;
const LIVE_POLL_MS = 10000;
const LIVE_ANYHOW_MS = 30000;
const LIVE_COLOURS = {
	"Checked in": "green",
	Pending: "blue",
	Unmapped: "orange",
	Quarantined: "yellow",
	Rejected: "red",
};

frappe.pages["live-board"].on_page_load = function (wrapper) {
	wrapper.live_board = new LiveBoard(wrapper);
};

frappe.pages["live-board"].on_page_show = function (wrapper) {
	wrapper.live_board?.start();
};

frappe.pages["live-board"].on_page_hide = function (wrapper) {
	wrapper.live_board?.stop();
};

class LiveBoard {
	constructor(wrapper) {
		this.page = frappe.ui.make_app_page({
			parent: wrapper,
			title: __("Live Board"),
			single_column: true,
		});
		this.page.set_secondary_action(__("Refresh"), () => this.load(), { icon: "refresh" });
		$(`<style>${LIVE_STYLE}</style>`).appendTo(this.page.main);
		this.body = $(`<div class="live-board p-3" aria-live="polite"></div>`).appendTo(this.page.main);
		this.seen = null;
		this.on_news = () => this.load_soon();
		this.on_connect = () => this.subscribe();
	}

	start() {
		this.rooms = LIVE_ROOMS.filter((doctype) => frappe.model.can_read(doctype));
		this.subscribe();
		frappe.realtime.on(LIVE_EVENT, this.on_news);
		frappe.realtime.on("connect", this.on_connect);
		this.load();
	}

	/** Whoever was cut off is in no room any more, and has missed what was told meanwhile. */
	subscribe() {
		this.rooms.forEach((doctype) => frappe.realtime.doctype_subscribe(doctype));
		this.load_soon();
	}

	stop() {
		frappe.realtime.off(LIVE_EVENT, this.on_news);
		frappe.realtime.off("connect", this.on_connect);
		(this.rooms || []).forEach((doctype) => frappe.realtime.doctype_unsubscribe(doctype));
		clearTimeout(this.timer);
		this.timer = null;
		this.stopped = true;
	}

	/** News of the same moment are asked for together. */
	load_soon() {
		this.plan(LIVE_TOGETHER_MS);
	}

	plan(delay) {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.load(), delay);
	}

	get is_live() {
		return Boolean(frappe.realtime.socket?.connected);
	}

	async load() {
		this.stopped = false;
		if (this.loading) {
			this.again = true;
			return;
		}
		this.loading = true;
		try {
			this.draw(await frappe.xcall("attendance_bridge.api.live.board", {}, "GET"));
		} catch (error) {
			this.page.set_indicator(__("No Answer"), "red");
		} finally {
			this.loading = false;
		}
		if (this.stopped) return;
		this.plan(this.again ? LIVE_TOGETHER_MS : this.is_live ? LIVE_ANYHOW_MS : LIVE_POLL_MS);
		this.again = false;
	}

	draw(board) {
		this.page.set_indicator(
			this.is_live ? __("Live") : __("Every {0} Seconds", [LIVE_POLL_MS / 1000]),
			this.is_live ? "green" : "blue"
		);
		const former = this.seen;
		this.seen = new Set(board.punches.map(({ name }) => name));
		const is_new = ({ name }) => former !== null && !former.has(name);
		this.body.html(
			[
				draw_alerts(board.alerts),
				`<div class="live-columns">`,
				`<div>${draw_punches(board, is_new)}</div>`,
				`<div>${draw_present(board.present)}${draw_devices(board.devices)}</div>`,
				`</div>`,
			].join("")
		);
	}
}

function draw_alerts(alerts) {
	if (!alerts?.length) return "";
	return `<div class="live-alerts">${alerts
		.map(
			({ name, what, advice }) => `<a class="live-alert" href="${href("attendance-bridge-alert", name)}">
			<b>${safe(what)}</b><div class="small">${safe(advice)}</div></a>`
		)
		.join("")}</div>`;
}

function draw_punches({ punches, today }, is_new) {
	const total = Object.values(today).reduce((sum, count) => sum + count, 0);
	const head = heading(__("Punches Today"), total);
	if (!punches.length) return head + nothing(__("No punch yet today."));
	return `${head}<ul class="live-list">${punches
		.map((punch) => draw_punch(punch, is_new(punch)))
		.join("")}</ul>`;
}

function draw_punch(punch, is_new) {
	const { name, occurred_at, employee_name, device_user_id, device, log_type, status } = punch;
	const who = employee_name || __("ID {0}", [device_user_id || ""]);
	const direction = log_type ? `<b class="live-${log_type.toLowerCase()}">${__(log_type)}</b>` : "";
	return `<li class="${is_new ? "live-new" : ""}"><a href="${href("punch-log", name)}">
		<span class="live-time">${safe(time_of(occurred_at))}</span>
		<span class="live-who">${safe(who)}<small class="text-muted">${safe(device || "")}</small></span>
		<span class="live-what">${direction}
		<span class="indicator-pill ${LIVE_COLOURS[status] || "gray"}">${safe(__(status))}</span></span>
	</a></li>`;
}

function draw_present({ count, people }) {
	const head = heading(__("In Now"), count);
	if (!people.length) return head + nothing(__("Nobody is in."));
	return `${head}<ul class="live-people">${people
		.map(
			({ name, since }) =>
				`<li>${safe(name)} <small class="text-muted">${safe(__("since {0}", [time_of(since)]))}</small></li>`
		)
		.join("")}</ul>`;
}

function draw_devices(devices) {
	if (!devices) return "";
	const head = heading(__("Terminals"), devices.length);
	if (!devices.length) return head + nothing(__("No terminal is enabled."));
	return `${head}<ul class="live-list">${devices.map(draw_device).join("")}</ul>`;
}

function draw_device({ name, online, last_contact, trouble }) {
	const when = last_contact ? frappe.datetime.comment_when(last_contact, true) : safe(__("never"));
	const pill = online
		? `<span class="indicator-pill green">${safe(__("Online"))}</span>`
		: `<span class="indicator-pill red">${safe(__("Not Online"))}</span>`;
	return `<li><a href="${href("device-configuration", name)}">
		<span class="live-who">${safe(name)}<small class="text-muted">${safe(trouble)}</small></span>
		<span class="live-what"><small class="text-muted">${when}</small> ${pill}</span>
	</a></li>`;
}

function heading(words, count) {
	return `<h5 class="live-heading">${safe(words)} <span class="text-muted">${cint(count)}</span></h5>`;
}

function nothing(words) {
	return `<p class="text-muted">${safe(words)}</p>`;
}

function safe(text) {
	return frappe.utils.escape_html(String(text));
}

function href(doctype, name) {
	return `/app/${doctype}/${encodeURIComponent(name)}`;
}

function time_of(value) {
	return frappe.datetime.str_to_user(value).split(" ").slice(1).join(" ");
}

const LIVE_STYLE = `
.live-columns { display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); }
.live-heading { margin: 0 0 .5rem; }
.live-columns > div > .live-heading ~ .live-heading { margin-top: 1.5rem; }
.live-list, .live-people { list-style: none; margin: 0; padding: 0; }
.live-list a { display: flex; gap: .75rem; align-items: center; padding: .45rem .25rem; color: inherit;
	border-bottom: 1px solid var(--border-color); text-decoration: none; }
.live-list a:hover { background: var(--fg-hover-color); }
.live-time { font-variant-numeric: tabular-nums; color: var(--text-muted); white-space: nowrap; }
.live-who { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.live-who small { display: block; }
.live-what { white-space: nowrap; display: flex; gap: .5rem; align-items: center; }
.live-in { color: var(--green-600); } .live-out { color: var(--orange-600); }
.live-people { display: flex; flex-wrap: wrap; gap: .35rem; max-height: 16rem; overflow-y: auto; }
.live-people li { background: var(--control-bg); border-radius: var(--border-radius); padding: .15rem .5rem; }
.live-new a { animation: live-new 4s ease-out; }
@keyframes live-new { from { background: var(--yellow-highlight-color, var(--bg-yellow)); } }
.live-alerts { display: grid; gap: .5rem; margin-bottom: 1.25rem; }
.live-alert { display: block; padding: .6rem .75rem; border-radius: var(--border-radius); color: inherit;
	background: var(--control-bg); border-left: 3px solid var(--orange-500); }
.live-alert:hover { color: inherit; text-decoration: none; }
@media (max-width: 767px) { .live-columns { grid-template-columns: minmax(0, 1fr); }
	.live-board.p-3 { padding: .5rem 0 !important; } }
@media (prefers-reduced-motion: reduce) { .live-new a { animation: none; } }
`;
