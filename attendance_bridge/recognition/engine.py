"""The one interface behind which a pack is run, whichever way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from attendance_bridge.recognition.face import Face, Floats, Image


class Detector(Protocol):
	def detect(self, image: Image) -> Sequence[Face]:
		"""The faces in a picture of any size, the surest first."""


class Embedder(Protocol):
	def embed(self, aligned: Image) -> Floats:
		"""The embedding of an aligned face (112×112): one row of length 1 (L2)."""


class Engine(Detector, Embedder, Protocol):
	"""A detector and an embedder that belong together."""

	@property
	def model(self) -> str:
		"""The name that templates of this embedder carry; see `core.template.Template.model`."""

	@property
	def dimension(self) -> int:
		"""The length of an embedding."""


class LivenessModel(Protocol):
	def live_probability(self, image: Image, face: Face) -> float:
		"""How likely `face` is no picture of one, from 0 to 1, by this one picture."""
