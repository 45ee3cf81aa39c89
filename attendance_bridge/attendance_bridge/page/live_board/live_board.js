// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// Today's punches as they come, who is in, terminals and alerts: what all boards do is in public/js/board.js.
// What terminals send is escaped wherever it is shown.

frappe.provide("attendance_bridge.board");

(() => {
	const kit = attendance_bridge.board;
	const LIVE_ROOMS = ["Punch Log", "Device Configuration", "Attendance Bridge Alert"];
	// At a change of shifts there is news all the time, and many look.
	const LIVE_REST_MS = 1600;
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
		wrapper.live_board?.feed.start();
	};

	class LiveBoard {
		constructor(wrapper) {
			this.page = frappe.ui.make_app_page({
				parent: wrapper,
				title: __("Live Board"),
				single_column: true,
			});
			this.page.set_secondary_action(__("Refresh"), () => this.feed.now(), { icon: "refresh" });
			$(`<style>${LIVE_STYLE}</style>`).appendTo(this.page.main);
			this.body = $(`<div class="board live-board p-3" aria-live="polite"></div>`).appendTo(this.page.main);
			this.seen = null;
			this.feed = new kit.Feed({
				page: this.page,
				wrapper,
				rooms: LIVE_ROOMS,
				rest_ms: LIVE_REST_MS,
				ask: async () => this.draw(await frappe.xcall("attendance_bridge.api.live.board", {}, "GET")),
			});
		}

		draw(board) {
			const former = this.seen;
			this.seen = new Set(board.punches.map(({ name }) => name));
			const is_new = ({ name }) => former !== null && !former.has(name);
			this.body.html(
				[
					`<p class="live-links">${kit.link("morning-board", __("Morning Board"))}</p>`,
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
				({ name, what, advice }) => `<a class="live-alert" href="${kit.href("attendance-bridge-alert", name)}">
				<b>${kit.safe(what)}</b><div class="small">${kit.safe(advice)}</div></a>`
			)
			.join("")}</div>`;
	}

	function draw_punches({ punches, today }, is_new) {
		const total = Object.values(today).reduce((sum, count) => sum + count, 0);
		const head = kit.heading(__("Punches Today"), total);
		if (!punches.length) return head + kit.nothing(__("No punch yet today."));
		return `${head}<ul class="board-list">${punches
			.map((punch) => draw_punch(punch, is_new(punch)))
			.join("")}</ul>`;
	}

	function draw_punch(punch, is_new) {
		const { name, occurred_at, employee_name, device_user_id, device, log_type, status } = punch;
		const who = employee_name || __("ID {0}", [device_user_id || ""]);
		const direction = log_type ? `<b class="live-${log_type.toLowerCase()}">${__(log_type)}</b>` : "";
		return `<li class="${is_new ? "live-new" : ""}"><a class="board-row" href="${kit.href("punch-log", name)}">
			<span class="board-time">${kit.safe(kit.time_of(occurred_at))}</span>
			<span class="board-who">${kit.safe(who)}<small class="text-muted">${kit.safe(device || "")}</small></span>
			<span class="board-what">${direction}
			<span class="indicator-pill ${LIVE_COLOURS[status] || "gray"}">${kit.safe(__(status))}</span></span>
		</a></li>`;
	}

	function draw_present({ count, people }) {
		const head = kit.heading(__("In Now"), count);
		if (!people.length) return head + kit.nothing(__("Nobody is in."));
		return `${head}<ul class="live-people">${people
			.map(
				({ name, since }) =>
					`<li>${kit.safe(name)} <small class="text-muted">${kit.safe(__("since {0}", [kit.time_of(since)]))}</small></li>`
			)
			.join("")}</ul>`;
	}

	function draw_devices(devices) {
		if (!devices) return "";
		const head = kit.heading(__("Terminals"), devices.length);
		if (!devices.length) return head + kit.nothing(__("No terminal is enabled."));
		return `${head}<ul class="board-list">${devices.map(draw_device).join("")}</ul>`;
	}

	function draw_device({ name, online, last_contact, trouble }) {
		const when = last_contact ? frappe.datetime.comment_when(last_contact, true) : kit.safe(__("never"));
		const pill = online
			? `<span class="indicator-pill green">${kit.safe(__("Online"))}</span>`
			: `<span class="indicator-pill red">${kit.safe(__("Not Online"))}</span>`;
		return `<li><a class="board-row" href="${kit.href("device-configuration", name)}">
			<span class="board-who">${kit.safe(name)}<small class="text-muted">${kit.safe(trouble)}</small></span>
			<span class="board-what"><small class="text-muted">${when}</small> ${pill}</span>
		</a></li>`;
	}

	const LIVE_STYLE = `
	.live-links { margin: 0 0 .75rem; }
	.live-links:empty { display: none; }
	.live-columns { display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); }
	.live-columns > div > .board-heading ~ .board-heading { margin-top: 1.5rem; }
	.live-in { color: var(--green-600); } .live-out { color: var(--orange-600); }
	.live-people { display: flex; flex-wrap: wrap; gap: .35rem; max-height: 16rem; overflow-y: auto;
		list-style: none; margin: 0; padding: 0; }
	.live-people li { background: var(--control-bg); border-radius: var(--border-radius); padding: .15rem .5rem; }
	.live-new a { animation: live-new 4s ease-out; }
	@keyframes live-new { from { background: var(--yellow-highlight-color, var(--bg-yellow)); } }
	.live-alerts { display: grid; gap: .5rem; margin-bottom: 1.25rem; }
	.live-alert { display: block; padding: .6rem .75rem; border-radius: var(--border-radius); color: inherit;
		background: var(--control-bg); border-inline-start: 3px solid var(--orange-500); }
	.live-alert:hover { color: inherit; text-decoration: none; }
	@media (max-width: 767px) { .live-columns { grid-template-columns: minmax(0, 1fr); } }
	@media (prefers-reduced-motion: reduce) { .live-new a { animation: none; } }
	`;
})();
