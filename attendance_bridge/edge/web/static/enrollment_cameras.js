// Where the pictures come from: the agent's camera, or that of whoever has the page open.

import { call, Refused, url } from "./enrollment_calls.js";

const LONGEST_SIDE = 640;
const QUALITY = 0.85;
const LEAST_MS = 150; // between two pictures
const MOST_FAILURES = 5;

export class AgentCamera {
	constructor(image) {
		this.image = image;
	}

	run(id, take, fail) {
		this.image.src = "/kiosk/video";
		this.image.hidden = false;
		this.events = new EventSource(url(`${id}/events`));
		let failures = 0;
		this.events.onmessage = (event) => {
			failures = 0;
			take(JSON.parse(event.data));
		};
		this.events.onerror = () => {
			if (++failures >= MOST_FAILURES || this.events.readyState === EventSource.CLOSED) fail(new Error("gone"));
		};
	}

	stop() {
		this.events?.close();
		this.image.removeAttribute("src"); // ends the stream
		this.image.hidden = true;
	}
}

export class OwnCamera {
	static async open(video) {
		const wanted = { video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } }, audio: false };
		const stream = await navigator.mediaDevices.getUserMedia(wanted);
		video.srcObject = stream;
		await video.play();
		return new OwnCamera(video, stream);
	}

	constructor(video, stream) {
		this.video = video;
		this.stream = stream;
		this.canvas = document.createElement("canvas");
	}

	async run(id, take, fail) {
		this.video.hidden = false;
		let failures = 0;
		while (!this.stopped) {
			const began = performance.now();
			try {
				const state = await call("POST", `${id}/frame`, await this.picture());
				failures = 0;
				if (this.stopped) return;
				take(state);
				if (state.over) return;
			} catch (error) {
				// Of a network one picture may be lost; a refusal is final.
				if (this.stopped) return;
				if (error instanceof Refused || ++failures >= MOST_FAILURES) return fail(error);
			}
			const rest = LEAST_MS - (performance.now() - began);
			await new Promise((go) => setTimeout(go, Math.max(rest, 0)));
		}
	}

	picture() {
		const { videoWidth: width, videoHeight: height } = this.video;
		const factor = Math.min(1, LONGEST_SIDE / Math.max(width, height));
		this.canvas.width = Math.round(width * factor);
		this.canvas.height = Math.round(height * factor);
		this.canvas.getContext("2d").drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
		return new Promise((give) => this.canvas.toBlob(give, "image/jpeg", QUALITY));
	}

	stop() {
		this.stopped = true;
		for (const track of this.stream.getTracks()) track.stop();
		this.video.srcObject = null;
		this.video.hidden = true;
	}
}
