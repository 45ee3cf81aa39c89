"""Attendances: what HRMS has judged of days, and what was counted of them, read for many people at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from attendance_bridge.bench import people_spans


class Judged(NamedTuple):
	"""One submitted Attendance; one without a name is not there yet.

	A tuple: a month has tens of thousands, and each is looked at many times.
	"""

	name: str
	employee: str
	company: str
	attendance_date: date
	shift: str | None
	status: str
	leave_type: str | None
	working_hours: float | None
	bridge_day_status: str | None = None
	"""None while the day is not counted; what follows may be of an earlier count then."""
	bridge_day_reason: str | None = None
	bridge_late: float | None = None
	bridge_early: float | None = None
	bridge_breaks: float | None = None
	bridge_overtime: float | None = None
	bridge_extra_overtime: float | None = None
	bridge_allowances: str | None = None
	bridge_anomalies: str | None = None


def load(employees: Collection[str], first: date, last: date) -> dict[tuple[str, date], list[Judged]]:
	"""Those between two dates, both included, by employee and date. One statement."""
	rows = people_spans.read(
		"SELECT `name`, `employee`, `company`, `attendance_date`, `shift`, `status`, `leave_type`,"
		" `working_hours`, IF(`bridge_counted_at` IS NULL, NULL, `bridge_day_status`), `bridge_day_reason`,"
		" `bridge_late`, `bridge_early`, `bridge_breaks`, `bridge_overtime`, `bridge_extra_overtime`,"
		" `bridge_allowances`, `bridge_anomalies`"
		" FROM `tabAttendance` WHERE `employee` IN %s AND `attendance_date` BETWEEN %s AND %s"
		" AND `docstatus` = 1 ORDER BY `in_time`, `name`",
		(tuple(employees) or ("",), first, last),
		as_dict=False,
	)
	found: dict[tuple[str, date], list[Judged]] = defaultdict(list)
	for row in map(Judged._make, rows):
		found[row.employee, row.attendance_date].append(row)
	return found
