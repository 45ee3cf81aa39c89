"""A USB camera, or any other that Linux has as /dev/video… (Video4Linux 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from attendance_bridge.core.config import option
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.edge import frame
from attendance_bridge.edge.cameras import _opencv
from attendance_bridge.edge.frame import CameraSpec, Frame, LiveFrames, Now

_DEVICE = re.compile(r"/dev/(video\d{1,3}|v4l/by-(id|path)/[\w.:+-]{1,200})")
_BUFFERS = 1
"""Held by the driver: a frame that waited behind others is an old one."""


def _check_device(value: str) -> str:
	if not _DEVICE.fullmatch(value):
		raise ValueError("/dev/video0 or the like, or a name below /dev/v4l/by-id/")
	return value


def _check_format(value: str) -> str:
	if not re.fullmatch(r"[A-Z0-9]{4}", value):
		raise ValueError("four capital letters or digits such as MJPG or YUYV")
	return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	device: str = option(
		"/dev/video0",
		help="The camera's file; a name below /dev/v4l/by-id/ stays the same when it is plugged in elsewhere",
		check=_check_device,
	)
	width: int = option(
		640, help="Pixels across; the camera takes the nearest it has", minimum=160, maximum=3840
	)
	height: int = option(480, help="Pixels down", minimum=120, maximum=2160)
	fps: float = option(15.0, help="Pictures a second", minimum=1, maximum=120)
	pixel_format: str = option(
		"MJPG", help="How the camera sends pictures; MJPG spares the USB bus", check=_check_format
	)


class Camera(frame.Camera):
	spec = CameraSpec(label="USB or V4L2 camera", config=Config)

	def __init__(self, config: Config, *, now: Now) -> None:
		cv2 = _opencv.opencv()
		self._config = config
		self._frames = LiveFrames(now)
		self._capture = _opencv.capture(config.device, cv2.CAP_V4L2)
		if self._capture is None:
			raise DeviceError(
				Code.CAMERA_NOT_THERE, retryable=True, camera=config.device, cause="not there, or in use"
			)
		# The format first: sizes and rates are those of a format.
		for setting, value in (
			(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*config.pixel_format)),
			(cv2.CAP_PROP_FRAME_WIDTH, config.width),
			(cv2.CAP_PROP_FRAME_HEIGHT, config.height),
			(cv2.CAP_PROP_FPS, config.fps),
			(cv2.CAP_PROP_BUFFERSIZE, _BUFFERS),
		):
			self._capture.set(setting, value)

	def read(self) -> Frame | None:
		taken, image = self._capture.read()
		if not taken:
			raise DeviceError(Code.CAMERA_LOST, retryable=True, camera=self._config.device)
		return self._frames.frame(image)

	def close(self) -> None:
		self._capture.release()
