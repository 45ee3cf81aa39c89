// The enrollment page: who, the consent, the round video, the end. What is captured is decided by the agent.

import { ready, t, translate } from "./i18n.js";
import { call, Refused } from "./enrollment_calls.js";
import { Guide } from "./enrollment_guide.js";
import { AgentCamera, OwnCamera } from "./enrollment_cameras.js";

const main = document.querySelector("#enrollment");
const find = (id) => document.getElementById(id);
const facts = {
	sha256: main.dataset.sha256,
	required: JSON.parse(main.dataset.required),
	camera: JSON.parse(main.dataset.camera),
	// A browser gives its camera to secure pages only.
	browser: window.isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia),
};
const TYPING_MS = 200;

let person = null; // who was chosen
let begun = null; // how it was begun last, to begin it again
let current = null; // the id of the enrollment under way
let camera = null;
const guide = new Guide(find("capture"));

function show(id) {
	for (const step of document.querySelectorAll(".step")) step.hidden = step.id !== id;
	if (id === "choose") list();
	find(`${id}-title`).focus({ preventScroll: true });
}

// who

let initial = "";
let typing = 0;
find("search").addEventListener("input", () => {
	clearTimeout(typing);
	typing = setTimeout(list, TYPING_MS);
});
find("search").addEventListener("keydown", (event) => {
	if (event.key === "Enter") find("people").querySelector("button")?.click();
});

async function list() {
	const query = find("search").value;
	try {
		const found = await call("GET", `people?${new URLSearchParams({ q: query, initial })}`);
		if (query === find("search").value) fill(found);
	} catch (error) {
		find("found").textContent = words_of(error);
	}
}

// Whom the address names: the list of people leads here.
async function asked() {
	const employee = new URLSearchParams(location.search).get("employee");
	if (!employee) return null;
	try {
		const { people } = await call("GET", `people?${new URLSearchParams({ q: employee })}`);
		return people.find((each) => each.employee === employee) ?? null;
	} catch {
		return null;
	}
}

function fill({ people, found, initials }) {
	find("people").replaceChildren(...people.map(entry));
	find("initials").replaceChildren(...(initials.length > 1 ? ["", ...initials] : []).map(letter));
	const more = found - people.length;
	find("found").textContent = !found ? t("enrollment.nobody") : more > 0 ? t("enrollment.more", more) : "";
}

function entry(each) {
	const item = document.createElement("li");
	const button = item.appendChild(document.createElement("button"));
	button.append(
		element("b", each.name),
		element("small", [each.employee, each.department].filter((part) => part && part !== each.name).join(" · ")),
	);
	if (each.templates) button.append(element("span", t("enrollment.enrolled"), "badge good"));
	else if (each.again) button.append(element("span", t("enrollment.enroll_again"), "badge wait"));
	button.addEventListener("click", () => choose(each));
	return item;
}

function letter(each) {
	const button = element("button", each || t("enrollment.all"));
	button.setAttribute("aria-pressed", String(each === initial));
	button.addEventListener("click", () => {
		initial = each;
		list();
	});
	return button;
}

function choose(each) {
	person = each;
	find("agree-title").textContent = each.name;
	find("agreed-words").textContent = t("enrollment.agree", each.name);
	find("agreed").checked = false;
	find("replace").checked = true;
	find("replace-line").hidden = !each.templates;
	find("agree-note").textContent = t("enrollment.photo_note");
	allow();
	show("agree");
}

// consent

function allow() {
	const may = find("agreed").checked || !facts.required;
	for (const id of ["by-camera", "by-browser", "by-photo"]) find(id).disabled = !may;
}
find("agreed").addEventListener("change", allow);
find("agree").querySelector(".back").addEventListener("click", () => show("choose"));
find("by-camera").addEventListener("click", () => begin("camera"));
find("by-browser").addEventListener("click", () => begin("browser"));
find("by-photo").addEventListener("click", () => find("file").click());
find("file").addEventListener("change", async () => {
	const [photo] = find("file").files;
	find("file").value = "";
	if (!photo) return;
	// Better told now than after it was sent.
	if (photo.size > Number(main.dataset.largest)) fail(new Refused(413, { error: "picture_too_large" }));
	else await begin("photo", [], photo);
});

// under way

