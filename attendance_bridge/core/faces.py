"""A site that keeps faces for its agents: what the two tell each other about templates and their end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from attendance_bridge.core.consent import Consent, Erasure, ErasureReason
from attendance_bridge.core.relay import DecidingUpstream
from attendance_bridge.core.template import Template
from attendance_bridge.core.upstream import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateReceipt:
	"""The site's answer on one template: ACCEPTED, REJECTED (kept here, not sent again) or RETRY."""

	template_id: UUID
	outcome: Outcome
	code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFaces:
	"""Everything that the site has of one person for the models that were asked for."""

	employee: str
	consent: Consent | None
	"""The latest."""
	templates: tuple[Template, ...]
	locked: frozenset[UUID] = frozenset()
	"""Templates that the site has and cannot open at present: what is held of them stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureOrder:
	"""An erasure that the site wants carried out: of all that was captured no later than `at`."""

	erasure: str
	"""The site's name for it."""
	employee: str
	reason: ErasureReason
	at: datetime
	"""Aware, whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FacePage:
	"""A stretch of what has changed."""

	central: bool
	"""Whether the site keeps templates at all."""
	whole: bool
	"""Whoever is in none of the pages from here on is gone."""
	more: bool
	token: str
	people: tuple[PersonFaces, ...]
	gone: tuple[str, ...]
	erasures: tuple[ErasureOrder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obeyed:
	"""An order that was carried out."""

	erasure: str
	at: datetime
	templates: int
	traces_gone_at: datetime | None
	"""See `core.consent.Erasure.traces_gone_at`."""


class FaceUpstream(DecidingUpstream, Protocol):
	"""A receiver with `spec.keeps_faces`. Every method may raise `UpstreamError`."""

	@property
	def is_sealed(self) -> bool:
		"""Whether nobody on the way reads along: templates go over TLS only, or within one machine."""

	def bring_faces(
		self, consents: Sequence[Consent], templates: Sequence[Template], replaced: Sequence[UUID]
	) -> list[TemplateReceipt]:
		"""Hand over what was captured here: at most 100 templates, at most 1,000 consents, and at most 1,000
		ids of templates that newer ones took the place of. Sending twice is free."""

	def faces(self, token: str, models: Sequence[str]) -> FacePage:
		"""Ask for what has changed since a token; the empty one asks for everybody."""

	def tell_erasures(
		self, withdrawals: Sequence[Erasure], requests: Sequence[Erasure], obeyed: Sequence[Obeyed]
	) -> None:
		"""Tell of consents taken back and templates erased here, and of orders carried out; 500 of each."""
