"""People whose punches keep coming together, looked for every night; see `core.anomalies.together`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from typing import Any

import frappe
from frappe.utils import cint

from attendance_bridge.bench import devices
from attendance_bridge.bench.anomalies import register, words
from attendance_bridge.bench.anomalies.finding import Finding, punch_ref
from attendance_bridge.bench.anomalies.register import Scope
from attendance_bridge.bench.anomalies.sites import COUNTED
from attendance_bridge.core.anomalies.together import (
	DayTogether,
	Pattern,
	TogetherRules,
	Touch,
	find_patterns,
	look_at_day,
)
from attendance_bridge.core.punch import VerifyMode

MOST_DAYS = 10
"""That can be asked for in a row."""
_DAY = timedelta(days=1)
_MODES = {mode.value: mode for mode in VerifyMode}
_MOST_PUNCHES = 60
"""Of one person that are listed, the newest."""


def rules() -> TogetherRules:
	"""What Attendance Bridge Settings say."""
	settings = frappe.get_cached_doc(devices.SETTINGS)
	standard = TogetherRules()
	seconds, days = settings.together_seconds, settings.together_days
	return TogetherRules(
		within=standard.within if seconds is None else timedelta(seconds=cint(seconds)),
		days=standard.days if days is None else min(cint(days), MOST_DAYS),
	)


def look(until: date) -> None:
	"""Look at the days up to `until`, three times as many as a pattern needs.

	A statement a day and a few more, however many people there are.
	"""
	together = rules()
	first = until - 3 * max(together.days, 1) * _DAY
	days = _days(first, until, together) if together.days else []
	patterns = find_patterns(days, together, _contradicted(first, until))
	found = _findings(patterns, first, together)
	earliest = min([first, *(finding.date for finding in found)])
	register.keep(
		found,
		Scope(kinds=(words.TOGETHER,), first=earliest, last=until, covers=lambda key: key[1] >= first),
	)


def _days(first: date, until: date, together: TogetherRules) -> list[DayTogether]:
	days = []
	day = first
	while day <= until:
		# One at a time: of each only the couples are kept.
		days.append(look_at_day(day, _touches(day), together))
		day += _DAY
	return days


def _touches(day: date) -> list[Touch]:
	rows = frappe.db.sql(
		"SELECT `name`, `employee`, `device`, `occurred_utc`, `verify_mode` FROM `tabPunch Log`"
		" WHERE `occurred_at` >= %s AND `occurred_at` < %s AND `status` IN %s AND `employee` <> ''",
		(day, day + _DAY, COUNTED),
	)
	return [
		Touch(
			name,
			employee,
			device or "",
			at.replace(tzinfo=timezone.utc),
			_MODES.get(mode, VerifyMode.UNKNOWN),
		)
		for name, employee, device, at, mode in rows
	]


def _contradicted(first: date, until: date) -> set[tuple[str, date]]:
	"""Whose punches of which dates other records contradict."""
	rows = frappe.db.sql(
		"SELECT `employee`, `attendance_date` FROM `tabAttendance Anomaly` WHERE `kind` IN %s"
		" AND `attendance_date` BETWEEN %s AND %s AND `state` <> %s",
		((words.OUT_OF_REACH, "Punch on Leave"), first, until, register.DISMISSED),
	)
	return {(employee, day) for employee, day in rows}


@dataclass(slots=True)
class _Series:
	"""The patterns of one person that overlap in time."""

	person: str
	first: date
	last: date
	patterns: list[Pattern]

	def others(self) -> set[str]:
		return {one for pattern in self.patterns for one in pattern.couple} - {self.person}

	def dates(self) -> set[date]:
		return {day for pattern in self.patterns for day in pattern.dates}

	def contradicted(self) -> set[date]:
		return {day for pattern in self.patterns for day in pattern.contradicted}

	def punches(self) -> set[str]:
		return {punch for pattern in self.patterns for punch in pattern.punches}


def _findings(patterns: Sequence[Pattern], first: date, together: TogetherRules) -> list[Finding]:
	every = _series(patterns)
	if not every:
		return []
	begun = _begun([each.person for each in every], first)
	rows = _rows({punch for each in every for punch in each.punches()})
	names = _names({other for each in every for other in each.others()})
	return [_finding(each, begun, rows, names, together) for each in every]


def _series(patterns: Iterable[Pattern]) -> list[_Series]:
	found: dict[str, list[_Series]] = defaultdict(list)
	for pattern in sorted(patterns, key=lambda each: each.dates):
		for person in pattern.couple:
			of_person = found[person]
			if of_person and pattern.dates[0] <= of_person[-1].last:
				of_person[-1].last = max(of_person[-1].last, pattern.dates[-1])
				of_person[-1].patterns.append(pattern)
			else:
				of_person.append(_Series(person, pattern.dates[0], pattern.dates[-1], [pattern]))
	return [each for of_person in found.values() for each in of_person]


def _finding(
	series: _Series,
	begun: dict[str, list[Any]],
	rows: dict[str, Any],
	names: dict[str, str],
	together: TogetherRules,
) -> Finding:
	others = sorted(series.others())
	own = [row for punch in series.punches() if (row := rows[punch]).employee == series.person]
	own.sort(key=lambda row: (row.occurred_at, row.name))
	return Finding(
		employee=series.person,
		date=_first_date(series, begun.get(series.person, ())),
		kind=words.TOGETHER,
		reason=words.together(
			len(others),
			len(series.dates()),
			round(together.within.total_seconds()),
			len(series.contradicted()),
		),
		punches=tuple(punch_ref(row) for row in own[-_MOST_PUNCHES:]),
		until=series.last,
		others=", ".join(f"{names.get(other) or ''} ({other})".strip() for other in others),
		# One more day of the same tells nothing new.
		told_by=(*others, "contradicted" if series.contradicted() else ""),
	)


def _first_date(series: _Series, begun: Iterable[Any]) -> date:
	"""The date under which it is on record already, though its first days lie before what was looked at."""
	for row in begun:
		if row.attendance_date <= series.last and series.first <= row.until:
			return row.attendance_date  # type: ignore[no-any-return]
	return series.first


def _begun(people: Collection[str], first: date) -> dict[str, list[Any]]:
	rows = frappe.get_all(
		register.DOCTYPE,
		filters={"kind": words.TOGETHER, "employee": ("in", sorted(set(people))), "until": (">=", first)},
		fields=["employee", "attendance_date", "until"],
		order_by="attendance_date",
	)
	found: dict[str, list[Any]] = defaultdict(list)
	for row in rows:
		found[row.employee].append(row)
	return found


def _rows(punches: Collection[str]) -> dict[str, Any]:
	rows = frappe.db.sql(
		"SELECT `name`, `employee`, `occurred_at`, `log_type`, `device`, `employee_checkin`"
		" FROM `tabPunch Log` WHERE `name` IN %s",
		(tuple(punches),),
		as_dict=True,
	)
	return {row.name: row for row in rows}


def _names(people: Collection[str]) -> dict[str, str]:
	rows = frappe.get_all(
		"Employee", filters={"name": ("in", sorted(people))}, fields=["name", "employee_name"], order_by=None
	)
	return {row.name: row.employee_name or "" for row in rows}
