"""One picture of an enrolment: whether it shows the wanted pose well enough, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from attendance_bridge.core.template import Pose
from attendance_bridge.recognition.aligner import align
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.face import Face, Floats, Image
from attendance_bridge.recognition.quality import Flaw, Limits, Quality, measure


class Lack(str, Enum):
	"""Why there is no one face to look at."""

	NO_FACE = "no_face"
	SEVERAL_FACES = "several_faces"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shot:
	"""What one picture shows. It may be kept when `good`."""

	pose: Pose
	"""The one that was wanted."""
	lack: Lack | None = None
	face: Face | None = None
	quality: Quality | None = None
	flaws: tuple[Flaw, ...] = ()
	embedding: Floats | None = None
	"""Only of a shot that is good: nothing is made of a face that will not be kept."""

	@property
	def good(self) -> bool:
		return self.embedding is not None


def examine(engine: Engine, image: Image, pose: Pose, limits: Limits, front: Shot | None = None) -> Shot:
	"""Look at one picture for one pose.

	:param front: the good shot of the person looking ahead, from which the turns of other poses are measured.
	"""
	faces = engine.detect(image)
	if len(faces) != 1:
		return Shot(pose=pose, lack=Lack.SEVERAL_FACES if faces else Lack.NO_FACE)
	(face,) = faces
	try:
		aligned = align(image, face.landmarks)
	except ValueError:
		return Shot(pose=pose, lack=Lack.NO_FACE)
	quality = measure(face, aligned)
	rest = front.quality.turn if front is not None and front.quality is not None else None
	flaws = quality.flaws(limits, pose, rest)
	embedding = None if flaws else engine.embed(aligned)
	return Shot(pose=pose, face=face, quality=quality, flaws=flaws, embedding=embedding)


def agree(first: Floats, second: Floats, threshold: float) -> bool:
	"""Whether two shots are of one person: the shots of an enrolment must be."""
	return float(first @ second) >= threshold
