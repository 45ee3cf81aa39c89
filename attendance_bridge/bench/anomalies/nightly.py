"""Looked at every night: days that HRMS has not judged, two sites at once, held punches, patterns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta

import frappe
from frappe.utils import getdate

from attendance_bridge.bench import moments
from attendance_bridge.bench.anomalies import clocks, patterns, register, sites, words
from attendance_bridge.bench.anomalies.days import CountedDay, find
from attendance_bridge.bench.anomalies.finding import Key
from attendance_bridge.bench.anomalies.register import Scope
from attendance_bridge.bench.turn import alone
from attendance_bridge.bench.workdays import days as person_days

LOOK_BACK = timedelta(days=8)
"""Long enough for a terminal that was dark over a long weekend."""
PEOPLE_AT_ONCE = 10_000


def look() -> None:
	"""Scheduled nightly. Each part in a transaction of its own."""
	until = moments.now().date()
	first = until - LOOK_BACK
	alone(lambda: _look_at_people(first, until))
	_look_at_all_unjudged(_with_unjudged_days(first, until), first, until)
	alone(lambda: patterns.look(until))


def look_again(dates: Iterable[str], employees: Collection[str] | None = None) -> None:
	"""Look at these dates, however long ago, after their days off or somebody's leave have changed.

	A statement a date, and some more for each on which there is anything to look at. What has an Attendance
	is looked at when that is counted again.

	:param employees: None: everybody.
	"""
	for day in map(getdate, dates):
		people = _with_unjudged_days(day, day)
		if employees is not None:
			people = [name for name in people if name in employees]
		_look_at_all_unjudged(people, day, day)


def _look_at_all_unjudged(people: Sequence[str], first: date, until: date) -> None:
	for start in range(0, len(people), PEOPLE_AT_ONCE):
		chunk = people[start : start + PEOPLE_AT_ONCE]
		alone(lambda chunk=chunk: _look_at_unjudged(chunk, first, until))  # type: ignore[misc]


def _look_at_people(first: date, until: date) -> None:
	"""What the count of days has not come by: nobody has an Attendance of that date, or a shift began before
	midnight."""
	found = [*sites.find(None, first, until), *clocks.find(None, first, until)]
	register.keep(found, Scope(kinds=words.OF_PERSON, first=first, last=until))


def _with_unjudged_days(first: date, until: date) -> list[str]:
	"""Who has check-ins without an Attendance, or something open, in these days."""
	return frappe.db.sql_list(
		"SELECT `employee` FROM `tabEmployee Checkin` WHERE `time` >= %(start)s AND `time` < %(end)s"
		" AND (`attendance` IS NULL OR `attendance` = '') UNION"
		" SELECT `employee` FROM `tabAttendance Anomaly` WHERE `state` = %(open)s AND `kind` IN %(kinds)s"
		" AND `attendance_date` BETWEEN %(start)s AND %(end)s ORDER BY `employee`",
		{
			"start": first,
			"end": datetime.combine(until, time()) + timedelta(days=1),
			"open": register.OPEN,
			"kinds": tuple(words.OF_DAY.values()),
		},
	)


def _look_at_unjudged(employees: Collection[str], first: date, until: date) -> None:
	"""Days without an Attendance: HRMS makes none of a day off, and none before it has all punches."""
	counted = [
		CountedDay(
			employee=each.person.name,
			date=each.day.date,
			shift=each.day.shift,
			day=each.day,
			codes=sorted(anomaly.value for anomaly in each.day.anomalies),
		)
		for each in person_days.load(employees, first, until, now=moments.utc_now())
		if not each.attendance
	]
	keys = {each.key for each in counted}

	def covers(key: Key) -> bool:
		return key[:3] in keys

	register.keep(
		find(counted),
		Scope(
			kinds=tuple(words.OF_DAY.values()), first=first, last=until, employees=employees, covers=covers
		),
	)
