"""The motion gate: whether anything has moved before the camera, for next to nothing.

A small grey picture is compared with a background that follows slowly. What is bright or dark everywhere at
once is the light, not a person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attendance_bridge.core.config import option
from attendance_bridge.recognition.face import Floats, Image
from attendance_bridge.recognition.runtime import load_cv2

WIDTH, HEIGHT = 64, 48
"""Of the small picture."""
_LEARNING = 0.05
"""How much of each frame goes into the background: about four seconds at five frames a second."""
_NOISE_LEARNING = 0.1
_TIMES_NOISE = 6.0
"""Six times the median of what differs is four standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionSettings:
	least_change: float = option(
		8.0, help="a pixel has changed when its grey differs by more", minimum=1, maximum=255
	)
	least_share: float = option(
		0.005,
		help="there is motion when a larger share of the picture has changed",
		minimum=0.0005,
		maximum=1,
	)


class MotionGate:
	"""Remembers what the camera sees when nobody is there."""

	def __init__(self, settings: MotionSettings) -> None:
		self._settings = settings
		self._cv2 = load_cv2()
		self._background: Floats | None = None
		self._noise = 0.0

	def moved(self, image: Image) -> bool:
		"""Whether something differs from the background. The first picture always does."""
		small = self._cv2.resize(image, (WIDTH, HEIGHT), interpolation=self._cv2.INTER_AREA)
		grey = self._cv2.cvtColor(small, self._cv2.COLOR_BGR2GRAY).astype(np.float32)
		if self._background is None:
			self._background = grey
			return True
		change = grey - self._background
		self._background += _LEARNING * change
		change = np.abs(change - np.median(change))
		# A dark camera is noisy; what most pixels do all the time is no motion.
		limit = max(self._settings.least_change, _TIMES_NOISE * self._noise)
		self._noise += _NOISE_LEARNING * (float(np.median(change)) - self._noise)
		return bool(np.count_nonzero(change > limit) > self._settings.least_share * change.size)
