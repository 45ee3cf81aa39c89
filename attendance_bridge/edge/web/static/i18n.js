// The words of a page, in the language that the server wrote into <html lang="…">.
//
//   import { ready, t, translate } from "./i18n.js";
//   await ready;                       the words are here
//   t("kiosk.title", "a value")        a sentence; {0}, {1} … are its values
//   translate(document)                fills what carries data-t, data-t-label or data-t-title
//
// A key without words shows itself: seen at once, and still better than nothing.

export const language = document.documentElement.lang || "en";
// Digits as on the terminals and on the pages of the site, in every language.
export const locale = `${language}-u-nu-latn`;

const TRIES = 60;
const BETWEEN_MS = 1000;

let words = {};

export const ready = load();

// A page that nobody sits before must not stay without words because the agent was just starting.
async function load() {
	for (let left = TRIES; ; left -= 1) {
		try {
			const answer = await fetch(new URL(`lang/${language}.json`, import.meta.url));
			if (!answer.ok) throw new Error(`no words for ${language}: ${answer.status}`);
			words = await answer.json();
			return;
		} catch (error) {
			if (left <= 1) throw error;
			await new Promise((go) => setTimeout(go, BETWEEN_MS));
		}
	}
}

export function t(key, ...values) {
	const sentence = words[key] ?? key;
	return sentence.replace(/\{(\d)\}/g, (_, place) => String(values[place] ?? ""));
}

export function has(key) {
	return key in words;
}

export function translate(root) {
	for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
	for (const node of root.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
	for (const node of root.querySelectorAll("[data-t-title]")) node.title = t(node.dataset.tTitle);
}
