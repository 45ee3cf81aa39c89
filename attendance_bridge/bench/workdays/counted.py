"""What a counted Attendance says of its day: what is approved and paid, whatever today's rules."""

from __future__ import annotations

from datetime import timedelta

from attendance_bridge.bench.workdays import words
from attendance_bridge.bench.workdays.judged import Judged
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

_STATUS: dict[str | None, Status] = {word: status for status, word in words.STATUS.items()}
_REASON: dict[str | None, Reason] = {word: reason for reason, word in words.REASON.items()}
_ANOMALY = {each.value: each for each in Anomaly}
_NOT_WORKED = frozenset({Reason.NO_PUNCH, Reason.BY_HAND, Reason.LEAVE, Reason.DAY_OFF})
"""Where no anomaly tells of a punch, nothing was worked."""


def is_counted(row: Judged) -> bool:
	return row.bridge_day_status in _STATUS and row.bridge_day_reason in _REASON


def status(row: Judged) -> Status:
	"""Of a counted day."""
	return _STATUS[row.bridge_day_status]


def tells_hours(row: Judged) -> bool:
	"""Whether it takes no look at the punches to know how long somebody worked on a counted day."""
	return bool(row.working_hours) or (
		_REASON[row.bridge_day_reason] in _NOT_WORKED and not row.bridge_anomalies
	)


def read(row: Judged) -> Workday:
	"""A counted day without its punches."""
	return Workday(
		date=row.attendance_date,
		shift=row.shift or "",
		status=_STATUS[row.bridge_day_status],
		reason=_REASON[row.bridge_day_reason],
		late_by=_span(row.bridge_late),
		early_by=_span(row.bridge_early),
		breaks=_span(row.bridge_breaks),
		overtime=_span(row.bridge_overtime),
		extra_overtime=_span(row.bridge_extra_overtime),
		allowances=_set(row.bridge_allowances),
		anomalies=_anomalies(row),
	)


def as_counted(row: Judged, worked_out: Workday) -> Workday:
	"""A counted day, with what is not stored of it: its punches, and what follows from them."""
	return read(row)._replace(
		shift=worked_out.shift,
		first_in=worked_out.first_in,
		last_out=worked_out.last_out,
		worked=worked_out.worked,
		overtime_from=worked_out.overtime_from,
		extra_from=worked_out.extra_from,
		scans=worked_out.scans,
	)


def codes(row: Judged) -> frozenset[str]:
	"""What is to be looked at, by code: those of `Anomaly`, and those that only a site can see."""
	return _set(row.bridge_anomalies)


def _anomalies(row: Judged) -> frozenset[Anomaly]:
	if not row.bridge_anomalies:
		return frozenset()
	return frozenset(_ANOMALY[code] for code in codes(row) if code in _ANOMALY)


def _set(text: str | None) -> frozenset[str]:
	return frozenset(filter(None, text.split(", "))) if text else frozenset()


def _span(seconds: float | None) -> timedelta:
	return timedelta(seconds=int(seconds)) if seconds else NOTHING
