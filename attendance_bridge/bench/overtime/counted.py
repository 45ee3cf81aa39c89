"""The overtime that was counted, a person and a date at a time: what there is to approve."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from frappe import _

from attendance_bridge.bench import compat, people_spans
from attendance_bridge.bench.workdays import words

_DAYS_OFF = ("Holiday", "Weekly Off")


@dataclass(frozen=True, slots=True, kw_only=True)
class OvertimeDay:
	"""The overtime of one person on one date, of all their shifts together; spans in seconds."""

	employee: str
	employee_name: str
	date: date
	attendance: str
	"""The Attendance with the most overtime, if there are several."""
	shift: str
	"""Of that Attendance: its rule says what an hour is worth."""
	day_off: bool
	overtime: int
	extra_overtime: int
	allowances: str
	"""Separated by commas; one that two shifts give stands twice."""
	due: bool
	"""The day has changed and is about to be counted again."""
	overtime_type: str
	"""Of HRMS v16, empty if HRMS's own overtime is not used for the day."""
	standard_hours: float
	attendances: Sequence[Any]
	"""Their rows, for `why`."""

	@property
	def why(self) -> str:
		"""For a head of a department: from when to when, how the day went, what is odd in it."""
		return "; ".join(_why(row) for row in self.attendances)


Days = dict[tuple[str, date], OvertimeDay]


def load(employees: Collection[str], first: date, last: date) -> Days:
	"""The days with overtime or an allowance, or about to be counted. One statement."""
	own = compat.overtime_fields("Attendance")
	extra = ", `overtime_type`, `standard_working_hours`" if own else ""
	rows = people_spans.read(
		"SELECT `name`, `employee`, `employee_name`, `attendance_date`, `shift`, `in_time`, `out_time`,"  # noqa: S608
		" `bridge_day_status`, `bridge_overtime`, `bridge_extra_overtime`, `bridge_allowances`,"
		f" `bridge_anomalies`, `bridge_counted_at`{extra} FROM `tabAttendance`"
		" WHERE `employee` IN %(employees)s AND `attendance_date` BETWEEN %(first)s AND %(last)s"
		" AND `docstatus` = 1 ORDER BY `in_time`, `name`",
		{"employees": tuple(employees) or ("",), "first": first, "last": last},
	)
	by_date: dict[tuple[str, date], list[Any]] = defaultdict(list)
	for row in rows:
		by_date[row.employee, row.attendance_date].append(row)
	return {key: _day(of_date) for key, of_date in by_date.items() if any(map(_matters, of_date))}


def _matters(row: Any) -> bool:
	return bool(
		row.bridge_overtime
		or row.bridge_extra_overtime
		or row.bridge_allowances
		or row.bridge_counted_at is None
	)


def _day(rows: Sequence[Any]) -> OvertimeDay:
	main = max(rows, key=_seconds)
	allowances = [name for row in rows for name in (row.bridge_allowances or "").split(", ") if name]
	return OvertimeDay(
		employee=main.employee,
		employee_name=main.employee_name or "",
		date=main.attendance_date,
		attendance=main.name,
		shift=main.shift or "",
		day_off=main.bridge_day_status in _DAYS_OFF,
		overtime=sum(int(row.bridge_overtime or 0) for row in rows),
		extra_overtime=sum(int(row.bridge_extra_overtime or 0) for row in rows),
		allowances=", ".join(sorted(allowances)),
		due=any(row.bridge_counted_at is None for row in rows),
		overtime_type=main.get("overtime_type") or "",
		standard_hours=float(main.get("standard_working_hours") or 0),
		attendances=rows,
	)


def _seconds(row: Any) -> int:
	return int((row.bridge_overtime or 0) + (row.bridge_extra_overtime or 0))


def _why(row: Any) -> str:
	times = [f"{moment:%H:%M}" if moment else "?" for moment in (row.in_time, row.out_time)]
	odd = [_(words.to_look_at(code)) for code in (row.bridge_anomalies or "").split(", ") if code]
	return " · ".join(["–".join(times), _(row.bridge_day_status or "Present"), *odd])
