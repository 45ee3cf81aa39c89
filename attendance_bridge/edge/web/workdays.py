"""The pages of working days: a date, a month, and both as files for spreadsheets."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import IO

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.workday.day import Anomaly, Status
from attendance_bridge.edge.cells import unicode_text
from attendance_bridge.edge.messages import (
	DAY_ANOMALIES,
	DAY_LETTERS,
	DAY_MARKS,
	DAY_REASONS,
	DAY_STATUS,
)
from attendance_bridge.edge.web.access.guard import caller, needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.services import services
from attendance_bridge.edge.web.streams import stream
from attendance_bridge.edge.web.workday_choice import Choice, of_day, of_month, the_workdays
from attendance_bridge.edge.workdays import sheets
from attendance_bridge.edge.workdays.book import PersonDay, Workdays, sums
from attendance_bridge.edge.workdays.told import all_scans, anomalies

PAGE = 100
"""People."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHUNK = 64 * 1024
_DAY = timedelta(days=1)

blueprint = Blueprint("workdays", __name__)

TONES = {
	Status.ON_TIME: "good",
	Status.PRESENT: "good",
	Status.CONSIDERED: "good",
	Status.LATE: "wait",
	Status.EARLY_EXIT: "wait",
	Status.HALF_DAY: "wait",
	Status.MISSING: "wait",
	Status.ABSENT: "bad",
}
"""Of what is not quiet."""


@blueprint.get("/days")
@needs(Scope.VIEW)
def show_day() -> str:
	workdays = the_workdays()
	choice = of_day(request.args, workdays.today)
	found = [each for person_days in _anybody(choice).days(workdays) for each in person_days]
	counts = Counter(each.day.status for each in found)
	shown = [each for each in found if choice.fits(each)]
	page, pages = _page(len(shown))
	return render_template(
		"days.html",
		here="workdays",
		choice=choice,
		counts=[(status, counts[status]) for status in Status if counts[status]],
		days=shown[(page - 1) * PAGE : page * PAGE],
		before=choice.first - _DAY,
		after=choice.first + _DAY,
		**_common(workdays, choice, page, pages),
	)


def _anybody(choice: Choice) -> Choice:
	"""The same people in whatever state, to be counted."""
	return Choice(
		first=choice.first, last=choice.last, department=choice.department, shift=choice.shift, q=choice.q
	)


@blueprint.get("/months")
@needs(Scope.VIEW)
def show_month() -> str:
	workdays = the_workdays()
	choice = of_month(request.args, workdays.today)
	people = choice.people(workdays)
	page, pages = _page(len(people))
	listed = sheets.dates(choice.first, choice.last)
	rows = [
		{
			"person": days[0].person,
			"cells": _cells(days, listed),
			"total": sums(days),
			"by_hand": sheets.entered_by_hand(days),
		}
		for days in workdays.of(people[(page - 1) * PAGE : page * PAGE], choice.first, choice.last)
	]
	return render_template(
		"months.html",
		here="workdays",
		choice=choice,
		dates=listed,
		rows=rows,
		number=len(people),
		month=month_text(choice.first),
		before=month_text(choice.first - _DAY),
		after=month_text(choice.last + _DAY),
		totals=sheets.TOTALS,
		by_hand_title=sheets.BY_HAND,
		weekly_off=workdays.rules.weekly_off,
		**_common(workdays, choice, page, pages),
	)


def _cells(person_days: list[PersonDay], listed: list[date]) -> list[list[PersonDay]]:
	by_date: dict[date, list[PersonDay]] = {day: [] for day in listed}
	for each in person_days:
		by_date[each.day.date].append(each)
	return list(by_date.values())


@blueprint.get("/days.csv")
@needs(Scope.VIEW)
def export_day_as_csv() -> Response:
	workdays = the_workdays()
	choice = of_day(request.args, workdays.today)
	return _csv(workdays, choice, f"days-{choice.first}")


@blueprint.get("/days.xlsx")
@needs(Scope.VIEW)
def export_day_as_excel() -> Response:
	workdays = the_workdays()
	choice = of_day(request.args, workdays.today)

	def write(file: IO[bytes]) -> None:
		sheets.write_days(file, choice.days(workdays), workdays.zone)

	return _excel(choice, f"days-{choice.first}", write)


