// The second factor: a PIN on the pad or the keyboard, a badge by a reader that types like a keyboard.

import { t } from "./i18n.js";

const MOST = { pin: 12, badge: 64 };

// `send(ticket, secret)` resolves to what became of it.
export function makeFactor(box, send, sound) {
	const part = (id) => document.getElementById(`ask${id}`);
	let asked = null;
	let typed = "";
	let over = 0;

	function show({ ticket, kind, name, seconds }) {
		asked = { ticket, kind };
		typed = "";
		part("-title").textContent = kind === "pin" ? t("kiosk.pin_title") : t("kiosk.badge_title");
		part("-text").textContent = name;
		box.querySelector("#pad").hidden = kind !== "pin";
		draw();
		box.hidden = false;
		clearTimeout(over);
		over = setTimeout(hide, seconds * 1000);
	}

	function hide() {
		clearTimeout(over);
		asked = null;
		typed = "";
		draw();
		box.hidden = true;
	}

	// What is typed is never shown: only how much.
	function draw() {
		part("-typed").textContent = "•".repeat(Math.min(typed.length, MOST.pin));
	}

	async function done() {
		if (!asked || !typed) return;
		const { ticket } = asked;
		const secret = typed;
		typed = "";
		draw();
		const answer = await send(ticket, secret);
		if (asked?.ticket !== ticket) return;
		if (answer === "wrong") {
			part("-text").textContent = t("kiosk.factor_wrong");
			sound.play("kind");
		} else hide();
	}

	function press(key) {
		if (!asked) return false;
		if (key === "Enter") done();
		else if (key === "Escape") hide();
		else if (key === "Backspace") typed = typed.slice(0, -1);
		else if (key.length === 1 && typed.length < MOST[asked.kind] && (asked.kind === "badge" || /[0-9]/.test(key)))
			typed += key;
		else return false;
		draw();
		return true;
	}

	box.addEventListener("click", (event) => {
		const button = event.target.closest("button");
		if (!button) return;
		if (button.dataset.digit) press(button.dataset.digit);
		else press({ back: "Backspace", done: "Enter" }[button.dataset.act] ?? "Escape");
	});
	document.addEventListener("keydown", (event) => {
		if (press(event.key)) event.preventDefault();
	});

	return {
		show,
		end(ticket) {
			if (asked?.ticket === ticket) hide();
		},
		hide,
	};
}
