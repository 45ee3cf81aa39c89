"""Punches of one person at two sites, nearer in time than anybody travels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import frappe
from frappe.utils import cint

from attendance_bridge.bench import devices, moments, people_spans
from attendance_bridge.bench.anomalies import words
from attendance_bridge.bench.anomalies.finding import Finding, punch_ref
from attendance_bridge.core.anomalies.places import (
	Pair,
	Place,
	TravelRules,
	Visit,
	find_unreachable,
	kilometres,
)

COUNTED = ("Checked in", "Duplicate")
"""An echo is no check-in, but somebody made it, and somewhere."""

_COLUMNS = ("name", "device", "log_type", "employee_checkin", "occurred_utc", "occurred_at")


def rules() -> TravelRules:
	"""What Attendance Bridge Settings say."""
	settings = frappe.get_cached_doc(devices.SETTINGS)
	standard = TravelRules()
	minutes = settings.least_travel_minutes
	return TravelRules(
		least=standard.least if minutes is None else timedelta(minutes=cint(minutes)),
		clock_error=timedelta(seconds=cint(settings.clock_tolerance)),
	)


def find(employees: Collection[str] | None, first: date, last: date) -> list[Finding]:
	"""The pairs whose later punch was on one of these dates, a finding a person and date.

	Two statements; one where there is but one site.

	:param employees: None: everybody.
	"""
	travel = rules()
	places = _places()
	longest = _longest_way(list(places.values()), travel)
	if not longest:
		return []
	rows = _crossings(employees, first, last, list(places), longest)
	visits: dict[str, dict[str, Visit]] = defaultdict(dict)
	for row in rows.values():
		visits[row.employee][row.name] = Visit(
			punch=row.name,
			device=row.device,
			at=row.occurred_utc.replace(tzinfo=timezone.utc),
			place=places[row.device],
		)
	by_day: dict[tuple[str, date], list[Pair]] = defaultdict(list)
	for employee, of_one in visits.items():
		for pair in find_unreachable(of_one.values(), travel):
			day = rows[pair.later.punch].occurred_at.date()
			if first <= day <= last:
				by_day[employee, day].append(pair)
	return [_finding(employee, day, pairs, rows) for (employee, day), pairs in by_day.items()]


def _finding(employee: str, day: date, pairs: Sequence[Pair], rows: Mapping[str, Any]) -> Finding:
	pair = pairs[0]
	punches = dict.fromkeys(punch for each in pairs for punch in (each.earlier.punch, each.later.punch))
	before, after = rows[pair.earlier.punch], rows[pair.later.punch]
	return Finding(
		employee=employee,
		date=day,
		kind=words.OUT_OF_REACH,
		reason=words.out_of_reach(
			(before.occurred_at, before.device),
			(after.occurred_at, after.device),
			pair.apart,
			pair.takes,
			len(pairs) - 1,
		),
		punches=tuple(punch_ref(rows[punch]) for punch in punches),
	)


def _places() -> dict[str, Place]:
	rows = frappe.get_all(devices.DOCTYPE, fields=["name", "branch", "latitude", "longitude"], order_by=None)
	found = {
		row.name: Place(
			site=row.branch or "",
			position=(row.latitude, row.longitude) if row.latitude or row.longitude else None,
		)
		for row in rows
	}
	return {name: place for name, place in found.items() if place.is_known}


def _longest_way(places: Sequence[Place], travel: TravelRules) -> timedelta:
	"""No way between two of these places takes longer; nothing if there is none at all."""
	sites = {place.site for place in places if place.site}
	positions = [place.position for place in places if place.position is not None]
	if not travel.least or (len(sites) < 2 and len(set(positions)) < 2):
		return timedelta(0)
	if len(positions) < 2:
		return travel.least
	norths, easts = zip(*positions, strict=True)
	across = kilometres((min(norths), min(easts)), (max(norths), max(easts)))
	return max(travel.least, timedelta(hours=2 * across / travel.speed))


def _crossings(
	employees: Collection[str] | None, first: date, last: date, known: Collection[str], longest: timedelta
) -> dict[str, Any]:
	"""The punches that follow one of the same person at another terminal within `longest`, and those they
	follow, by name; only of terminals whose place is known."""
	columns = ", ".join(f"`{column}`" for column in _COLUMNS)
	before = ", ".join(f"LAG(`{column}`) OVER w AS `before_{column}`" for column in _COLUMNS)
	of_people = " AND `employee` IN %(employees)s" if employees is not None else " AND `employee` <> ''"
	start = moments.from_site(datetime.combine(first, time())) - longest
	end = moments.from_site(datetime.combine(last, time())) + timedelta(days=1, hours=2)
	rows = people_spans.read(
		f"SELECT * FROM (SELECT `employee`, {columns}, {before} FROM `tabPunch Log`"  # noqa: S608
		" WHERE `occurred_utc` BETWEEN %(start)s AND %(end)s AND `status` IN %(counted)s"
		f" AND `device` IN %(known)s{of_people}"
		" WINDOW w AS (PARTITION BY `employee` ORDER BY `occurred_utc`, `name`)) AS `walk`"
		" WHERE `device` <> `before_device`"
		" AND `occurred_utc` < `before_occurred_utc` + INTERVAL %(longest)s SECOND",
		{
			"employees": tuple(employees or ("",)),
			"start": moments.to_utc(start),
			"end": moments.to_utc(end),
			"counted": COUNTED,
			"known": tuple(known),
			"longest": round(longest.total_seconds()),
		},
	)
	found: dict[str, Any] = {}
	for row in rows:
		found[row.name] = row
		earlier = {column: row[f"before_{column}"] for column in _COLUMNS}
		found.setdefault(row.before_name, frappe._dict(employee=row.employee, **earlier))
	return found
