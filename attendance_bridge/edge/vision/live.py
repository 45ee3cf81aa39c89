"""What is to be seen now, for pages. While nobody asks nothing is encoded, and for two who ask once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from attendance_bridge.edge.camera import CameraReader
from attendance_bridge.edge.frame import Frame
from attendance_bridge.edge.vision.ports import FaceView, Picture, VisionState
from attendance_bridge.recognition.runtime import load_cv2

KEPT = 4
"""Sizes and qualities that are asked for at the same time."""
WIDTHS = range(160, 1921)
QUALITIES = range(30, 96)


class Live:
	"""`edge.vision.ports.LiveView`. Safe to use from any thread."""

	def __init__(
		self,
		reader: CameraReader,
		faces: Callable[[], Sequence[FaceView]],
		state: Callable[[], VisionState],
	) -> None:
		self.encoded = 0
		"""Pictures that were made."""
		self._reader = reader
		self._faces = faces
		self._state = state
		self._turn = threading.Lock()
		self._pictures: dict[tuple[int, int], Picture] = {}

	def frame_jpeg(
		self, max_width: int = 640, quality: int = 80, *, after: int = -1, timeout: float = 0.0
	) -> Picture | None:
		"""The newest frame if its sequence is above `after`; see the port. Width and quality are bounded."""
		frame = self._reader.newest(after, timeout=timeout)
		if frame is None:
			return None
		wanted = (_within(max_width, WIDTHS), _within(quality, QUALITIES))
		# One at a time: of several who ask for the same frame, all but the first find it done.
		with self._turn:
			held = self._pictures.get(wanted)
			if held is not None and held.sequence == frame.sequence:
				return held
			picture = _encode(frame, *wanted)
			self.encoded += 1
			self._pictures.pop(wanted, None)
			self._pictures[wanted] = picture
			for forgotten in list(self._pictures)[:-KEPT]:
				del self._pictures[forgotten]
			return picture

	@property
	def faces(self) -> Sequence[FaceView]:
		return self._faces()

	@property
	def state(self) -> VisionState:
		return self._state()


def _within(number: int, bounds: range) -> int:
	return max(bounds.start, min(number, bounds.stop - 1))


def _encode(frame: Frame, max_width: int, quality: int) -> Picture:
	cv2 = load_cv2()
	pixels = frame.pixels
	height, width = pixels.shape[:2]
	if width > max_width:
		size = (max_width, max(1, round(height * max_width / width)))
		pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
	made, jpeg = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality))
	if not made:
		raise ValueError("a frame that cannot be encoded")
	height, width = pixels.shape[:2]
	return Picture(
		sequence=frame.sequence, width=width, height=height, taken_at=frame.taken_at, jpeg=jpeg.tobytes()
	)
