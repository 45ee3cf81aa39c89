# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from frappe import _

from attendance_bridge.bench import moments
from attendance_bridge.bench.report_column import bars_by_date, column, employee_columns, figure, harmless
from attendance_bridge.bench.workdays import choice, days, words
from attendance_bridge.bench.workdays.days import PersonDay
from attendance_bridge.core.workday.day import Status

SHOWN = (Status.LATE, Status.EARLY_EXIT, Status.ABSENT, Status.MISSING)


def execute(filters: dict[str, Any] | None = None) -> tuple[Any, ...]:
	"""Columns, rows, no message, chart and summary of the days that were not as agreed."""
	chosen = choice.of_filters(filters)
	found = days.load(chosen.employees, chosen.first, chosen.last, now=moments.utc_now(), punches_of=SHOWN)
	shown = [each for each in found if each.day.status in SHOWN]
	zone = moments.site_zone()
	rows = harmless(_row(each, zone) for each in shown)
	return _columns(), rows, None, _chart(shown), _summary(shown)


def _columns() -> list[dict[str, Any]]:
	return [
		column(_("Date"), "date", "Date", 110),
		*employee_columns(_("Employee"), _("Employee Name"), _("Department")),
		column(_("Shift"), "shift", "Link", 120, options="Shift Type"),
		column(_("Day"), "status", "Data", 110),
		column(_("Why"), "reason", "Data", 210),
		column(_("First In"), "first_in", "Datetime", 190),
		column(_("Late by (Minutes)"), "late", "Int", 130),
		column(_("Last Out"), "last_out", "Datetime", 190),
		column(_("Left Early by (Minutes)"), "early", "Int", 160),
		column(_("Attendance"), "attendance", "Link", 150, options="Attendance"),
	]


def _row(each: PersonDay, zone: ZoneInfo) -> dict[str, Any]:
	day, person = each.day, each.person
	return {
		"date": day.date,
		"employee": person.name,
		"employee_name": person.employee_name,
		"department": person.department,
		"shift": day.shift,
		"status": _(words.STATUS[day.status]),
		"reason": _(words.REASON[day.reason]),
		"first_in": moments.to_site(day.first_in, zone) if day.first_in else None,
		"late": _minutes(day.late_by),
		"last_out": moments.to_site(day.last_out, zone) if day.last_out else None,
		"early": _minutes(day.early_by),
		"attendance": each.attendance,
	}


def _minutes(span: timedelta) -> int:
	return int(span.total_seconds() // 60)


def _chart(shown: list[PersonDay]) -> dict[str, Any] | None:
	if not shown:
		return None
	counts: Counter[tuple[date, Status]] = Counter((each.day.date, each.day.status) for each in shown)
	dates = sorted({each.day.date for each in shown})
	return bars_by_date(
		dates,
		[(_(words.STATUS[status]), [counts[day, status] for day in dates]) for status in SHOWN],
		["orange", "yellow", "red", "pink"],
	)


def _summary(shown: list[PersonDay]) -> list[dict[str, Any]]:
	counts = Counter(each.day.status for each in shown)
	return [
		figure(
			_(words.STATUS[status]),
			counts[status],
			"Red" if status in (Status.ABSENT, Status.MISSING) else "Orange",
		)
		for status in SHOWN
	]
