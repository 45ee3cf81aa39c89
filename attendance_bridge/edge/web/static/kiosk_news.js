// What each event says to the people at the door: a card, a sound, a question.

import { t } from "./i18n.js";
import { wallClock } from "./kiosk_clock.js";

const FRESH_MS = 8000; // what is older was missed, and is not greeted any more
const LONG_MS = 8000; // for more than a few words

export function makeNews({ cards, choice, clock, factor, punches, sound }) {
	// Advice of what did not work: one at a time.
	function advise(title, advice, more = {}) {
		cards.show({ tone: "kind", title, advice, key: "try", ...more });
	}

	const told = {
		punch(event) {
			punches.preview(event);
			choice.show("");
			cards.clear("try");
			const tone = event.log_type === "OUT" ? "out" : "in";
			const words = named(greeting(event.log_type, clock.hour()), event.name);
			cards.show({ tone, ...words, logType: event.log_type, time: wallClock(event.time), key: event.punch_id });
			sound.play(tone);
		},
		decided(event) {
			punches.preview(event);
			cards.direct(event.punch_id, event.log_type);
		},
		again(event) {
			// Who is still being greeted need not be told.
			if (cards.isGreeted(event.name)) return;
			cards.show({ tone: "kind", ...named(t("kiosk.hello"), event.name), advice: t("kiosk.again", wallClock(event.time)), key: "again" });
		},
		unknown() {
			advise(t("kiosk.unknown"), t("kiosk.unknown_advice"));
			sound.play("kind");
		},
		no_punch(event) {
			cards.show({ tone: "kind", ...named(t("kiosk.hello"), event.name), advice: noPunch(event.reason), key: "try", ms: LONG_MS });
			sound.play("kind");
		},
		liveness_failed() {
			advise(t("kiosk.liveness"), t("kiosk.liveness_advice"), { ms: LONG_MS });
			sound.play("kind");
		},
		challenge({ side, seconds }) {
			const title = side === "left" ? t("kiosk.turn_left") : t("kiosk.turn_right");
			cards.show({ tone: "ask", title, side, seconds, key: "try", ms: seconds * 1000 });
			sound.play("ask");
		},
		challenge_failed(event) {
			advise(t("kiosk.once_more"), challengeAdvice(event.reason));
			sound.play("kind");
		},
		second_factor(event) {
			factor.show(event);
			sound.play("ask");
		},
		second_factor_over({ ticket, reason }) {
			factor.end(ticket);
			if (reason === "too_many") advise(t("kiosk.too_many"), t("kiosk.too_many_advice"));
			else if (reason !== "passed") advise(t("kiosk.too_late"), t("kiosk.too_late_advice"));
		},
	};

	// Whether it was news for anybody.
	return (event) => {
		if (!told[event.type] || clock.now() - Date.parse(event.at) > FRESH_MS) return false;
		told[event.type](event);
		return true;
	};
}

function greeting(logType, hour) {
	if (logType === "OUT") return t("kiosk.goodbye");
	if (hour >= 4 && hour < 12) return t("kiosk.morning");
	return hour >= 12 && hour < 18 ? t("kiosk.afternoon") : t("kiosk.evening");
}

// A greeting without a name is big itself.
function named(kicker, name) {
	return name ? { kicker, title: name } : { title: kicker };
}

function noPunch(reason) {
	switch (reason) {
		case "no_second_factor":
			return t("kiosk.no_factor");
		case "blocked":
			return t("kiosk.too_many_advice");
		case "enrolling":
			return t("kiosk.enrolling");
		case "not_held":
			return t("kiosk.not_held");
		default:
			return t("kiosk.not_set_up");
	}
}

function challengeAdvice(reason) {
	switch (reason) {
		case "too_late":
			return t("kiosk.challenge_late");
		case "wrong_side":
			return t("kiosk.challenge_side");
		case "somebody_else":
			return t("kiosk.challenge_alone");
		default:
			return t("kiosk.challenge_slowly");
	}
}
