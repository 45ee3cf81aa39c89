"""Templates and consents as agents send them, read into what `core` has for them. Hostile until then."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from attendance_bridge.bench.sent_fields import BadFieldError, SentFields, spell_moment
from attendance_bridge.core.consent import Consent
from attendance_bridge.core.template import BYTES_A_NUMBER, MAX_DIMENSION, Pose, Template

MAX_VECTOR_TEXT = 4 * math.ceil(MAX_DIMENSION * BYTES_A_NUMBER / 3)
_LENGTH_TOLERANCE = 0.01
"""How far an embedding may be from length 1: float16 somewhere on its way costs less."""

T = TypeVar("T")


def read_template(sent: object, now: datetime) -> Template:
	"""
	:raises ValueError: it is no template (a BadFieldError is one too).
	"""
	fields = SentFields(sent)
	spelt = fields.text("template_id", 36)
	template_id = UUID(spelt)
	if str(template_id) != spelt:
		raise BadFieldError("template_id")
	template = Template(
		template_id=template_id,
		employee=_word(fields, "employee"),
		model=_word(fields, "model"),
		vector=base64.b64decode(fields.text("vector", MAX_VECTOR_TEXT), validate=True),
		pose=Pose(fields.text("pose", default=Pose.FRONT.value)),
		quality=max(fields.number("quality", 1.0) or 0.0, 0.0),
		captured_at=_second(fields, "captured_at", now),
		captured_by=fields.label("captured_by"),
	)
	numbers = struct.unpack(f"<{template.dimension}f", template.vector)
	length = math.sqrt(math.fsum(number * number for number in numbers if math.isfinite(number)))
	if not all(map(math.isfinite, numbers)) or abs(length - 1) > _LENGTH_TOLERANCE:
		raise BadFieldError("vector")
	return template


def read_consent(fields: SentFields, now: datetime) -> Consent:
	"""
	:raises BadFieldError: it is no consent.
	"""
	withdrawn_at = fields.moment("withdrawn_at")
	return _or_bad(
		"consents",
		lambda: Consent(
			employee=_word(fields, "employee"),
			given_at=_second(fields, "given_at", now),
			text_version=fields.label("text_version"),
			text_sha256=fields.text("text_sha256", 64),
			withdrawn_at=_whole(withdrawn_at, now) if withdrawn_at else None,
			text_language=fields.label("text_language")[:20],
			given_to=fields.label("given_to"),
		),
	)


def read_act(fields: SentFields, now: datetime) -> tuple[str, datetime, str]:
	"""A withdrawal or a request: employee, moment, by whom.

	:raises BadFieldError: it is none.
	"""
	return _word(fields, "employee"), _second(fields, "at", now), fields.label("by")


def spell_template(row: Any, captured_at: datetime, vector: bytes | None) -> dict[str, Any]:
	"""
	:param row: of Face Template.
	:param vector: None if it does not open.
	"""
	return {
		"template_id": row.name,
		"employee": row.employee,
		"model": row.model,
		"pose": row.pose or Pose.FRONT.value,
		"quality": row.quality,
		"captured_at": spell_moment(captured_at),
		"captured_by": row.captured_by or "",
		"vector": base64.b64encode(vector).decode() if vector else "",
	}


def _word(fields: SentFields, name: str) -> str:
	"""A name of something: there, and printable."""
	value = fields.text(name)
	if not value or not value.isprintable():
		raise BadFieldError(name)
	return value


def _second(fields: SentFields, name: str, now: datetime) -> datetime:
	moment = fields.moment(name)
	if moment is None:
		raise BadFieldError(name)
	return _whole(moment, now)


def _whole(moment: datetime, now: datetime) -> datetime:
	"""A moment that has been, to the second."""
	return min(moment, now).replace(microsecond=0)


def _or_bad(path: str, read: Callable[[], T]) -> T:
	try:
		return read()
	except BadFieldError:
		raise
	except ValueError:
		raise BadFieldError(path) from None
