"""What the count of days has found to look at: a missing IN or OUT, punches on a day off, other hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from attendance_bridge.bench import moments, people_spans
from attendance_bridge.bench.anomalies import clocks, register, sites, words
from attendance_bridge.bench.anomalies.finding import Finding, Key, PunchRef
from attendance_bridge.bench.anomalies.register import Scope
from attendance_bridge.core.workday.day import Workday


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedDay:
	"""A day that was counted, with or without an Attendance."""

	employee: str
	date: date
	shift: str = ""
	day: Workday
	codes: Collection[str]
	"""Keys of `words.OF_DAY`."""
	attendance: str | None = None
	held: float = 0.0
	"""Hours that HRMS holds."""
	found: float = 0.0
	"""Hours that the punches come to, as HRMS counts them."""

	@property
	def key(self) -> tuple[str, date, str]:
		return self.employee, self.date, self.shift


def keep_counted(counted: Sequence[CountedDay]) -> None:
	"""Have on record what there is to look at in these days, and close what is gone from them.

	A number of statements that does not depend on how many days and people there are.
	"""
	if not counted:
		return
	keys = {each.key for each in counted}
	dates = {(each.employee, each.date) for each in counted}
	employees = {each.employee for each in counted}
	first, last = min(each.date for each in counted), max(each.date for each in counted)

	def covers(key: Key) -> bool:
		employee, day, shift, kind = key
		return (employee, day) in dates if kind in words.OF_PERSON else (employee, day, shift) in keys

	of_person = [*sites.find(employees, first, last), *clocks.find(employees, first, last)]
	findings = [*find(counted), *(each for each in of_person if (each.employee, each.date) in dates)]
	kinds = (*words.OF_DAY.values(), *words.OF_PERSON)
	register.keep(findings, Scope(kinds=kinds, first=first, last=last, employees=employees, covers=covers))


def find(counted: Iterable[CountedDay]) -> list[Finding]:
	"""What the codes of these days say. One statement, if there are any."""
	noted = [each for each in counted if each.codes]
	punches = _punches(noted)
	return [_finding(each, code, punches) for each in noted for code in each.codes]


def _finding(counted: CountedDay, code: str, punches: dict[tuple[str, datetime], list[PunchRef]]) -> Finding:
	times = _times(counted)
	reason = words.of_day(code, counted.day.scans, times, counted.held, counted.found)
	return Finding(
		employee=counted.employee,
		date=counted.date,
		shift=counted.shift,
		kind=words.OF_DAY[code],
		reason=reason,
		punches=tuple(
			ref for time in sorted(set(times)) for ref in punches.get((counted.employee, time), ())
		),
		attendance=counted.attendance,
	)


def _times(counted: CountedDay) -> list[datetime]:
	zone = moments.site_zone()
	return [moments.to_site(scan.at, zone) for scan in counted.day.scans]


def _punches(noted: Sequence[CountedDay]) -> dict[tuple[str, datetime], list[PunchRef]]:
	"""The check-ins of these days by employee and time."""
	if not noted:
		return {}
	margin = timedelta(days=2)
	rows = people_spans.read(
		"SELECT c.`name`, c.`employee`, c.`time`, c.`log_type`, c.`punch_log`, p.`device`"
		" FROM `tabEmployee Checkin` c LEFT JOIN `tabPunch Log` p ON p.`name` = c.`punch_log`"
		" WHERE c.`employee` IN %s AND c.`time` BETWEEN %s AND %s ORDER BY c.`time`, c.`name`",
		(
			tuple({each.employee for each in noted}),
			min(each.date for each in noted) - margin,
			max(each.date for each in noted) + 2 * margin,
		),
	)
	found: dict[tuple[str, datetime], list[PunchRef]] = defaultdict(list)
	for row in rows:
		found[row.employee, row.time].append(_ref(row))
	return found


def _ref(row: Any) -> PunchRef:
	return PunchRef(
		time=row.time,
		log_type=row.log_type or "",
		device=row.device,
		employee_checkin=row.name,
		punch_log=row.punch_log,
	)