@blueprint.get("/months.csv")
@needs(Scope.VIEW)
def export_month_as_csv() -> Response:
	workdays = the_workdays()
	choice = of_month(request.args, workdays.today)
	return _csv(workdays, choice, f"days-{month_text(choice.first)}")


@blueprint.get("/months.xlsx")
@needs(Scope.VIEW)
def export_month_as_excel() -> Response:
	workdays = the_workdays()
	choice = of_month(request.args, workdays.today)

	def write(file: IO[bytes]) -> None:
		sheets.write_month(
			file,
			choice.days(workdays),
			workdays.zone,
			first=choice.first,
			last=choice.last,
			allowances=workdays.rules.allowances,
		)

	return _excel(choice, f"month-{month_text(choice.first)}", write)


def _csv(workdays: Workdays, choice: Choice, name: str) -> Response:
	_note_export(choice, "csv")
	return _attached(
		stream(sheets.csv_of_days(choice.days(workdays), workdays.zone), "text/csv"), f"{name}.csv"
	)


def _excel(choice: Choice, name: str, write: Callable[[IO[bytes]], None]) -> Response:
	_note_export(choice, "xlsx")
	return _attached(stream(_file_parts(write), XLSX), f"{name}.xlsx")


def _file_parts(write: Callable[[IO[bytes]], None]) -> Iterator[bytes]:
	"""A file that is written to the disk first: a workbook has its table of contents at the end."""
	with tempfile.TemporaryFile() as file:
		write(file)
		file.seek(0)
		while part := file.read(_CHUNK):
			yield part


def _attached(response: Response, name: str) -> Response:
	response.headers["Content-Disposition"] = f"attachment; filename={name}"
	return response


def _note_export(choice: Choice, kind: str) -> None:
	here, asking = services(), caller()
	here.access.audit.write(
		"days_exported",
		who=asking.who,
		address=asking.address,
		at=here.now(),
		subject=kind,
		details=choice.spelled(),
	)


def month_text(day: date) -> str:
	return f"{day:%Y-%m}"


def _page(number: int) -> tuple[int, int]:
	"""The page asked for, and how many there are."""
	pages = max(1, -(-number // PAGE))
	return min(max(request.args.get("page", 1, int), 1), pages), pages


def _common(workdays: Workdays, choice: Choice, page: int, pages: int) -> dict[str, object]:
	"""What both pages show."""
	wanted = {
		"department": choice.department,
		"shift": choice.shift,
		"state": choice.state.value if choice.state else "",
		"q": choice.q,
	}
	everybody = workdays.people(choice.first, choice.last)
	return {
		"query": {name: value for name, value in wanted.items() if value},
		"departments": sorted({person.department for person in everybody if person.department}),
		"shifts": list(workdays.rules.shifts),
		"page": page,
		"pages": pages,
		**day_words(workdays),
	}


def day_words(workdays: Workdays) -> dict[str, object]:
	"""The words and functions that templates of days need."""

	def clock(moment: datetime | None, day: date) -> str:
		if moment is None:
			return ""
		at_place = moment.astimezone(workdays.zone)
		later = (at_place.date() - day).days
		return f"{at_place:%H:%M}{f' {later:+}' if later else ''}"

	return {
		"statuses": DAY_STATUS,
		"reasons": DAY_REASONS,
		"letters": DAY_LETTERS,
		"anomaly_words": DAY_ANOMALIES,
		"mark_words": DAY_MARKS,
		"tones": TONES,
		"clock": clock,
		"span": span,
		"scans": all_scans,
		"anomalies": anomalies,
		"missing": missing,
		"vouched_until": workdays.vouched_until,
		"readable": unicode_text,
	}


def missing(person_day: PersonDay) -> str:
	"""Which punch somebody seems to have missed: IN, OUT, or none (empty)."""
	found = person_day.day.anomalies
	if Anomaly.MISSING_IN in found or person_day.day.status in (Status.ABSENT, Status.MISSING):
		return LogType.IN.value
	return LogType.OUT.value if Anomaly.MISSING_OUT in found else ""


def span(length: timedelta) -> str:
	"""Hours and minutes, for people."""
	minutes = int(length.total_seconds()) // 60
	return f"{minutes // 60}:{minutes % 60:02}"
