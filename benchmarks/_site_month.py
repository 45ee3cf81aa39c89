"""A month of check-ins of people with one day shift, as rows; imported in the bench's interpreter only."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from random import Random

import frappe

from attendance_bridge.bench.tests import premises

SEED = 20260302
FIRST_DAY = date(2026, 3, 1)
DAYS = 26
SHIFT = "BM workday"
OVERTIME_BEGINS, EXTRA_BEGINS = 17 * 3600, 19 * 3600
"""Seconds of the day, as the app counts without any Overtime Rule."""

_COLUMNS = (
	"name",
	"creation",
	"modified",
	"owner",
	"modified_by",
	"employee",
	"employee_name",
	"time",
	"log_type",
	"shift",
	"shift_start",
	"shift_end",
	"shift_actual_start",
	"shift_actual_end",
)


def make_shift() -> str:
	last = datetime.combine(FIRST_DAY + timedelta(days=DAYS), time_of_day(23))
	return premises.shift_type(
		SHIFT,
		"09:00:00",
		"17:00:00",
		after=360,
		enable_auto_attendance=1,
		process_attendance_after=FIRST_DAY,
		last_sync_of_checkin=last,
		determine_check_in_and_check_out="Alternating entries as IN and OUT during the same shift",
		working_hours_calculation_based_on="First Check-in and Last Check-out",
		enable_late_entry_marking=1,
		late_entry_grace_period=10,
		working_hours_threshold_for_half_day=4,
	)


def write_checkins(hired: list[str], shift: str) -> dict[tuple[str, date], int]:
	"""Two check-ins a person and day; returns the seconds worked after 17:00 of each."""
	chance = Random(SEED)
	over: dict[tuple[str, date], int] = {}
	rows = []
	now = frappe.utils.now()
	for employee in hired:
		for number in range(DAYS):
			day = FIRST_DAY + timedelta(days=number)
			midnight = datetime.combine(day, time_of_day())
			came = 9 * 3600 + chance.randrange(-1500, 1500)
			left = OVERTIME_BEGINS + chance.choice((0, 0, 3600, 9000)) + chance.randrange(0, 1200)
			over[employee, day] = left - OVERTIME_BEGINS
			for seconds, log_type in ((came, "IN"), (left, "OUT")):
				rows.append(
					(
						f"BM-{len(rows):07d}",
						*(now, now, "Administrator", "Administrator"),
						*(employee, employee, midnight + timedelta(seconds=seconds), log_type, shift),
						*(midnight + timedelta(hours=hour) for hour in (9, 17, 8, 23)),
					)
				)
	frappe.db.bulk_insert("Employee Checkin", _COLUMNS, rows, chunk_size=5000)
	frappe.db.commit()
	return over
