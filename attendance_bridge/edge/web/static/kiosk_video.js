// The live video: played while there is a camera, and asked for again when its stream breaks.

const RETRY_MS = 2000;

export function makeVideo(image, isWanted) {
	let again = 0;

	function play() {
		clearTimeout(again);
		image.hidden = false;
		image.src = `/kiosk/video?${Date.now()}`;
	}

	image.addEventListener("error", () => {
		image.hidden = true;
		clearTimeout(again);
		again = setTimeout(() => isWanted() && play(), RETRY_MS);
	});

	return {
		play,
		hide() {
			image.hidden = true;
		},
		get hidden() {
			return image.hidden;
		},
	};
}
