"""Whose face an embedding is by the gallery, other than the person's who is being enrolled."""

from __future__ import annotations

import numpy as np

from attendance_bridge.edge.vision.ports import Eyes
from attendance_bridge.recognition.face import Floats
from attendance_bridge.stores.gallery import Gallery


class Owners:
	def __init__(self, eyes: Eyes, gallery: Gallery) -> None:
		self._eyes = eyes
		self._gallery = gallery

	def other_than(self, embedding: Floats, employee: str) -> str:
		"""Who, besides this employee, this face matches; empty if nobody.

		:raises StoreError:
		:raises RecognitionError: there are no networks.
		"""
		match = self._eyes.search(embedding)
		if match is None or match.cosine < self._eyes.threshold:
			return ""
		if match.employee != employee:
			return match.employee
		return self._second(embedding, employee) if match.second >= self._eyes.threshold else ""

	def _second(self, embedding: Floats, employee: str) -> str:
		"""The nearest of the others, whom a search does not name: rare, so all may be looked through."""
		nearest, cosine = "", -1.0
		for template in self._gallery.all(self._eyes.engine.model):
			if template.employee == employee or len(template.vector) != 4 * embedding.size:
				continue
			likeness = float(np.frombuffer(template.vector, "<f4") @ embedding)
			if likeness > cosine:
				nearest, cosine = template.employee, likeness
		return nearest
