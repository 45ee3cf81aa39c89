"""What the JSON API takes and answers. Moments are ISO 8601; those of punches carry the terminal's offset."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from attendance_bridge.core.line import LINE, parse_line
from attendance_bridge.core.projection import State
from attendance_bridge.stores.corrections import MAX_WHY, Effect, Kind

MAX_PAGE = 500


class Error(Schema):
	error = fields.String(required=True, metadata={"description": "a stable code"})
	fields_ = fields.Dict(
		data_key="fields", metadata={"description": "what is wrong with which field (bad_value)"}
	)
	sentence = fields.String(metadata={"description": "the same for a person"})

	class Meta:
		unknown = "include"


class PunchQuery(Schema):
	day = fields.Date(metadata={"description": "only of this day, at the place of the agent"})
	state = fields.String(validate=validate.OneOf([state.value for state in State]))
	employee = fields.String(validate=validate.Length(1, 140))
	device = fields.String(
		validate=validate.Length(1, 140), metadata={"description": "name or serial number"}
	)
	device_user_id = fields.String(validate=validate.Length(1, 64))
	limit = fields.Integer(load_default=100, strict=False, validate=validate.Range(1, MAX_PAGE))
	before = fields.String(
		validate=validate.Regexp(r"^-?[0-9]{1,18}\.[0-9a-f]{32}\Z"),
		metadata={"description": "`next` of the page before"},
	)


class CorrectionView(Schema):
	kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in Kind]))
	why = fields.String(required=True)
	made_by = fields.String(required=True)
	made_at = fields.DateTime(required=True)
	effect = fields.String(required=True, validate=validate.OneOf([effect.value for effect in Effect]))


class Punch(Schema):
	punch_id = fields.UUID(required=True)
	occurred_at = fields.DateTime(required=True)
	wall_time = fields.String(required=True, metadata={"description": "as the terminal showed it"})
	device = fields.String(required=True)
	device_serial = fields.String(required=True)
	device_user_id = fields.String(required=True)
	employee = fields.String(required=True)
	name = fields.String(required=True)
	verify_mode = fields.String(required=True)
	log_type = fields.String(required=True, metadata={"description": "IN, OUT, or empty"})
	log_type_reason = fields.String(required=True)
	state = fields.String(required=True, validate=validate.OneOf([state.value for state in State]))
	state_reason = fields.String(required=True)
	error_code = fields.String(required=True)
	reference = fields.String(required=True)
	received_at = fields.DateTime(required=True, allow_none=True)
	by_hand = fields.Boolean(
		required=True, metadata={"description": "somebody entered it; no terminal has seen it"}
	)
	correction = fields.Nested(CorrectionView, required=True, allow_none=True)


class PunchPage(Schema):
	punches = fields.List(fields.Nested(Punch), required=True)
	next = fields.String(required=True, allow_none=True)


class PunchDetails(Punch):
	corrections = fields.List(fields.Nested(CorrectionView), required=True)


def reason(longest: int) -> fields.String:
	"""The field of a reason, for people."""

	def check(text: str) -> None:
		try:
			parse_line(text, longest)
		except ValueError as error:
			raise ValidationError(str(error)) from None

	return fields.String(
		required=True,
		validate=[validate.Length(1, longest), validate.Regexp(LINE), check],
		metadata={"description": "the reason, for people: one line of legible characters"},
	)


class CorrectionBody(Schema):
	kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in Kind]))
	why = reason(MAX_WHY)


class CorrectionAnswer(Schema):
	effect = fields.String(required=True, validate=validate.OneOf([effect.value for effect in Effect]))
	sentence = fields.String(required=True)


ENROLLMENT = ("enrolled", "again", "missing", "unknown")


class PeopleQuery(Schema):
	q = fields.String(
		load_default="", validate=validate.Length(0, 140), metadata={"description": "part of name or id"}
	)
	enrolled = fields.Boolean(metadata={"description": "only people with, or only without, a template"})
	enrollment = fields.String(validate=validate.OneOf(ENROLLMENT))
	limit = fields.Integer(load_default=100, validate=validate.Range(1, MAX_PAGE))
	offset = fields.Integer(load_default=0, validate=validate.Range(0, 1_000_000))


class PersonView(Schema):
	employee = fields.String(required=True)
	attendance_device_id = fields.String(required=True)
	full_name = fields.String(required=True)
	status = fields.String(required=True)
	department = fields.String(required=True)
	designation = fields.String(required=True)
	enrollment = fields.String(
		required=True,
		validate=validate.OneOf(ENROLLMENT),
		metadata={"description": "again: only with templates of another model; unknown: no gallery here"},
	)
	templates = fields.Integer(required=True)


class PeoplePage(Schema):
	people = fields.List(fields.Nested(PersonView), required=True)
	total = fields.Integer(required=True)


class AnyObject(Schema):
	"""Facts that grow with the agent."""

	def dump(self, obj: Any, *, many: bool | None = None) -> Any:
		return obj

	class Meta:
		unknown = "include"


class Upstream(Schema):
	text = fields.String(required=True)
	tone = fields.String(required=True)


class Total(Schema):
	label = fields.String(required=True)
	count = fields.Integer(required=True)
	tone = fields.String(required=True)


class Terminal(Schema):
	name = fields.String(required=True)
	serial = fields.String(required=True)
	model = fields.String(required=True)
	driver = fields.String(required=True)
	state = fields.String(required=True)
	tone = fields.String(required=True, metadata={"description": "good, wait, bad, quiet or empty"})
	last_seen = fields.DateTime(required=True, allow_none=True)
	clock = fields.String(required=True)
	holds = fields.String(required=True)
	watermark = fields.String(required=True, metadata={"description": "up to when all its punches are here"})
	problem = fields.String(required=True, metadata={"description": "what is wrong and what to do"})
	done = fields.Integer(metadata={"description": "records read of this pull, while it is under way"})
	expected = fields.Integer(allow_none=True)


class Terminals(AnyObject):
	devices = fields.List(fields.Nested(Terminal), required=True)


class BoardCheckin(Schema):
	punch_id = fields.UUID(required=True)
	time = fields.String(required=True, metadata={"description": "as the terminal showed it"})
	person = fields.String(required=True)
	log_type = fields.String(required=True)
	reason = fields.String(required=True)


class BoardPunch(Schema):
	punch_id = fields.UUID(required=True)
	time = fields.String(required=True, metadata={"description": "as the terminal showed it"})
	device = fields.String(required=True)
	device_user_id = fields.String(required=True)
	state = fields.String(required=True)
	tone = fields.String(required=True)
	reason = fields.String(required=True)


class Board(AnyObject):
	now = fields.DateTime(required=True)
	upstream = fields.Nested(Upstream, required=True)
	totals = fields.List(fields.Nested(Total), required=True)
	devices = fields.List(fields.Nested(Terminal), required=True)
	checkins = fields.List(fields.Nested(BoardCheckin), required=True)
	punches = fields.List(fields.Nested(BoardPunch), required=True)


class AuditQuery(Schema):
	limit = fields.Integer(load_default=100, validate=validate.Range(1, MAX_PAGE))
	before = fields.Integer(validate=validate.Range(1, 2**63 - 1))


class AuditEntry(Schema):
	entry = fields.Integer(required=True)
	at = fields.DateTime(required=True)
	who = fields.String(required=True)
	address = fields.String(required=True)
	act = fields.String(required=True)
	subject = fields.String(required=True)
	details = fields.String(required=True)


class AuditPage(Schema):
	entries = fields.List(fields.Nested(AuditEntry), required=True)


class TestBody(Schema):
	name = fields.String(
		required=True,
		validate=validate.Length(0, 140),
		metadata={"description": "a terminal; empty for the upstream"},
	)


class TestAnswer(Schema):
	ok = fields.Boolean(required=True)
	text = fields.String(required=True)