async function begin(source, accepted = [], photo = null) {
	begun = { source, photo };
	try {
		const own = source === "browser" ? await OwnCamera.open(find("own")) : null;
		camera = own;
		const state = await call("POST", "", {
			employee: person.employee,
			source,
			consent_sha256: find("agreed").checked ? facts.sha256 : "",
			replace: find("replace").checked,
			accepted,
		});
		current = state.id;
		if (source === "photo") return await send_photo(state, photo);
		camera = own ?? new AgentCamera(find("live"));
		find("capture-title").textContent = state.name;
		guide.begin(state);
		show("capture");
		camera.run(state.id, (next) => (next.id === current ? take(next) : undefined), fail);
	} catch (error) {
		fail(error);
	}
}

async function send_photo(state, photo) {
	find("agree-note").textContent = t("enrollment.sending");
	const after = await call("POST", `${state.id}/photo`, photo);
	if (after.over) return take(after);
	await leave();
	tell(false, t("enrollment.photo_bad"), "", after.advice.map((advice) => t(`enrollment.photo.${advice}`)));
	offer_again("enrollment.other_photo");
}

function take(state) {
	if (!state.over) return guide.show(state);
	stop();
	current = null;
	if (state.state === "submitted") return done(state);
	const about = { taken: "taken", too_late: "too_late", failed: "failed" }[state.state];
	if (!about) return show("choose");
	tell(false, t(`enrollment.${about}`), t(`enrollment.${about}_text`, state.owner ?? ""));
	if (about !== "taken") offer_again();
	find("anyway").hidden = about !== "taken";
	find("anyway").onclick = () => begin(begun.source, [state.owner], begun.photo);
}

function done(state) {
	guide.show(state);
	const photo = state.source === "photo";
	tell(true, t("enrollment.done", state.name), t(photo ? "enrollment.done_photo" : "enrollment.done_text"));
}

function tell(well, title, text, list = []) {
	find("end").className = `step ${well ? "well" : "badly"}`;
	find("end-title").textContent = title;
	find("end-text").textContent = text;
	find("end-list").replaceChildren(...list.map((each) => element("li", each)));
	find("next").textContent = t(well ? "enrollment.next" : "enrollment.other_person");
	find("next").classList.add("main");
	find("again").hidden = find("anyway").hidden = true;
	show("end");
	if (well) find("next").focus();
}

function fail(error) {
	stop();
	leave();
	if (error instanceof Refused && error.status === 401) return location.reload();
	tell(false, t("enrollment.not_possible"), words_of(error));
	if (error?.code !== "no_such_person") offer_again();
}

function offer_again(words = "enrollment.again") {
	find("again").textContent = t(words);
	find("again").hidden = false;
	find("next").classList.remove("main");
}

function words_of(error) {
	if (error?.name === "NotAllowedError") return t("enrollment.error.camera_refused");
	if (error?.name === "NotFoundError" || error?.name === "NotReadableError") return t("enrollment.error.no_own_camera");
	if (!(error instanceof Refused)) return t("enrollment.error.agent_gone");
	const words = t(`enrollment.error.${error.code}`);
	return words.startsWith("enrollment.") ? error.sentence || t("enrollment.error.other", error.code) : words;
}

function stop() {
	camera?.stop();
	camera = null;
}

async function leave(last = false) {
	const id = current;
	current = null;
	if (id) await call("DELETE", id, null, { keepalive: last }).catch(() => {});
}

find("cancel").addEventListener("click", async () => {
	stop();
	await leave();
	show("choose");
});
find("next").addEventListener("click", () => {
	find("search").value = "";
	initial = "";
	show("choose");
});
find("again").addEventListener("click", () => (begun.source === "photo" ? find("file").click() : begin(begun.source)));
window.addEventListener("pagehide", () => {
	stop();
	leave(true);
});

function element(name, text, kind = "") {
	const made = document.createElement(name);
	made.textContent = text;
	made.className = kind;
	return made;
}

await ready;
translate(document);
find("search").placeholder = t("enrollment.search");
find("by-camera").textContent = t("enrollment.by_camera", main.dataset.agent);
find("by-camera").hidden = !facts.camera;
find("by-browser").hidden = !facts.browser;
if (!facts.camera) find("by-browser").classList.add("main");
const wanted = await asked();
if (wanted) choose(wanted);
else show("choose");
