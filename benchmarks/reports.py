"""The monthly timesheet on a real site, against HRMS's Monthly Attendance Sheet on the same data.

People with one day shift have 26 days of check-ins, and an Attendance for each, written as rows; overtime and
status of each are counted, as they are within minutes on a site. Both reports are asked for that month and
company, by turns, and the statements that they send are counted. Ours is asked for a tenth of the people too:
it must send as many statements, or the run fails. And it must show the same as before the days were counted,
when it works every one of them out from its punches.

HRMS's sheet shows a letter a day; ours shows hours, overtime and status of each, and works out the five days
that have no Attendance.

Needs a site: see benchmarks/README.md.
"""

from __future__ import annotations

import _site

_site.enter()  # from here on this is the interpreter of the bench

import argparse  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from datetime import datetime, timedelta  # noqa: E402
from statistics import median  # noqa: E402
from typing import Any  # noqa: E402

import _site_company as company  # noqa: E402
import frappe  # noqa: E402
from _figures import alternate, spread, verdict  # noqa: E402
from _site_month import DAYS, FIRST_DAY, make_shift, write_checkins  # noqa: E402
from hrms.hr.report.monthly_attendance_sheet import monthly_attendance_sheet  # noqa: E402

from attendance_bridge.attendance_bridge.report.monthly_timesheet import monthly_timesheet  # noqa: E402
from attendance_bridge.bench.tests import premises  # noqa: E402
from attendance_bridge.bench.workdays import choice, counting, days  # noqa: E402

GOAL = "<=5"
"""Ours tells hours, overtime and lateness, HRMS's no more than a letter a person and day."""

_COLUMNS = (
	"name",
	"creation",
	"modified",
	"owner",
	"modified_by",
	"docstatus",
	"employee",
	"employee_name",
	"company",
	"attendance_date",
	"shift",
	"status",
	"working_hours",
)


def write_attendances(hired: list[str], shift: str) -> None:
	now, of = frappe.utils.now(), premises.company()
	rows = [
		(
			*(f"BM-ATT-{place:04d}-{number:02d}", now, now, "Administrator", "Administrator", 1),
			*(employee, employee, of, FIRST_DAY + timedelta(days=number), shift, "Present", 8.0),
		)
		for place, employee in enumerate(hired)
		for number in range(DAYS)
	]
	frappe.db.bulk_insert("Attendance", _COLUMNS, rows, chunk_size=5000)
	frappe.db.commit()


def ours() -> list[Any]:
	filters = {"month": str(FIRST_DAY), "company": premises.company()}
	return list(monthly_timesheet.execute(filters)[1])


def theirs() -> list[Any]:
	filters = {"month": FIRST_DAY.month, "year": FIRST_DAY.year, "company": premises.company()}
	return list(monthly_attendance_sheet.execute(frappe._dict(filters))[1])


def seconds(report: Callable[[], list[Any]]) -> float:
	started = time.perf_counter()
	report()
	return time.perf_counter() - started


def statements(act: Callable[[], object]) -> int:
	"""How many SQL statements are sent; what is kept between two of them is kept already."""
	act()
	sent = 0
	execute = frappe.db.sql

	def counted(*arguments: Any, **options: Any) -> Any:
		nonlocal sent
		sent += 1
		return execute(*arguments, **options)

	frappe.db.sql = counted
	try:
		act()
	finally:
		frappe.db.sql = execute
	return sent


def refuse_wrong(hired: list[str]) -> None:
	"""
	:raises SystemExit: somebody is missing, or the number of statements depends on the people.
	"""
	missing = set(hired) - {row["employee"] for row in ours()}
	if missing:
		raise SystemExit(f"{len(missing)} people are not in the report")
	chosen = choice.of_filters({"month": str(FIRST_DAY)})
	now = datetime.fromisoformat("2026-04-30T12:00:00+00:00")
	few, many = (
		statements(lambda people=people: days.load(people, chosen.first, chosen.last, now=now))
		for people in (hired[: max(len(hired) // 10, 1)], hired)
	)
	if few != many:
		raise SystemExit(f"{few} statements for a tenth of the people, {many} for all")


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--people", type=int, default=1000)
	parser.add_argument("--rounds", type=int, default=3)
	options = parser.parse_args()
	with company.company():
		hired = company.hire(options.people, FIRST_DAY)
		shift = make_shift()
		write_checkins(hired, shift)
		write_attendances(hired, shift)
		worked_out = ours()
		counting.count_all()
		if ours() != worked_out:
			raise SystemExit("counted days show other figures than their punches come to")
		refuse_wrong(hired)
		mine, rival = alternate(options.rounds, lambda: seconds(ours), lambda: seconds(theirs))
		sent = statements(ours), statements(theirs)
	print(f"{options.people:,} people, {options.people * DAYS:,} Attendances, twice as many check-ins")
	print(f"  ours  {spread(mine, 's')}, {sent[0]} statements")
	print(f"  HRMS  {spread(rival, 's')}, {sent[1]:,} statements")
	print(verdict(median(mine) / median(rival), GOAL))


if __name__ == "__main__":
	main()
