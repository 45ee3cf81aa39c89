"""Who stands before a simulated camera when, and what is wrong with it: all a function of its clock."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from attendance_bridge.simulators.camera import face
from attendance_bridge.simulators.camera.face import Image, Look

Clock = Callable[[], float]
"""Seconds that only ever grow; 0 is when the scene begins."""

WALK_SECONDS = 1.5
"""From the edge of the picture to one's place, and away again."""
_NOISES = 8
_NOISE = 2
"""Levels of grey by which a pixel of a still scene trembles at most."""
_SWAY = 4.0
"""Pixels by which somebody moves who stands still."""
_SWAY_SECONDS = 3.0
FOREVER = math.inf


class Trouble(str, Enum):
	"""What can be wrong with what the camera sees, or with the camera."""

	DARK = "dark"
	BLUR = "blur"
	UNPLUGGED = "unplugged"
	"""It can be neither opened nor read."""
	FROZEN = "frozen"
	"""It stays open and gives no new frame."""


@dataclass(frozen=True, slots=True)
class Turn:
	"""A look that somebody has for a while."""

	since: float
	until: float
	look: Look


@dataclass(frozen=True, slots=True, eq=False)
class Visitor:
	"""Somebody who comes, stays and goes; or a real picture that does."""

	face: int | Image
	"""A number of `core.drawn_face`, or a picture (BGR)."""
	came: float
	"""Seconds; when the walk to the place begins."""
	goes: float = FOREVER
	place: float = 0.5
	"""Where the middle of the face is, as a share of the width."""
	scale: float = 1.2
	"""Of the 112×112 square of a drawn face; of a real picture, 112 pixels high at 1."""
	is_photo: bool = False
	turns: tuple[Turn, ...] = ()

	def look_at(self, second: float) -> Look:
		"""The last turn that holds at a moment; straight into the camera if there is none."""
		look = next((t.look for t in reversed(self.turns) if t.since <= second < t.until), Look())
		return replace(look, is_photo=True) if self.is_photo else look

	def middle_at(self, second: float, width: int) -> float | None:
		"""Where the middle of the face is, in pixels from the left; None while nobody is to be seen."""
		if second < self.came or second >= self.goes + WALK_SECONDS:
			return None
		there, margin = self.place * width, 112 * self.scale
		if second < self.came + WALK_SECONDS:
			return -margin + (there + margin) * (second - self.came) / WALK_SECONDS
		if second >= self.goes:
			return there + (width + margin - there) * (second - self.goes) / WALK_SECONDS
		return there + _SWAY * math.sin((second - self.came) * 2 * math.pi / _SWAY_SECONDS)


@dataclass(frozen=True, slots=True)
class Spell:
	"""A trouble from one moment to another."""

	trouble: Trouble
	since: float
	until: float


@dataclass(kw_only=True)
class CameraState:
	"""The scene. What a frame shows depends on the seed, the scene and the second alone."""

	width: int = 640
	height: int = 480
	fps: float = 15.0
	seed: int = 7
	"""Another one, another wall and another noise."""
	clock: Clock = field(default_factory=lambda: _clock_from_now())
	visitors: list[Visitor] = field(default_factory=list)
	spells: list[Spell] = field(default_factory=list)
	lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
	"""Held by whoever reads or changes who is there and what is wrong."""

	def has(self, trouble: Trouble, second: float) -> bool:
		with self.lock:
			return any(s.trouble is trouble and s.since <= second < s.until for s in self.spells)

	def number_at(self, second: float) -> int:
		"""The number of the frame that is to be seen at a moment, from 0."""
		return int(second * self.fps + 1e-6)

	def frame(self, number: int) -> Image:
		"""One frame of the scene: rows × columns × BGR. Troubles of the camera itself do not show in it."""
		second = number / self.fps
		with self.lock:
			visitors = tuple(self.visitors)
		seen = self._wall.copy()
		for visitor in visitors:
			self._show(seen, visitor, second)
		if self.has(Trouble.BLUR, second):
			seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), 5.0), dtype=np.uint8)
		if self.has(Trouble.DARK, second):
			seen = (seen * 0.08).astype(np.uint8)
		return np.asarray(cv2.add(seen, self._noises[number % _NOISES]), dtype=np.uint8)

	def _show(self, seen: Image, visitor: Visitor, second: float) -> None:
		middle = visitor.middle_at(second, self.width)
		if middle is None:
			return
		if isinstance(visitor.face, int):
			patch = face.drawn(visitor.face, visitor.look_at(second), visitor.scale)
		else:
			patch = face.picture(visitor.face, round(112 * visitor.scale))
		rows, columns = patch[1].shape
		face.paste(seen, patch, round(middle - columns / 2), round((self.height - rows) / 2))

	@cached_property
	def _wall(self) -> Image:
		"""A grey wall, brighter to one side: no colour of it is a face's."""
		chance = np.random.default_rng(self.seed)
		base = chance.integers(95, 135)
		slope = np.linspace(0, float(chance.integers(15, 40)), self.width)
		row = (base + slope).astype(np.uint8)
		return np.repeat(np.broadcast_to(row, (self.height, self.width))[:, :, None], 3, axis=2)

	@cached_property
	def _noises(self) -> list[NDArray[np.uint8]]:
		chance = np.random.default_rng(self.seed + 1)
		shape = (self.height, self.width, 1)
		return [
			np.repeat(chance.integers(0, _NOISE + 1, shape, dtype=np.uint8), 3, axis=2)
			for _ in range(_NOISES)
		]


def _clock_from_now() -> Clock:
	began = time.monotonic()
	return lambda: time.monotonic() - began
