"""Cameras of this machine, and the first picture of one."""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from attendance_bridge.core.errors import BridgeError, Code, DeviceError
from attendance_bridge.edge import cameras
from attendance_bridge.edge.camera_settings import camera_from
from attendance_bridge.edge.frame import Frame, Now

_SETTLING = 8
"""Pictures that a camera takes to find the light."""
_PATIENCE = 30.0
"""Seconds; a driver may hang in a call that nothing interrupts."""
_USB_PICTURES = re.compile(r"usb-(?P<name>.+)-video-index0")
"""How udev calls the picture stream of a USB camera; index1 and so on carry none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
	"""A camera that seems to be there."""

	label: str
	table: dict[str, object]
	"""For `[camera]`."""


def cameras_here(
	devices: Path = Path("/dev"), names: Path = Path("/sys/class/video4linux")
) -> list[Candidate]:
	"""Cameras of this machine by what the system says; nothing is opened."""
	found = list(_usb_cameras(devices))
	if importlib.util.find_spec("picamera2") is not None:
		found.append(Candidate(label="Raspberry Pi camera (ribbon cable)", table={"kind": "picamera2"}))
	if not found:
		# Names below by-id come from udev, which is not everywhere. A Raspberry Pi has a dozen of these that
		# are no cameras, but it has udev.
		found = list(_plain_devices(devices, names))
	return found


def _usb_cameras(devices: Path) -> Iterator[Candidate]:
	for link in sorted((devices / "v4l" / "by-id").glob("usb-*")):
		match = _USB_PICTURES.fullmatch(link.name)
		if match:
			name = match["name"].replace("_", " ")
			yield Candidate(label=f"USB camera {name}", table={"kind": "v4l2", "device": str(link)})


def _plain_devices(devices: Path, names: Path) -> Iterator[Candidate]:
	numbered = [path for path in devices.glob("video*") if path.name[5:].isdecimal()]
	for path in sorted(numbered, key=lambda each: int(each.name[5:])):
		try:
			name = (names / path.name / "name").read_text(encoding="utf-8", errors="replace")[:80].strip()
		except OSError:
			name = "camera"
		yield Candidate(label=f"{name} ({path})", table={"kind": "v4l2", "device": str(path)})


@dataclass(slots=True)
class _Attempt:
	frame: Frame | None = None
	error: Exception | None = None
	given_up: threading.Event = field(default_factory=threading.Event)


def first_picture(table: Mapping[str, object], now: Now) -> Frame:
	"""Open a camera, let it find the light, and take a picture.

	:param table: of `[camera]`, with its secrets as `Secret` under their plain keys.
	:raises ConfigError: the table cannot be used.
	:raises DeviceError: it cannot be opened, gives no picture, or hangs (CAMERA_FROZEN).
	"""
	camera = camera_from(table)
	attempt = _Attempt()

	def look() -> None:
		try:
			with cameras.load(camera.settings.kind)(camera.config, now=now) as opened:
				for _picture in range(_SETTLING):
					frame = opened.read()
					if frame is None or attempt.given_up.is_set():
						break
					attempt.frame = frame
		except Exception as error:  # it is raised again, where somebody waits for it
			attempt.error = error

	thread = threading.Thread(target=look, name="first picture", daemon=True)
	thread.start()
	thread.join(_PATIENCE)
	if attempt.error is not None:
		raise attempt.error
	if attempt.frame is None or thread.is_alive():
		attempt.given_up.set()
		raise _frozen(camera.settings.name)
	return attempt.frame


def _frozen(name: str) -> BridgeError:
	return DeviceError(Code.CAMERA_FROZEN, retryable=True, camera=name, seconds=round(_PATIENCE))
