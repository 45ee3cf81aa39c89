// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// What the boards of the Desk have in common. Real time only says that there is news; what it is, is asked
// for, by the rights of whoever looks. Where no real time comes through, it is asked for every few seconds.

frappe.provide("attendance_bridge.board");

(() => {
	const board = attendance_bridge.board;
	const EVENT = "attendance_bridge_live";
	const TOGETHER_MS = 400;
	const POLL_MS = 10000;
	const STYLE_ID = "attendance-bridge-board";

	/** Asks when the page is shown, soon after news, and now and then anyhow; never twice at a time. */
	board.Feed = class Feed {
		/**
		 * @param page the page of `frappe.ui.make_app_page`; its indicator says how the news come
		 * @param wrapper what Frappe shows and hides
		 * @param rooms doctypes whose news are heard, as far as the user may read them
		 * @param ask asks, draws and returns a promise
		 * @param anyhow_ms the longest time without asking
		 * @param rest_ms the shortest time from an answer to the next question, whatever the news
		 */
		constructor({ page, wrapper, rooms, ask, anyhow_ms = 30000, rest_ms = 0 }) {
			Object.assign(this, { page, rooms, ask, anyhow_ms, rest_ms, stopped: true, answered: 0 });
			this.on_news = () => this.soon();
			this.on_connect = () => this.subscribe();
			this.on_sight = () => !document.hidden && this.soon();
			$(wrapper).on("hide", () => this.stop());
			if (document.getElementById(STYLE_ID) === null) {
				$(`<style id="${STYLE_ID}">${STYLE}</style>`).appendTo(document.head);
			}
		}

		start() {
			this.stop();
			this.stopped = false;
			this.heard = this.rooms.filter((doctype) => frappe.model.can_read(doctype));
			frappe.realtime.on(EVENT, this.on_news);
			frappe.realtime.on("connect", this.on_connect);
			document.addEventListener("visibilitychange", this.on_sight);
			this.subscribe();
			this.now();
		}

		stop() {
			if (this.stopped) return;
			this.stopped = true;
			frappe.realtime.off(EVENT, this.on_news);
			frappe.realtime.off("connect", this.on_connect);
			document.removeEventListener("visibilitychange", this.on_sight);
			this.heard.forEach((doctype) => frappe.realtime.doctype_unsubscribe(doctype));
			this.plan(null);
		}

		/** Whoever was cut off is in no room any more, and has missed what was told meanwhile. */
		subscribe() {
			this.heard.forEach((doctype) => frappe.realtime.doctype_subscribe(doctype));
			this.soon();
		}

		/** News of the same moment are asked for together; later ones do not put it off. */
		soon() {
			if (this.is_soon || this.stopped) return;
			// The rest begins with the answer that is under way.
			if (this.asking) {
				this.again = true;
				return;
			}
			this.plan(Math.max(TOGETHER_MS, this.answered + this.rest_ms - Date.now()));
			this.is_soon = true;
		}

		plan(delay) {
			clearTimeout(this.timer);
			this.is_soon = false;
			if (delay !== null) this.timer = setTimeout(() => this.now(), delay);
		}

		get is_live() {
			return Boolean(frappe.realtime.socket?.connected);
		}

		async now() {
			this.plan(null);
			if (this.stopped) return;
			if (this.asking) {
				this.again = true;
				return;
			}
			// Nobody sees a hidden tab; it asks as soon as it is seen.
			if (document.hidden && this.answered) return;
			this.asking = true;
			try {
				await this.ask();
				this.say_how();
			} catch (error) {
				this.page.set_indicator(__("No Answer"), "red");
			} finally {
				this.asking = false;
				this.answered = Date.now();
			}
			if (this.stopped || this.is_soon) return;
			if (this.again) {
				this.again = false;
				this.soon();
			} else {
				this.plan(this.is_live ? this.anyhow_ms : POLL_MS);
			}
		}

		say_how() {
			this.page.set_indicator(
				this.is_live ? __("Live") : __("Every {0} Seconds", [POLL_MS / 1000]),
				this.is_live ? "green" : "blue"
			);
		}
	};

	/** A link to another page of the Desk, for those who may open it. */
	board.link = (page, words) =>
		frappe.boot.page_info?.[page]
			? `<a class="btn btn-default btn-xs" href="${board.href(page)}">${board.safe(words)}</a>`
			: "";

	board.heading = (words, count) =>
		`<h5 class="board-heading">${board.safe(words)} <span class="text-muted">${cint(count)}</span></h5>`;

	board.nothing = (words) => `<p class="text-muted">${board.safe(words)}</p>`;

	board.safe = (text) => frappe.utils.escape_html(String(text ?? ""));

	/** Where a place of the Desk is found: below /app on v15, below /desk on v16. */
	board.href = (...route) => frappe.router.make_url(route);

	board.time_of = (value) => frappe.datetime.str_to_user(value).split(" ").slice(1).join(" ");

	const STYLE = `
.board-heading { margin: 0 0 .5rem; }
.board-list { list-style: none; margin: 0; padding: 0; }
.board-list .board-row { display: flex; gap: .75rem; align-items: center; padding: .45rem .25rem; color: inherit;
	border-bottom: 1px solid var(--border-color); text-decoration: none; }
.board-list .board-row:hover { background: var(--fg-hover-color); }
.board-time { font-variant-numeric: tabular-nums; color: var(--text-muted); white-space: nowrap; }
.board-who { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.board-who small { display: block; }
.board-what { white-space: nowrap; display: flex; gap: .5rem; align-items: center; }
@media (max-width: 767px) { .board.p-3 { padding: .5rem !important; } }
`;
})();
