// What is drawn over the round video. It is shown as in a mirror: the person's left is the left of the screen.

import { t } from "./i18n.js";

// Where the nose of the ghost points, in units of the drawing, and which way an arrow shows.
const AIMS = { front: [0, 0], left: [-26, 0], right: [26, 0], up: [0, -26], down: [0, 26] };
const ARROWS = { left: 180, right: 0, up: -90, down: 90 };
const OPPOSITE = { left: "right", right: "left", up: "down", down: "up" };
const REACH = 46; // of the nose, for a ratio of 1
const TURNING = /^turn_(left|right|up|down)(?:_(more|less))?$/;
const GAP = 0.6; // how long a sentence stands at least, in seconds, so that it can be read

export class Guide {
	constructor(root) {
		this.root = root;
		this.find = (id) => root.querySelector(`#${id}`);
	}

	begin(state) {
		this.said = "";
		this.said_at = 0;
		this.captured = 0;
		const ticks = state.poses.length > 1 ? state.poses.map((_, place) => tick((360 / state.poses.length) * place)) : [];
		this.find("ticks").replaceChildren(...ticks);
		this.find("poses").replaceChildren(
			...state.poses.map(({ pose }) => {
				const item = document.createElement("li");
				item.textContent = t(`enrollment.pose_name.${pose}`);
				return item;
			}),
		);
		this.show(state);
	}

	show(state) {
		this.find("ring").style.strokeDashoffset = String(100 * (1 - state.progress));
		state.poses.forEach(({ captured, pose }, place) => {
			const item = this.find("poses").children[place];
			if (!item) return;
			item.classList.toggle("done", captured);
			if (pose === state.pose) item.setAttribute("aria-current", "step");
			else item.removeAttribute("aria-current");
		});
		this.find("pose").textContent = state.pose ? t(`enrollment.pose.${state.pose}`) : t("enrollment.saving");
		this.root.classList.toggle("held", state.held > 0);
		this.draw(state);
		this.say(state);
	}

	draw(state) {
		const [x, y] = AIMS[state.pose ?? "front"];
		this.find("meridian").setAttribute("d", `M0 -50 Q${x * 1.3} ${y * 0.3} 0 50`);
		this.find("equator").setAttribute("d", `M-38 ${y * 0.2} Q${x * 0.3} ${y * 1.3} 38 ${y * 0.2}`);
		const aim = this.find("aim");
		aim.toggleAttribute("hidden", !state.face || !state.pose);
		if (state.face) {
			aim.querySelector(".goal").setAttribute("transform", `translate(${x} ${y})`);
			const nose = [-state.face.yaw * REACH, -state.face.pitch * REACH];
			this.find("nose").style.transform = `translate(${nose[0]}px, ${nose[1]}px)`;
		}
		const [, way, degree] = TURNING.exec(state.advice[0] ?? "") ?? [];
		const arrow = this.find("arrow");
		arrow.toggleAttribute("hidden", !way);
		arrow.classList.toggle("moving", Boolean(way));
		if (way) {
			const shown = degree === "less" ? OPPOSITE[way] : way;
			const [ax, ay] = AIMS[shown].map((part) => Math.sign(part) * 66);
			arrow.setAttribute("transform", `translate(${ax} ${ay}) rotate(${ARROWS[shown]})`);
		}
	}

	say(state) {
		const captured = state.poses.filter((each) => each.captured).length;
		let words = state.pose ? t(`enrollment.pose.${state.pose}`) : "";
		if (state.held > 0) words = t("enrollment.advice.hold");
		else if (state.advice.length) words = t(`enrollment.advice.${state.advice[0]}`);
		const now = performance.now() / 1000;
		// A pose that was captured is news that does not wait.
		if (words === this.said || (captured === this.captured && now - this.said_at < GAP)) return;
		this.said = words;
		this.said_at = now;
		this.captured = captured;
		const span = document.createElement("span");
		span.textContent = words;
		this.find("advice").replaceChildren(...(words ? [span] : []));
	}
}

function tick(degrees) {
	const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
	line.setAttribute("y1", "-99");
	line.setAttribute("y2", "-93");
	line.setAttribute("transform", `rotate(${degrees})`);
	return line;
}
