"""The page of one person's month: every day with its punches and reasons, and what was agreed for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.person import Person
from attendance_bridge.edge.messages import DAY_MARKS, ENTERING, MARK_PROBLEMS
from attendance_bridge.edge.web.access.guard import caller, needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.services import services
from attendance_bridge.edge.web.workday_choice import date_of, of_month, the_workdays
from attendance_bridge.edge.web.workdays import day_words, month_text
from attendance_bridge.edge.workdays.book import Workdays, sums
from attendance_bridge.edge.workdays.by_hand import DONE, OLDEST, EnteringError, Problem
from attendance_bridge.stores.agreements import MAX_WHY, MOST_DAYS, Author, MarkKind

TAKE_BACK = "nothing"
"""Among the kinds of a mark: what was said before holds no more."""
_DAY = timedelta(days=1)

blueprint = Blueprint("person_days", __name__)


@blueprint.get("/people/days")
@needs(Scope.VIEW)
def show_person() -> str:
	wanted = request.args
	said = wanted.get("said", "")
	return person_page(
		wanted.get("employee", ""),
		wanted.get("month", ""),
		entering=said if said in DONE else "",
		said_of=wanted.get("punch", ""),
		form=wanted,
	)


@blueprint.post("/people/days/marks")
@needs(Scope.CORRECT)
def mark() -> Response | tuple[str, int]:
	"""Say something of days of somebody: leave, off, present; or take it back."""
	workdays, kind = the_workdays(), request.form.get("kind", "")
	employee = somebody(workdays)
	if kind not in DAY_MARKS and kind != TAKE_BACK:
		abort(400)
	first, last = _range()
	if first is None or last is None or not 0 <= (last - first).days < MOST_DAYS:
		return _again(employee, "range")
	why = request.form.get("why", "").strip()
	found = None if kind == TAKE_BACK else MarkKind(kind)
	try:
		workdays.agreements.mark(employee, found, first, last, why, author())
	except ValueError:
		return _again(employee, "why")
	return _back(employee, first)


@blueprint.post("/people/days/shifts")
@needs(Scope.CORRECT)
def assign() -> Response | tuple[str, int]:
	"""Have somebody work a shift from one date to another, or until further notice."""
	workdays, shift = the_workdays(), request.form.get("shift", "")
	employee = somebody(workdays)
	if shift not in workdays.rules.shifts:
		abort(400)
	first, last = _range(open_ended=True)
	if first is None or (last is not None and last < first) or (last is None and request.form.get("last")):
		return _again(employee, "range")
	besides = "besides" in request.form
	workdays.agreements.assign(employee, shift, first, last, author(), besides=besides)
	return _back(employee, first)


@blueprint.post("/people/days/shifts/removals")
@needs(Scope.CORRECT)
def unassign() -> Response:
	number = request.form.get("number", 0, int)
	employee = the_workdays().agreements.unassign(number, author()) if 0 < number < 2**63 else None
	if employee is None:
		abort(404)
	month = request.form.get("month", "")[:7]
	return redirect(url_for("person_days.show_person", employee=employee, month=month), 303)


def person_page(
	employee: str,
	month: str,
	*,
	said: str = "",
	entering: str = "",
	said_of: str = "",
	refused: EnteringError | None = None,
	form: Mapping[str, str] | None = None,
) -> str:
	"""
	:param said: a code of MARK_PROBLEMS.
	:param entering: a code of ENTERING: what has become of a missing punch that was taken.
	:param said_of: the id of the punch that this is said of.
	:param refused: why one was not.
	:param form: what the form for a missing punch is filled in with.
	"""
	workdays = the_workdays()
	choice = of_month({"month": month}, workdays.today)
	person = _find(workdays, employee)
	(days,) = workdays.of([person], choice.first, choice.last)
	by_hand = workdays.entered_between(person.employee, choice.first, choice.last)
	return render_template(
		"person_days.html",
		here="workdays",
		person=person,
		days=days,
		total=sums(days),
		month=month_text(choice.first),
		before=month_text(choice.first - _DAY),
		after=month_text(choice.last + _DAY),
		agreed=workdays.agreements.of(person.employee, choice.first, choice.last),
		shifts=workdays.rules.shifts,
		everyday=person.shift if person.shift in workdays.rules.shifts else workdays.rules.default_shift,
		take_back=TAKE_BACK,
		said=MARK_PROBLEMS.get(said, ""),
		longest=MAX_WHY,
		by_hand=by_hand,
		said_of=next((each.punch_id for each in by_hand if entering and str(each.punch_id) == said_of), None),
		entering=_filled_in(form or {}),
		entering_said=refused.words if refused else ENTERING.get(entering, ""),
		entering_failed=refused is not None,
		asks_fold=refused is not None and refused.problem is Problem.REPEATED_HOUR,
		log_types=list(LogType),
		earliest=workdays.today - OLDEST,
		today=workdays.today,
		**day_words(workdays),
	)


def _find(workdays: Workdays, employee: str) -> Person:
	found = workdays.find(employee)
	if found is None:
		abort(404)
	return found


def _filled_in(form: Mapping[str, str]) -> dict[str, str]:
	return {name: form.get(name, "")[:MAX_WHY] for name in ("date", "time", "log_type", "why")}


def somebody(workdays: Workdays) -> str:
	"""Whom the form is about."""
	return _find(workdays, request.form.get("employee", "")).employee


def _range(*, open_ended: bool = False) -> tuple[date | None, date | None]:
	first = date_of(request.form.get("first", ""))
	last = date_of(request.form.get("last", ""))
	if last is None and not request.form.get("last") and not open_ended:
		last = first
	return first, last


def _again(employee: str, said: str) -> tuple[str, int]:
	return person_page(employee, request.form.get("month", ""), said=said), 400


def _back(employee: str, first: date) -> Response:
	return redirect(url_for("person_days.show_person", employee=employee, month=month_text(first)), 303)


def author() -> Author:
	return Author(who=caller().who, address=caller().address, at=services().now())
