// The time at the door: the agent's, not that of this screen, which may be anything.

import { locale } from "./i18n.js";

// Of a wall time, which is never converted.
export const wallClock = (iso) => (iso ?? "").slice(11, 16);

export function makeClock(zone, time, date) {
	const hours = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
	const days = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", timeZone: zone });
	let offset = 0; // milliseconds that this screen's clock is behind the agent's
	let next = 0;

	const now = () => new Date(Date.now() + offset);

	function draw() {
		const moment = now();
		time.textContent = hours.format(moment);
		date.textContent = days.format(moment);
		clearTimeout(next);
		next = setTimeout(draw, 60050 - (moment % 60000));
	}

	return {
		now,
		draw,
		set(iso) {
			offset = Date.parse(iso) - Date.now();
			draw();
		},
		hour: () => Number(hours.formatToParts(now()).find((part) => part.type === "hour").value),
		spell: (iso) => hours.format(new Date(iso)),
	};
}
