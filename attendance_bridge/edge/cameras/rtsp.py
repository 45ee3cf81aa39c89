"""A network camera that speaks RTSP, as cameras and intercoms at doors do.

Each picture has to be taken as soon as it comes, or the stream falls behind: the reader (`edge.camera`) does
so in a thread of its own and keeps the newest only. Over TCP: a lost packet of UDP smears the picture for
seconds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import quote

from attendance_bridge.core.config import option
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.host import check_host, url_host
from attendance_bridge.core.redact import Secret
from attendance_bridge.edge import frame
from attendance_bridge.edge.cameras import _opencv, _rtsp
from attendance_bridge.edge.frame import CameraSpec, Frame, LiveFrames, Now

_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
"""The one way to hand options to FFmpeg through OpenCV, for the whole process. An administrator's stay."""


def _check_path(value: str) -> str:
	if (
		not value.startswith("/")
		or not value.isascii()
		or not value.isprintable()
		or set(value) & set(' "<>\\')
	):
		raise ValueError("a path that begins with / and has no blanks or quotes in it")
	return value


def _check_user(value: str) -> str:
	if not value.isprintable() or ":" in value or '"' in value:
		raise ValueError("a user name without colon, quote or control characters")
	return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	host: str = option(help="Host name or IP address of the camera", check=check_host)
	port: int = option(554, help="Its RTSP port", minimum=1, maximum=65_535)
	path: str = option(
		"/Streaming/Channels/102",
		help="Path of the stream; take the small one (sub stream): recognition does not need more",
		max_length=500,
		check=_check_path,
	)
	user: str = option("", help="User of the camera; may stay empty", max_length=64, check=_check_user)
	password: Secret | None = option(None, help="Password of that user")
	open_seconds: float = option(
		5.0, help="How long to wait for the stream to begin", minimum=0.5, maximum=60
	)
	read_seconds: float = option(5.0, help="How long to wait for the next picture", minimum=0.5, maximum=60)

	@property
	def address(self) -> str:
		"""The URL without user and password."""
		return f"rtsp://{url_host(self.host)}:{self.port}{self.path}"


class Camera(frame.Camera):
	spec = CameraSpec(label="Network camera (RTSP)", config=Config)

	def __init__(self, config: Config, *, now: Now) -> None:
		"""Asks the camera itself first: OpenCV does not tell a wrong password from an unplugged cable."""
		cv2 = _opencv.opencv()
		self._config = config
		self._frames = LiveFrames(now)
		_rtsp.describe(
			config.host,
			config.port,
			config.address,
			user=config.user,
			password=config.password,
			timeout=config.open_seconds,
		)
		os.environ.setdefault(_OPTIONS, "rtsp_transport;tcp")
		timeouts = {
			cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: config.open_seconds * 1000,
			cv2.CAP_PROP_READ_TIMEOUT_MSEC: config.read_seconds * 1000,
		}
		with _opencv.silence():
			self._capture = _opencv.capture(_with_login(config), cv2.CAP_FFMPEG, timeouts)
		if self._capture is None:
			raise DeviceError(
				Code.CAMERA_NOT_THERE,
				retryable=True,
				camera=config.address,
				cause="no video that can be read",
			)

	def read(self) -> Frame | None:
		taken, image = self._capture.read()
		if not taken:
			raise DeviceError(Code.CAMERA_LOST, retryable=True, camera=self._config.address)
		return self._frames.frame(image)

	def close(self) -> None:
		self._capture.release()


def _with_login(config: Config) -> str:
	"""The one form in which FFmpeg takes a password. Never to be logged."""
	if not config.user:
		return config.address
	password = config.password.reveal() if config.password else ""
	login = f"{quote(config.user, safe='')}:{quote(password, safe='')}"
	return config.address.replace("rtsp://", f"rtsp://{login}@", 1)
