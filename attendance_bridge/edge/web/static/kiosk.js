// The page at the door. It draws what the agent tells and asks for nothing by itself: without events it rests.

import { locale, ready, t, translate } from "./i18n.js";
import { makeBoxes } from "./kiosk_boxes.js";
import { makeFactor } from "./kiosk_factor.js";
import { makeSound } from "./kiosk_sound.js";

const FRESH_MS = 8000; // what is older was missed, and is not greeted any more
const CARD_MS = 5000;
const MOST_CARDS = 2;
const MOST_PREVIEWS = 50;
const SILENT_MS = 40000; // the agent says something every 15 s
const GONE_MS = 3000;
const RETRY_MS = 5000;
const VIDEO_RETRY_MS = 2000;

const byId = (id) => document.getElementById(id);
const page = byId("kiosk").dataset;
const sound = makeSound(page.sound === "true", drawMute);
const video = byId("video");
const boxes = makeBoxes(byId("boxes"), video, byId("kiosk").classList.contains("mirrored"));
const factor = makeFactor(byId("ask"), answer, sound);

let status = null;
let gone = false;
let clockOffset = 0; // milliseconds that this screen's clock is behind the agent's
let somebody = 0; // how many faces are there
const previews = new Map(); // punch_id → IN or OUT, until the list knows it

// the time

const hours = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: page.zone });
const days = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", timeZone: page.zone });
const now = () => new Date(Date.now() + clockOffset);

function drawClock() {
	const moment = now();
	byId("clock").textContent = hours.format(moment);
	byId("date").textContent = days.format(moment);
	clearTimeout(drawClock.next);
	drawClock.next = setTimeout(drawClock, 60050 - (moment % 60000));
}

function setClock(iso) {
	clockOffset = Date.parse(iso) - Date.now();
	drawClock();
}

const hourAt = () => Number(hours.formatToParts(now()).find((part) => part.type === "hour").value);
const wallClock = (iso) => (iso ?? "").slice(11, 16);

// cards: what has just happened

function show({ tone, kicker = "", title = "", advice = "", log_type = "", time = "", side = "", seconds = 0, key = "", ms = CARD_MS }) {
	const card = byId("card").content.firstElementChild.cloneNode(true);
	const part = (name) => card.querySelector(`.${name}`);
	card.classList.add(tone);
	card.dataset.key = key;
	part("kicker").textContent = kicker;
	part("title").textContent = title;
	part("advice").textContent = advice;
	part("made").hidden = !time;
	part("made").querySelector("time").textContent = time;
	direct(card, log_type);
	if (side) {
		part("arrow").removeAttribute("hidden");
		part("arrow").classList.toggle("right", side === "right");
	}
	if (seconds) {
		part("left").hidden = false;
		part("left").style.animationDuration = `${seconds}s`;
	}
	const cards = byId("cards");
	if (key) for (const old of cards.children) if (old.dataset.key === key) old.remove();
	cards.append(card);
	while (cards.children.length > MOST_CARDS) cards.firstElementChild.remove();
	setTimeout(() => card.remove(), ms);
	return card;
}

function direct(card, logType) {
	if (logType) {
		card.classList.remove("in", "out", "plain");
		card.classList.add(logType === "IN" ? "in" : "out");
	}
	card.querySelector(".direction").textContent = word(logType);
}

function word(logType) {
	if (logType === "IN") return t("kiosk.in");
	return logType === "OUT" ? t("kiosk.out") : "";
}

function clear(key) {
	for (const card of [...byId("cards").children]) if (card.dataset.key === key) card.remove();
}

function greeting(logType) {
	if (logType === "OUT") return t("kiosk.goodbye");
	const hour = hourAt();
	if (hour >= 4 && hour < 12) return t("kiosk.morning");
	return hour >= 12 && hour < 18 ? t("kiosk.afternoon") : t("kiosk.evening");
}

// A greeting without a name is big itself.
function named(kicker, name) {
	return name ? { kicker, title: name } : { title: kicker };
}

