"""OpenCV, where it is installed, and what its captures have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from attendance_bridge.core.errors import Code, DeviceError


def opencv() -> Any:
	"""The module `cv2`. Loaded when a camera is opened: an agent without one has no need of it.

	:raises DeviceError: NOT_INSTALLED.
	"""
	try:
		import cv2
	except ImportError:
		raise DeviceError(Code.NOT_INSTALLED, package="opencv-python-headless", extra="recognition") from None
	return cv2


def capture(source: str, backend: int, parameters: dict[int, float] | None = None) -> Any:
	"""An opened `cv2.VideoCapture`; None if it does not open.

	The backend is always named. Left to choose, OpenCV tries one after the other, and the last ones write the
	whole source, with a password in it, to standard error.
	"""
	cv2 = opencv()
	flat = [int(number) for pair in (parameters or {}).items() for number in pair]
	opened = cv2.VideoCapture(source, backend, flat)
	if opened.isOpened():
		return opened
	opened.release()
	return None


@contextlib.contextmanager
def silence() -> Iterator[None]:
	"""Let OpenCV say nothing meanwhile: with OPENCV_VIDEOIO_DEBUG it writes what it opens, passwords too."""
	log = opencv().utils.logging
	level = log.getLogLevel()
	log.setLogLevel(log.LOG_LEVEL_SILENT)
	try:
		yield
	finally:
		log.setLogLevel(level)
