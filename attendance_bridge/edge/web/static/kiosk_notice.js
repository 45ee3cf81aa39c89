// What lies over the video when nobody can punch, and why; and the hint to whoever is looked at.

import { t } from "./i18n.js";

export function makeNotice(box, clock) {
	return (status, isGone) => {
		const [title, text] = words(status, isGone, clock);
		box.hidden = !title;
		box.querySelector("strong").textContent = title;
		box.querySelector("p").textContent = text;
	};
}

function words(status, isGone, clock) {
	if (isGone) return [t("kiosk.agent_gone"), t("kiosk.agent_gone_advice")];
	if (!status || status.camera === "opening") return [t("kiosk.starting"), ""];
	if (status.camera === "lost") return [t("kiosk.camera_lost"), t("kiosk.camera_lost_since", clock.spell(status.camera_since))];
	if (status.camera !== "open") return [t("kiosk.camera_ended"), ""];
	if (!status.model) return [t("kiosk.no_model"), t("kiosk.no_model_advice")];
	if (!status.people) return [t("kiosk.nobody_enrolled"), t("kiosk.nobody_enrolled_advice")];
	return ["", ""];
}

export function hintOf(flaw) {
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
