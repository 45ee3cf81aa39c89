"""The overtime of a month counted and stored on a real site, against HRMS's own marking of that month.

People with one day shift have punched IN and OUT on 26 days, some late, some long; their check-ins are
written as rows. Then, on the same site in the same run:

- The rival: `Shift Type.process_auto_attendance` of HRMS makes an Attendance of each person and day.
- Ours: `bench.workdays.counting.count_all` works each of these days out and stores overtime, extra overtime,
  the day's status and what to look at on the Attendance.

Every Attendance must be counted, and its overtime must be what the punches come to here, or the run fails.

Needs a site: see benchmarks/README.md. With 1,000 people HRMS needs minutes.
"""

from __future__ import annotations

import _site

_site.enter()  # from here on this is the interpreter of the bench

import argparse  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from datetime import date, datetime, timedelta  # noqa: E402
from datetime import time as time_of_day  # noqa: E402
from random import Random  # noqa: E402

import _site_company as company  # noqa: E402
import frappe  # noqa: E402
from _figures import verdict  # noqa: E402

from attendance_bridge.bench.tests import premises  # noqa: E402
from attendance_bridge.bench.workdays import counting  # noqa: E402

SEED = 20260302
FIRST_DAY = date(2026, 3, 1)
DAYS = 26
SHIFT = "BM workday"
OVERTIME_BEGINS, EXTRA_BEGINS = 17 * 3600, 19 * 3600
GOAL = ">=20"

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


def timed(act: Callable[[], object]) -> float:
	started = time.perf_counter()
	act()
	return time.perf_counter() - started


def refuse_wrong(over: dict[tuple[str, date], int], hired: list[str]) -> None:
	"""
	:raises SystemExit: a day is missing, or its overtime is not what its punches come to.
	"""
	rows = frappe.get_all(
		"Attendance",
		filters={"employee": ("in", hired), "bridge_counted_at": ("is", "set"), "docstatus": 1},
		fields=["employee", "attendance_date", "bridge_overtime", "bridge_extra_overtime"],
		order_by=None,
	)
	counted = {(row.employee, row.attendance_date): row for row in rows}
	for key, seconds in over.items():
		row = counted.get(key)
		# Each of the two is counted in whole minutes.
		extra = max(seconds - (EXTRA_BEGINS - OVERTIME_BEGINS), 0) // 60 * 60
		span = min(seconds, EXTRA_BEGINS - OVERTIME_BEGINS) // 60 * 60
		if row is None or (row.bridge_overtime, row.bridge_extra_overtime) != (span, extra):
			raise SystemExit(f"{key}: {row}, {span} and {extra} were worked")


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--people", type=int, default=1000)
	options = parser.parse_args()
	with company.company():
		hired = company.hire(options.people, FIRST_DAY)
		shift = make_shift()
		over = write_checkins(hired, shift)
		rival = timed(frappe.get_doc("Shift Type", shift).process_auto_attendance)
		ours = timed(counting.count_all)
		refuse_wrong(over, hired)
	print(f"{len(over):,} person-days of {options.people:,} people")
	print(f"  ours  {len(over) / ours:,.0f} person-days a second, {ours:.2f} s")
	print(f"  HRMS  {len(over) / rival:,.0f} person-days a second, {rival:.2f} s")
	print(verdict(rival / ours, GOAL))


if __name__ == "__main__":
	main()
