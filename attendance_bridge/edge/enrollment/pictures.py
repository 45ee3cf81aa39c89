"""Pictures that somebody sends: looked at before they are decoded, and decoded within bounds.

JPEG and PNG are taken, by what their first bytes say. The size is read from the header first: a few bytes can
claim a picture that fills the memory, and 6 KB of PNG can hold one of 7,000 × 7,000 that does. So a large
JPEG is decoded at a half, a quarter or an eighth, which costs little; what cannot be decoded so (PNG,
progressive JPEG) must be smaller; and only one picture is decoded at a time. A JPEG is turned as its EXIF
orientation says.
"""

from __future__ import annotations

import struct
import threading
from enum import Enum
from typing import Any

import numpy as np

from attendance_bridge.recognition.face import Image
from attendance_bridge.recognition.runtime import load_cv2

MAX_FRAME_BYTES = 512 * 1024
MAX_PHOTO_BYTES = 12 * 1024 * 1024
MAX_FRAME_PIXELS = 1920 * 1080
MAX_PHOTO_PIXELS = 50_000_000
MAX_WHOLE_PIXELS = 13_000_000
"""Of a picture that has to stand in memory as a whole."""
LONGEST_SIDE = 1600
"""A larger photo is made smaller to this before it is looked at."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_STARTS_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_MOST_SEGMENTS = 1000
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_QUALITIES = (92, 80, 60)
_one_at_a_time = threading.Lock()


class BadPicture(str, Enum):
	TOO_LARGE = "picture_too_large"
	NOT_A_PICTURE = "not_a_picture"
	"""Neither JPEG nor PNG, or damaged."""


class PictureError(ValueError):
	"""What was sent is not taken for a picture."""

	def __init__(self, problem: BadPicture) -> None:
		super().__init__(problem.value)
		self.problem = problem


def decode(data: bytes, *, max_bytes: int, max_pixels: int) -> Image:
	"""The picture, no side longer than LONGEST_SIDE.

	:raises PictureError:
	"""
	if len(data) > max_bytes:
		raise PictureError(BadPicture.TOO_LARGE)
	width, height, in_lines = _look(data)
	if width * height > (max_pixels if in_lines else min(max_pixels, MAX_WHOLE_PIXELS)):
		raise PictureError(BadPicture.TOO_LARGE)
	cv2 = load_cv2()
	with _one_at_a_time:
		try:
			image = cv2.imdecode(np.frombuffer(data, np.uint8), _reduced(cv2, max(width, height)))
		except cv2.error:
			image = None
		if image is None:
			raise PictureError(BadPicture.NOT_A_PICTURE)
		factor = LONGEST_SIDE / max(image.shape[:2])
		if factor < 1:
			image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
	decoded: Image = image
	return decoded


def _reduced(cv2: Any, longest: int) -> int:
	"""How OpenCV decodes a picture with this side: as small as still does."""
	for share in (8, 4, 2):
		if longest >= share * LONGEST_SIDE:
			return int(getattr(cv2, f"IMREAD_REDUCED_COLOR_{share}"))
	return int(cv2.IMREAD_COLOR)


def encode(image: Image, max_bytes: int) -> bytes:
	"""A JPEG of at most so many bytes, as good as that allows.

	:raises ValueError: no quality makes it so small.
	"""
	cv2: Any = load_cv2()
	for quality in _QUALITIES:
		done, jpeg = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
		if done and len(jpeg) <= max_bytes:
			return bytes(jpeg)
	raise ValueError("the picture is too large")


def size_of(data: bytes) -> tuple[int, int]:
	"""Width and height by the header.

	:raises PictureError: NOT_A_PICTURE.
	"""
	width, height, _in_lines = _look(data)
	return width, height


def _look(data: bytes) -> tuple[int, int, bool]:
	"""Width, height, and whether it can be decoded line by line."""
	try:
		if data.startswith(_PNG) and data[12:16] == b"IHDR":
			(width, height), in_lines = struct.unpack_from(">II", data, 16), False
		elif data.startswith(_JPEG):
			width, height, in_lines = _look_at_jpeg(data)
		else:
			raise PictureError(BadPicture.NOT_A_PICTURE)
	except (struct.error, IndexError):
		raise PictureError(BadPicture.NOT_A_PICTURE) from None
	if not width or not height:
		raise PictureError(BadPicture.NOT_A_PICTURE)
	return width, height, in_lines


def _look_at_jpeg(data: bytes) -> tuple[int, int, bool]:
	position = 2
	for _segment in range(_MOST_SEGMENTS):
		if data[position] != 0xFF:
			break
		while data[position] == 0xFF:  # any number of them fills up to a marker
			position += 1
		marker = data[position]
		position += 1
		if marker in _WITHOUT_LENGTH:
			continue
		(length,) = struct.unpack_from(">H", data, position)
		if marker in _STARTS_OF_FRAME:
			height, width = struct.unpack_from(">HH", data, position + 3)
			return width, height, marker not in _PROGRESSIVE
		if length < 2:
			break
		position += length
	raise PictureError(BadPicture.NOT_A_PICTURE)
