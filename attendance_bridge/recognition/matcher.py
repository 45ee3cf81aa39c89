"""The matcher: whose face an embedding is, by exact search among all templates of one model.

All templates lie in one matrix, one column each: laid out so, a single query goes through BLAS as fast as
memory allows. A change copies the matrix once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import numpy.typing as npt

from attendance_bridge.core.errors import Code, RecognitionError
from attendance_bridge.core.template import Template
from attendance_bridge.recognition.face import Floats

LENGTH_TOLERANCE = 0.01
"""How far the length of a template's embedding may be from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
	"""What a search found, whatever it is worth."""

	employee: str
	"""Of the nearest template."""
	template_id: UUID
	cosine: float
	second: float
	"""The cosine of the nearest template of anybody else; -1 when there is nobody else."""

	@property
	def margin(self) -> float:
		return self.cosine - self.second


class Matcher:
	"""The gallery in memory. May be searched and changed from several threads.

	:param model: the only model whose templates it takes.
	:param dimension: of its embeddings.
	"""

	def __init__(self, model: str, dimension: int) -> None:
		self.model = model
		self.dimension = dimension
		self._changing = threading.Lock()
		self._held = _Held.empty(dimension)

	def __len__(self) -> int:
		return self._held.size

	@property
	def employees(self) -> frozenset[str]:
		return frozenset(self._held.names)

	def add(self, templates: Iterable[Template]) -> None:
		"""Hold these templates too; one that is held already is replaced.

		:raises RecognitionError: MODEL_UNFIT for a template of another model, or one that is no embedding of
			this one. None of the templates is held then.
		"""
		new = {template.template_id: template for template in templates}
		columns = np.empty((self.dimension, len(new)), dtype=np.float32)
		for place, template in enumerate(new.values()):
			columns[:, place] = self._checked(template)
		with self._changing:
			held = self._held.without(self._held.columns_of_templates(new))
			self._held = held.with_columns(columns, list(new.values()))

	def remove(self, employee: str) -> int:
		"""Erase every template of an employee; returns how many there were."""
		with self._changing:
			held = self._held
			gone = held.columns_of(employee)
			if gone.size:
				self._held = held.without(gone)
				# Memory that is given back is not emptied; the faces in it are.
				held.matrix[:, gone] = 0
			return int(gone.size)

	def cosine_with(self, employee: str, embedding: Floats) -> float:
		"""The cosine of the nearest template of one employee; -1 when there is none."""
		return self._held.cosine_with(employee, embedding)

	def search(self, embedding: Floats) -> Match | None:
		"""The nearest template, and the nearest of anybody else. None when there are no templates.

		:param embedding: of length 1.
		:raises ValueError: for one of another dimension.
		"""
		if embedding.shape != (self.dimension,):
			raise ValueError(f"an embedding of {self.model} has {self.dimension} numbers")
		return self._held.search(np.ascontiguousarray(embedding, dtype=np.float32))

	def _checked(self, template: Template) -> Floats:
		if template.model != self.model or template.dimension != self.dimension:
			why = f"a template of {template.model} with {template.dimension} numbers is not compared with it"
			raise RecognitionError(Code.MODEL_UNFIT, path=self.model, why=why)
		row: Floats = np.frombuffer(template.vector, dtype="<f4").astype(np.float32)
		length = float(np.linalg.norm(row))
		if not abs(length - 1) <= LENGTH_TOLERANCE:  # so written, it refuses what is no number too
			raise RecognitionError(Code.MODEL_UNFIT, path=self.model, why="a template has not the length 1")
		scaled: Floats = row / np.float32(length)
		return scaled


@dataclass(frozen=True, slots=True)
class _Held:
	"""One state of the gallery. It is replaced, not changed, so that a search needs no lock."""

	matrix: Floats = field(repr=False)
	"""dimension × n, every column of length 1."""
	ids: npt.NDArray[np.void]
	"""n times the 16 bytes of a template_id."""
	people: npt.NDArray[np.int32]
	"""n times the place of an employee in `names`."""
	names: tuple[str, ...]

	@classmethod
	def empty(cls, dimension: int) -> _Held:
		return cls(np.empty((dimension, 0), np.float32), np.empty(0, "V16"), np.empty(0, np.int32), ())

	@property
	def size(self) -> int:
		return self.people.size

	def columns_of(self, employee: str) -> npt.NDArray[np.intp]:
		if employee not in self.names:
			return np.empty(0, np.intp)
		return np.nonzero(self.people == self.names.index(employee))[0]

	def columns_of_templates(self, template_ids: Iterable[UUID]) -> npt.NDArray[np.intp]:
		wanted = {template_id.bytes for template_id in template_ids}
		return np.array([place for place, each in enumerate(self.ids.tolist()) if each in wanted], np.intp)

	def with_columns(self, columns: Floats, templates: Sequence[Template]) -> _Held:
		places = {name: place for place, name in enumerate(self.names)}
		people = []
		for template in templates:
			place = places.get(template.employee)
			if place is None:
				# A copy: the text of the template lies among what is freed, and would keep it resident.
				place = places[template.employee.encode().decode()] = len(places)
			people.append(place)
		ids = np.frombuffer(b"".join(template.template_id.bytes for template in templates), "V16")
		return _Held(
			np.hstack((self.matrix, columns)) if self.size else columns,
			np.concatenate((self.ids, ids)),
			np.concatenate((self.people, np.array(people, np.int32))),
			tuple(places),
		)

	def without(self, gone: npt.NDArray[np.intp]) -> _Held:
		if not gone.size:
			return self
		left, people = np.unique(np.delete(self.people, gone), return_inverse=True)
		return _Held(
			np.ascontiguousarray(np.delete(self.matrix, gone, axis=1)),
			np.delete(self.ids, gone),
			people.astype(np.int32),
			tuple(self.names[place] for place in left),
		)

	def search(self, embedding: Floats) -> Match | None:
		if not self.size:
			return None
		cosines: Floats = embedding @ self.matrix
		best = int(cosines.argmax())
		cosine, person = float(cosines[best]), int(self.people[best])
		cosines[self.people == person] = -1
		return Match(
			employee=self.names[person],
			template_id=UUID(bytes=self.ids[best].tobytes()),
			cosine=cosine,
			second=float(cosines.max()),
		)

	def cosine_with(self, employee: str, embedding: Floats) -> float:
		columns = self.columns_of(employee)
		return float((embedding @ self.matrix[:, columns]).max()) if columns.size else -1.0
