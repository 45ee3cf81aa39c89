// The boxes of recognised people over the video. Drawn when there is something new, never in a loop.

const LINE = 3;

export function makeBoxes(canvas, video, mirrored) {
	const pen = canvas.getContext("2d");
	let faces = [];
	let width = 0;
	let height = 0;

	new ResizeObserver(([entry]) => {
		// Finer than 1.5 costs a small machine more than anybody sees.
		const fine = Math.min(window.devicePixelRatio || 1, 1.5);
		({ width, height } = entry.contentRect);
		canvas.width = Math.round(width * fine);
		canvas.height = Math.round(height * fine);
		pen.setTransform(fine, 0, 0, fine, 0, 0);
		draw();
	}).observe(canvas);

	// As `object-fit: cover` puts the video: filled, in the middle, cut off on two sides.
	function place([left, top, right, bottom]) {
		const wide = video.naturalWidth || 4;
		const high = video.naturalHeight || 3;
		const scale = Math.max(width / wide, height / high);
		const across = (share) => (width - wide * scale) / 2 + (mirrored ? 1 - share : share) * wide * scale;
		const down = (share) => (height - high * scale) / 2 + share * high * scale;
		const [from, to] = mirrored ? [right, left] : [left, right];
		return { x: across(from), y: down(top), w: across(to) - across(from), h: down(bottom) - down(top) };
	}

	function draw() {
		pen.clearRect(0, 0, width, height);
		const taken = [];
		for (const face of faces) {
			const { x, y, w, h } = place(face.box);
			pen.lineWidth = LINE;
			pen.strokeStyle = face.state === "known" ? "#4ac26b" : "#b59cff";
			pen.beginPath();
			pen.roundRect(x, y, w, h, 10);
			pen.stroke();
			if (face.name) label(face.name, x + w / 2, y, y + h, Math.max(w * 2.6, 220), taken);
		}
	}

	// Above the box; below it where the name of somebody beside them stands already.
	function label(name, middle, top, bottom, widest, taken) {
		const size = Math.max(15, Math.min(height / 22, 26));
		pen.font = `600 ${size}px system-ui, sans-serif`;
		const wide = Math.min(pen.measureText(name).width, widest) + size;
		const x = Math.max(4, Math.min(middle - wide / 2, width - wide - 4));
		const above = Math.max(4, top - size * 1.7);
		const meets = (other) => x < other.x + other.wide && other.x < x + wide && Math.abs(other.y - above) < size * 1.5;
		const y = taken.some(meets) ? bottom + size * 0.2 : above;
		taken.push({ x, y, wide });
		pen.fillStyle = "rgb(12 15 19 / .8)";
		pen.beginPath();
		pen.roundRect(x, y, wide, size * 1.5, 8);
		pen.fill();
		pen.fillStyle = "#fff";
		pen.textAlign = "center";
		pen.textBaseline = "middle";
		pen.fillText(name, x + wide / 2, y + size * 0.78, widest);
	}

	return {
		show(newFaces) {
			if (!newFaces.length && !faces.length) return;
			faces = newFaces;
			draw();
		},
	};
}