const happenings = {
	punch(event) {
		preview(event);
		chosen("");
		clear("try");
		const tone = event.log_type === "OUT" ? "out" : "in";
		show({ tone, ...named(greeting(event.log_type), event.name), log_type: event.log_type, time: wallClock(event.time), key: event.punch_id });
		sound.play(tone);
	},
	decided(event) {
		preview(event);
		const card = [...byId("cards").children].find((each) => each.dataset.key === event.punch_id);
		if (card && event.log_type) direct(card, event.log_type);
	},
	again(event) {
		// Who is still being greeted need not be told.
		if ([...byId("cards").children].some((card) => card.matches(".in, .out") && card.querySelector(".title").textContent === event.name)) return;
		show({ tone: "kind", ...named(t("kiosk.hello"), event.name), advice: t("kiosk.again", wallClock(event.time)), key: "again" });
	},
	unknown() {
		show({ tone: "kind", title: t("kiosk.unknown"), advice: t("kiosk.unknown_advice"), key: "try" });
		sound.play("kind");
	},
	no_punch(event) {
		show({ tone: "kind", ...named(t("kiosk.hello"), event.name), advice: noPunch(event.reason), key: "try", ms: 8000 });
		sound.play("kind");
	},
	liveness_failed() {
		show({ tone: "kind", title: t("kiosk.liveness"), advice: t("kiosk.liveness_advice"), key: "try" });
		sound.play("kind");
	},
	challenge(event) {
		const title = event.side === "left" ? t("kiosk.turn_left") : t("kiosk.turn_right");
		show({ tone: "ask", title, side: event.side, seconds: event.seconds, key: "try", ms: event.seconds * 1000 });
		sound.play("ask");
	},
	challenge_failed(event) {
		show({ tone: "kind", title: t("kiosk.once_more"), advice: challengeAdvice(event.reason), key: "try" });
		sound.play("kind");
	},
	second_factor(event) {
		factor.show(event);
		sound.play("ask");
	},
	second_factor_over(event) {
		factor.end(event.ticket);
		if (event.reason === "passed") return;
		const many = event.reason === "too_many";
		show({ tone: "kind", title: many ? t("kiosk.too_many") : t("kiosk.too_late"), advice: many ? t("kiosk.too_many_advice") : t("kiosk.too_late_advice"), key: "try" });
	},
};

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

function seeFaces(event) {
	somebody = event.seen;
	boxes.show(event.faces);
	const hint = byId("hint");
	const text = hintOf(event.hint);
	hint.hidden = !text;
	hint.textContent = text;
	if (somebody) wake();
}

function hintOf(flaw) {
	switch (flaw) {
		case "too_small":
			return t("kiosk.closer");
		case "turned":
		case "tilted":
			return t("kiosk.look_here");
		case "blurred":
			return t("kiosk.hold_still");
		case "too_dark":
			return t("kiosk.more_light");
		case "too_bright":
			return t("kiosk.less_light");
		default:
			return "";
	}
}

// how things stand

function drawStatus(next) {
	const was = status;
	status = next;
	if (next.camera === "open" && (was?.camera !== "open" || video.hidden)) playVideo();
	if (next.camera !== "open") video.hidden = true;
	if (next.camera !== "open") seeFaces({ faces: [], seen: 0, hint: "" });
	drawNotice();
	drawPunches(next.punches);
	const site = byId("site");
	site.hidden = !next.offline;
	site.textContent = next.offline ? t("kiosk.offline", next.waiting) : "";
	byId("demonstration").hidden = !next.generated;
	chosen(next.choice);
}

function drawNotice() {
	const [title, text] = notice();
	byId("notice").hidden = !title;
	byId("notice").querySelector("strong").textContent = title;
	byId("notice").querySelector("p").textContent = text;
}

function notice() {
	if (gone) return [t("kiosk.agent_gone"), t("kiosk.agent_gone_advice")];
	if (!status || status.camera === "opening") return [t("kiosk.starting"), ""];
	if (status.camera === "lost") return [t("kiosk.camera_lost"), t("kiosk.camera_lost_since", hours.format(new Date(status.camera_since)))];
	if (status.camera !== "open") return [t("kiosk.camera_ended"), ""];
	if (!status.model) return [t("kiosk.no_model"), t("kiosk.no_model_advice")];
	if (!status.people) return [t("kiosk.nobody_enrolled"), t("kiosk.nobody_enrolled_advice")];
	return ["", ""];
}

function element(tag, className, text) {
	const node = document.createElement(tag);
	node.className = className;
	node.textContent = text;
	return node;
}

// The list may know a punch before its IN or OUT is decided, and before this page has heard of it.
function preview({ punch_id, log_type }) {
	if (!log_type) return;
	previews.set(punch_id, log_type);
	if (previews.size > MOST_PREVIEWS) previews.delete(previews.keys().next().value);
	if (status) drawPunches(status.punches);
}

function drawPunches(punches) {
	const list = byId("punches");
	if (!punches.length) return list.replaceChildren(element("li", "none", t("kiosk.no_punch_yet")));
	list.replaceChildren(
		...punches.map((punch) => {
			const logType = punch.log_type || previews.get(punch.punch_id) || "";
			const row = element("li", "", "");
			const who = element("span", "who", punch.name);
			who.dir = "auto";
			row.append(element("time", "", wallClock(punch.time)), who);
			if (punch.state === "problem") row.append(element("small", "wait", t("kiosk.ask_hr")));
			else row.append(element("b", logType, word(logType)));
			return row;
		}),
	);
}

// the video

function playVideo() {
	clearTimeout(playVideo.again);
	video.hidden = false;
	video.src = `/kiosk/video?${Date.now()}`;
}

