"""Working days for programs, below /api/v1; the same shapes as those of a site."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint
from marshmallow import Schema, fields, validate

from attendance_bridge.edge.messages import DAY_STATUS
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.api.endpoint import ApiError, endpoint
from attendance_bridge.edge.web.workday_choice import (
	FIRST_YEAR,
	LAST_YEAR,
	Choice,
	month_of,
	the_workdays,
)
from attendance_bridge.edge.workdays import told
from attendance_bridge.edge.workdays.sheets import last_of_month

MAX_PEOPLE = 100
"""On one page."""

blueprint = Blueprint("workday_calls", __name__, url_prefix="/api/v1")


class Paged(Schema):
	department = fields.String(validate=validate.Length(1, 140))
	limit = fields.Integer(
		load_default=MAX_PEOPLE, validate=validate.Range(1, MAX_PEOPLE), metadata={"description": "people"}
	)
	offset = fields.Integer(load_default=0, validate=validate.Range(0, 1_000_000))


class DayQuery(Paged):
	date = fields.Date(required=True, metadata={"description": "at the place of the agent"})
	shift = fields.String(validate=validate.Length(1, 140))


class MonthQuery(Paged):
	month = fields.String(
		required=True,
		validate=validate.Regexp(r"^(19[789]\d|20\d\d|21\d\d)-(0[1-9]|1[0-2])\Z"),
		metadata={"description": "such as 2026-03"},
	)
	employee = fields.String(validate=validate.Length(1, 140))


_MOMENT = {"description": "YYYY-MM-DD HH:MM:SS, at the place of the agent"}
_HOURS = {"description": "hours"}


class ScanView(Schema):
	time = fields.String(required=True, metadata=_MOMENT)
	type = fields.String(required=True, metadata={"description": "IN, OUT, or empty"})
	by_hand = fields.Boolean(
		required=True, metadata={"description": "somebody entered it; no terminal has seen it"}
	)


class Somebody(Schema):
	employee_id = fields.String(required=True)
	employee_name = fields.String(required=True)
	department = fields.String(required=True)
	designation = fields.String(required=True)


class DayView(Somebody):
	date = fields.String(required=True)
	shift = fields.String(required=True)
	status = fields.String(required=True, validate=validate.OneOf(list(DAY_STATUS.values())))
	reason = fields.String(required=True)
	check_in = fields.String(required=True, allow_none=True, metadata=_MOMENT)
	check_out = fields.String(required=True, allow_none=True, metadata=_MOMENT)
	working_hours = fields.Float(required=True, metadata=_HOURS)
	overtime = fields.Float(required=True, metadata=_HOURS)
	extra_overtime = fields.Float(required=True, metadata=_HOURS)
	allowances = fields.List(fields.String(), required=True)
	anomalies = fields.List(fields.String(), required=True)
	complete = fields.Boolean(
		required=True, metadata={"description": "false: it is not over, or a terminal may hold some of it"}
	)
	attendance_count = fields.Integer(required=True, metadata={"description": "punches"})
	scans = fields.List(fields.Nested(ScanView), required=True)


class DayPage(Schema):
	total = fields.Integer(required=True, metadata={"description": "people"})
	days = fields.List(fields.Nested(DayView), required=True)


class SheetDay(Schema):
	day = fields.Integer(required=True)
	date = fields.String(required=True)
	shift = fields.String(required=True)
	status = fields.String(required=True)
	checkIn = fields.String(required=True, allow_none=True, metadata=_MOMENT)  # noqa: N815  # as documented
	checkOut = fields.String(required=True, allow_none=True, metadata=_MOMENT)  # noqa: N815
	workingHours = fields.Float(required=True, metadata=_HOURS)  # noqa: N815
	overtime = fields.Float(required=True, metadata=_HOURS)
	extraOvertime = fields.Float(required=True, metadata=_HOURS)  # noqa: N815


class SheetTotals(Schema):
	workingHours = fields.Float(required=True, metadata=_HOURS)  # noqa: N815
	overtime = fields.Float(required=True, metadata=_HOURS)
	extraOvertime = fields.Float(required=True, metadata=_HOURS)  # noqa: N815


class SheetView(Somebody):
	days = fields.List(fields.Nested(SheetDay), required=True)
	totals = fields.Nested(SheetTotals, required=True)


class SheetPage(Schema):
	total = fields.Integer(required=True, metadata={"description": "people"})
	timesheets = fields.List(fields.Nested(SheetView), required=True)


@blueprint.get("/working-days")
@endpoint(
	Scope.VIEW,
	summary="The day of everybody, a page of people at a time",
	query=DayQuery(),
	answer=DayPage(),
)
def give_days(
	*, date: date, limit: int, offset: int, department: str = "", shift: str = ""
) -> dict[str, Any]:
	workdays = the_workdays()
	if not FIRST_YEAR <= date.year <= LAST_YEAR:
		return {"total": 0, "days": []}
	choice = Choice(first=date, last=date, department=department, shift=shift)
	people = choice.people(workdays)
	found = workdays.of(people[offset : offset + limit], date, date)
	return {
		"total": len(people),
		"days": [told.daily(each, workdays.zone) for days in found for each in days if choice.fits(each)],
	}


@blueprint.get("/timesheets")
@endpoint(
	Scope.VIEW,
	summary="The month of everybody, or of one of them",
	query=MonthQuery(),
	answer=SheetPage(),
	errors={404: "nobody of that key has days in the month"},
)
def give_timesheets(
	*, month: str, limit: int, offset: int, department: str = "", employee: str = ""
) -> dict[str, Any]:
	workdays = the_workdays()
	first = month_of(month)
	if first is None:
		raise ApiError(422, "bad_value")
	last = last_of_month(first)
	people = Choice(first=first, last=last, department=department).people(workdays)
	if employee:
		people = [person for person in people if person.employee == employee]
		if not people:
			raise ApiError(404, "no_such_person")
	found = workdays.of(people[offset : offset + limit], first, last)
	return {"total": len(people), "timesheets": [told.timesheet(days, workdays.zone) for days in found]}
