"""The gallery's copy in memory that faces are compared with."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from uuid import UUID

from attendance_bridge.core.errors import RecognitionError
from attendance_bridge.core.template import Template
from attendance_bridge.recognition.matcher import Matcher
from attendance_bridge.stores.gallery import Gallery

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often to ask whether the gallery has changed, perhaps through another process."""


class GalleryMirror:
	"""Keeps a matcher as the gallery is. Any thread may refresh it, and search the matcher."""

	def __init__(
		self, gallery: Gallery, matcher: Matcher, *, monotonic: Callable[[], float] = time.monotonic
	) -> None:
		self.matcher = matcher
		self._gallery = gallery
		self._monotonic = monotonic
		self._turn = threading.Lock()
		self._revision = -1
		self._looked_at = float("-inf")
		self._held: dict[str, frozenset[UUID]] = {}

	def refresh(self, *, now: bool = False) -> bool:
		"""Take over what has changed; True if anything has. Asks at most once in LOOK_SECONDS.

		Of whoever was erased nothing stays in the matrix.

		:param now: ask in any case.
		:raises StoreError: the gallery cannot be read; the copy stays as it was.
		"""
		with self._turn:
			if not now and self._monotonic() - self._looked_at < LOOK_SECONDS:
				return False
			self._looked_at = self._monotonic()
			# Read before the templates: what changes in between is taken over the next time.
			revision = self._gallery.revision()
			if revision == self._revision:
				return False
			self._take_over()
			self._revision = revision
			return True

	def clear(self) -> bool:
		"""Know nobody, because nobody can say who may be known; True if that is news."""
		with self._turn:
			held, self._held, self._revision = self._held, {}, -1
			for employee in held:
				self.matcher.remove(employee)
			return bool(held)

	def _take_over(self) -> None:
		by_employee: dict[str, list[Template]] = {}
		for template in self._gallery.all(self.matcher.model):
			by_employee.setdefault(template.employee, []).append(template)
		new: list[Template] = []
		for employee in self._held.keys() | by_employee.keys():
			templates = by_employee.get(employee, [])
			if self._held.get(employee) == frozenset(each.template_id for each in templates):
				continue
			self.matcher.remove(employee)
			new += templates
		self._add(new)
		self._held = {
			employee: frozenset(each.template_id for each in templates)
			for employee, templates in by_employee.items()
		}

	def _add(self, templates: list[Template]) -> None:
		try:
			self.matcher.add(templates)
		except RecognitionError:
			for template in templates:
				self._add_if_fit(template)

	def _add_if_fit(self, template: Template) -> None:
		"""One that is no embedding of this model must not keep everybody else from being known."""
		try:
			self.matcher.add([template])
		except RecognitionError as error:
			logger.error("the template %s is left out: %s", template.template_id, error)
