"""Brings a plan, punches and rules together: one person, one date, one answer with its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta, timezone
from itertools import pairwise

from attendance_bridge.core.clock import localise
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.workday.day import Anomaly, Reason, Scan, Status, Workday
from attendance_bridge.core.workday.overtime import find_overtime
from attendance_bridge.core.workday.plan import DayPlan, Leave, Off, Shift
from attendance_bridge.core.workday.rules import NOTHING, Counting, OvertimeRules, Pairing, ShiftRules
from attendance_bridge.core.workday.stretches import Work, find_work, length

_NO_SHIFT_RULES = ShiftRules()
_OFF_STATUS = {
	Off.HOLIDAY: Status.HOLIDAY,
	Off.WEEKLY_OFF: Status.WEEKLY_OFF,
	Off.HALF_HOLIDAY: Status.HOLIDAY,
	Off.HALF_WEEKLY_OFF: Status.WEEKLY_OFF,
}

Verdict = tuple[Status, Reason]


def work_out(
	plan: DayPlan,
	scans: Iterable[Scan],
	overtime_rules: OvertimeRules,
	*,
	as_of: datetime | None = None,
	vouched: datetime | None = None,
) -> Workday:
	"""Work a day out.

	:param scans: the punches that belong to the plan's shift (or, without one, to its date), in any order.
	:param as_of: the present moment, aware, for a day that may not be over; None: it is over.
	:param vouched: up to when all punches are known to be here, aware; up to the present by default. Before
		it has passed the end, the day is not over.
	"""
	rules = plan.shift.rules if plan.shift is not None else _NO_SHIFT_RULES
	ordered = _ordered(scans, rules.pairing)
	work = find_work(ordered, rules)
	worked = _worked(work, rules)
	is_over = as_of is None or min(as_of, vouched or as_of) >= _end_of(plan)
	late_by, early_by = _deviations(work, plan.shift) if plan.off is None else (NOTHING, NOTHING)
	status, reason = _verdict(plan, ordered, worked, late_by, early_by, as_of if not is_over else None)
	overtime = find_overtime(work.stretches, worked, plan, overtime_rules)
	return Workday(
		date=plan.date,
		shift=plan.shift.name if plan.shift is not None else "",
		status=status,
		reason=reason,
		first_in=work.first_in,
		last_out=work.last_out,
		worked=rules.rounding(worked) if rules.rounding is not None else worked,
		breaks=work.breaks,
		late_by=late_by,
		early_by=early_by,
		overtime=overtime.span,
		extra_overtime=overtime.extra,
		overtime_from=overtime.begins,
		extra_from=overtime.extra_begins,
		allowances=overtime.allowances,
		anomalies=_anomalies(plan, ordered, rules, is_over),
		scans=ordered,
	)


def _end_of(plan: DayPlan) -> datetime:
	if plan.shift is not None:
		return plan.shift.closes
	next_day = datetime.combine(plan.date + timedelta(days=1), time())
	return localise(next_day, plan.zone).astimezone(timezone.utc)


def _ordered(scans: Iterable[Scan], pairing: Pairing) -> tuple[Scan, ...]:
	"""In order of time; a punch that came twice counts once."""
	result: list[Scan] = []
	for scan in sorted(scans, key=_order):
		if result and scan.at == result[-1].at:
			same = pairing is Pairing.ALTERNATING or any(
				scan.log_type is other.log_type for other in result if other.at == scan.at
			)
			if same:
				continue
		result.append(scan)
	return tuple(result)


def _order(scan: Scan) -> tuple[datetime, str, str]:
	# Of two in one second the order of arrival must not decide.
	return scan.at, scan.log_type or "", scan.key


def _worked(work: Work, rules: ShiftRules) -> timedelta:
	worked = length(work.stretches) + min(rules.breaks.paid, work.unpaid)
	if rules.breaks.deducted and worked > rules.breaks.deducted_over:
		worked -= max(rules.breaks.deducted - work.breaks, NOTHING)
	return max(worked, NOTHING)


def _deviations(work: Work, shift: Shift | None) -> tuple[timedelta, timedelta]:
	"""How much later than the start, how much earlier than the end."""
	if shift is None:
		return NOTHING, NOTHING
	late = max(work.first_in - shift.start, NOTHING) if work.first_in is not None else NOTHING
	early = max(shift.end - work.last_out, NOTHING) if work.last_out is not None else NOTHING
	return late, early


def _verdict(
	plan: DayPlan,
	scans: Sequence[Scan],
	worked: timedelta,
	late_by: timedelta,
	early_by: timedelta,
	as_of: datetime | None,
) -> Verdict:
	"""
	:param as_of: the present moment while the day is not over.
	"""
	if plan.leave is Leave.FULL:
		return Status.ON_LEAVE, Reason.LEAVE
	if plan.present and not scans:
		return Status.PRESENT, Reason.BY_HAND
	if plan.off is not None and not plan.off.is_half:
		return _OFF_STATUS[plan.off], Reason.DAY_OFF
	if not scans:
		return _without_punch(plan, as_of)
	if plan.shift is None:
		half = plan.leave is Leave.HALF
		return (Status.HALF_DAY, Reason.HALF_LEAVE) if half else (Status.ON_TIME, Reason.NO_SHIFT)
	return _verdict_of_work(plan, plan.shift, worked, late_by, early_by, is_over=as_of is None)


def _verdict_of_work(
	plan: DayPlan,
	shift: Shift,
	worked: timedelta,
	late_by: timedelta,
	early_by: timedelta,
	*,
	is_over: bool,
) -> Verdict:
	"""Of a date of which at most half is off, and on which somebody came."""
	rules = _expected_of(shift, plan.off)
	if is_over and worked < rules.absent_below:
		if plan.leave is Leave.HALF:
			return Status.HALF_DAY, Reason.HALF_LEAVE_HALF_ABSENT
		return Status.ABSENT, Reason.BELOW_ABSENT
	if plan.leave is Leave.HALF:
		return Status.HALF_DAY, Reason.HALF_LEAVE
	if is_over and worked < rules.half_day_below:
		return Status.HALF_DAY, Reason.BELOW_HALF_DAY
	if plan.off is not None:
		return Status.ON_TIME, Reason.HALF_OFF  # which half is off, nobody says: none is late, none is early
	return _punctuality(rules, late_by, early_by, is_over=is_over)


def _expected_of(shift: Shift, off: Off | None) -> ShiftRules:
	rules = shift.rules
	if off is None:
		return rules
	# As HRMS does: half of the work is enough.
	return replace(rules, half_day_below=rules.half_day_below / 2, absent_below=rules.absent_below / 2)


def _without_punch(plan: DayPlan, as_of: datetime | None) -> Verdict:
	if plan.off is not None:
		return _without_punch_on_half_off(plan, plan.off, as_of)
	if plan.shift is None:
		if plan.leave is Leave.HALF:
			return Status.HALF_DAY, Reason.HALF_LEAVE
		return Status.NOT_SCHEDULED, Reason.NO_SHIFT
	if as_of is not None:
		# Half a day of leave may be the first half: only the end of the shift tells.
		grace = plan.shift.rules.late_grace or NOTHING
		may_come = plan.shift.closes if plan.leave is Leave.HALF else plan.shift.start + grace
		if as_of <= may_come:
			return Status.EXPECTED, Reason.NOT_BEGUN
		return Status.MISSING, Reason.NOT_COME
	if plan.leave is Leave.HALF:
		return Status.HALF_DAY, Reason.HALF_LEAVE_HALF_ABSENT
	return Status.ABSENT, Reason.NO_PUNCH


def _without_punch_on_half_off(plan: DayPlan, off: Off, as_of: datetime | None) -> Verdict:
	"""As HRMS has it: nobody is absent who does not come on half a day off."""
	if plan.shift is not None and as_of is not None and as_of <= plan.shift.closes:
		return Status.EXPECTED, Reason.NOT_BEGUN
	if plan.leave is Leave.HALF:
		return Status.HALF_DAY, Reason.HALF_LEAVE
	return _OFF_STATUS[off], Reason.HALF_OFF


def _punctuality(rules: ShiftRules, late_by: timedelta, early_by: timedelta, *, is_over: bool) -> Verdict:
	if rules.late_grace is not None and late_by > rules.late_grace:
		return Status.LATE, Reason.AFTER_GRACE
	# Who has gone out at noon may come back.
	if is_over and rules.early_grace is not None and early_by > rules.early_grace:
		return Status.EARLY_EXIT, Reason.LEFT_BEFORE_END
	if rules.late_grace is not None and late_by > NOTHING:
		return Status.CONSIDERED, Reason.WITHIN_GRACE
	return Status.ON_TIME, Reason.IN_TIME


def _anomalies(plan: DayPlan, scans: Sequence[Scan], rules: ShiftRules, is_over: bool) -> frozenset[Anomaly]:
	if not scans:
		return frozenset()
	found = set()
	if plan.leave is Leave.FULL:
		found.add(Anomaly.PUNCH_ON_LEAVE)
	if plan.off is not None and not plan.off.is_half:
		found.add(Anomaly.PUNCH_ON_DAY_OFF)
	types = [scan.log_type for scan in scans]
	if None in types:
		odd = len(scans) % 2 == 1 if rules.counting is Counting.EVERY_PAIR else len(scans) == 1
		if odd and is_over:
			found.add(Anomaly.MISSING_OUT)
		return frozenset(found)
	if types[0] is LogType.OUT:
		found.add(Anomaly.MISSING_IN)
	if types[-1] is LogType.IN and is_over:
		found.add(Anomaly.MISSING_OUT)
	for before, after in pairwise(types):
		if before is after:
			found.add(Anomaly.IN_AFTER_IN if after is LogType.IN else Anomaly.OUT_AFTER_OUT)
	return frozenset(found)
