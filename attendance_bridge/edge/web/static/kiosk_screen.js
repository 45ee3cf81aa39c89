// The screen at the door: dim when nobody is there, never asleep, full if somebody wants; and its sound.

import { t } from "./i18n.js";

export function makeScreen({ sound, mute, full, dimSeconds, isSomebodyThere }) {
	let later = 0;

	function wake() {
		document.body.classList.remove("dim");
		clearTimeout(later);
		if (dimSeconds) later = setTimeout(rest, dimSeconds * 1000);
	}

	function rest() {
		if (isSomebodyThere()) wake();
		else document.body.classList.add("dim");
	}

	function drawMute() {
		if (!mute) return;
		mute.setAttribute("aria-pressed", String(sound.muted));
		mute.classList.toggle("blocked", sound.blocked);
		const text = sound.muted ? t("kiosk.unmute") : sound.blocked ? t("kiosk.allow_sound") : t("kiosk.mute");
		mute.setAttribute("aria-label", text);
		mute.title = text;
	}

	function offerFullScreen() {
		full.hidden = !document.fullscreenEnabled || Boolean(document.fullscreenElement);
	}

	// Browsers let go of it whenever the page is hidden, and refuse it when the battery is low.
	async function stayAwake() {
		if (document.visibilityState !== "visible" || !navigator.wakeLock) return;
		try {
			await navigator.wakeLock.request("screen");
		} catch {
			return;
		}
	}

	mute?.addEventListener("click", (event) => {
		event.stopPropagation();
		if (sound.blocked) sound.wake();
		else sound.toggle();
	});
	document.addEventListener("pointerdown", (event) => {
		wake();
		if (!event.target.closest("#mute")) sound.wake();
	});
	document.addEventListener("keydown", wake);
	full.addEventListener("click", () => document.documentElement.requestFullscreen().catch(() => {}));
	document.addEventListener("fullscreenchange", offerFullScreen);
	document.addEventListener("visibilitychange", stayAwake);

	sound.listen(drawMute);
	sound.wake();
	offerFullScreen();
	wake();
	stayAwake();
	return { wake };
}
