"""HRMS's Shift Type in the words of `core.workday`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

import frappe
from frappe.utils import cint, flt, get_time

from attendance_bridge.core.workday.plan import ShiftTimes
from attendance_bridge.core.workday.rules import BreakRules, Counting, Pairing, ShiftRules

_FIELDS = (
	"name",
	"start_time",
	"end_time",
	"begin_check_in_before_shift_start_time",
	"allow_check_out_after_shift_end_time",
	"holiday_list",
	"determine_check_in_and_check_out",
	"working_hours_calculation_based_on",
	"enable_late_entry_marking",
	"late_entry_grace_period",
	"enable_early_exit_marking",
	"early_exit_grace_period",
	"working_hours_threshold_for_half_day",
	"working_hours_threshold_for_absent",
)

_STRICT = "Strictly based on Log Type in Employee Checkin"
_EVERY_PAIR = "Every Valid Check-in and Check-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftType:
	"""A Shift Type, without the breaks: those are of the Overtime Rule."""

	times: ShiftTimes
	holiday_list: str | None

	def rules(self, breaks: BreakRules) -> ShiftRules:
		rules = self.times.rules
		return ShiftRules(
			pairing=rules.pairing,
			counting=rules.counting,
			late_grace=rules.late_grace,
			early_grace=rules.early_grace,
			half_day_below=rules.half_day_below,
			absent_below=rules.absent_below,
			breaks=breaks,
		)


def load() -> dict[str, ShiftType]:
	"""Every Shift Type by name. One statement."""
	return {row.name: read(row) for row in frappe.get_all("Shift Type", fields=list(_FIELDS), order_by=None)}


def read(row: Any) -> ShiftType:
	rules = ShiftRules(
		pairing=Pairing.STRICT if row.determine_check_in_and_check_out == _STRICT else Pairing.ALTERNATING,
		counting=Counting.EVERY_PAIR
		if row.working_hours_calculation_based_on == _EVERY_PAIR
		else Counting.FIRST_TO_LAST,
		late_grace=_minutes(row.late_entry_grace_period) if row.enable_late_entry_marking else None,
		early_grace=_minutes(row.early_exit_grace_period) if row.enable_early_exit_marking else None,
		half_day_below=timedelta(hours=flt(row.working_hours_threshold_for_half_day)),
		absent_below=timedelta(hours=flt(row.working_hours_threshold_for_absent)),
	)
	times = ShiftTimes(
		name=row.name,
		start=_time(row.start_time),
		end=_time(row.end_time),
		opens_before=_minutes(row.begin_check_in_before_shift_start_time),
		closes_after=_minutes(row.allow_check_out_after_shift_end_time),
		rules=rules,
	)
	return ShiftType(times=times, holiday_list=row.holiday_list)


def _minutes(value: Any) -> timedelta:
	return timedelta(minutes=cint(value))


def _time(value: Any) -> time:
	return get_time(value)  # type: ignore[no-any-return]
