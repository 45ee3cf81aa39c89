"""From a picture to what is seen of a person in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from attendance_bridge.edge.enrollment.advice import Observation
from attendance_bridge.edge.enrollment.settings import EnrollmentSettings
from attendance_bridge.recognition.aligner import align
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.face import Face, Floats, Frame, Image
from attendance_bridge.recognition.quality import measure

OwnerOf = Callable[[Floats, str], str]
"""(embedding, employee) → the employee other than this one whose face it is; empty if it is nobody's."""

_AROUND = 0.6
"""How much is kept around a face, as a share of its size: a detector must find it there again."""


def observe(
	frame: Frame,
	employee: str,
	*,
	engine: Engine,
	owner_of: OwnerOf,
	settings: EnrollmentSettings,
	keep_crop: bool,
) -> Observation:
	"""Look at one picture.

	:param employee: who is being enrolled.
	:param keep_crop: whether the picture of the face is wanted too.
	"""
	height, width = frame.pixels.shape[:2]
	found = _disturbing(engine.detect(frame.pixels), settings)
	face = found[0] if found else None
	aligned = _aligned(frame, face) if len(found) == 1 else None
	embedding = engine.embed(aligned) if aligned is not None else None
	return Observation(
		seconds=frame.seconds,
		taken_at=frame.taken_at,
		width=width,
		height=height,
		faces=len(found),
		face=face,
		quality=measure(face, aligned) if face is not None and aligned is not None else None,
		embedding=embedding,
		owner=owner_of(embedding, employee) if embedding is not None else "",
		crop=_crop(frame.pixels, face) if keep_crop and face is not None and aligned is not None else None,
	)


def _disturbing(faces: Sequence[Face], settings: EnrollmentSettings) -> list[Face]:
	"""The largest face, and those that are not much smaller."""
	ordered = sorted(faces, key=lambda face: -face.height)
	return [face for face in ordered if face.height >= settings.bystander * ordered[0].height]


def _aligned(frame: Frame, face: Face | None) -> Image | None:
	"""None for landmarks that are no face."""
	if face is None or not np.isfinite(face.landmarks).all():
		return None
	try:
		return align(frame.pixels, face.landmarks)
	except ValueError:
		return None


def _crop(pixels: Image, face: Face) -> Image:
	left, top, right, bottom = (float(side) for side in face.box)
	across, down = _AROUND * (right - left), _AROUND * (bottom - top)
	rows, columns = pixels.shape[:2]
	upper, lower = max(0, int(top - down)), min(rows, int(bottom + down) + 1)
	first, last = max(0, int(left - across)), min(columns, int(right + across) + 1)
	crop: Image = pixels[upper:lower, first:last].copy()
	return crop
