"""PINs and badges: given to people, and taken away again. What they are is never shown."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response

from attendance_bridge.edge.messages import FACTOR_WORDS
from attendance_bridge.edge.web import records
from attendance_bridge.edge.web.access.guard import caller, needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.api.endpoint import ApiError, endpoint
from attendance_bridge.edge.web.services import services
from attendance_bridge.stores.second_factors import BADGE, KINDS, PIN, SecondFactors

MAX_TEXT = 140

blueprint = Blueprint("factors", __name__)


class FactorBody(Schema):
	employee = fields.String(required=True, validate=validate.Length(1, MAX_TEXT))
	kind = fields.String(required=True, validate=validate.OneOf(KINDS))
	secret = fields.String(
		required=True,
		validate=validate.Length(0, 64),
		metadata={"description": "a PIN: 4 to 12 digits; a badge: 4 to 64 printable characters, as it reads"},
	)


class RemovalBody(Schema):
	employee = fields.String(required=True, validate=validate.Length(1, MAX_TEXT))


class FactorView(Schema):
	employee = fields.String(required=True)
	kinds = fields.List(fields.String(validate=validate.OneOf(KINDS)), required=True)


class FactorList(Schema):
	people = fields.List(fields.Nested(FactorView), required=True)


_NOBODY = {404: "no such person"}


@blueprint.get("/people/factor")
@needs(Scope.ENROLL)
def show_factor() -> str:
	return _page(request.args.get("employee", ""), request.args.get("said", ""))


@blueprint.post("/people/factor")
@needs(Scope.ENROLL)
def change_factor() -> Response | tuple[str, int]:
	employee, kind = request.form.get("employee", ""), request.form.get("kind", "")
	if not _is_known(employee) or kind not in KINDS:
		abort(400)
	if request.form.get("act") == "remove":
		_remove(employee)
		return redirect(url_for("factors.show_factor", employee=employee, said="removed"), 303)
	try:
		_give(employee, kind, request.form.get("secret", "").strip())
	except ValueError:
		return _page(employee, f"bad_{kind}"), 400
	return redirect(url_for("factors.show_factor", employee=employee, said="set"), 303)


@blueprint.get("/api/v1/second-factors")
@endpoint(Scope.ENROLL, summary="Who has a PIN or a badge", answer=FactorList())
def list_factors() -> dict[str, Any]:
	held = sorted(_factors().kinds().items())
	return {"people": [{"employee": employee, "kinds": sorted(kinds)} for employee, kinds in held]}


@blueprint.post("/api/v1/second-factors")
@endpoint(
	Scope.ENROLL,
	summary="Give somebody a PIN or a badge, in place of a former one",
	body=FactorBody(),
	answer=FactorView(),
	errors=_NOBODY,
)
def give_factor(*, employee: str, kind: str, secret: str) -> dict[str, Any]:
	if not _is_known(employee):
		raise ApiError(404, "no_such_person")
	try:
		_give(employee, kind, secret)
	except ValueError:
		raise ApiError(422, "bad_value", sentence=FACTOR_WORDS[f"bad_{kind}"]) from None
	return _view(employee)


@blueprint.post("/api/v1/second-factors/removals")
@endpoint(
	Scope.ENROLL,
	summary="Take PIN and badge of somebody away",
	body=RemovalBody(),
	answer=FactorView(),
)
def remove_factor(*, employee: str) -> dict[str, Any]:
	_remove(employee)
	return _view(employee)


def _factors() -> SecondFactors:
	here = services()
	if here.vision is None:
		abort(404)
	found: SecondFactors = here.vision.second_factors
	return found


def _view(employee: str) -> dict[str, Any]:
	return {"employee": employee, "kinds": sorted(_factors().kinds().get(employee, ()))}


def _is_known(employee: str) -> bool:
	return any(person.employee == employee for person in records.people(services()))


def _give(employee: str, kind: str, secret: str) -> None:
	"""
	:raises ValueError: it is no PIN, or no badge.
	"""
	_factors().set(employee, kind, secret)
	_note("second_factor_set", employee, kind)


def _remove(employee: str) -> None:
	_factors().clear(employee)
	_note("second_factor_removed", employee)


def _note(act: str, employee: str, details: str = "") -> None:
	here, asking = services(), caller()
	here.access.audit.write(
		act, who=asking.who, address=asking.address, at=here.now(), subject=employee, details=details
	)


def asked_for() -> str:
	"""What this kiosk asks for besides the face: pin or badge; empty for nothing."""
	settings = services().settings
	kind = settings.vision.kiosk.second_factor.value if settings and settings.vision else ""
	return kind if kind in KINDS else ""


def _page(employee: str, said: str = "") -> str:
	person = next((each for each in records.people(services()) if each.employee == employee), None)
	if person is None:
		abort(404)
	return render_template(
		"factor.html",
		here="people",
		person=person,
		kind=asked_for() or PIN,
		kinds=(PIN, BADGE),
		held=_view(employee)["kinds"],
		words=FACTOR_WORDS.get(said, ""),
		failed=said.startswith("bad_"),
	)