video.addEventListener("error", () => {
	video.hidden = true;
	clearTimeout(playVideo.again);
	playVideo.again = setTimeout(() => status?.camera === "open" && !gone && playVideo(), VIDEO_RETRY_MS);
});

// events

function watch() {
	const events = new EventSource("/kiosk/events");
	events.onmessage = ({ data }) => {
		listen(events);
		hear(JSON.parse(data));
	};
	events.onerror = () => {
		// Each attempt to connect anew fails too: the first failure counts.
		watch.gone ||= setTimeout(lose, GONE_MS);
		if (events.readyState === EventSource.CLOSED) giveUp(events);
	};
	listen(events);
}

// A cable that was pulled ends no connection: a stream that says nothing is given up.
function listen(events) {
	clearTimeout(watch.silent);
	watch.silent = setTimeout(() => giveUp(events), SILENT_MS);
}

function giveUp(events) {
	events.close();
	clearTimeout(watch.silent);
	lose();
	setTimeout(async () => {
		try {
			const answered = await fetch("/api/v1/kiosk/status");
			// A login that has run out; the page itself knows where to log in.
			if ([401, 403].includes(answered.status)) return location.reload();
		} catch {
			// Not there: the stream will say the same.
		}
		watch();
	}, RETRY_MS);
}

function lose() {
	gone = true;
	seeFaces({ faces: [], seen: 0, hint: "" });
	factor.hide();
	drawNotice();
}

function hear(event) {
	switch (event.type) {
		case "hello":
			if (event.version !== page.version) return location.reload();
			clearTimeout(watch.gone);
			watch.gone = 0;
			if (gone) video.hidden = true; // its stream is as dead as this one was: `drawStatus` begins another
			gone = false;
			return setClock(event.now);
		case "alive":
			return setClock(event.now);
		case "status":
			return drawStatus(event);
		case "face":
			return seeFaces(event);
		default:
			return happen(event);
	}
}

function happen(event) {
	if (!happenings[event.type] || now() - Date.parse(event.at) > FRESH_MS) return;
	happenings[event.type](event);
	wake();
}

// what hands do

function csrf() {
	return document.querySelector('meta[name="csrf-token"]').content;
}

async function post(path, body) {
	const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf() };
	const answered = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
	if (!answered.ok) throw new Error(`${path}: ${answered.status}`);
	return answered.json();
}

async function answer(ticket, secret) {
	try {
		return (await post("/kiosk/answer", { ticket, secret })).answer;
	} catch {
		return "failed";
	}
}

const choices = [...document.querySelectorAll("#choice button")];

function chosen(choice) {
	for (const button of choices) button.setAttribute("aria-pressed", String(button.dataset.choice === choice));
}

for (const button of choices)
	button.addEventListener("click", async () => {
		const wanted = button.getAttribute("aria-pressed") === "true" ? "" : button.dataset.choice;
		try {
			chosen((await post("/kiosk/choice", { choice: wanted })).choice);
		} catch {
			chosen("");
		}
	});

// sound, screen

function drawMute() {
	const button = byId("mute");
	if (!button) return;
	button.setAttribute("aria-pressed", String(sound.muted));
	button.classList.toggle("blocked", sound.blocked);
	const text = sound.muted ? t("kiosk.unmute") : sound.blocked ? t("kiosk.allow_sound") : t("kiosk.mute");
	button.setAttribute("aria-label", text);
	button.title = text;
}

byId("mute")?.addEventListener("click", (event) => {
	event.stopPropagation();
	if (sound.blocked) sound.wake();
	else sound.toggle();
});
document.addEventListener("pointerdown", (event) => {
	wake();
	if (!event.target.closest("#mute")) sound.wake();
});
document.addEventListener("keydown", wake);

function wake() {
	document.body.classList.remove("dim");
	clearTimeout(wake.later);
	const seconds = Number(page.dimSeconds);
	if (seconds) wake.later = setTimeout(() => (somebody ? wake() : document.body.classList.add("dim")), seconds * 1000);
}

function offerFullScreen() {
	byId("full-screen").hidden = !document.fullscreenEnabled || Boolean(document.fullscreenElement);
}
byId("full-screen").addEventListener("click", () => document.documentElement.requestFullscreen().catch(() => {}));
document.addEventListener("fullscreenchange", offerFullScreen);

// Browsers let go of it whenever the page is hidden, and refuse it when the battery is low.
async function stayAwake() {
	if (document.visibilityState !== "visible" || !navigator.wakeLock) return;
	try {
		await navigator.wakeLock.request("screen");
	} catch {
		return;
	}
}
document.addEventListener("visibilitychange", stayAwake);

await ready.catch(() => {});
translate(document);
drawClock();
drawNotice();
drawMute();
sound.wake();
offerFullScreen();
wake();
stayAwake();
watch();
