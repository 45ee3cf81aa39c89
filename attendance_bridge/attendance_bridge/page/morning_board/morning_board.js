// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// Where everybody is on a date: counts, by department, and the people behind each number. Everybody is asked
// for now and then, and between only those of whom something has changed. What all boards do is in
// public/js/board.js. Names are escaped wherever they are shown.

frappe.provide("attendance_bridge.board");

(() => {
	const kit = attendance_bridge.board;
	const ALL_MS = 60000;
	const REST_MS = 2000;
	const MOST_SHOWN = 300;
	const FILTERS = ["date", "company", "branch", "department", "shift"];

	const STATES = {
		in: { label: __("In", null, "Where somebody is"), colour: "green" },
		missing: { label: __("Missing"), colour: "pink" },
		absent: { label: __("Absent"), colour: "red" },
		left: { label: __("Left", null, "Where somebody is"), colour: "blue" },
		on_leave: { label: __("On Leave"), colour: "purple" },
		off: { label: __("Day Off"), colour: "gray" },
		expected: { label: __("Not Yet Expected"), colour: "cyan" },
		no_shift: { label: __("No Shift"), colour: "gray" },
	};
	const LATE = { label: __("Late"), colour: "orange" };
	/** In the order in which they are shown. Late is no state of its own: who came late is in, or has left. */
	const COLUMNS = { in: STATES.in, late: LATE, ...STATES };
	/** What is worth a place although nobody is in it. */
	const ALWAYS = ["in", "late", "missing", "absent"];

	frappe.pages["morning-board"].on_page_load = function (wrapper) {
		wrapper.morning_board = new MorningBoard(wrapper);
	};

	frappe.pages["morning-board"].on_page_show = function (wrapper) {
		wrapper.morning_board?.feed.start();
	};

	class MorningBoard {
		constructor(wrapper) {
			this.page = frappe.ui.make_app_page({
				parent: wrapper,
				title: __("Morning Board"),
				single_column: true,
			});
			this.page.set_secondary_action(__("Refresh"), () => this.ask_all(), { icon: "refresh" });
			this.page.add_menu_item(__("Full Screen"), () => this.body[0].requestFullscreen?.());
			this.people = new Map();
			this.today = frappe.datetime.get_today();
			this.chosen = { state: "missing", department: null };
			this.feed = new kit.Feed({
				page: this.page,
				wrapper,
				rooms: ["Punch Log"],
				ask: () => this.ask(),
				anyhow_ms: ALL_MS,
				rest_ms: REST_MS,
			});
			this.add_filters();
			this.body = $(`<div class="board morning-board p-3"></div>`).appendTo(this.page.main);
			this.body.on("click", "button[data-key]", (event) => this.choose(event.currentTarget.dataset));
		}

		add_filters() {
			const change = () => this.asked_for !== this.filters_as_text && this.ask_all();
			const link = (...what) => attendance_bridge.workdays.link_filter(...what, { change });
			this.page.add_field({
				fieldname: "date",
				label: __("Date"),
				fieldtype: "Date",
				default: this.today,
				change,
			});
			this.page.add_field(link("company", __("Company"), "Company"));
			this.page.add_field(link("branch", __("Branch"), "Branch"));
			this.page.add_field(link("department", __("Department"), "Department"));
			this.page.add_field(link("shift", __("Shift"), "Shift Type"));
		}

		/** Whoever looks at today sees tomorrow once it has come: a board may hang on a wall for weeks. */
		get filters() {
			const given = FILTERS.map((name) => [name, this.page.fields_dict[name].get_value()]);
			return Object.fromEntries(
				given.filter(([name, value]) => value && !(name === "date" && value === this.today))
			);
		}

		get filters_as_text() {
			return JSON.stringify(this.filters);
		}

		ask_all() {
			this.all_at = 0;
			this.feed.now();
		}

		async ask() {
			const { filters, filters_as_text } = this;
			const asked_at = Date.now();
			const whole = this.asked_for !== filters_as_text || !(asked_at - this.all_at < ALL_MS);
			this.asked_for = filters_as_text;
			const args = whole ? filters : { ...filters, since: this.now };
			let answer;
			try {
				answer = await frappe.xcall("attendance_bridge.api.morning.board", args, "GET");
			} catch (error) {
				this.all_at = 0;
				throw error;
			}
			// Somebody has chosen otherwise meanwhile, and that is asked for next.
			if (this.asked_for !== filters_as_text || this.filters_as_text !== filters_as_text) return;
			if (!answer.whole && answer.date !== this.date) return this.ask_all();
			if (answer.whole) {
				this.people.clear();
				this.all_at = asked_at;
			}
			answer.people.forEach((person) => this.people.set(person.employee, person));
			this.now = answer.now;
			this.date = answer.date;
			if (!filters.date && this.date !== this.today) {
				this.today = this.date;
				this.page.fields_dict.date.set_value(this.today);
			}
			this.draw();
		}

		choose({ state, department }) {
			this.chosen = { state, department: department ?? null };
			this.draw();
			if (window.innerWidth < 992) this.body.find(".morning-people")[0].scrollIntoView({ block: "start" });
		}

		get is_past() {
			return this.date < this.now.slice(0, 10);
		}

		label_of(state) {
			return state === "left" && this.is_past ? __("Was There") : COLUMNS[state].label;
		}

		draw() {
			const all = [...this.people.values()];
			const total = count(all);
			const html = [
				this.draw_head(total),
				all.length ? this.draw_tiles(total) : "",
				all.length
					? `<div class="morning-columns">${this.draw_departments(all, total)}${this.draw_people(all)}</div>`
					: kit.nothing(__("Nobody of these belongs to the company on this date.")),
			].join("");
			if (html === this.drawn) return;
			this.drawn = html;
			const focused = this.body[0].contains(document.activeElement) && document.activeElement.dataset.key;
			const scrolled = this.body.find(".board-list").scrollTop();
			this.body.html(html);
			this.body.find(".board-list").scrollTop(scrolled);
			if (focused) this.body.find(`[data-key="${CSS.escape(focused)}"]`)[0]?.focus({ preventScroll: true });
			this.show_change(total);
		}

		/** What has changed while somebody watches is lit up for a moment. */
		show_change(total) {
			const former = this.former;
			this.former = total;
			if (!former) return;
			Object.keys(COLUMNS)
				.filter((state) => former[state] !== total[state])
				.forEach((state) => this.body.find(`.morning-tile[data-state="${state}"]`).addClass("morning-changed"));
		}

		draw_head(total) {
			const came = total.in + total.left;
			const due = came + total.missing + total.absent;
			return `<div class="morning-head">
				<div role="status">${kit.safe(__("{0} of {1} who should be here by now have come", [came, due]))}
				<small class="text-muted">${kit.safe(__("as of {0}", [clock(this.now)]))}</small></div>
				${kit.link("live-board", __("Live Board"))}
			</div>`;
		}

		draw_tiles(total) {
			const tiles = Object.keys(COLUMNS)
				.filter((state) => total[state] || ALWAYS.includes(state))
				.map((state) => this.draw_tile(state, total[state]));
			return `<div class="morning-tiles">${tiles.join("")}</div>`;
		}

		draw_tile(state, number) {
			const pressed = this.chosen.state === state && this.chosen.department === null;
			return `<button type="button" class="morning-tile" data-key="tile-${state}" data-state="${state}"
				aria-pressed="${pressed}"><b>${number}</b>
				<span><i class="morning-dot morning-${COLUMNS[state].colour}"></i>${kit.safe(this.label_of(state))}</span>
			</button>`;
		}

		draw_departments(all, total) {
			const columns = Object.keys(COLUMNS).filter((state) => total[state] || ALWAYS.includes(state));
			const rows = [...group(all, "department")].sort(
				([one], [other]) => !one - !other || one.localeCompare(other)
			);
			const heads = columns.map((state) => `<th scope="col">${kit.safe(this.label_of(state))}</th>`);
			return `<div class="morning-departments"><table>
				<thead><tr><th scope="col">${kit.safe(__("Department"))}</th>
				<th scope="col" class="morning-of">${kit.safe(__("People"))}</th>${heads.join("")}</tr></thead>
				<tbody>${rows.map(([name, people]) => this.draw_department(name, people, columns)).join("")}</tbody>
			</table></div>`;
		}

		draw_department(name, people, columns) {
			const counts = count(people);
			const cells = columns.map((state) => this.draw_cell(state, name, counts[state]));
			return `<tr><th scope="row"><span>${kit.safe(name || __("No Department"))}</span>
				${draw_bar(counts, people.length)}</th>
				<td class="morning-of">${people.length}</td>${cells.join("")}</tr>`;
		}

		draw_cell(state, department, number) {
			const label = kit.safe(this.label_of(state));
			if (!number) return `<td data-label="${label}" class="morning-none">·</td>`;
			const pressed = this.chosen.state === state && this.chosen.department === department;
			const key = kit.safe(`${state}-${department}`);
			return `<td data-label="${label}"><button type="button" data-key="${key}" data-state="${state}"
				data-department="${kit.safe(department)}" aria-pressed="${pressed}"
				aria-label="${label}: ${number}">${number}</button></td>`;
		}

		draw_people(all) {
			const { state, department } = this.chosen;
			const found = all.filter(
				(person) => is_in(person, state) && (department === null || person.department === department)
			);
			found.sort(state === "late" ? (one, other) => other.late - one.late : by_name);
			const words =
				department === null
					? this.label_of(state)
					: `${this.label_of(state)} · ${department || __("No Department")}`;
			const more = found.length - MOST_SHOWN;
			return `<section class="morning-people" aria-label="${kit.safe(words)}">
				${kit.heading(words, found.length)}
				${
					found.length
						? `<ul class="board-list">${found
								.slice(0, MOST_SHOWN)
								.map((person) => this.draw_person(person))
								.join("")}</ul>`
						: kit.nothing(__("Nobody."))
				}
				${more > 0 ? kit.nothing(__("and {0} more", [more])) : ""}
			</section>`;
		}

		draw_person(person) {
			const { employee, name, department, shift, date } = person;
			const who = frappe.model.can_read("Employee")
				? `<a href="${kit.href("employee", employee)}">${kit.safe(name)}</a>`
				: kit.safe(name);
			const of_day = date === this.date ? shift : `${shift}, ${frappe.datetime.str_to_user(date)}`;
			const about = [department, of_day].filter(Boolean).join(" · ");
			return `<li class="board-row"><span class="board-who">${who}
				<small class="text-muted">${kit.safe(about)}</small></span>
				<span class="morning-said">${this.say(person)}</span>${this.draw_trail(person)}</li>`;
		}

		draw_trail({ employee, name, date }) {
			if (!frappe.boot.user?.all_reports?.["Punch Trail"]) return "";
			const asked = new URLSearchParams({ employee, from_date: date, to_date: this.date });
			const words = kit.safe(__("Punch Trail of {0}", [name]));
			const href = `${kit.href("query-report", "Punch Trail")}?${asked}`;
			return `<a class="morning-trail" href="${kit.safe(href)}"
				title="${words}" aria-label="${words}">${frappe.utils.icon("list", "sm")}</a>`;
		}

		/** Since when, how much too late, at which terminal; or why not. */
		say(person) {
			const { state, late, since, device, starts, reason, on_break, unread, read_until } = person;
			const said = [];
			if (late) said.push(pill(__("{0} late", [span(late)]), "orange"));
			if (on_break) said.push(pill(__("On Break"), "blue"));
			if (since) {
				said.push(kit.safe(state === "left" ? __("until {0}", [clock(since)]) : __("since {0}", [clock(since)])));
				if (device) said.push(`<small class="text-muted">${kit.safe(device)}</small>`);
			} else if (state === "missing") {
				said.push(kit.safe(__("since {0}", [clock(starts)])));
				if (unread) said.push(pill(unread_words(read_until, this.date), "yellow"));
			} else if (state === "expected") {
				said.push(kit.safe(__("from {0}", [clock(starts)])));
			} else {
				said.push(`<small class="text-muted">${kit.safe(reason)}</small>`);
			}
			return said.join(" ");
		}
	}

	function count(people) {
		const counts = Object.fromEntries(Object.keys(COLUMNS).map((state) => [state, 0]));
		for (const person of people) {
			counts[person.state] += 1;
			if (person.late) counts.late += 1;
		}
		return counts;
	}

	function is_in(person, state) {
		return state === "late" ? Boolean(person.late) : person.state === state;
	}

	function group(people, key) {
		const groups = new Map();
		people.forEach((person) => groups.set(person[key], [...(groups.get(person[key]) || []), person]));
		return groups;
	}

	function by_name(one, other) {
		return one.name.localeCompare(other.name);
	}

	function draw_bar(counts, total) {
		const parts = Object.keys(STATES)
			.filter((state) => counts[state])
			.map(
				(state) => `<i class="morning-${STATES[state].colour}" style="flex-grow: ${counts[state]}"></i>`
			);
		return `<span class="morning-bar" aria-hidden="true" data-total="${total}">${parts.join("")}</span>`;
	}

	function pill(words, colour) {
		return `<span class="indicator-pill no-indicator-dot ${colour}">${kit.safe(words)}</span>`;
	}

	function unread_words(read_until, date) {
		if (!read_until) return __("Terminals not read yet");
		const of_day = read_until.slice(0, 10) === date ? "" : `${frappe.datetime.str_to_user(read_until.slice(0, 10))} `;
		return __("Terminals read up to {0}", [of_day + clock(read_until)]);
	}

	function clock(value) {
		return kit.time_of(value).replace(/(\d+:\d\d):\d\d/, "$1");
	}

	function span(minutes) {
		return minutes < 60
			? __("{0} min", [minutes])
			: __("{0} h {1} min", [Math.floor(minutes / 60), minutes % 60]);
	}
})();
