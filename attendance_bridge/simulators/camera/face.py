"""What is seen of one person: a face drawn by the scheme of `core.drawn_face`, or a real picture.

A patch is a picture with a mask: what is seen, and where it covers what is behind it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from attendance_bridge.core import drawn_face as scheme

Image = NDArray[np.uint8]
"""Rows × columns × BGR."""

_LEFT, _TOP, _RIGHT, _BOTTOM = -16, -26, 128, 138
"""What a patch shows, in pixels of the aligned square: the border of a photograph lies outside of it."""
_FINE = 4
"""Lines are drawn this much larger and then made smaller, so that their edges are smooth."""
_BORDER = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
	"""How a drawn head is held."""

	yaw: float = 0.0
	"""From -1 to 1; positive turns to the right of the picture."""
	pitch: float = 0.0
	"""From -1 to 1; positive looks up."""
	roll: float = 0.0
	"""Degrees; positive leans to the left of the picture."""
	is_photo: bool = False
	"""A photograph that is held before the camera."""


Patch = tuple[Image, Image]
"""A picture and its mask (0 or up to 255), of the same rows and columns."""


@functools.lru_cache(maxsize=256)
def drawn(person: int, look: Look, scale: float) -> Patch:
	"""
	:param person: a number of `core.drawn_face.code_of`.
	:param scale: of the 112×112 square; 2 draws it 224 pixels wide.
	:raises ValueError: there is no such person.
	"""
	height, width = (_BOTTOM - _TOP) * _FINE, (_RIGHT - _LEFT) * _FINE
	picture = np.zeros((height, width, 3), np.uint8)
	mask = np.zeros((height, width), np.uint8)
	_draw(picture, mask, person, look)
	size = (max(1, round((_RIGHT - _LEFT) * scale)), max(1, round((_BOTTOM - _TOP) * scale)))
	# With its mask multiplied in, a rim pixel does not take on the black beyond the head.
	covered = picture.astype(np.float32) * (mask[:, :, None].astype(np.float32) / 255)
	small_mask = _resized(mask, size)
	small = _resized(covered, size) / np.maximum(small_mask[:, :, None] / 255, 1 / 255)
	return _rolled(np.clip(small, 0, 255).astype(np.uint8), small_mask, look.roll)


def picture(image: Image, height: int) -> Patch:
	"""A real picture, `height` pixels high."""
	width = max(1, round(image.shape[1] * height / image.shape[0]))
	small = _resized(image, (width, height))
	return small, np.full(small.shape[:2], 255, np.uint8)


def _resized(image: NDArray[Any], size: tuple[int, int]) -> Image:
	shrinks = size[0] < image.shape[1]
	method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
	return np.asarray(cv2.resize(image, size, interpolation=method))


def _draw(picture: Image, mask: Image, person: int, look: Look) -> None:
	for canvas, skin in ((picture, _bgr(scheme.SKIN)), (mask, (255,))):
		cv2.ellipse(canvas, _point(56, 58), (46 * _FINE, 62 * _FINE), 0, 0, 360, skin, cv2.FILLED)
	for number, colour in enumerate(scheme.code_of(person)):
		row, column = divmod(number, scheme.COLUMNS)
		left = scheme.CELL_LEFT + column * scheme.CELL_WIDTH
		top = scheme.CELL_TOP + row * scheme.CELL_HEIGHT
		# Both corners belong to a filled rectangle.
		right, bottom = _point(left + scheme.CELL_WIDTH, top + scheme.CELL_HEIGHT)
		cv2.rectangle(picture, _point(left, top), (right - 1, bottom - 1), _bgr(colour), cv2.FILLED)
	for number, ((x, y), dot) in enumerate(zip(scheme.LANDMARKS, scheme.DOT_COLOURS, strict=True)):
		is_nose = number == 2
		across = x + (look.yaw * scheme.YAW_SHIFT if is_nose else 0)
		down = y - (look.pitch * scheme.PITCH_SHIFT if is_nose else 0)
		cv2.circle(picture, _point(across, down), scheme.DOT_RADIUS * _FINE, _bgr(dot), cv2.FILLED)
	if look.is_photo:
		for canvas, paper in ((picture, _bgr(scheme.PAPER)), (mask, (255,))):
			cv2.rectangle(canvas, _point(-10, -20), _point(122, 132), paper, _BORDER * _FINE)


def _rolled(picture: Image, mask: Image, degrees: float) -> Patch:
	if not degrees:
		return picture, mask
	height, width = mask.shape
	turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
	return (
		np.asarray(cv2.warpAffine(picture, turn, (width, height), flags=cv2.INTER_LINEAR)),
		np.asarray(cv2.warpAffine(mask, turn, (width, height), flags=cv2.INTER_LINEAR)),
	)


def paste(frame: Image, patch: Patch, left: int, top: int) -> None:
	"""Put a patch into a frame, as far as it lies inside."""
	image, mask = patch
	rows, columns = frame.shape[:2]
	top_cut, left_cut = max(0, -top), max(0, -left)
	bottom_cut, right_cut = min(image.shape[0], rows - top), min(image.shape[1], columns - left)
	if top_cut >= bottom_cut or left_cut >= right_cut:
		return
	part = (slice(top_cut, bottom_cut), slice(left_cut, right_cut))
	place = frame[top + top_cut : top + bottom_cut, left + left_cut : left + right_cut]
	weight = mask[part][:, :, None].astype(np.uint16)
	mixed = image[part] * weight + place * (255 - weight)
	place[:] = (mixed // 255).astype(np.uint8)


def _point(x: float, y: float) -> tuple[int, int]:
	return round((x - _LEFT) * _FINE), round((y - _TOP) * _FINE)


def _bgr(colour: Sequence[int]) -> tuple[int, ...]:
	return tuple(reversed(colour))
