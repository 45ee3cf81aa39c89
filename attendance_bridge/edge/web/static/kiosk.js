// The page at the door. It draws what the agent tells and asks for nothing by itself: without events it rests.

import { call } from "./calls.js";
import { ready, t, translate } from "./i18n.js";
import { makeBoxes } from "./kiosk_boxes.js";
import { makeCards } from "./kiosk_cards.js";
import { makeChoice } from "./kiosk_choice.js";
import { makeClock } from "./kiosk_clock.js";
import { makeFactor } from "./kiosk_factor.js";
import { makeNews } from "./kiosk_news.js";
import { hintOf, makeNotice } from "./kiosk_notice.js";
import { makePunches } from "./kiosk_punches.js";
import { makeScreen } from "./kiosk_screen.js";
import { makeSound } from "./kiosk_sound.js";
import { listen } from "./kiosk_stream.js";
import { makeVideo } from "./kiosk_video.js";

const byId = (id) => document.getElementById(id);
const page = byId("kiosk").dataset;

let status = null;
let isGone = false;
let somebody = 0; // how many faces are there

await ready.catch(() => {});
translate(document);

const clock = makeClock(page.zone, byId("clock"), byId("date"));
const notice = makeNotice(byId("notice"), clock);
const sound = makeSound(page.sound === "true");
const video = makeVideo(byId("video"), () => status?.camera === "open" && !isGone);
const boxes = makeBoxes(byId("boxes"), byId("video"), byId("kiosk").classList.contains("mirrored"));
const cards = makeCards(byId("cards"), byId("card"));
const choice = makeChoice([...document.querySelectorAll("#choice button")]);
const factor = makeFactor(byId("ask"), answer, sound);
const punches = makePunches(byId("punches"));
const tell = makeNews({ cards, choice, clock, factor, punches, sound });
clock.draw();
notice(status, isGone);
const screen = makeScreen({
	sound,
	mute: byId("mute"),
	full: byId("full-screen"),
	dimSeconds: Number(page.dimSeconds),
	isSomebodyThere: () => somebody > 0,
});
listen(hear, lose);

function hear(event) {
	switch (event.type) {
		case "hello":
			if (event.version !== page.version) return location.reload();
			if (isGone) video.hide(); // its stream is as dead as this one was: `drawStatus` begins another
			isGone = false;
			return clock.set(event.now);
		case "alive":
			return clock.set(event.now);
		case "status":
			return drawStatus(event);
		case "face":
			return seeFaces(event);
		default:
			if (tell(event)) screen.wake();
	}
}

function lose() {
	isGone = true;
	seeNobody();
	factor.hide();
	notice(status, isGone);
}

function seeNobody() {
	seeFaces({ faces: [], seen: 0, hint: "" });
}

function seeFaces({ faces, seen, hint }) {
	somebody = seen;
	boxes.show(faces);
	const text = hintOf(hint);
	byId("hint").hidden = !text;
	byId("hint").textContent = text;
	if (somebody) screen.wake();
}

function drawStatus(next) {
	const was = status;
	status = next;
	if (next.camera !== "open") {
		video.hide();
		seeNobody();
	} else if (was?.camera !== "open" || video.hidden) video.play();
	notice(status, isGone);
	punches.draw(next.punches);
	byId("site").hidden = !next.offline;
	byId("site").textContent = next.offline ? t("kiosk.offline", next.waiting) : "";
	byId("demonstration").hidden = !next.generated;
	choice.show(next.choice);
}

async function answer(ticket, secret) {
	try {
		return (await call("POST", "/api/v1/kiosk/answer", { ticket, secret })).answer;
	} catch {
		return "failed";
	}
}
