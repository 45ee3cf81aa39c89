"""What the calls of enrollments take and answer."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from attendance_bridge.core.template import Pose
from attendance_bridge.edge.enrollment import session
from attendance_bridge.edge.enrollment.advice import Advice
from attendance_bridge.edge.enrollment.entry import Source

LONGEST = validate.Length(max=140)
_POSE = validate.OneOf([pose.value for pose in Pose])


class PeopleQuery(Schema):
	q = fields.String(
		load_default="",
		validate=LONGEST,
		metadata={"description": "words of the name, the code, the attendance number or the department"},
	)
	initial = fields.String(
		load_default="",
		validate=validate.Length(max=4),
		metadata={"description": "the first letter of the name"},
	)


class FoundPerson(Schema):
	employee = fields.String(required=True)
	name = fields.String(required=True)
	department = fields.String(required=True)
	templates = fields.Integer(required=True, metadata={"description": "of the model in use"})
	again = fields.Boolean(required=True, metadata={"description": "has templates of other models only"})


class PeopleFound(Schema):
	people = fields.List(fields.Nested(FoundPerson), required=True)
	found = fields.Integer(required=True, metadata={"description": "with those that are not listed"})
	initials = fields.List(fields.String(), required=True)


class ConsentWords(Schema):
	version = fields.String(required=True)
	text = fields.String(required=True)
	sha256 = fields.String(required=True, metadata={"description": "of the text in UTF-8"})
	required = fields.Boolean(required=True)


class Beginning(Schema):
	employee = fields.String(required=True, validate=validate.Length(1, 140))
	source = fields.String(required=True, validate=validate.OneOf([source.value for source in Source]))
	consent_sha256 = fields.String(
		load_default="",
		validate=LONGEST,
		metadata={"description": "of the words that the person saw and agreed to"},
	)
	replace = fields.Boolean(
		load_default=True,
		truthy={True},
		falsy={False},
		metadata={"description": "erase former templates of the model in use"},
	)
	accepted = fields.List(
		fields.String(validate=LONGEST),
		load_default=(),
		validate=validate.Length(max=10),
		metadata={"description": "employees whom this person may look like: somebody has compared them"},
	)


class PoseState(Schema):
	pose = fields.String(required=True, validate=_POSE)
	captured = fields.Boolean(required=True)


class SeenFace(Schema):
	box = fields.List(
		fields.Float(),
		required=True,
		metadata={"description": "left, top, right, bottom as shares of the picture"},
	)
	yaw = fields.Float(required=True, metadata={"description": "positive to the person's own left"})
	pitch = fields.Float(required=True, metadata={"description": "positive upwards"})


class State(Schema):
	id = fields.String(required=True)
	employee = fields.String(required=True)
	name = fields.String(required=True)
	source = fields.String(required=True, validate=validate.OneOf([source.value for source in Source]))
	state = fields.String(required=True, validate=validate.OneOf([state.value for state in session.State]))
	over = fields.Boolean(required=True)
	pose = fields.String(
		required=True, allow_none=True, validate=_POSE, metadata={"description": "which is next"}
	)
	poses = fields.List(fields.Nested(PoseState), required=True)
	progress = fields.Float(required=True, metadata={"description": "share of the poses, 0 to 1"})
	held = fields.Float(required=True, metadata={"description": "how far the next pose is validated"})
	advice = fields.List(
		fields.String(validate=validate.OneOf([advice.value for advice in Advice])),
		required=True,
		metadata={"description": "what keeps the last picture from being a shot, the most urgent first"},
	)
	face = fields.Nested(SeenFace, required=True, allow_none=True)
	owner = fields.String(
		required=True,
		allow_none=True,
		metadata={"description": "the employee whose face it is, in the state taken"},
	)
	error = fields.String(required=True, allow_none=True)
