"""Forms by which a missing punch is entered by hand, and withdrawn again; on the page of a person's days."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from attendance_bridge.core.direction import LogType
from attendance_bridge.edge.web.access.guard import needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.person_days import author, person_page, somebody
from attendance_bridge.edge.web.services import services
from attendance_bridge.edge.web.workday_choice import the_workdays
from attendance_bridge.edge.web.workdays import month_text
from attendance_bridge.edge.workdays.by_hand import ByHand, EnteringError, Problem

blueprint = Blueprint("workday_punches", __name__)


@blueprint.post("/people/days/punches")
@needs(Scope.CORRECT)
def enter() -> Response | tuple[str, int]:
	employee, form = somebody(the_workdays()), request.form
	if form.get("log_type") not in {each.value for each in LogType} or form.get("fold", "") not in (
		"",
		"0",
		"1",
	):
		abort(400)
	wall_time = _wall_time(form.get("date", ""), form.get("time", ""))
	if wall_time is None:
		return _again(employee, EnteringError(Problem.TIME))
	fold = int(form["fold"]) if form.get("fold") else None
	log_type, why = LogType(form["log_type"]), form.get("why", "")
	try:
		result = _by_hand().enter(employee, wall_time, log_type, why, author(), fold=fold)
	except EnteringError as error:
		return _again(employee, error)
	return _back(employee, month_text(wall_time.date()), result.said, result.punch_id)


@blueprint.post("/people/days/punches/<uuid:punch_id>/withdrawal")
@needs(Scope.CORRECT)
def withdraw(punch_id: UUID) -> Response | tuple[str, int]:
	found = the_workdays().entered.find(punch_id)
	if found is None:
		abort(404)
	try:
		result = _by_hand().withdraw(punch_id, request.form.get("why", ""), author())
	except EnteringError as error:
		return person_page(found.employee, month_text(found.occurred_at.date()), refused=error), 400
	return _back(found.employee, month_text(found.occurred_at.date()), result.said, punch_id)


def _by_hand() -> ByHand:
	found = services().by_hand
	if found is None:
		abort(404)
	return found


def _wall_time(day: str, time: str) -> datetime | None:
	"""What a date and a time of day come to; None if they are none."""
	try:
		found = datetime.fromisoformat(f"{day}T{time}")
	except ValueError:
		return None
	return found if found.tzinfo is None and len(day) == 10 else None


def _again(employee: str, error: EnteringError) -> tuple[str, int]:
	return person_page(employee, request.form.get("month", ""), refused=error, form=request.form), 400


def _back(employee: str, month: str, said: str, punch_id: UUID) -> Response:
	"""To the punch, with what became of it."""
	page = url_for(
		"person_days.show_person", employee=employee, month=month, said=said, punch=punch_id, _anchor="said"
	)
	return redirect(page, 303)
