"""What a counted Attendance says of its day: what is approved and paid, whatever today's rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from attendance_bridge.bench.workdays import words
from attendance_bridge.core.workday.day import Anomaly, Reason, Status, Workday
from attendance_bridge.core.workday.rules import NOTHING

COLUMNS = (
	"bridge_day_status",
	"bridge_day_reason",
	"bridge_late",
	"bridge_early",
	"bridge_breaks",
	"bridge_overtime",
	"bridge_extra_overtime",
	"bridge_allowances",
	"bridge_anomalies",
)

_STATUS = {word: status for status, word in words.STATUS.items()}
_REASON = {word: reason for reason, word in words.REASON.items()}
_ANOMALY = {each.value: each for each in Anomaly}
_NOT_WORKED = frozenset({Reason.NO_PUNCH, Reason.BY_HAND, Reason.LEAVE, Reason.DAY_OFF})
"""Where no anomaly tells of a punch, nothing was worked."""


def is_counted(row: Any) -> bool:
	"""
	:param row: with `COLUMNS` and `is_counted`: whether bridge_counted_at is set.
	"""
	return bool(row.is_counted and row.bridge_day_status in _STATUS and row.bridge_day_reason in _REASON)


def status(row: Any) -> Status:
	"""Of a counted day."""
	return _STATUS[row.bridge_day_status]


def tells_hours(row: Any) -> bool:
	"""Whether it takes no look at the punches to know how long somebody worked on a counted day."""
	return bool(row.working_hours) or (
		_REASON[row.bridge_day_reason] in _NOT_WORKED and not row.bridge_anomalies
	)


def read(row: Any) -> Workday:
	"""The day without its punches.

	:param row: a counted Attendance with `COLUMNS`, attendance_date and shift.
	"""
	return Workday(date=row.attendance_date, shift=row.shift or "", **_stored(row))


def as_counted(row: Any, worked_out: Workday) -> Workday:
	"""A day that was worked out from its punches, with everything that is stored of it."""
	return replace(worked_out, **_stored(row))


def codes(row: Any) -> frozenset[str]:
	"""What is to be looked at, by code: those of `Anomaly`, and those that only a site can see."""
	return frozenset(filter(None, (row.bridge_anomalies or "").split(", ")))


def _stored(row: Any) -> dict[str, Any]:
	return {
		"status": _STATUS[row.bridge_day_status],
		"reason": _REASON[row.bridge_day_reason],
		"late_by": _span(row.bridge_late),
		"early_by": _span(row.bridge_early),
		"breaks": _span(row.bridge_breaks),
		"overtime": _span(row.bridge_overtime),
		"extra_overtime": _span(row.bridge_extra_overtime),
		"allowances": _set(row.bridge_allowances),
		"anomalies": frozenset(_ANOMALY[code] for code in codes(row) if code in _ANOMALY),
	}


_EMPTY: frozenset[str] = frozenset()


def _set(text: str | None) -> frozenset[str]:
	return frozenset(text.split(", ")) if text else _EMPTY


def _span(seconds: Any) -> timedelta:
	return timedelta(seconds=int(seconds)) if seconds else NOTHING
