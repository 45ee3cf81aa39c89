"""Faces on the wire; see docs/protocols/agent-api.md. What does not read as it must is GARBAGE."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from attendance_bridge.core.consent import Consent, Erasure, ErasureReason
from attendance_bridge.core.faces import ErasureOrder, FacePage, Obeyed, PersonFaces, TemplateReceipt
from attendance_bridge.core.template import Pose, Template
from attendance_bridge.core.upstream import Outcome
from attendance_bridge.upstreams.frappe_bridge.fields import (
	Json,
	flag_of,
	garbage,
	number_of,
	read_list,
	read_moment,
	read_object,
	spell_moment,
	text_of,
)

TEMPLATES = "/api/method/attendance_bridge.api.edge.templates"
FACES = "/api/method/attendance_bridge.api.edge.faces"
ERASURES = "/api/method/attendance_bridge.api.edge.erasures"

PEOPLE_AT_ONCE = 100
_MAX_PEOPLE = 10_000
_MAX_TEMPLATES = 10_000
_MAX_ERASURES = 500
_MAX_TOKEN_LENGTH = 1_000
_REASONS = {
	"withdrawn": ErasureReason.WITHDRAWN,
	"left": ErasureReason.LEFT,
	"requested": ErasureReason.ASKED,
}

T = TypeVar("T")


def spell_bringing(
	consents: Sequence[Consent], templates: Sequence[Template], replaced: Sequence[UUID]
) -> Json:
	return {
		"consents": [_spell_consent(each) for each in consents],
		"templates": [_spell_template(each) for each in templates],
		"replaced": [str(each) for each in replaced],
	}


def _spell_consent(consent: Consent) -> Json:
	return {
		"employee": consent.employee,
		"given_at": spell_moment(consent.given_at),
		"text_version": consent.text_version,
		"text_sha256": consent.text_sha256,
		"text_language": consent.text_language,
		"given_to": consent.given_to,
		"withdrawn_at": spell_moment(consent.withdrawn_at),
	}


def _spell_template(template: Template) -> Json:
	return {
		"template_id": str(template.template_id),
		"employee": template.employee,
		"model": template.model,
		"pose": template.pose.value,
		"quality": template.quality,
		"captured_at": spell_moment(template.captured_at),
		"captured_by": template.captured_by,
		"vector": base64.b64encode(template.vector).decode(),
	}


def read_receipts(message: object, templates: Sequence[Template]) -> list[TemplateReceipt]:
	"""
	:raises UpstreamError: GARBAGE.
	"""
	rows = read_list(read_object(message).get("receipts"), len(templates))
	if len(rows) != len(templates):
		raise garbage()
	return [_read_receipt(read_object(row), template) for row, template in zip(rows, templates, strict=True)]


def _read_receipt(row: Json, template: Template) -> TemplateReceipt:
	if text_of(row, "template_id") != str(template.template_id):
		raise garbage()
	outcome = _parsed(lambda: Outcome(text_of(row, "outcome")))
	return TemplateReceipt(template_id=template.template_id, outcome=outcome, code=text_of(row, "reason"))


def read_page(message: object) -> FacePage:
	"""
	:raises UpstreamError: GARBAGE.
	"""
	page = read_object(message)
	token, central = page.get("token"), page.get("central")
	if not isinstance(token, str) or not 0 < len(token) <= _MAX_TOKEN_LENGTH or not isinstance(central, bool):
		raise garbage()
	return FacePage(
		central=central,
		whole=flag_of(page, "whole"),
		more=flag_of(page, "more"),
		token=token,
		people=tuple(_person(read_object(row)) for row in read_list(page.get("people"), _MAX_PEOPLE)),
		gone=tuple(str(name) for name in read_list(page.get("gone", []), _MAX_PEOPLE)),
		erasures=tuple(
			_order(read_object(row)) for row in read_list(page.get("erasures", []), _MAX_ERASURES)
		),
	)


def _person(row: Json) -> PersonFaces:
	employee = text_of(row, "employee", needed=True)
	consent = row.get("consent")
	templates: list[Template] = []
	locked: set[UUID] = set()
	for each in read_list(row.get("templates", []), _MAX_TEMPLATES):
		sent = read_object(each)
		if not sent.get("vector"):
			locked.add(_id(sent))
		else:
			templates.append(_template(sent, employee))
	return PersonFaces(
		employee=employee,
		consent=None if consent is None else _consent(read_object(consent), employee),
		templates=tuple(templates),
		locked=frozenset(locked),
	)


def _template(row: Json, employee: str) -> Template:
	vector = row.get("vector")
	if not isinstance(vector, str):
		raise garbage()
	return _parsed(
		lambda: Template(
			template_id=_id(row),
			employee=employee,
			model=text_of(row, "model", needed=True),
			vector=base64.b64decode(vector, validate=True),
			pose=Pose(text_of(row, "pose") or Pose.FRONT.value),
			quality=number_of(row, "quality", 0),
			captured_at=read_moment(row.get("captured_at")),
			captured_by=text_of(row, "captured_by"),
		)
	)


def _consent(row: Json, employee: str) -> Consent:
	withdrawn_at = row.get("withdrawn_at")
	return _parsed(
		lambda: Consent(
			employee=employee,
			given_at=read_moment(row.get("given_at")),
			text_version=text_of(row, "text_version"),
			text_sha256=text_of(row, "text_sha256"),
			withdrawn_at=None if withdrawn_at is None else read_moment(withdrawn_at),
			text_language=text_of(row, "text_language"),
			given_to=text_of(row, "given_to"),
		)
	)


def _order(row: Json) -> ErasureOrder:
	reason = _REASONS.get(text_of(row, "reason"))
	if reason is None:
		raise garbage()
	return ErasureOrder(
		erasure=text_of(row, "erasure", needed=True),
		employee=text_of(row, "employee", needed=True),
		reason=reason,
		at=read_moment(row.get("at")),
	)


def spell_erasures(
	withdrawals: Sequence[Erasure], requests: Sequence[Erasure], obeyed: Sequence[Obeyed]
) -> Json:
	return {
		"withdrawals": [_spell_act(each) for each in withdrawals],
		"requests": [_spell_act(each) for each in requests],
		"confirmed": [
			{
				"erasure": each.erasure,
				"at": spell_moment(each.at),
				"templates": each.templates,
				"traces_gone_at": spell_moment(each.traces_gone_at),
			}
			for each in obeyed
		],
	}


def _spell_act(erasure: Erasure) -> Json:
	return {"employee": erasure.employee, "at": spell_moment(erasure.erased_at), "by": erasure.erased_by}


def _id(row: Json) -> UUID:
	return _parsed(lambda: UUID(text_of(row, "template_id", needed=True)))


def _parsed(make: Callable[[], T]) -> T:
	try:
		return make()
	except ValueError:
		raise garbage() from None
