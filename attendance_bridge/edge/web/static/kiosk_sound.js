// Short tones, made by the browser; there are no sound files.

const TONES = {
	in: [[660, 0, 0.12], [880, 0.13, 0.2]],
	out: [[880, 0, 0.12], [660, 0.13, 0.2]],
	ask: [[740, 0, 0.1], [740, 0.16, 0.1]],
	kind: [[392, 0, 0.22]],
};
const LOUDNESS = 0.2;
const KEPT_AS = "kiosk.muted";

// A browser may refuse sound until somebody has touched the page.
export function makeSound(wanted) {
	let context = null;
	let muted = !wanted || read() === "yes";
	let onChange = () => {};

	function wake() {
		if (muted) return;
		context ??= new AudioContext();
		context.onstatechange = onChange;
		if (context.state === "suspended") context.resume().catch(() => {});
		onChange();
	}

	function play(name) {
		if (muted || !TONES[name]) return;
		wake();
		if (context.state !== "running") return;
		for (const [pitch, after, seconds] of TONES[name]) tone(context.currentTime + after, pitch, seconds);
	}

	function tone(at, pitch, seconds) {
		const source = context.createOscillator();
		const gain = context.createGain();
		source.frequency.value = pitch;
		// Without a slope at both ends it clicks.
		gain.gain.setValueAtTime(0, at);
		gain.gain.linearRampToValueAtTime(LOUDNESS, at + 0.015);
		gain.gain.setValueAtTime(LOUDNESS, at + seconds - 0.04);
		gain.gain.linearRampToValueAtTime(0, at + seconds);
		source.connect(gain).connect(context.destination);
		source.start(at);
		source.stop(at + seconds);
	}

	return {
		play,
		wake,
		// Who wants to know when it is muted, or allowed, or not.
		listen(heard) {
			onChange = heard;
			onChange();
		},
		get muted() {
			return muted;
		},
		get blocked() {
			return !muted && context?.state !== "running";
		},
		toggle() {
			muted = !muted;
			keep(muted ? "yes" : "no");
			if (muted) onChange();
			else wake();
		},
	};
}

// A browser that keeps nothing (private mode) still has its sound.
function read() {
	try {
		return localStorage.getItem(KEPT_AS);
	} catch {
		return null;
	}
}

function keep(value) {
	try {
		localStorage.setItem(KEPT_AS, value);
	} catch {
		return;
	}
}
