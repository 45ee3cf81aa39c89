"""The JSON API: punches, people, status, terminals, corrections."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, render_template

from attendance_bridge.edge.connections import BusyError
from attendance_bridge.edge.messages import CORRECTIONS
from attendance_bridge.edge.web import records
from attendance_bridge.edge.web.access.guard import caller, needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.answers import json_answer
from attendance_bridge.edge.web.api import schemas
from attendance_bridge.edge.web.api.endpoint import ApiError, endpoint
from attendance_bridge.edge.web.api.openapi import describe
from attendance_bridge.edge.web.services import services
from attendance_bridge.stores.corrections import CorrectionRefusedError, Kind, Refusal

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

_NOT_HERE = {404: "not on this agent"}


def _part(part: Any) -> Any:
	if part is None:
		raise ApiError(404, "not_here")
	return part


@blueprint.get("/punches")
@endpoint(
	Scope.VIEW,
	summary="Punches, those that occurred last first",
	query=schemas.PunchQuery(),
	answer=schemas.PunchPage(),
)
def give_punches(
	*, limit: int, before: str | None = None, day: date | None = None, **wanted: str
) -> dict[str, Any]:
	here = services()
	filters = records.filters_of(here, day=day, **wanted)
	position = records.position_of(before) if before else None
	entries = _part(here.log).search(filters, limit=limit, before=position)
	devices, names = records.device_names(here), records.people_names(here)
	return {
		"punches": [records.punch_view(entry, devices, names) for entry in entries],
		"next": records.position_text(entries[-1]) if len(entries) == limit else None,
	}


@blueprint.get("/punches/<uuid:punch_id>")
@endpoint(
	Scope.VIEW,
	summary="One punch with all that was said of it",
	answer=schemas.PunchDetails(),
	errors={404: "no such punch"},
)
def give_punch(*, punch_id: uuid.UUID) -> dict[str, Any]:
	here = services()
	entry = _part(here.log).find(punch_id)
	if entry is None:
		raise ApiError(404, "no_such_punch")
	view = records.punch_view(entry, records.device_names(here), records.people_names(here))
	said = _part(here.corrections).of(punch_id)
	return {**view, "corrections": [records.correction_view(each) for each in said]}


@blueprint.post("/punches/<uuid:punch_id>/corrections")
@endpoint(
	Scope.CORRECT,
	summary="Correct a punch: kept beside it, with the reason",
	body=schemas.CorrectionBody(),
	answer=schemas.CorrectionAnswer(),
	errors={404: "no such punch", 409: "not for this punch as it is now, or the site decides"},
)
def correct_punch(*, punch_id: uuid.UUID, kind: str, why: str) -> dict[str, Any]:
	here = services()
	if here.site_decides:
		raise ApiError(409, "site_decides", sentence=CORRECTIONS["site_decides"])
	corrections = _part(here.corrections)
	try:
		effect = corrections.correct(
			punch_id, Kind(kind), why, by=caller().who, at=here.now(), address=caller().address
		)
	except CorrectionRefusedError as error:
		status = 404 if error.refusal is Refusal.NO_SUCH_PUNCH else 409
		sentence = records.refusal_words(corrections, error)
		raise ApiError(status, error.refusal.value, sentence=sentence) from None
	here.wake_uploader()
	here.pulse.beat()
	return {"effect": effect.value, "sentence": records.effect_words(here)[effect.value]}


@blueprint.get("/people")
@endpoint(
	Scope.VIEW,
	summary="The people that the upstream knows, by name",
	query=schemas.PeopleQuery(),
	answer=schemas.PeoplePage(),
)
def give_people(
	*, q: str, limit: int, offset: int, enrolled: bool | None = None, enrollment: str | None = None
) -> dict[str, Any]:
	wanted = {
		state
		for state in schemas.ENROLLMENT
		if enrollment in (None, state) and enrolled in (None, state == "enrolled")
	}
	found = records.find_people(services(), q, enrollment=wanted)
	return {"people": found[offset : offset + limit], "total": len(found)}


@blueprint.get("/status")
@endpoint(Scope.VIEW, summary="How the agent is", answer=schemas.AnyObject(), errors=_NOT_HERE)
def give_status() -> Any:
	return _part(services().status)()


@blueprint.get("/devices")
@endpoint(Scope.VIEW, summary="The terminals as the board shows them", answer=schemas.Terminals())
def give_devices() -> Any:
	return {"devices": services().board().get("devices", [])}


@blueprint.post("/connection-tests")
@endpoint(
	Scope.ADMIN,
	summary="Try the connection to a terminal or to the upstream",
	body=schemas.TestBody(),
	answer=schemas.TestAnswer(),
	errors={404: "no such terminal", 409: "a test is under way"},
)
def test_connection(*, name: str) -> dict[str, Any]:
	try:
		finding = _part(services().connections).test(name)
	except BusyError:
		raise ApiError(409, "busy") from None
	if finding is None:
		raise ApiError(404, "no_such_device")
	here, asking = services(), caller()
	here.access.audit.write(
		"connection_tested", who=asking.who, address=asking.address, at=here.now(), subject=name
	)
	return {"ok": finding.ok, "text": finding.text}


@blueprint.get("/audit")
@endpoint(
	Scope.ADMIN,
	summary="Who did what, the last first",
	query=schemas.AuditQuery(),
	answer=schemas.AuditPage(),
)
def give_audit(*, limit: int, before: int | None = None) -> dict[str, Any]:
	return {"entries": services().access.audit.latest(limit, before=before)}


@blueprint.get("/openapi.json")
@needs(Scope.VIEW)
def give_openapi() -> Response:
	return json_answer(describe(current_app))


@blueprint.get("/docs")
@needs(Scope.VIEW)
def show_docs() -> str:
	return render_template("docs.html", here="api", description=describe(current_app))
