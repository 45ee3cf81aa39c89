// Cards over the video: what has just happened.

import { t } from "./i18n.js";

const CARD_MS = 5000;
const MOST = 2;

export function word(logType) {
	if (logType === "IN") return t("kiosk.in");
	return logType === "OUT" ? t("kiosk.out") : "";
}

export function makeCards(list, template) {
	const all = () => [...list.children];
	const of = (key) => all().find((card) => card.dataset.key === key);

	// A card of the same key gives way to the new one.
	function show({ tone, kicker = "", title = "", advice = "", logType = "", time = "", side = "", seconds = 0, key = "", ms = CARD_MS }) {
		const card = template.content.firstElementChild.cloneNode(true);
		const part = (name) => card.querySelector(`.${name}`);
		card.classList.add(tone);
		card.dataset.key = key;
		part("kicker").textContent = kicker;
		part("title").textContent = title;
		part("advice").textContent = advice;
		part("made").hidden = !time;
		part("made").querySelector("time").textContent = time;
		direct(card, logType);
		if (side) {
			part("arrow").removeAttribute("hidden");
			part("arrow").classList.toggle("right", side === "right");
		}
		if (seconds) {
			part("left").hidden = false;
			part("left").style.animationDuration = `${seconds}s`;
		}
		clear(key);
		list.append(card);
		while (list.children.length > MOST) list.firstElementChild.remove();
		setTimeout(() => card.remove(), ms);
	}

	function direct(card, logType) {
		if (logType) {
			card.classList.remove("in", "out");
			card.classList.add(logType === "IN" ? "in" : "out");
		}
		card.querySelector(".direction").textContent = word(logType);
	}

	function clear(key) {
		if (key) of(key)?.remove();
	}

	return {
		show,
		clear,
		// IN or OUT of a card that is still there.
		direct(key, logType) {
			const card = of(key);
			if (card && logType) direct(card, logType);
		},
		isGreeted: (name) => all().some((card) => card.matches(".in, .out") && card.querySelector(".title").textContent === name),
	};
}
