"""A month of working days worked out, against HRMS's bare rule for hours on the same punches.

1,000 people, 26 days each with four punches (with some overtime, some lateness, one break at noon), now and
then one is missing: about 100,000 punches.

- Ours: `core.workday.engine.work_out` with all that it decides: hours, breaks, status and reason, overtime,
  extra overtime, allowances, anomalies.
- The rival: HRMS's own `calculate_working_hours` ("Every Valid Check-in and Check-out", alternating), which
  decides none of that but the hours, on documents of Frappe's kind that are made before.

Both get the punches of a person and day together, in order. The hours must agree to the hundredth that HRMS
rounds each pair to, or the run fails. `linear_ratio` is our time a person-day with all people against that
with a quarter of them.

Needs a bench for HRMS's function (no site is touched): see benchmarks/README.md.
"""

from __future__ import annotations

import _site

_site.enter()  # from here on this is the interpreter of the bench

import argparse  # noqa: E402
import gc  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from datetime import date, datetime, timedelta, timezone  # noqa: E402
from datetime import time as time_of_day  # noqa: E402
from random import Random  # noqa: E402
from statistics import median  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402
from zoneinfo import ZoneInfo  # noqa: E402

import frappe  # noqa: E402
from _figures import alternate, spread, verdict  # noqa: E402
from hrms.hr.doctype.employee_checkin.employee_checkin import calculate_working_hours  # noqa: E402

from attendance_bridge.core.direction import LogType  # noqa: E402
from attendance_bridge.core.workday.day import Scan  # noqa: E402
from attendance_bridge.core.workday.engine import work_out  # noqa: E402
from attendance_bridge.core.workday.plan import DayPlan, ShiftTimes  # noqa: E402
from attendance_bridge.core.workday.rules import Counting, OvertimeRules, ShiftRules  # noqa: E402

SEED = 20260302
ZONE = ZoneInfo("Asia/Dubai")
FIRST_DAY = date(2026, 3, 1)
DAYS = 26
FORGOTTEN = 40
"""One day in so many lacks its last punch."""
RULE = ("Alternating entries as IN and OUT during the same shift", "Every Valid Check-in and Check-out")
SHIFT = ShiftTimes(
	name="Day",
	start=time_of_day(9),
	end=time_of_day(17),
	rules=ShiftRules(
		counting=Counting.EVERY_PAIR,
		late_grace=timedelta(minutes=10),
		early_grace=timedelta(minutes=10),
		half_day_below=timedelta(hours=4),
		absent_below=timedelta(hours=2),
	),
)
OVERTIME = OvertimeRules()
GOAL = "<=10"
LINEAR_GOAL = "<=1.2"


class PersonDay(NamedTuple):
	"""One day of one person, in our words and in HRMS's."""

	plan: DayPlan
	scans: list[Scan]
	logs: list[Any]


def month(people: int) -> list[PersonDay]:
	chance = Random(SEED)
	dates = [FIRST_DAY + timedelta(days=number) for number in range(DAYS)]
	plans = [DayPlan(date=day, zone=ZONE, shift=SHIFT.on(day, ZONE)) for day in dates]
	return [person_day(plan, chance) for _ in range(people) for plan in plans]


def person_day(plan: DayPlan, chance: Random) -> PersonDay:
	midnight = datetime.combine(plan.date, time_of_day())
	minutes = [
		540 + chance.randrange(-20, 25),
		720 + chance.randrange(-10, 10),
		780 + chance.randrange(-10, 10),
		1020 + chance.choice((0, 0, 0, 60, 200)) + chance.randrange(-15, 30),
	]
	if chance.randrange(FORGOTTEN) == 0:
		minutes.pop()
	times = [midnight + timedelta(minutes=each, seconds=chance.randrange(60)) for each in minutes]
	types = (LogType.IN, LogType.OUT, LogType.IN, LogType.OUT)
	utc = [each.replace(tzinfo=ZONE).astimezone(timezone.utc) for each in times]
	return PersonDay(
		plan,
		[Scan(at, log_type) for at, log_type in zip(utc, types, strict=False)],
		[frappe._dict(time=at, log_type=log_type.value) for at, log_type in zip(times, types, strict=False)],
	)


def ours(days: Sequence[PersonDay]) -> None:
	for day in days:
		work_out(day.plan, day.scans, OVERTIME)


def theirs(days: Sequence[PersonDay]) -> None:
	for day in days:
		calculate_working_hours(day.logs, *RULE)


def seconds_a_day(work: Callable[[Sequence[PersonDay]], None], days: Sequence[PersonDay]) -> float:
	gc.collect()
	started = time.perf_counter()
	work(days)
	return (time.perf_counter() - started) / len(days)


def refuse_wrong(days: Sequence[PersonDay]) -> None:
	"""
	:raises SystemExit: hours that are not HRMS's.
	"""
	for day in days:
		worked = work_out(day.plan, day.scans, OVERTIME).worked / timedelta(hours=1)
		hours, _, _ = calculate_working_hours(day.logs, *RULE)
		if abs(worked - hours) > 0.005 * (len(day.logs) // 2) + 1e-9:
			raise SystemExit(f"{day.plan.date}: {worked} hours here, {hours} in HRMS")


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--people", type=int, default=1000)
	parser.add_argument("--rounds", type=int, default=5)
	options = parser.parse_args()
	days = month(options.people)
	few = days[: len(days) // 4]
	refuse_wrong(days)
	mine, few_mine, rival = alternate(
		options.rounds,
		lambda: seconds_a_day(ours, days),
		lambda: seconds_a_day(ours, few),
		lambda: seconds_a_day(theirs, days),
	)
	punches = sum(len(day.scans) for day in days)
	print(f"{len(days):,} person-days, {punches:,} punches, {options.people:,} people")
	print(f"  ours            {spread([1e6 * each for each in mine], 'us a person-day')}")
	print(f"  ours, a quarter {spread([1e6 * each for each in few_mine], 'us a person-day')}")
	print(f"  HRMS's hours    {spread([1e6 * each for each in rival], 'us a person-day')}")
	print(verdict(median(mine) / median(few_mine), LINEAR_GOAL, name="linear_ratio"))
	print(verdict(median(mine) / median(rival), GOAL))


if __name__ == "__main__":
	main()
