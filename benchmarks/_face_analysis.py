"""The rival of `recognition.py`, run by itself in an interpreter that has insightface.

usage: _face_analysis.py ROOT NAME FRAMES WIDTH HEIGHT: prints CPU seconds, resident bytes, and in how many
frames a face was found, as JSON. It imports nothing of this project.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from insightface.app import FaceAnalysis

TEMPLATES, DIMENSION = 1_000, 128


def main() -> None:
	root, name, frames = sys.argv[1:4]
	width, height = map(int, sys.argv[4:6])
	app = FaceAnalysis(name=name, root=root)
	app.prepare(ctx_id=-1)
	gallery = np.random.default_rng(6).normal(size=(TEMPLATES, DIMENSION)).astype(np.float32)
	size, spent, found = width * height * 3, 0.0, 0
	with Path(frames).open("rb") as file:
		while content := file.read(size):
			image = np.frombuffer(content, np.uint8).reshape(height, width, 3)
			started = time.process_time()
			for face in app.get(image):
				(gallery @ face.normed_embedding).argmax()
				found += 1
			spent += time.process_time() - started
	status = Path("/proc/self/status").read_text()
	resident = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))
	print(json.dumps([spent, resident, found]))


if __name__ == "__main__":
	main()
