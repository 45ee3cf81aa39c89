"""The enrollment page, and enrollments for programs under /api/v1/enrollments."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from attendance_bridge import __version__
from attendance_bridge.core.errors import RecognitionError
from attendance_bridge.edge.enrollment.entry import Enrollment, Refusal, RefusedError, Source, Start, as_json
from attendance_bridge.edge.enrollment.people import listing
from attendance_bridge.edge.enrollment.pictures import MAX_FRAME_BYTES, MAX_PHOTO_BYTES, PictureError
from attendance_bridge.edge.enrollment.service import Enrollments
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.web.access.guard import caller, needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.answers import dump, error_answer, json_answer
from attendance_bridge.edge.web.languages import AUTO, choose
from attendance_bridge.edge.web.services import services
from attendance_bridge.edge.web.streams import stream

LONGEST_TEXT = 140
MOST_ACCEPTED = 10
TICK_SECONDS = 1.0
"""How often a stream looks whether an enrollment has run out of time."""
LEAST_SECONDS = 0.1
"""States closer together than this are told together."""

_STATUS = {
	Refusal.NO_SUCH_PERSON: 404,
	Refusal.NO_SUCH_ENROLLMENT: 404,
	Refusal.CONSENT_MISSING: 422,
}
"""Of the other refusals: 409, it may be possible another time."""

blueprint = Blueprint("enrollment", __name__)


def _enrollments() -> Enrollments:
	found = services().enrollment
	if found is None:
		abort(404)
	return found


@blueprint.errorhandler(RefusedError)
def _refused(error: RefusedError) -> Response:
	return error_answer(_STATUS.get(error.refusal, 409), error.refusal.value)


@blueprint.errorhandler(PictureError)
def _no_picture(error: PictureError) -> Response:
	return error_answer(400, error.problem.value)


@blueprint.errorhandler(RecognitionError)
def _no_networks(error: RecognitionError) -> Response:
	return error_answer(503, error.code.value, sentence=sentence(error))


@blueprint.get("/enroll")
@needs(Scope.ENROLL)
def show_enrollment() -> str:
	enrollments, settings = _enrollments(), services().settings
	language = settings.vision.kiosk.language if settings and settings.vision else AUTO
	return render_template(
		"enrollment.html",
		here="enrollment",
		csrf=True,
		consent=enrollments.consent_text,
		consent_required=enrollments.consent_required,
		has_camera=enrollments.has_camera,
		language=choose(language, request.accept_languages),
		version=__version__,
	)


@blueprint.get("/api/v1/enrollments/people")
@needs(Scope.ENROLL)
def list_people() -> Response:
	roster = services().roster
	found = listing(
		roster.people() if roster else (),
		_enrollments().templates(),
		query=request.args.get("q", "")[:LONGEST_TEXT],
		initial=request.args.get("initial", "")[:1],
	)
	return json_answer(found)


@blueprint.get("/api/v1/enrollments/consent")
@needs(Scope.ENROLL)
def give_consent_text() -> Response:
	enrollments = _enrollments()
	text = enrollments.consent_text
	return json_answer(
		{
			"version": text.version,
			"text": text.text,
			"sha256": text.sha256,
			"required": enrollments.consent_required,
		}
	)


@blueprint.post("/api/v1/enrollments")
@needs(Scope.ENROLL)
def begin() -> Response:
	asking = caller()
	body = request.get_json(silent=True)
	if not isinstance(body, dict):
		return error_answer(400, "no_json")
	try:
		source = Source(_text(body, "source"))
	except ValueError:
		return error_answer(400, "bad_value", name="source")
	entry = _enrollments().start(
		Start(
			employee=_text(body, "employee"),
			source=source,
			consent_sha256=_text(body, "consent_sha256", ""),
			replace=_flag(body, "replace", default=True),
			accepted=_texts(body, "accepted"),
			who=asking.who,
			address=asking.address,
		)
	)
	return json_answer(as_json(entry), 201)


@blueprint.get("/api/v1/enrollments/<id>")
@needs(Scope.ENROLL)
def give_state(id: str) -> Response:
	return json_answer(as_json(_enrollments().find(id)))


@blueprint.get("/api/v1/enrollments/<id>/events")
@needs(Scope.ENROLL)
def stream_states(id: str) -> Response:
	enrollments = _enrollments()
	return stream(_states(enrollments, enrollments.find(id), services().pulse), "text/event-stream")


@blueprint.post("/api/v1/enrollments/<id>/frame")
@needs(Scope.ENROLL)
def take_frame(id: str) -> Response:
	return _take_picture(id, Source.BROWSER, MAX_FRAME_BYTES)


@blueprint.post("/api/v1/enrollments/<id>/photo")
@needs(Scope.ENROLL)
def take_photo(id: str) -> Response:
	return _take_picture(id, Source.PHOTO, MAX_PHOTO_BYTES)


@blueprint.delete("/api/v1/enrollments/<id>")
@needs(Scope.ENROLL)
def cancel(id: str) -> Response:
	return json_answer(as_json(_enrollments().cancel(id)))


def _take_picture(id: str, source: Source, most: int) -> Response:
	request.max_content_length = most
	data = request.get_data(cache=False)
	return json_answer(as_json(_enrollments().take_picture(id, data, source)))


def _states(enrollments: Enrollments, entry: Enrollment, pulse: Pulse) -> Iterator[str]:
	"""Server-sent events: the state at once and after every change, until it is over."""
	seen = entry.version
	told = as_json(entry)
	yield f"retry: 1000\ndata: {dump(told)}\n\n"
	while not (told["over"] or pulse.closed):
		time.sleep(LEAST_SECONDS)
		version = enrollments.wait(entry, seen, TICK_SECONDS)
		if version == seen:
			enrollments.find(entry.id)
			yield ": quiet\n\n"
			continue
		seen, told = version, as_json(entry)
		yield f"data: {dump(told)}\n\n"


def _text(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
	value = body.get(name, default)
	if not isinstance(value, str) or len(value) > LONGEST_TEXT:
		abort(error_answer(400, "bad_value", name=name))
	return value


def _texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
	value = body.get(name, [])
	if not isinstance(value, list) or len(value) > MOST_ACCEPTED:
		abort(error_answer(400, "bad_value", name=name))
	return tuple(_text({name: each}, name) for each in value)


def _flag(body: Mapping[str, Any], name: str, *, default: bool) -> bool:
	value = body.get(name, default)
	if not isinstance(value, bool):
		abort(error_answer(400, "bad_value", name=name))
	return value
