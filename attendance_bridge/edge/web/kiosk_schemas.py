"""What the calls of the kiosk take and answer."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from attendance_bridge.edge.vision.ports import Answer, Choice
from attendance_bridge.edge.web.api.schemas import AnyObject

LONGEST_ANSWER = 64
_CHOICE = validate.OneOf([choice.value for choice in Choice])


class LatePunch(Schema):
	punch_id = fields.UUID(required=True)
	time = fields.String(required=True, metadata={"description": "as the clock of the place showed it"})
	name = fields.String(required=True, metadata={"description": "as `[kiosk] names` wants people called"})
	log_type = fields.String(required=True, metadata={"description": "IN, OUT, or empty"})
	state = fields.String(required=True, validate=validate.OneOf(["waits", "problem", "done"]))


class KioskStatus(AnyObject):
	type = fields.String(required=True, validate=validate.Equal("status"))
	faces = fields.List(fields.Dict(), required=True, metadata={"description": "empty; every event has it"})
	camera = fields.String(
		required=True, metadata={"description": "opening, open, lost, ended (a recording) or stopped"}
	)
	camera_since = fields.DateTime(required=True)
	model = fields.Boolean(required=True, metadata={"description": "whether faces can be recognised"})
	generated = fields.Boolean(required=True, metadata={"description": "only drawn faces are"})
	people = fields.Integer(required=True, metadata={"description": "how many can be recognised"})
	offline = fields.Boolean(required=True)
	waiting = fields.Integer(required=True, metadata={"description": "punches that wait for the upstream"})
	choice = fields.String(required=True, validate=_CHOICE)
	punches = fields.List(fields.Nested(LatePunch), required=True, metadata={"description": "of today"})


class KioskEvent(AnyObject):
	"""One of `hello`, `status`, `alive`, and what happens before the camera."""

	type = fields.String(required=True)
	faces = fields.List(
		fields.Dict(), required=True, metadata={"description": "box, state and name of who is recognised"}
	)
	at = fields.DateTime()


class ChoiceBody(Schema):
	choice = fields.String(required=True, validate=_CHOICE, metadata={"description": "for the next punch"})


class ChoiceAnswer(Schema):
	choice = fields.String(required=True, validate=_CHOICE)
	seconds = fields.Float(required=True, metadata={"description": "for how long it waits for its punch"})


class FactorBody(Schema):
	ticket = fields.String(
		required=True,
		validate=validate.Length(0, LONGEST_ANSWER),
		metadata={"description": "of the event second_factor"},
	)
	secret = fields.String(
		required=True, validate=validate.Length(0, LONGEST_ANSWER), metadata={"description": "PIN or badge"}
	)


class FactorAnswer(Schema):
	answer = fields.String(required=True, validate=validate.OneOf([answer.value for answer in Answer]))
