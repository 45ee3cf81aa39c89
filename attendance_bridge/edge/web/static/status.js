import { call, Refused } from "./calls.js";

// The page is drawn anew every few seconds, unless a test of a connection is shown on it.

const EVERY = 5000;
const PROBLEMS = {
	busy: "Another test is under way.",
	login_required: "Your login is over. Load the page again.",
	rate_limited: "That was a lot at once. Try again in a moment.",
};
let isTested = false;

async function test(button) {
	const place = button.nextElementSibling;
	isTested = true;
	button.disabled = true;
	place.className = "quiet";
	place.textContent = "trying …";
	try {
		const facts = await call("POST", "/api/v1/connection-tests", { name: button.dataset.test });
		place.className = facts.ok ? "good" : "bad";
		place.textContent = facts.text;
	} catch (error) {
		place.className = "bad";
		place.textContent = error instanceof Refused ? (PROBLEMS[error.code] ?? error.code) : "The agent does not answer.";
	}
	button.disabled = false;
}

async function refresh() {
	if (!isTested && !document.hidden) {
		try {
			const answer = await fetch(location.href);
			if (answer.ok && !answer.redirected && !isTested) {
				const page = new DOMParser().parseFromString(await answer.text(), "text/html");
				document.getElementById("facts").replaceWith(page.getElementById("facts"));
			}
		} catch {
			// The next round tries again.
		}
	}
	setTimeout(refresh, EVERY);
}

document.addEventListener("click", (event) => {
	const button = event.target.closest("button[data-test]");
	if (button) test(button);
});
setTimeout(refresh, EVERY);
