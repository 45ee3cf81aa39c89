"use strict";

// Everything from outside goes through textContent: a name on a terminal is never markup.
function element(tag, className, text) {
	const node = document.createElement(tag);
	if (className) node.className = className;
	if (text !== undefined && text !== null) node.textContent = text;
	return node;
}

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat();

function ago(iso, now) {
	if (!iso) return "never";
	const seconds = Math.round((new Date(now) - new Date(iso)) / 1000);
	if (seconds < 5) return "just now";
	if (seconds < 90) return `${seconds} s ago`;
	if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
	if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
	return `${Math.round(seconds / 86400)} days ago`;
}

const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "2-digit", timeZone: "UTC" });

// Wall time stays as the terminal showed it: no conversion to the zone of whoever looks.
function moment(text) {
	const [date, clock] = text.split(" ");
	const cell = element("td", "time", clock);
	cell.append(" ", element("small", "quiet", day.format(new Date(`${date}T00:00:00Z`))));
	return cell;
}

function drawTotals(totals) {
	byId("totals").replaceChildren(
		...totals.map((total) => {
			const box = element("div", "total");
			box.append(element("b", total.tone, number.format(total.count)), element("span", "", total.label));
			return box;
		}),
	);
}

function fact(list, label, value) {
	if (value === "" || value === null || value === undefined) return;
	list.append(element("dt", "", label), element("dd", "", value));
}

function drawDevice(device, now) {
	const box = element("article", "device");
	const head = element("header");
	head.append(element("h3", "", device.name), element("span", `badge ${device.tone}`, device.state));
	const facts = element("dl");
	fact(facts, "Model", [device.model, device.driver].filter(Boolean).join(" · "));
	fact(facts, "Serial", device.serial);
	fact(facts, "Last seen", ago(device.last_seen, now));
	fact(facts, "Clock", device.clock);
	fact(facts, "Holds", device.holds);
	fact(facts, "Complete up to", device.watermark);
	box.append(head, facts);
	if (device.expected) {
		const bar = element("div", "bar");
		const filled = element("i");
		filled.style.width = `${Math.min(100, (100 * device.done) / device.expected)}%`;
		bar.append(filled);
		box.append(bar);
	}
	if (device.problem) box.append(element("p", "problem", device.problem));
	return box;
}

function drawDevices(devices, now) {
	if (devices.length) byId("devices").replaceChildren(...devices.map((device) => drawDevice(device, now)));
}

const seen = { checkins: null, punches: null };

function drawRows(id, rows, cells) {
	if (!rows.length) return;
	const known = seen[id];
	seen[id] = new Set(rows.map((row) => row.punch_id));
	byId(id).replaceChildren(
		...rows.map((row) => {
			const line = element("tr", known && !known.has(row.punch_id) ? "fresh" : "");
			line.append(...cells(row));
			return line;
		}),
	);
}

function draw(board) {
	byId("upstream").textContent = board.upstream.text;
	byId("upstream").className = board.upstream.tone || "quiet";
	drawTotals(board.totals);
	drawDevices(board.devices, board.now);
	drawRows("checkins", board.checkins, (row) => [
		moment(row.time),
		element("td", "", row.person),
		element("td", row.log_type === "IN" ? "good" : "", row.log_type),
		element("td", "wide quiet", row.reason),
	]);
	drawRows("punches", board.punches, (row) => [
		moment(row.time),
		element("td", "keep", row.device),
		element("td", "", row.device_user_id),
		element("td", `keep ${row.tone}`, row.state),
		element("td", "wide quiet", row.reason),
	]);
}

function show(text, tone) {
	const link = byId("link");
	link.textContent = text;
	link.className = `badge ${tone}`;
}

// EventSource reconnects by itself; a server that has no stream left to give (503) makes it give up, and
// then the page asks every few seconds instead.
function watch() {
	const events = new EventSource("/events");
	events.addEventListener("board", (event) => {
		show("live", "good");
		draw(JSON.parse(event.data));
	});
	events.onerror = () => {
		show("reconnecting", "wait");
		if (events.readyState === EventSource.CLOSED) ask();
	};
}

async function ask() {
	try {
		const answer = await fetch("/api/v1/board");
		if (answer.status === 401 || answer.status === 403) return show("your login is over: load the page again", "bad");
		if (!answer.ok) throw new Error(answer.status);
		draw(await answer.json());
		show("live, every 5 s", "good");
	} catch {
		show("the agent does not answer", "bad");
	}
	setTimeout(ask, 5000);
}

watch();
