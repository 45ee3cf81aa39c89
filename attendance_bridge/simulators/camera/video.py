"""A scene as a video file."""

from __future__ import annotations

from pathlib import Path

import cv2

from attendance_bridge.simulators.camera.state import CameraState, Trouble

_CODECS = {".avi": "MJPG", ".mp4": "mp4v", ".mkv": "mp4v"}


def write(state: CameraState, path: Path, seconds: float) -> int:
	"""Write the scene from its beginning, without what the camera would not give; returns how many frames.

	:raises ValueError: another ending than .avi (Motion JPEG), .mp4 or .mkv (MPEG-4).
	:raises OSError: the file cannot be written.
	"""
	codec = _CODECS.get(path.suffix.lower())
	if codec is None:
		raise ValueError(f"a file that ends in {', '.join(_CODECS)}")
	path.touch()  # says why not, which the writer does not
	fourcc = cv2.VideoWriter.fourcc(*codec)
	writer = cv2.VideoWriter(str(path), fourcc, state.fps, (state.width, state.height))
	if not writer.isOpened():
		raise OSError(f"no video can be written to {path}")
	written = 0
	try:
		for number in range(int(seconds * state.fps)):
			second = number / state.fps
			if state.has(Trouble.UNPLUGGED, second) or state.has(Trouble.FROZEN, second):
				continue
			writer.write(state.frame(number))
			written += 1
	finally:
		writer.release()
	return written
