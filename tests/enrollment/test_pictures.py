"""Pictures that somebody sends, good and hostile."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cv2", reason="recognition needs the extra `recognition`")

import cv2
import numpy as np

from attendance_bridge.edge.enrollment.pictures import (
	MAX_PHOTO_BYTES,
	MAX_PHOTO_PIXELS,
	BadPicture,
	PictureError,
	decode,
	encode,
	size_of,
)

LIMITS = {"max_bytes": 200_000, "max_pixels": 1_000_000}
WIDE = np.zeros((60, 100, 3), np.uint8)
"""Black, with a white stripe at the top."""
WIDE[:15] = 255


def jpeg(image: object = WIDE, suffix: str = ".jpg") -> bytes:
	done, data = cv2.imencode(suffix, image)
	assert done
	return bytes(data)


def with_orientation(data: bytes, orientation: int) -> bytes:
	"""A JPEG with an EXIF segment that says how the camera was held."""
	entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
	exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
	return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_picture_comes_out_as_it_is(suffix: str) -> None:
	data = jpeg(suffix=suffix)
	assert size_of(data) == (100, 60)
	image = decode(data, **LIMITS)
	assert image.shape == (60, 100, 3)
	assert abs(image.astype(int) - WIDE).mean() < 3


@pytest.mark.parametrize(
	("orientation", "shape", "white"),
	[
		(1, (60, 100), (2, 50)),
		(3, (60, 100), (57, 50)),
		(6, (100, 60), (50, 57)),  # the top of what was seen lies on the right
		(8, (100, 60), (50, 2)),
	],
)
def test_a_photo_is_turned_as_the_camera_was_held(
	orientation: int, shape: tuple[int, int], white: tuple[int, int]
) -> None:
	image = decode(with_orientation(jpeg(), orientation), **LIMITS)
	assert image.shape[:2] == shape
	assert image[white].mean() > 200
	assert image.mean() < 80


def test_a_large_photo_is_made_smaller() -> None:
	image = decode(jpeg(np.zeros((800, 3200, 3), np.uint8)), max_bytes=10**6, max_pixels=10**7)
	assert image.shape == (400, 1600, 3)


def test_what_must_stand_in_memory_as_a_whole_is_smaller() -> None:
	limits = {"max_bytes": MAX_PHOTO_BYTES, "max_pixels": MAX_PHOTO_PIXELS}
	large = np.zeros((4_000, 6_000, 3), np.uint8)
	_done, progressive = cv2.imencode(".jpg", large, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))
	for data in (jpeg(large, ".png"), bytes(progressive)):
		with pytest.raises(PictureError) as raised:
			decode(data, **limits)
		assert raised.value.problem is BadPicture.TOO_LARGE
	assert decode(jpeg(large), **limits).shape == (1067, 1600, 3)


BOMBS = """
import resource, sys, threading
from attendance_bridge.edge.enrollment.pictures import MAX_PHOTO_BYTES, MAX_PHOTO_PIXELS, PictureError, decode
def megabytes():
	return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
def take(data):
	try:
		decode(data, max_bytes=MAX_PHOTO_BYTES, max_pixels=MAX_PHOTO_PIXELS)
	except PictureError:
		pass
files = [open(path, "rb").read() for path in sys.argv[2:]]
take(open(sys.argv[1], "rb").read())
before = megabytes()
threads = [threading.Thread(target=take, args=(data,)) for data in files for _ in range(8)]
for thread in threads:
	thread.start()
for thread in threads:
	thread.join()
print(megabytes() - before)
"""


def test_pictures_that_are_made_to_fill_the_memory_do_not(tmp_path: Path) -> None:
	bombs = {
		"small.png": jpeg(suffix=".png"),
		"huge.png": jpeg(np.zeros((7_000, 7_000, 3), np.uint8), ".png"),
		"largest.png": jpeg(np.zeros((3_600, 3_600, 3), np.uint8), ".png"),
		"largest.jpg": jpeg(np.zeros((7_000, 7_000, 3), np.uint8)),
	}
	for name, data in bombs.items():
		(tmp_path / name).write_bytes(data)
	command = [sys.executable, "-c", BOMBS, *(str(tmp_path / name) for name in bombs)]
	printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100).stdout
	assert int(printed) < 120, "megabytes"


def test_too_many_bytes_are_not_looked_at() -> None:
	with pytest.raises(PictureError) as raised:
		decode(bytes(200_001), **LIMITS)
	assert raised.value.problem is BadPicture.TOO_LARGE


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_header_that_claims_a_huge_picture_is_refused_before_decoding(suffix: str) -> None:
	data = bytearray(jpeg(suffix=suffix))
	if suffix == ".png":
		data[16:24] = struct.pack(">II", 60_000, 60_000)
	else:
		place = data.index(b"\xff\xc0") + 5
		data[place : place + 4] = struct.pack(">HH", 60_000, 60_000)
	with pytest.raises(PictureError) as raised:
		decode(bytes(data), **LIMITS)
	assert raised.value.problem is BadPicture.TOO_LARGE


@pytest.mark.parametrize(
	"data",
	[
		b"",
		b"\xff\xd8\xff",
		b"GIF89a" + bytes(40),
		b"<svg/>",
		b"\x89PNG\r\n\x1a\n",
		b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(12),
		b"\xff\xd8" + b"\xff" * 5000,
		b"\xff\xd8\xff\xe0\0\0" + bytes(100),
		b"\xff\xd8\xff\xe0\0\x04ab\x01\x02",
		jpeg()[:200],
		jpeg(suffix=".bmp"),
		jpeg(suffix=".png")[:40],
	],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
	with pytest.raises(PictureError) as raised:
		decode(data, **LIMITS)
	assert raised.value.problem is BadPicture.NOT_A_PICTURE


def test_every_beginning_of_a_picture_is_answered() -> None:
	whole = with_orientation(jpeg(), 6)
	for length in range(0, len(whole), 7):
		try:
			decode(whole[:length], **LIMITS)
		except PictureError as error:
			assert error.problem is BadPicture.NOT_A_PICTURE


def test_a_picture_is_kept_within_bounds() -> None:
	noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8)
	large, small = encode(noise, 10**6), encode(noise, 70_000)
	assert len(small) <= 70_000 < len(large)
	with pytest.raises(ValueError, match="too large"):
		encode(noise, 1000)
