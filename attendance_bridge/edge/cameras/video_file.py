"""A recorded video, at its own pace or as fast as it can be read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from attendance_bridge.core.config import option
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.edge import frame
from attendance_bridge.edge.cameras import _opencv
from attendance_bridge.edge.frame import CameraSpec, Frame, Now

_USUAL_FPS = 25.0
_FASTEST = 240.0


class Pace(str, Enum):
	REAL = "real"
	FAST = "fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	path: Path = option(help="The video file")
	pace: Pace = option(Pace.REAL, help="real (as it was recorded) or fast (as fast as it can be read)")
	loop: bool = option(False, help="Begin again at the end")


class Camera(frame.Camera):
	"""The moments of its frames follow one another as in the recording, from when it was opened."""

	spec = CameraSpec(label="Video file", config=Config)

	def __init__(self, config: Config, *, now: Now) -> None:
		self._config = config
		self._began_at = now()
		self._began = time.monotonic()
		self._sequence = 0
		self._is_new = True
		self._capture = self._open()
		told = self._capture.get(_opencv.opencv().CAP_PROP_FPS)
		self._fps = told if 0 < told <= _FASTEST else _USUAL_FPS

	def read(self) -> Frame | None:
		image = self._next_image()
		if image is None:
			return None
		self._is_new = False
		offset = self._sequence / self._fps
		if self._config.pace is Pace.REAL:
			time.sleep(max(0.0, self._began + offset - time.monotonic()))
		self._sequence += 1
		return Frame(
			pixels=image,
			seconds=self._began + offset,
			taken_at=self._began_at + timedelta(seconds=offset),
			sequence=self._sequence - 1,
		)

	def close(self) -> None:
		self._capture.release()

	def _next_image(self) -> Any:
		taken, image = self._capture.read()
		if not taken and self._config.loop and not self._is_new:
			# Opened anew: not every format can be wound back.
			self._capture.release()
			self._capture = self._open()
			self._is_new = True
			taken, image = self._capture.read()
		return image if taken else None

	def _open(self) -> Any:
		opened = None
		if self._config.path.is_file():
			# Absolute, so that no name can be taken for a URL.
			source = str(self._config.path.resolve())
			opened = _opencv.capture(source, _opencv.opencv().CAP_FFMPEG)
		if opened is None:
			cause = "no video that can be read" if self._config.path.is_file() else "no such file"
			raise DeviceError(
				Code.CAMERA_NOT_THERE, retryable=True, camera=str(self._config.path), cause=cause
			)
		return opened
