"""Boxes that overlap, and pictures fitted into the size that a detector takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from attendance_bridge.recognition.face import Face, Floats, Image


def overlap(box: Floats, others: Floats) -> Floats:
	"""Intersection over union of one box (4) with each of others (n × 4), from 0 to 1."""
	left_top = np.maximum(box[:2], others[:, :2])
	right_bottom = np.minimum(box[2:], others[:, 2:])
	sides = np.clip(right_bottom - left_top, 0, None)
	shared = sides[:, 0] * sides[:, 1]
	area = (box[2] - box[0]) * (box[3] - box[1])
	areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
	union = area + areas - shared
	ratio: Floats = np.where(union > 0, shared / np.where(union > 0, union, 1), 0).astype(np.float32)
	return ratio


def keep_surest(boxes: Floats, scores: Floats, limit: float) -> list[int]:
	"""Which of the boxes (n × 4) stay, the surest first; none overlaps a surer one by more than `limit`."""
	order = np.argsort(-scores, kind="stable")
	kept: list[int] = []
	while order.size:
		first, rest = int(order[0]), order[1:]
		kept.append(first)
		order = rest[overlap(boxes[first], boxes[rest]) <= limit]
	return kept


class Fitting:
	"""Fits pictures into a size, without distortion, at the upper left, the rest black.

	:param size: width and height.
	:param whole: pictures come out at `size` exactly. Otherwise only as much of it is used as the picture
		needs, rounded up to the coarsest stride of a detector: the network has less to look at.
	"""

	STRIDE = 32

	def __init__(self, cv2: Any, size: Sequence[int], *, whole: bool) -> None:
		self._cv2 = cv2
		self._width, self._height = size
		self._whole = whole
		self._canvas: Image = np.zeros((0, 0, 3), dtype=np.uint8)

	def fit(self, image: Image) -> tuple[Image, float]:
		"""The fitted picture, and by how much it was scaled. Valid until the next call."""
		height, width = image.shape[:2]
		scale = min(self._width / width, self._height / height)
		inner_width, inner_height = max(round(width * scale), 1), max(round(height * scale), 1)
		if (inner_width, inner_height) != (width, height):
			image = self._cv2.resize(image, (inner_width, inner_height))
		outer_width, outer_height = (
			(self._width, self._height)
			if self._whole
			else (_round_up(inner_width, self.STRIDE), _round_up(inner_height, self.STRIDE))
		)
		if (outer_width, outer_height) == (inner_width, inner_height):
			return image, scale
		if self._canvas.shape[:2] != (outer_height, outer_width):
			self._canvas = np.zeros((outer_height, outer_width, 3), dtype=np.uint8)
		self._canvas[:inner_height, :inner_width] = image
		self._canvas[inner_height:] = 0
		self._canvas[:, inner_width:] = 0
		return self._canvas, scale


def _round_up(number: int, step: int) -> int:
	return -(-number // step) * step


def make_faces(
	boxes: Floats, landmarks: Floats, scores: Floats, *, scale: float, overlap_limit: float
) -> list[Face]:
	"""Faces in the frame, from what a detector found in the fitted picture.

	:param boxes: n × 4; landmarks: n × 5 × 2; scores: n.
	"""
	return [
		Face(box=boxes[index] / scale, landmarks=landmarks[index] / scale, score=float(scores[index]))
		for index in keep_surest(boxes, scores, overlap_limit)
	]
