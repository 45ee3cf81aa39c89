"""Working days as programs are told of them: plain JSON, times in the site's time zone, spans in hours.

The shapes are documented in docs/protocols/workday-api.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from attendance_bridge.bench.workdays import words
from attendance_bridge.bench.workdays.days import PersonDay

_HOUR = timedelta(hours=1)


def daily(person_day: PersonDay, zone: ZoneInfo) -> dict[str, Any]:
	"""One person on one date, with every punch."""
	day, person = person_day.day, person_day.person
	return {
		"employee_id": person.name,
		"employee_name": person.employee_name or "",
		"department": person.department or "",
		"designation": person.designation or "",
		"date": str(day.date),
		"shift": day.shift,
		"status": words.STATUS[day.status],
		"reason": words.REASON[day.reason],
		"attendance": person_day.judged,
		"check_in": _time(day.first_in, zone),
		"check_out": _time(day.last_out, zone),
		"working_hours": hours(person_day.hours),
		"overtime": hours(day.overtime),
		"extra_overtime": hours(day.extra_overtime),
		"allowances": sorted(day.allowances),
		"anomalies": sorted(person_day.to_look_at),
		"attendance_count": len(day.scans),
		"scans": [
			{"time": _time(scan.at, zone), "type": scan.log_type.value if scan.log_type else ""}
			for scan in day.scans
		],
	}


def timesheets(person_days: Iterable[PersonDay], zone: ZoneInfo) -> list[dict[str, Any]]:
	"""One sheet a person; `person_days` in the order of people."""
	return [
		_timesheet(list(days), zone) for _, days in groupby(person_days, key=lambda each: each.person.name)
	]


def _timesheet(person_days: list[PersonDay], zone: ZoneInfo) -> dict[str, Any]:
	person = person_days[0].person
	return {
		"employee_id": person.name,
		"employee_name": person.employee_name or "",
		"department": person.department or "",
		"designation": person.designation or "",
		"days": [
			{
				"day": each.day.date.day,
				"date": str(each.day.date),
				"shift": each.day.shift,
				"status": words.STATUS[each.day.status],
				"checkIn": _time(each.day.first_in, zone),
				"checkOut": _time(each.day.last_out, zone),
				"workingHours": hours(each.hours),
				"overtime": hours(each.day.overtime),
				"extraOvertime": hours(each.day.extra_overtime),
			}
			for each in person_days
		],
		"totals": {
			"workingHours": hours(sum((each.hours for each in person_days), timedelta())),
			"overtime": hours(sum((each.day.overtime for each in person_days), timedelta())),
			"extraOvertime": hours(sum((each.day.extra_overtime for each in person_days), timedelta())),
		},
	}


def hours(span: timedelta) -> float:
	return round(span / _HOUR, 2)


def _time(moment: datetime | None, zone: ZoneInfo) -> str | None:
	return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if moment is not None else None
