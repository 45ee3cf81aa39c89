"""The page of punches: filters, corrections, export."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from attendance_bridge.core.projection import State
from attendance_bridge.edge.board import STATE_WORDS
from attendance_bridge.edge.cells import CSV_MARK, csv_line, harmless
from attendance_bridge.edge.messages import CORRECTION_KINDS, CORRECTIONS, REASONS
from attendance_bridge.edge.web import records
from attendance_bridge.edge.web.access.guard import caller, needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.services import Services, services
from attendance_bridge.edge.web.streams import stream
from attendance_bridge.stores.corrections import MAX_WHY, CorrectionRefusedError, Kind
from attendance_bridge.stores.log import Filters, LogEntry, PunchLog

PAGE = 50
MAX_TEXT = 140

blueprint = Blueprint("punches", __name__)

COLUMNS = (
	"punch_id",
	"wall_time",
	"occurred_at",
	"device",
	"device_serial",
	"device_user_id",
	"employee",
	"name",
	"log_type",
	"log_type_reason",
	"state",
	"state_reason",
	"error_code",
	"reference",
	"by_hand",
	"correction",
	"correction_reason",
	"corrected_by",
	"corrected_at",
	"correction_effect",
)


@blueprint.get("/punches")
@needs(Scope.VIEW)
def show_punches() -> str:
	here = services()
	wanted = _wanted()
	filters = _filters(here, wanted)
	entries = _log(here).search(filters, limit=PAGE + 1, before=_before())
	devices, names = records.device_names(here), records.people_names(here)
	shown = entries[:PAGE]
	return render_template(
		"punches.html",
		here="punches",
		wanted=wanted,
		punches=[records.punch_view(entry, devices, names) for entry in shown],
		next=records.position_text(shown[-1]) if len(entries) > PAGE else None,
		is_first="before" not in request.args,
		devices=sorted(set(devices.values())),
		states=[state.value for state in State],
		state_words=STATE_WORDS,
		reasons=REASONS,
		kinds=CORRECTION_KINDS,
		query={name: value for name, value in wanted.items() if value},
	)


@blueprint.get("/punches/<uuid:punch_id>")
@needs(Scope.VIEW)
def show_punch(punch_id: uuid.UUID) -> str:
	return _punch_page(punch_id, records.effect_words(services()).get(request.args.get("said", ""), ""))


@blueprint.post("/punches/<uuid:punch_id>/corrections")
@needs(Scope.CORRECT)
def correct(punch_id: uuid.UUID) -> Response | tuple[str, int]:
	here = services()
	kind, why = request.form.get("kind", ""), request.form.get("why", "")
	if kind not in CORRECTION_KINDS:
		abort(400)
	if here.site_decides or here.corrections is None:
		return _punch_page(punch_id, CORRECTIONS["site_decides"]), 409
	try:
		effect = here.corrections.correct(
			punch_id, Kind(kind), why, by=caller().who, at=here.now(), address=caller().address
		)
	except CorrectionRefusedError as error:
		return _punch_page(punch_id, records.refusal_words(here.corrections, error)), 409
	except ValueError:
		return _punch_page(punch_id, CORRECTIONS["why"]), 400
	here.wake_uploader()
	here.pulse.beat()
	return redirect(url_for("punches.show_punch", punch_id=punch_id, said=effect.value), 303)


@blueprint.get("/punches.csv")
@needs(Scope.VIEW)
def export() -> Response:
	here, asking = services(), caller()
	here.access.audit.write(
		"punches_exported",
		who=asking.who,
		address=asking.address,
		at=here.now(),
		details=", ".join(f"{name} {value}" for name, value in _wanted().items() if value),
	)
	answer = stream(_csv(here, _log(here), _filters(here, _wanted())), "text/csv")
	answer.headers["Content-Disposition"] = "attachment; filename=punches.csv"
	return answer


def _csv(here: Services, log: PunchLog, filters: Filters) -> Iterator[str]:
	devices, names = records.device_names(here), records.people_names(here)
	yield CSV_MARK + csv_line(COLUMNS)
	for entry in log.each(filters):
		yield csv_line(_cells(records.punch_view(entry, devices, names)))


def _cells(view: dict[str, Any]) -> tuple[str, ...]:
	said = view["correction"] or {}
	view = {
		**view,
		"occurred_at": view["occurred_at"].isoformat(),
		"by_hand": "yes" if view["by_hand"] else "",
		"correction": said.get("kind", ""),
		"correction_reason": said.get("why", ""),
		"corrected_by": said.get("made_by", ""),
		"corrected_at": said["made_at"].isoformat() if said else "",
		"correction_effect": said.get("effect", ""),
	}
	return tuple(harmless(str(view[column])) for column in COLUMNS)


def _punch_page(punch_id: uuid.UUID, said: str) -> str:
	"""
	:param said: what became of a correction, or why it was not taken; what was typed is given back then.
	"""
	here = services()
	entry = _log(here).find(punch_id)
	if entry is None:
		abort(404)
	view = records.punch_view(entry, records.device_names(here), records.people_names(here))
	history = here.corrections.of(punch_id) if here.corrections else []
	return render_template(
		"punch.html",
		here="punches",
		punch=view,
		raw=entry.held.punch.raw,
		history=[records.correction_view(each) for each in history],
		said=said,
		form=request.form,
		offered=_offered(entry),
		kinds=CORRECTION_KINDS,
		effects=records.effect_words(here),
		reasons=REASONS,
		state_words=STATE_WORDS,
		site_words=CORRECTIONS["site_decides"] if here.site_decides else "",
		longest=MAX_WHY,
	)


def _offered(entry: LogEntry) -> list[str]:
	"""The corrections that make sense for a punch."""
	if entry.entered_for:
		return [kind.value for kind in (Kind.IGNORE, Kind.SET_IN, Kind.SET_OUT)]
	more = {
		State.QUARANTINED: [Kind.RELEASE_TIME],
		State.REJECTED: [Kind.RETRY],
		State.UNMAPPED: [Kind.RETRY],
	}.get(entry.held.state, [])
	return [kind.value for kind in (*more, Kind.SET_IN, Kind.SET_OUT, Kind.IGNORE, Kind.AS_DECIDED)]


def _log(here: Services) -> PunchLog:
	if here.log is None:
		abort(404)
	return here.log


def _wanted() -> dict[str, str]:
	"""The filters of the address; what makes no sense is left out."""
	wanted = {
		name: request.args.get(name, "")[:MAX_TEXT]
		for name in ("day", "state", "employee", "device", "device_user_id")
	}
	try:
		date.fromisoformat(wanted["day"])
	except ValueError:
		wanted["day"] = ""
	if wanted["state"] not in {state.value for state in State}:
		wanted["state"] = ""
	return wanted


def _filters(here: Services, wanted: dict[str, str]) -> Filters:
	day = date.fromisoformat(wanted["day"]) if wanted["day"] else None
	rest = {name: value for name, value in wanted.items() if value and name != "day"}
	person = rest.get("employee")
	if person is not None:
		rest["employee"] = _employee(here, person)
	return records.filters_of(here, day=day, **rest)


def _employee(here: Services, text: str) -> str:
	"""The key of whoever is meant by a key or a full name."""
	for person in records.people(here):
		if person.full_name.casefold() == text.casefold():
			return person.employee
	return text


def _before() -> tuple[int, uuid.UUID] | None:
	try:
		at, punch_id = records.position_of(request.args["before"][:64])
	except (KeyError, ValueError):
		return None
	return (at, punch_id) if abs(at) < 2**63 else None
