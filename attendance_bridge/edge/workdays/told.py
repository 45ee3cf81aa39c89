"""Working days as programs are told of them, with the names that a site uses.

Times are in the time zone of the place, spans in hours. See `docs/protocols/workday-api.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from attendance_bridge.core.clock import is_repeated
from attendance_bridge.core.person import Person
from attendance_bridge.core.workday.day import Scan
from attendance_bridge.edge.cells import unicode_text
from attendance_bridge.edge.messages import DAY_REASONS, DAY_STATUS, PASSES
from attendance_bridge.edge.workdays.book import PersonDay, sums

OUTSIDE_SHIFT = "outside_shift"
"""A code beside those of `core.workday.day.Anomaly`."""


def daily(person_day: PersonDay, zone: tzinfo) -> dict[str, Any]:
	"""One person on one date, with every punch."""
	day = person_day.day
	scans = all_scans(person_day)
	return {
		**_person(person_day.person),
		"date": str(day.date),
		"shift": day.shift,
		"status": DAY_STATUS[day.status],
		"reason": DAY_REASONS[day.reason],
		"check_in": _time(day.first_in, zone),
		"check_out": _time(day.last_out, zone),
		"working_hours": hours(day.worked),
		"overtime": hours(day.overtime),
		"extra_overtime": hours(day.extra_overtime),
		"allowances": sorted(day.allowances),
		"anomalies": anomalies(person_day),
		"complete": not person_day.is_open,
		"attendance_count": len(scans),
		"scans": [
			{
				"time": _time(scan.at, zone),
				"type": scan.log_type.value if scan.log_type else "",
				"by_hand": scan.at in person_day.entered,
			}
			for scan in scans
		],
	}


def timesheet(person_days: Sequence[PersonDay], zone: tzinfo) -> dict[str, Any]:
	"""The days of one person, at least one."""
	total = sums(person_days)
	return {
		**_person(person_days[0].person),
		"days": [
			{
				"day": each.day.date.day,
				"date": str(each.day.date),
				"shift": each.day.shift,
				"status": DAY_STATUS[each.day.status],
				"checkIn": _time(each.day.first_in, zone),
				"checkOut": _time(each.day.last_out, zone),
				"workingHours": hours(each.day.worked),
				"overtime": hours(each.day.overtime),
				"extraOvertime": hours(each.day.extra_overtime),
			}
			for each in person_days
		],
		"totals": {
			"workingHours": hours(total.hours),
			"overtime": hours(total.overtime),
			"extraOvertime": hours(total.extra_overtime),
		},
	}


def all_scans(person_day: PersonDay) -> list[Scan]:
	"""Every punch of the day in order of time, those outside of its shifts included."""
	return sorted((*person_day.day.scans, *person_day.outside), key=lambda scan: scan.at)


def anomalies(person_day: PersonDay) -> list[str]:
	"""The codes of what a hand should look at."""
	found = sorted(anomaly.value for anomaly in person_day.day.anomalies)
	return [*found, OUTSIDE_SHIFT] if person_day.outside else found


def wall_clock(moment: datetime, form: str) -> str:
	"""What the clock showed at a moment (aware, of the place), and which time where it showed it twice.

	:param form: as for `strftime`.
	"""
	text = moment.strftime(form)
	return f"{text} ({PASSES[moment.fold]})" if is_repeated(moment) else text


def hours(span: timedelta) -> float:
	return round(span / timedelta(hours=1), 2)


def _person(person: Person) -> dict[str, str]:
	return {
		"employee_id": unicode_text(person.employee),
		"employee_name": unicode_text(person.full_name),
		"department": unicode_text(person.department),
		"designation": unicode_text(person.designation),
	}


def _time(moment: datetime | None, zone: tzinfo) -> str | None:
	return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if moment is not None else None
