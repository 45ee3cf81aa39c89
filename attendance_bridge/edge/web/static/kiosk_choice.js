// The two buttons of a company that lets people say whether they come or go.

import { call } from "./calls.js";

export function makeChoice(buttons) {
	function show(choice) {
		for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.choice === choice));
	}

	async function choose(button) {
		const wanted = button.getAttribute("aria-pressed") === "true" ? "" : button.dataset.choice;
		try {
			show((await call("POST", "/api/v1/kiosk/choice", { choice: wanted })).choice);
		} catch {
			show("");
		}
	}

	for (const button of buttons) button.addEventListener("click", () => choose(button));
	return { show };
}
