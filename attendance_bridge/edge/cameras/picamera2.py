"""A camera on the ribbon cable of a Raspberry Pi, through the package picamera2 of Raspberry Pi OS.

picamera2 comes with the system (apt install python3-picamera2) and not from PyPI, because it belongs to the
system's libcamera; a virtual environment sees it with --system-site-packages. Of its streams only `main` is
asked for: a second one costs memory, and one process owns the camera anyway.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from attendance_bridge.core.config import option
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.edge import frame
from attendance_bridge.edge.frame import CameraSpec, Frame, LiveFrames, Now

_FORMAT = "RGB888"
"""In picamera2's words (after libcamera) that is blue, green, red in memory: what OpenCV calls BGR."""
_BUFFERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	number: int = option(0, help="Which camera, where there are several; from 0", minimum=0, maximum=7)
	width: int = option(640, help="Pixels across", minimum=160, maximum=3840)
	height: int = option(480, help="Pixels down", minimum=120, maximum=2160)
	fps: float = option(15.0, help="Pictures a second", minimum=1, maximum=120)

	@property
	def called(self) -> str:
		return f"Raspberry Pi camera {self.number}"


class Camera(frame.Camera):
	spec = CameraSpec(label="Raspberry Pi camera", config=Config)

	def __init__(self, config: Config, *, now: Now) -> None:
		module = _module()
		self._config = config
		self._frames = LiveFrames(now)
		self._is_open = False
		try:
			self._camera: Any = module.Picamera2(config.number)
		# Without a camera it raises IndexError, with one in use RuntimeError, and others with a broken one.
		except Exception as error:
			raise self._not_there(error) from error
		try:
			self._camera.configure(
				self._camera.create_video_configuration(
					main={"size": (config.width, config.height), "format": _FORMAT},
					controls={"FrameRate": config.fps},
					buffer_count=_BUFFERS,
				)
			)
			self._camera.start()
		except Exception as error:
			self._camera.close()
			raise self._not_there(error) from error
		self._is_open = True

	def _not_there(self, error: Exception) -> DeviceError:
		return DeviceError(
			Code.CAMERA_NOT_THERE, retryable=True, camera=self._config.called, cause=str(error)[:200]
		)

	def read(self) -> Frame | None:
		try:
			image = self._camera.capture_array("main")
		except Exception as error:  # whatever it is, the camera is opened anew
			raise DeviceError(Code.CAMERA_LOST, retryable=True, camera=self._config.called) from error
		return self._frames.frame(image)

	def close(self) -> None:
		if self._is_open:
			self._is_open = False
			self._camera.stop()
			self._camera.close()


def _module() -> Any:
	try:
		# By name: this module is called the same.
		return importlib.import_module("picamera2")
	except ImportError:
		raise DeviceError(
			Code.NOT_INSTALLED, package="python3-picamera2 (apt)", extra="recognition"
		) from None
