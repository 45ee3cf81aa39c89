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
from datetime import date  # noqa: E402

import _site_company as company  # noqa: E402
import frappe  # noqa: E402
from _figures import verdict  # noqa: E402
from _site_month import EXTRA_BEGINS, FIRST_DAY, OVERTIME_BEGINS, make_shift, write_checkins  # noqa: E402

from attendance_bridge.bench.workdays import counting  # noqa: E402

GOAL = ">=20"


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
