"""What is seen: a frame, the faces in it, and the arrays they are made of.

Pixels are BGR everywhere, as cameras and OpenCV give them; a network that wants RGB says so in its pack.
Positions are (x, y) in pixels of the frame, x to the right, y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""Height × width × 3, BGR."""
Floats = npt.NDArray[np.float32]

LEFT_EYE, RIGHT_EYE, NOSE, LEFT_MOUTH, RIGHT_MOUTH = range(5)
"""The order of landmarks. Left and right are the picture's, not the person's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
	"""One picture of a camera."""

	pixels: Image
	seconds: float
	"""When it was taken, by a clock that never goes back (`time.monotonic`)."""
	taken_at: datetime
	"""When it was taken, by the clock on the wall; aware."""

	def __post_init__(self) -> None:
		if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8:
			raise ValueError("pixels must be height × width × 3, of 8 bits")
		if self.taken_at.tzinfo is None:
			raise ValueError("taken_at must be aware")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Face:
	"""A face that a detector found."""

	box: Floats
	"""Left, top, right, bottom. May reach beyond the frame."""
	landmarks: Floats
	"""5 × 2: the eyes, the nose, the corners of the mouth; see `LEFT_EYE` and those after it."""
	score: float
	"""How sure the detector is, from 0 to 1."""

	@property
	def width(self) -> float:
		return float(self.box[2] - self.box[0])

	@property
	def height(self) -> float:
		return float(self.box[3] - self.box[1])
