"""Keeps the gallery and a site that keeps faces in step: what was captured or withdrawn here is told, what
others captured is taken over, what is to be erased is erased and confirmed."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from attendance_bridge.core.consent import ErasureReason
from attendance_bridge.core.driver import Now
from attendance_bridge.core.faces import FacePage, FaceUpstream, TemplateReceipt
from attendance_bridge.core.upstream import Outcome
from attendance_bridge.edge.errand import Errand
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.stores.gallery import Gallery
from attendance_bridge.stores.site_faces import SiteFaces

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
TEMPLATES_AT_ONCE = 50
CONSENTS_AT_ONCE = 500
ERASURES_AT_ONCE = 500
MOST_MODELS = 8
"""What a site answers for at a time."""
MAX_PAGES = 100_000
"""More than any site has: an answer that never ends is not followed for ever."""


class FaceSync(Errand):
	"""The one thread that talks with the site about faces."""

	name = "faces"
	# Each look asks the gallery for its revision.
	look_every_seconds = 1.0

	def __init__(
		self,
		*,
		upstream: FaceUpstream,
		gallery: Gallery,
		faces: SiteFaces,
		models: Callable[[], Sequence[str]],
		templates_stay: bool = False,
		now: Now,
		pulse: Pulse,
		on_change: Callable[[], None] = lambda: None,
		chance: Callable[[], float] = random.random,
	) -> None:
		"""
		:param models: the models whose templates are of use here.
		:param templates_stay: nothing of a face is sent or fetched; consents and erasures go both ways all
			the same.
		:param on_change: called when the gallery may have changed.
		"""
		super().__init__(now, chance)
		self._upstream = upstream
		self._gallery = gallery
		self._faces = faces
		self._models = models
		self._templates_stay = templates_stay or not upstream.is_sealed
		if self._templates_stay and not templates_stay:
			logger.warning(
				"the way to the site is not encrypted, or nobody checks its certificate: templates of faces"
				" stay here, and none is fetched"
			)
		self._pulse = pulse
		self._on_change = on_change
		self._revision = -1
		self._token = ""
		self._seen: set[str] | None = None
		"""Who was in the pages of a whole list so far; None while only changes are read."""

	def _pause(self) -> timedelta:
		# Another process (the command line) may have erased or enrolled somebody.
		news = self._news.is_set() or self._gallery.revision() != self._revision
		return timedelta(0) if news else EVERY

	def _do(self) -> None:
		"""Tell, ask, obey, confirm: after it both sides know the same."""
		revision = self._gallery.revision()
		try:
			self._tell_erasures()
			self._tell_consents()
			if not self._templates_stay:
				self._tell_templates()
			# After those that took their place: nobody is unknown elsewhere in between.
			self._tell_replaced()
			self._take_over()
			self._confirm()
		finally:
			self._revision = self._gallery.revision()
			if self._revision != revision:
				self._pulse.beat()
				self._on_change()

	def _tell_erasures(self) -> None:
		"""First of all: what was taken back here must not go on anywhere else for a moment longer."""
		while True:
			withdrawals = self._faces.untold_acts(ErasureReason.WITHDRAWN, ERASURES_AT_ONCE)
			requests = self._faces.untold_acts(ErasureReason.ASKED, ERASURES_AT_ONCE)
			if not withdrawals and not requests:
				return
			self._upstream.tell_erasures(
				[act for _number, act in withdrawals], [act for _number, act in requests], []
			)
			self._faces.acts_told(number for number, _act in withdrawals + requests)

	def _tell_consents(self) -> None:
		while True:
			consents = self._faces.untold_consents(CONSENTS_AT_ONCE)
			if not consents:
				return
			self._upstream.bring_faces(consents, [], [])
			self._faces.consents_told(consents)

	def _tell_replaced(self) -> None:
		while replaced := self._faces.replaced(CONSENTS_AT_ONCE):
			self._upstream.bring_faces([], [], replaced)
			self._faces.replaced_told(replaced)

	def _tell_templates(self) -> None:
		while templates := self._gallery.untold(TEMPLATES_AT_ONCE):
			receipts = self._upstream.bring_faces([], templates, [])
			self._gallery.mark_told(_those(receipts, Outcome.ACCEPTED, Outcome.DUPLICATE))
			refused = _those(receipts, Outcome.REJECTED, Outcome.UNMAPPED)
			self._faces.refused(refused)
			for receipt in receipts:
				if receipt.template_id in refused:
					logger.warning(
						"the site does not take template %s (%s)", receipt.template_id, receipt.code
					)
			if any(receipt.outcome is Outcome.RETRY for receipt in receipts):
				# The site keeps none now; what it was not told of stays here.
				return

	def _take_over(self) -> None:
		for _page in range(MAX_PAGES):
			page = self._page()
			if page.whole:
				self._seen = set()
			self._faces.take(page, self._now(), models=self._wanted())
			if self._seen is not None:
				self._seen |= {person.employee for person in page.people}
			self._token = page.token
			if page.more:
				continue
			if self._seen is not None:
				self._faces.keep_only(self._seen, self._now())
				self._seen = None
			self._faces.obey(page.erasures, self._now())
			return

	def _page(self) -> FacePage:
		if not self._templates_stay:
			return self._upstream.faces(self._token, self._wanted())
		# As if the site kept none: what was captured here stays.
		return replace(self._upstream.faces(self._token, ()), central=False)

	def _wanted(self) -> list[str]:
		"""The models in use, and those that were captured with here before: what becomes of these elsewhere
		is to be known too."""
		return list(dict.fromkeys([*self._models(), *self._faces.models_captured()]))[:MOST_MODELS]

	def _confirm(self) -> None:
		while obeyed := self._faces.unconfirmed(ERASURES_AT_ONCE):
			self._upstream.tell_erasures([], [], obeyed)
			self._faces.confirmed(obeyed)


def _those(receipts: Sequence[TemplateReceipt], *outcomes: Outcome) -> list[UUID]:
	return [receipt.template_id for receipt in receipts if receipt.outcome in outcomes]
