"""The page of people: who is known here, and who can be recognised."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from attendance_bridge.edge.web import factors, records
from attendance_bridge.edge.web.access.guard import needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.services import services

PAGE = 100
MAX_QUERY = 140

blueprint = Blueprint("people", __name__)

_ENROLLED = {"yes": ("enrolled",), "no": ("missing", "again"), "again": ("again",)}
_LEFT = frozenset({"left", "inactive"})


@blueprint.get("/people")
@needs(Scope.VIEW)
def show_people() -> str:
	here = services()
	q = request.args.get("q", "")[:MAX_QUERY]
	enrolled = request.args.get("enrolled", "")
	found = records.find_people(here, q, enrollment=_ENROLLED.get(enrolled))
	pages = max(1, -(-len(found) // PAGE))
	page = min(max(request.args.get("page", 1, int), 1), pages)
	return render_template(
		"people.html",
		here="people",
		q=q,
		enrolled=enrolled,
		people=found[(page - 1) * PAGE : page * PAGE],
		total=len(found),
		page=page,
		pages=pages,
		has_gallery=records.enrolled(here) is not None,
		refreshed_at=here.roster.refreshed_at if here.roster else None,
		people_minutes=here.people_minutes,
		may_enroll=here.enrollment is not None,
		left=_LEFT,
		factor=factors.asked_for() if here.vision else "",
		with_factor=frozenset(here.vision.second_factors.kinds()) if here.vision else frozenset(),
	)
