// The list of the day's last punches.

import { t } from "./i18n.js";
import { word } from "./kiosk_cards.js";
import { wallClock } from "./kiosk_clock.js";

const MOST_PREVIEWS = 50;

export function makePunches(list) {
	const previews = new Map(); // punch_id → IN or OUT, until the list knows it
	let punches = null;

	function draw(next) {
		punches = next;
		if (punches.length) list.replaceChildren(...punches.map(row));
		else list.replaceChildren(element("li", "none", t("kiosk.no_punch_yet")));
	}

	function row(punch) {
		const logType = punch.log_type || previews.get(punch.punch_id) || "";
		const made = element("li", "", "");
		const who = element("span", "who", punch.name);
		who.dir = "auto";
		made.append(element("time", "", wallClock(punch.time)), who);
		if (punch.state === "problem") made.append(element("small", "wait", t("kiosk.ask_hr")));
		else made.append(element("b", logType, word(logType)));
		return made;
	}

	return {
		draw,
		// The list may know a punch before its IN or OUT is decided, and before this page has heard of it.
		preview({ punch_id, log_type }) {
			if (!log_type) return;
			previews.set(punch_id, log_type);
			if (previews.size > MOST_PREVIEWS) previews.delete(previews.keys().next().value);
			if (punches) draw(punches);
		},
	};
}

function element(tag, className, text) {
	const node = document.createElement(tag);
	node.className = className;
	node.textContent = text;
	return node;
}
