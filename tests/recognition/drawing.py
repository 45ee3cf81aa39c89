"""Draws faces by the scheme of `core.drawn_face`, with numpy alone."""

from __future__ import annotations

import numpy as np

from attendance_bridge.core import drawn_face as scheme
from attendance_bridge.recognition.face import Image

GREY = 60


def blank(width: int = 640, height: int = 480) -> Image:
	return np.full((height, width, 3), GREY, np.uint8)


def draw(
	image: Image,
	person: int,
	left: float,
	top: float,
	*,
	scale: float = 1.5,
	yaw: float = 0.0,
	pitch: float = 0.0,
	roll: float = 0.0,
	photograph: bool = False,
) -> Image:
	"""Draw a face into the picture, its 112×112 square at (left, top); returns the picture.

	:param roll: degrees, positive clockwise, around the middle of the square.
	"""
	rows, columns = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float64)
	turn = np.radians(-roll)
	across, down = (columns - left) / scale - 56, (rows - top) / scale - 56
	x = across * np.cos(turn) - down * np.sin(turn) + 56
	y = across * np.sin(turn) + down * np.cos(turn) + 56

	def paint(where: np.ndarray, rgb: scheme.RGB) -> None:
		image[where] = rgb[::-1]

	if photograph:
		paint((np.abs(x - 56) < 66) & (np.abs(y - 56) < 76), scheme.PAPER)
		paint((np.abs(x - 56) < 60) & (np.abs(y - 56) < 70), (240, 240, 240))
	paint(((x - 56) / 46) ** 2 + ((y - 58) / 62) ** 2 < 1, scheme.SKIN)
	for cell, rgb in enumerate(scheme.code_of(person)):
		column = scheme.CELL_LEFT + cell % scheme.COLUMNS * scheme.CELL_WIDTH
		row = scheme.CELL_TOP + cell // scheme.COLUMNS * scheme.CELL_HEIGHT
		inside = (x >= column) & (x < column + scheme.CELL_WIDTH)
		paint(inside & (y >= row) & (y < row + scheme.CELL_HEIGHT), rgb)
	for place, (dot_x, dot_y) in enumerate(scheme.LANDMARKS):
		if place == 2:
			dot_x, dot_y = dot_x + scheme.YAW_SHIFT * yaw, dot_y - scheme.PITCH_SHIFT * pitch
		paint((x - dot_x) ** 2 + (y - dot_y) ** 2 < scheme.DOT_RADIUS**2, scheme.DOT_COLOURS[place])
	return image
