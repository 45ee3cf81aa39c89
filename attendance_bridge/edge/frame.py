"""Pictures of a camera, and what every source of them gives."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from attendance_bridge.recognition import face

if TYPE_CHECKING:
	from typing_extensions import Self  # comes with mypy; typing has it from Python 3.11 on

Now = Callable[[], datetime]
"""The time, aware."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame(face.Frame):
	"""What recognition looks at, with its place in the series."""

	sequence: int
	"""Counts the frames of one camera; gaps are frames that were dropped."""


class LiveFrames:
	"""Stamps and counts pictures as they come."""

	def __init__(self, now: Now) -> None:
		self._now = now
		self._next = 0

	def frame(self, pixels: face.Image) -> Frame:
		self._next += 1
		return Frame(pixels=pixels, seconds=time.monotonic(), taken_at=self._now(), sequence=self._next - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSpec:
	"""What a kind of camera tells about itself."""

	label: str
	config: type[Any]
	"""A frozen dataclass read by `core.config`."""


class Camera(ABC):
	"""An opened source of pictures, used by one thread. Each module of `cameras` has one, called `Camera`."""

	spec: ClassVar[CameraSpec]

	@abstractmethod
	def __init__(self, config: Any, *, now: Now) -> None:
		"""Open it.

		:param config: an instance of `spec.config`.
		:raises DeviceError: CAMERA_NOT_THERE, UNREACHABLE, TIMEOUT, AUTH_FAILED, NOT_FOUND, NOT_INSTALLED …
			with `camera`, what the user calls it, and never a password.
		"""

	@abstractmethod
	def read(self) -> Frame | None:
		"""Wait for the next picture; None when there will be none any more: a file is at its end.

		:raises DeviceError: CAMERA_LOST.
		"""

	@abstractmethod
	def close(self) -> None:
		"""Let go of the device. Again is harmless."""

	def frames(self) -> Iterator[Frame]:
		"""Every picture until there are no more; see `read`."""
		while (frame := self.read()) is not None:
			yield frame

	def __enter__(self) -> Self:
		return self

	def __exit__(self, *exc_info: object) -> None:
		self.close()
