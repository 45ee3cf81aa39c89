"""Whether a face may be kept, and the proof that it is not kept any more. Nothing here is biometric."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
	"""One time that a person agreed to be recognised."""

	employee: str
	given_at: datetime
	"""Aware."""
	text_version: str
	"""How the company calls the text that was agreed to."""
	text_sha256: str
	"""Of that text in UTF-8, in hexadecimal digits: proves later which words they were."""
	withdrawn_at: datetime | None = None
	"""Aware; None while it holds."""
	text_language: str = ""
	"""Code of the language of the text, such as `en`; empty if nobody has said."""
	given_to: str = ""
	"""Who heard it: the edge agent and who stood beside it, or a user of the site."""

	def __post_init__(self) -> None:
		if not self.employee:
			raise ValueError("a consent is somebody's")
		if self.given_at.tzinfo is None or (self.withdrawn_at and self.withdrawn_at.tzinfo is None):
			raise ValueError("the moments of a consent must be aware")
		if len(self.text_sha256) != 64 or set(self.text_sha256) - set("0123456789abcdef"):
			raise ValueError("text_sha256 is no SHA-256 in hexadecimal digits")

	@property
	def holds(self) -> bool:
		return self.withdrawn_at is None


class ErasureReason(str, Enum):
	"""Why somebody's templates were erased."""

	WITHDRAWN = "withdrawn"
	"""The person took the consent back."""
	ASKED = "asked"
	"""An authorised person erased them."""
	LEFT = "left"
	"""The person left the company, and the time of retention is over."""
	REPLACED = "replaced"
	"""The site's list holds others, or none, of this person."""
	KEY_LOST = "key_lost"
	"""Nobody can open them any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
	"""The record that proves that templates of somebody were erased."""

	employee: str
	erased_at: datetime
	"""Aware."""
	reason: ErasureReason
	erased_by: str
	"""Who or what did it: a user, the agent, the site."""
	templates: int
	pictures: int
	ids_sha256: str
	"""See `digest_of`: whoever knows the ids (the site, a backup) can tell that these were the ones."""
	traces_gone_at: datetime | None = None
	"""When the last copy of their bytes had left the files of the database; None if that is still to come."""


def digest_of(template_ids: Iterable[UUID]) -> str:
	"""SHA-256 over the 16 bytes of each id, in ascending order, as hexadecimal digits."""
	return hashlib.sha256(b"".join(sorted(each.bytes for each in template_ids))).hexdigest()
