"""The page of terminals that push: which call, which wait to be let in, and what is decided about them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from attendance_bridge.core.direction import DeviceRole
from attendance_bridge.edge.messages import PAIRING_PROBLEMS
from attendance_bridge.edge.receiver.pairing import Pairing, PairingError
from attendance_bridge.edge.web.access.guard import caller, needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.services import Services, services
from attendance_bridge.stores.push import Caller

MAX_TEXT = 140

blueprint = Blueprint("pairing", __name__)


@blueprint.get("/pairing")
@needs(Scope.ADMIN)
def show_pairing() -> str:
	return _page()


@blueprint.post("/pairing/approve")
@needs(Scope.ADMIN)
def approve() -> Response | tuple[str, int]:
	try:
		_pairing(services()).approve(
			_text("serial"),
			name=_text("name"),
			zone=_text("zone"),
			role=_text("role"),
			user_id_prefix=_text("user_id_prefix"),
			by=caller().who,
			address=caller().address,
		)
	except PairingError as error:
		return _page(error.problem), 400
	return _back()


@blueprint.post("/pairing/refuse")
@needs(Scope.ADMIN)
def refuse() -> Response:
	_pairing(services()).refuse(_text("serial"), by=caller().who, address=caller().address)
	return _back()


@blueprint.post("/pairing/forget")
@needs(Scope.ADMIN)
def forget() -> Response:
	_pairing(services()).forget(_text("serial"), by=caller().who, address=caller().address)
	return _back()


def _back() -> Response:
	services().pulse.beat()
	return redirect(url_for("pairing.show_pairing"), 303)


def _text(name: str) -> str:
	return request.form.get(name, "")[:MAX_TEXT].strip()


def _pairing(here: Services) -> Pairing:
	if here.pairing is None:
		abort(404)
	return here.pairing


def _page(problem: str = "") -> str:
	here = services()
	pairing = _pairing(here)
	callers = [_view(pairing, each) for each in pairing.callers()]
	zone = here.settings.agent.zone.key if here.settings is not None else "UTC"
	return render_template(
		"pairing.html",
		here="pairing",
		waiting=[each for each in callers if each["state"] == "waiting"],
		others=[each for each in callers if each["state"] != "waiting"],
		roles=[role.value for role in DeviceRole],
		zone=zone,
		problem=PAIRING_PROBLEMS.get(problem, ""),
	)


def _view(pairing: Pairing, each: Caller) -> dict[str, Any]:
	return {
		"serial": each.serial,
		"state": each.state.value,
		"name": each.name,
		"peer": each.peer,
		"what": ", ".join(part for part in (each.model, each.firmware) if part),
		"dialect": each.dialect,
		"calls": each.calls,
		"first_seen": each.first_seen_at,
		"last_seen": each.last_seen_at,
		"decided_by": each.decided_by,
		"is_twin": each.is_twin,
		"cannot_decrypt": each.cannot_decrypt,
		"dropped": pairing.dropped(each.serial),
	}
