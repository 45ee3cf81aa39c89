"""Counts working days: an Attendance that is due gets its overtime, its status and what to look at."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.bench import lasting, moments
from attendance_bridge.bench.anomalies.days import CountedDay, keep_counted
from attendance_bridge.bench.workdays import due, words
from attendance_bridge.bench.workdays.counted import COLUMNS
from attendance_bridge.bench.workdays.sheet import Line, Sheet
from attendance_bridge.core.workday.day import Workday
from attendance_bridge.core.workday.engine import work_out
from attendance_bridge.core.workday.rules import NOTHING, BreakRules
from attendance_bridge.core.workday.stretches import find_work, length

logger = logging.getLogger(__name__)

BATCH = 1000
HOURS_AGREE = timedelta(hours=0.02)
"""HRMS rounds each pair of punches to a hundredth of an hour."""
_NO_BREAKS = BreakRules()

_DUE = (
	"name",
	"employee",
	"company",
	"attendance_date",
	"shift",
	"status",
	"leave_type",
	"working_hours",
	"bridge_changes",
	"modified",
)


def count_all() -> int:
	"""Count what is due, batch by batch, each committed; returns how many Attendances were counted.

	:raises StoreError: DATABASE_LOCKED, retryable; what is left stays due.
	"""
	lasting.write(due.mark_rewritten)
	counted = 0
	# A batch that is done stays done, whatever becomes of the next. One that changed meanwhile as a whole is
	# for the next job.
	while written := lasting.write(lambda: count(_due())):
		counted += written
	return counted


def count(attendances: Sequence[Any]) -> int:
	"""Count these Attendances; returns how many were written.

	One whose day changes meanwhile is not written, and stays due.

	:param attendances: rows with the columns of `_DUE`.
	"""
	if not attendances:
		return 0
	days = [row.attendance_date for row in attendances]
	sheet = Sheet.load({row.employee for row in attendances}, min(days), max(days))
	counted = [_Counted.of(sheet.line(row)) for row in attendances]
	now = moments.now()
	written = _write([each.values() for each in counted], now)
	_keep_anomalies(counted, written, now)
	return written


def _due() -> list[Any]:
	# What was committed since the last look is seen.
	columns = ", ".join(f"`{column}`" for column in _DUE)
	rows: list[Any] = frappe.db.sql(
		f"SELECT {columns} FROM `tabAttendance` WHERE `bridge_counted_at` IS NULL AND `docstatus` = 1"  # noqa: S608
		" ORDER BY `attendance_date`, `employee` LIMIT %s",
		BATCH,
		as_dict=True,
	)
	return rows


@dataclass(frozen=True, slots=True)
class _Counted:
	"""An Attendance with its day worked out."""

	line: Line
	day: Workday
	hours: timedelta | None
	"""What the punches come to as HRMS counts; None: they are not to be compared."""

	@classmethod
	def of(cls, line: Line) -> _Counted:
		day = work_out(line.plan, line.scans, line.overtime)
		return cls(line, day, _hours_by_punches(day, line))

	@property
	def codes(self) -> list[str]:
		codes = [anomaly.value for anomaly in self.day.anomalies]
		if self._differs_from_hrms():
			codes.append(words.HOURS_DIFFER)
		return sorted(codes)

	def _differs_from_hrms(self) -> bool:
		"""Whether the punches come to other hours than HRMS holds: one came late, or was corrected."""
		if self.hours is None:
			return False
		held = timedelta(hours=self.line.attendance.working_hours or 0)
		return abs(self.hours - held) > HOURS_AGREE * max(len(self.day.scans) // 2, 1)

	def values(self) -> list[Any]:
		"""The columns `name`, `changes`, `modified` and `COLUMNS`."""
		day, attendance = self.day, self.line.attendance
		return [
			attendance.name,
			attendance.bridge_changes,
			str(attendance.modified) if attendance.modified else None,
			words.STATUS[day.status],
			words.REASON[day.reason],
			_seconds(day.late_by),
			_seconds(day.early_by),
			_seconds(day.breaks),
			_seconds(day.overtime),
			_seconds(day.extra_overtime),
			", ".join(sorted(day.allowances))[:140],
			", ".join(self.codes)[:140],
		]

	def noted(self) -> CountedDay:
		attendance = self.line.attendance
		return CountedDay(
			employee=attendance.employee,
			date=attendance.attendance_date,
			shift=attendance.shift or "",
			day=self.day,
			codes=self.codes,
			attendance=attendance.name,
			held=attendance.working_hours or 0.0,
			found=(self.hours or NOTHING) / timedelta(hours=1),
		)


def _hours_by_punches(day: Workday, line: Line) -> timedelta | None:
	"""Hours as HRMS counts them, which knows of no break but that between two pairs."""
	shift = line.plan.shift
	if shift is None or not day.scans:
		return None
	if shift.rules.breaks == _NO_BREAKS:
		return day.worked
	return length(find_work(day.scans, replace(shift.rules, breaks=_NO_BREAKS)).stretches)


def _keep_anomalies(counted: Sequence[_Counted], written: int, now: datetime) -> None:
	"""Of those that were written: what is known of the others is out of date."""
	if written < len(counted):
		names = [each.line.attendance.name for each in counted]
		# Locked: what was just written is to be seen, whenever this transaction began.
		ours = set(
			frappe.db.sql_list(
				"SELECT `name` FROM `tabAttendance` WHERE `name` IN %s AND `bridge_counted_at` = %s"
				" FOR UPDATE",
				(names, now),
			)
		)
		counted = [each for each in counted if each.line.attendance.name in ours]
	keep_counted([each.noted() for each in counted])


def _seconds(span: timedelta) -> int:
	return round(span.total_seconds())


def _write(rows: Sequence[Sequence[Any]], now: datetime) -> int:
	columns = ("name", "changes", "modified", *COLUMNS)
	paths = ", ".join(f"`{column}` LONGTEXT PATH '$[{place}]'" for place, column in enumerate(columns))
	changes = ", ".join(f"`a`.`{column}` = `new`.`{column}`" for column in COLUMNS)
	frappe.db.sql(
		f"UPDATE JSON_TABLE(%s, '$[*]' COLUMNS ({paths})) AS `new` STRAIGHT_JOIN `tabAttendance` AS `a`"  # noqa: S608
		" ON `a`.`name` = `new`.`name` COLLATE utf8mb4_unicode_ci"
		f" SET {changes}, `a`.`bridge_counted_at` = %s"
		" WHERE `a`.`bridge_changes` = CAST(`new`.`changes` AS INTEGER) AND `a`.`docstatus` = 1"
		" AND `a`.`modified` <=> CAST(`new`.`modified` AS DATETIME(6))",
		(json.dumps(rows), now),
	)
	return int(frappe.db._cursor.rowcount)
