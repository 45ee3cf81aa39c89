"""A folder of pictures, shown one after the other in the order of their names."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attendance_bridge.core.config import option
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.edge import frame
from attendance_bridge.edge.cameras import _opencv
from attendance_bridge.edge.frame import CameraSpec, Frame, LiveFrames, Now

logger = logging.getLogger(__name__)

_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_LARGEST = 20 * 1024 * 1024
"""Bytes of a file; a larger one is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	folder: Path = option(help="The folder with the pictures (jpg, png, bmp, webp)")
	seconds: float = option(
		1.0, help="How long each picture is shown; 0 is as fast as they can be read", minimum=0, maximum=3600
	)
	loop: bool = option(False, help="Begin again at the end")


class Camera(frame.Camera):
	spec = CameraSpec(label="Folder of pictures", config=Config)

	def __init__(self, config: Config, *, now: Now) -> None:
		_opencv.opencv()
		self._config = config
		self._frames = LiveFrames(now)
		self._next_at = time.monotonic()
		if not config.folder.is_dir():
			raise DeviceError(
				Code.CAMERA_NOT_THERE, retryable=True, camera=str(config.folder), cause="no such folder"
			)
		self._images = self._rounds()

	def read(self) -> Frame | None:
		image = next(self._images, None)
		if image is None:
			return None
		time.sleep(max(0.0, self._next_at - time.monotonic()))
		self._next_at = max(self._next_at, time.monotonic() - self._config.seconds) + self._config.seconds
		return self._frames.frame(image)

	def close(self) -> None:
		self._images = iter(())

	def _rounds(self) -> Iterator[Any]:
		while True:
			found = False
			for image in self._round():
				found = True
				yield image
			if not found or not self._config.loop:
				return

	def _round(self) -> Iterator[Any]:
		cv2 = _opencv.opencv()
		for file in sorted(self._config.folder.iterdir()):
			if file.suffix.lower() not in _ENDINGS or not file.is_file():
				continue
			image = cv2.imread(str(file), cv2.IMREAD_COLOR) if file.stat().st_size <= _LARGEST else None
			if image is None:
				logger.warning("%s is no picture that can be read, or too large; it is left out", file)
				continue
			yield image
