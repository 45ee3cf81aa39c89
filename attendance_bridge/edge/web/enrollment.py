"""The enrollment page, and enrollments for programs under /api/v1/enrollments."""

from __future__ import annotations

import time
from collections.abc import Iterator
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
from attendance_bridge.edge.web.answers import dump, error_answer
from attendance_bridge.edge.web.api.endpoint import endpoint
from attendance_bridge.edge.web.enrollment_schemas import (
	Beginning,
	ConsentWords,
	PeopleFound,
	PeopleQuery,
	State,
)
from attendance_bridge.edge.web.languages import AUTO, choose
from attendance_bridge.edge.web.services import services
from attendance_bridge.edge.web.streams import stream

TICK_SECONDS = 1.0
"""How often a stream looks whether an enrollment has run out of time."""
LEAST_SECONDS = 0.1
"""States closer together than this are told together."""

_STATUS = {
	Refusal.NO_SUCH_PERSON: 404,
	Refusal.NO_SUCH_ENROLLMENT: 404,
}
"""Of the other refusals: 409, it may be possible another time."""

_GONE = {404: "no such enrollment, or it ended a while ago"}
_NO_MODEL = {503: "no model is loaded"}
_FULL = {503: "too many streams are open"}
_PICTURE_ERRORS = {
	**_GONE,
	**_NO_MODEL,
	400: "no picture",
	409: "this enrollment takes its pictures from elsewhere",
	413: "too large",
}

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
		largest_photo=MAX_PHOTO_BYTES,
		language=choose(language, request.accept_languages),
		version=__version__,
	)


@blueprint.get("/api/v1/enrollments/people")
@endpoint(
	Scope.ENROLL,
	summary="The people who can be enrolled",
	query=PeopleQuery(),
	answer=PeopleFound(),
)
def list_people(*, q: str, initial: str) -> dict[str, Any]:
	roster = services().roster
	people = roster.people() if roster else ()
	enrollments = _enrollments()
	return listing(people, enrollments.templates(), enrollments.outdated(), query=q, initial=initial)


@blueprint.get("/api/v1/enrollments/consent")
@endpoint(Scope.ENROLL, summary="The words that people agree to", answer=ConsentWords())
def give_consent_text() -> dict[str, Any]:
	enrollments = _enrollments()
	text = enrollments.consent_text
	return {
		"version": text.version,
		"text": text.text,
		"sha256": text.sha256,
		"required": enrollments.consent_required,
	}


@blueprint.post("/api/v1/enrollments")
@endpoint(
	Scope.ENROLL,
	summary="Begin to enrol somebody who has agreed",
	body=Beginning(),
	answer=State(),
	errors={404: "no such person", 409: "not now, or not without consent to the present words", **_NO_MODEL},
)
def begin(*, source: str, **given: Any) -> dict[str, Any]:
	asking = caller()
	start = Start(source=Source(source), who=asking.who, address=asking.address, **given)
	return as_json(_enrollments().start(start))


@blueprint.get("/api/v1/enrollments/<id>")
@endpoint(Scope.ENROLL, summary="How far it is", answer=State(), errors=_GONE)
def give_state(*, id: str) -> dict[str, Any]:
	return as_json(_enrollments().find(id))


@blueprint.get("/api/v1/enrollments/<id>/events")
@endpoint(
	Scope.ENROLL,
	summary="How far it is, at once and after every change",
	answer=State(),
	events=True,
	errors={**_GONE, **_FULL},
)
def stream_states(*, id: str) -> Response:
	enrollments = _enrollments()
	return stream(_states(enrollments, enrollments.find(id), services().pulse), "text/event-stream")


@blueprint.post("/api/v1/enrollments/<id>/frame")
@endpoint(
	Scope.ENROLL,
	summary="One of many pictures (the source is browser)",
	pictures=("image/jpeg",),
	answer=State(),
	errors=_PICTURE_ERRORS,
)
def take_frame(*, id: str) -> dict[str, Any]:
	return _take_picture(id, Source.BROWSER, MAX_FRAME_BYTES)


@blueprint.post("/api/v1/enrollments/<id>/photo")
@endpoint(
	Scope.ENROLL,
	summary="A photo (the source is photo); one that does not do may be followed by another",
	pictures=("image/jpeg", "image/png"),
	answer=State(),
	errors=_PICTURE_ERRORS,
)
def take_photo(*, id: str) -> dict[str, Any]:
	return _take_picture(id, Source.PHOTO, MAX_PHOTO_BYTES)


@blueprint.delete("/api/v1/enrollments/<id>")
@endpoint(Scope.ENROLL, summary="Give it up", answer=State(), errors=_GONE)
def cancel(*, id: str) -> dict[str, Any]:
	return as_json(_enrollments().cancel(id))


def _take_picture(id: str, source: Source, most: int) -> dict[str, Any]:
	request.max_content_length = most
	return as_json(_enrollments().take_picture(id, request.get_data(cache=False), source))


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
