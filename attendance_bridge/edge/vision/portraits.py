"""From a picture with one face in it to a template."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from attendance_bridge.core.template import Pose, Template
from attendance_bridge.recognition.aligner import align
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.face import Face, Floats, Image
from attendance_bridge.recognition.quality import Quality, measure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portrait:
	"""A face, and what is known of it. Its `repr` shows nothing of the face."""

	face: Face
	quality: Quality
	embedding: Floats = field(repr=False)
	"""Of length 1."""

	def template(
		self, employee: str, model: str, *, pose: Pose = Pose.FRONT, captured_at: datetime, captured_by: str
	) -> Template:
		return Template(
			template_id=uuid.uuid4(),
			employee=employee,
			model=model,
			vector=self.embedding.astype("<f4").tobytes(),
			pose=pose,
			quality=self.quality.figure,
			captured_at=captured_at,
			captured_by=captured_by,
		)


def look_at(image: Image, engine: Engine) -> list[Portrait]:
	"""Everybody in a picture, the largest face first.

	:raises RecognitionError: as the engine does.
	"""
	portraits = []
	for face in sorted(engine.detect(image), key=lambda face: -face.width * face.height):
		if not np.isfinite(face.landmarks).all():
			continue
		try:
			aligned = align(image, face.landmarks)
		except ValueError:  # landmarks that are no face
			continue
		portraits.append(Portrait(face=face, quality=measure(face, aligned), embedding=engine.embed(aligned)))
	return portraits
