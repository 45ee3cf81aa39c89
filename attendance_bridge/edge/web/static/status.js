// The page is drawn anew every few seconds, unless a test of a connection is shown on it.

const EVERY = 5000;
const token = document.querySelector('meta[name="csrf-token"]')?.content;
let isTested = false;

async function test(button) {
	const place = button.nextElementSibling;
	isTested = true;
	button.disabled = true;
	place.className = "quiet";
	place.textContent = "trying …";
	try {
		const answer = await fetch("/api/v1/connection-tests", {
			method: "POST",
			headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
			body: JSON.stringify({ name: button.dataset.test }),
		});
		const facts = await answer.json();
		place.className = facts.ok ? "good" : "bad";
		place.textContent = answer.ok ? facts.text : { busy: "Another test is under way." }[facts.error] || facts.error;
	} catch {
		place.className = "bad";
		place.textContent = "The agent does not answer.";
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
