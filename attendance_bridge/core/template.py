"""A face template: what a recogniser keeps of a face. It cannot be changed like a password."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

BYTES_A_NUMBER = 4
MAX_DIMENSION = 4096


class Pose(str, Enum):
	"""How the head was held when a template was captured."""

	FRONT = "front"
	LEFT = "left"
	RIGHT = "right"
	UP = "up"
	DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
	"""One captured face of one employee. Its `repr` shows nothing of the face.

	Templates of different models have nothing to say to each other and are never compared.
	"""

	template_id: UUID
	employee: str
	"""The key of the person at the upstream: the `name` of the Employee."""
	model: str
	"""Which embedder made it: the name of its pack and the first digits of the sha256 of its file."""
	vector: bytes = field(repr=False)
	"""The embedding: little-endian float32, of length 1 (L2)."""
	pose: Pose = Pose.FRONT
	quality: float = 0.0
	"""From 0 to 1; see `recognition.quality`."""
	captured_at: datetime
	"""Aware."""
	captured_by: str = ""
	"""The edge agent, and who stood beside it."""

	def __post_init__(self) -> None:
		length = len(self.vector)
		if not 0 < length <= MAX_DIMENSION * BYTES_A_NUMBER or length % BYTES_A_NUMBER:
			raise ValueError("the vector of a template is no row of float32")
		if not self.employee or not self.model:
			raise ValueError("a template needs an employee and a model")
		if self.captured_at.tzinfo is None:
			raise ValueError("captured_at must be aware")

	@property
	def dimension(self) -> int:
		return len(self.vector) // BYTES_A_NUMBER
