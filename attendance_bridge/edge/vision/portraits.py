"""From a picture with one face in it to a template."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.core.template import Pose, Template
from attendance_bridge.recognition.aligner import align
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.face import Face, Floats, Image
from attendance_bridge.recognition.quality import Quality, measure
from attendance_bridge.recognition.runtime import load_cv2

MAX_SIDE = 8_000
"""Pixels of a picture's longer side at most. OpenCV itself refuses to unpack more than 2**30 pixels."""
LARGEST_LOOKED_AT = 1_280
"""Pixels of the longer side that a picture is made smaller to: a detector looks for faces of this size."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portrait:
	"""A face, and what is known of it."""

	face: Face
	quality: Quality
	embedding: Floats
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


def decode(jpeg_or_png: bytes) -> Image:
	"""A picture file of somebody as pixels, made smaller if it is large.

	:raises RecognitionError: BAD_VALUE: it is no picture, or too large.
	"""
	cv2 = load_cv2()
	try:
		image = cv2.imdecode(np.frombuffer(jpeg_or_png, np.uint8), cv2.IMREAD_COLOR) if jpeg_or_png else None
	except cv2.error:
		image = None
	if image is None or max(image.shape[:2]) > MAX_SIDE:
		raise RecognitionError(Code.BAD_VALUE, path="picture", expected="a JPEG or PNG picture")
	shrink = LARGEST_LOOKED_AT / max(image.shape[:2])
	if shrink < 1:
		image = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
	pixels: Image = np.ascontiguousarray(image, dtype=np.uint8)
	return pixels
