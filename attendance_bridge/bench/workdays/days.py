"""The working days of some people between two dates, those with an Attendance and those without one yet.

HRMS's Attendance has the last word on a day that it has judged, and what was counted of it stands until it is
counted again. A day without one is worked out from check-ins as they stand, and nobody is called absent in it
while the terminals of the shift may still hold a punch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple

import frappe

from attendance_bridge.bench import moments
from attendance_bridge.bench.workdays import counted, judged
from attendance_bridge.bench.workdays.agreed import Agreed
from attendance_bridge.bench.workdays.judged import Judged
from attendance_bridge.bench.workdays.sheet import Employee, Sheet, load_people
from attendance_bridge.core.workday.day import Status, Workday
from attendance_bridge.core.workday.engine import work_out
from attendance_bridge.core.workday.plan import DayPlan, Leave

_DAY = timedelta(days=1)
_LONGEST = timedelta(days=3)
_NEVER = datetime.min.replace(tzinfo=timezone.utc)
MOST_PERSON_DAYS = 200_000
"""In one question; a month of 6,000 people."""


class PersonDay(NamedTuple):
	"""One person on one date, in one shift."""

	person: Employee
	day: Workday
	plan: DayPlan | None
	"""None for a counted day whose punches were not asked for."""
	vouched: datetime
	"""Up to when all punches of the shift are known to be here, aware; at most the present."""
	attendance: str
	"""Name of the Attendance; empty if there is none yet."""
	hours: timedelta
	"""Worked: HRMS's own number where it has one, so that reports and salary slips agree."""
	judged: str
	"""What HRMS says of the day: Present, Absent, Half Day, On Leave, Work From Home; empty without one."""
	to_look_at: frozenset[str]
	"""Codes: those of `Anomaly`, and what is stored on the Attendance beside them."""


def load(
	employees: Collection[str],
	first: date,
	last: date,
	*,
	now: datetime,
	punches_of: Collection[Status] = frozenset(Status),
) -> list[PersonDay]:
	"""Every day of these people, in the order of the people given and of time.

	The number of statements does not depend on how many people or days there are.

	:param now: the present moment, aware.
	:param punches_of: who wants only sums saves time: a counted day that has none of these statuses comes
		without first_in, last_out and scans.
	:raises ValueError: more than MOST_PERSON_DAYS are asked for.
	"""
	if len(employees) * ((last - first).days + 1) > MOST_PERSON_DAYS:
		raise ValueError(f"more than {MOST_PERSON_DAYS} days of people at once")
	people = load_people(employees)
	agreed = Agreed.load(employees, first, last)
	attendances = judged.load(employees, first, last)
	asked = [
		(person, day, attendances.get((person.name, day), ()))
		for person in (people[name] for name in employees if name in people)
		for day in _dates(person, first, last)
		if person.status == "Active" or person.relieving_date or (person.name, day) in attendances
	]
	vouched = _Vouched.load(now)
	doubtful = set()
	for person, day, rows in asked:
		if not _say_all(rows, punches_of) or vouched.may_judge_more(rows, day, agreed.shifts(person, day)):
			doubtful.add((person.name, day))
	sheet = Sheet.load(employees, first, last, people=people, checkins_of=doubtful)
	reader = _Reader(sheet, agreed, vouched, now)
	found: list[PersonDay] = []
	for person, day, rows in asked:
		if (person.name, day) in doubtful:
			found += reader.work_out(person, day, rows)
		else:
			found += (reader.told(person, row) for row in rows)
	return found


def _say_all(rows: Sequence[Judged], punches_of: Collection[Status]) -> bool:
	"""Whether the Attendances of a day say everything that is asked of it."""
	for row in rows:
		if not counted.is_counted(row) or not counted.tells_hours(row):
			return False
		if punches_of and counted.status(row) in punches_of:
			return False
	return bool(rows)


def _is_about_whole_day(rows: Sequence[Judged]) -> bool:
	return any(not row.shift or row.status == "On Leave" for row in rows)


class _Reader:
	"""Makes days out of Attendances, and of what is known of the days that have none."""

	def __init__(self, sheet: Sheet, agreed: Agreed, vouched: _Vouched, now: datetime) -> None:
		self._sheet = sheet
		self._agreed = agreed
		self._vouched = vouched
		self._now = now

	def told(self, person: Employee, row: Judged) -> PersonDay:
		"""A day as its Attendance tells it."""
		return PersonDay(
			person=person,
			day=counted.read(row),
			plan=None,
			vouched=self._vouched.until(row.shift),
			hours=timedelta(hours=row.working_hours or 0),
			attendance=row.name,
			judged=row.status,
			to_look_at=counted.codes(row),
		)

	def work_out(self, person: Employee, day: date, rows: Sequence[Judged]) -> Iterator[PersonDay]:
		for row in [*rows, *_unjudged(person, day, self._sheet, self._agreed, rows)]:
			line = self._sheet.line(row)
			until = self._vouched.until(row.shift)
			if rows and not row.name and not _is_to_come(line.plan, until):
				continue
			worked_out = work_out(
				line.plan, line.scans, line.overtime, as_of=None if row.name else self._now, vouched=until
			)
			is_counted = bool(row.name) and counted.is_counted(row)
			yield PersonDay(
				person=person,
				day=counted.as_counted(row, worked_out) if is_counted else worked_out,
				plan=line.plan,
				vouched=until,
				hours=timedelta(hours=row.working_hours) if row.working_hours else worked_out.worked,
				attendance=row.name,
				judged=row.status if row.name else "",
				to_look_at=counted.codes(row)
				if is_counted
				else frozenset(each.value for each in worked_out.anomalies),
			)


def _dates(person: Employee, first: date, last: date) -> Iterator[date]:
	"""The dates on which somebody belongs to the company."""
	day = max(first, person.date_of_joining or first)
	end = min(last, person.relieving_date or last)
	while day <= end:
		yield day
		day += _DAY


def _unjudged(
	person: Employee, day: date, sheet: Sheet, agreed: Agreed, attendances: Sequence[Judged]
) -> list[Judged]:
	"""Rows as of Attendances that are not there yet.

	:param attendances: those that are there; one of no shift, or on leave, is about the whole day.
	"""
	if _is_about_whole_day(attendances):
		return []
	punched = sheet.shifts_punched(person.name, day)
	shifts: list[str | None] = [*agreed.shifts(person, day)]
	shifts += sorted(shift for shift in punched if shift and shift not in shifts)
	if None in punched and not shifts:
		shifts = [None]
	leave = agreed.leave(person.name, day)
	done = {row.shift for row in attendances}
	return [
		Judged(
			name="",
			employee=person.name,
			company=person.company,
			attendance_date=day,
			shift=shift,
			status={Leave.FULL: "On Leave", Leave.HALF: "Half Day", None: ""}[leave],
			leave_type="?" if leave else None,
			working_hours=None,
		)
		for shift in shifts or [None]
		if shift not in done
	]


def _is_to_come(plan: DayPlan, until: datetime) -> bool:
	"""Whether HRMS has not had its turn at this shift yet; of one day it judges the shifts one by one."""
	return plan.shift is not None and until < plan.shift.closes


class _Vouched:
	"""Up to when all punches are known to be here, by shift that terminals serve or HRMS judges."""

	def __init__(self, until: dict[str, datetime], now: datetime) -> None:
		self._until = {shift: min(now, moment) for shift, moment in until.items()}
		self._now = now
		zone = moments.site_zone()
		self._today = now.astimezone(zone).date()
		self._dates = {
			shift: date.min if moment is _NEVER else moment.astimezone(zone).date()
			for shift, moment in self._until.items()
		}

	@classmethod
	def load(cls, now: datetime) -> _Vouched:
		"""One statement."""
		rows = frappe.db.sql(
			"SELECT `name`, `last_sync_of_checkin` FROM `tabShift Type`"
			" WHERE `enable_auto_attendance` = 1 OR `name` IN ("
			"SELECT `served`.`shift_type` FROM `tabDevice Shift` AS `served`"
			" JOIN `tabDevice Configuration` AS `device` ON `device`.`name` = `served`.`parent`"
			" WHERE `device`.`enabled` = 1)",
			as_dict=True,
		)
		until = {
			row.name: moments.from_site(row.last_sync_of_checkin) if row.last_sync_of_checkin else _NEVER
			for row in rows
		}
		return cls(until, now)

	def until(self, shift: str | None) -> datetime:
		"""Aware; at most the present, and the present for a shift that nobody vouches for."""
		return self._until.get(shift or "", self._now)

	def may_judge_more(self, rows: Sequence[Judged], day: date, agreed: Sequence[str]) -> bool:
		"""Whether a shift of a date that has Attendances may still get one of its own.

		:param agreed: the shifts of that date.
		"""
		done = [row.shift for row in rows]
		is_open = any(shift not in done and self._is_open(shift, day) for shift in agreed)
		return is_open and not _is_about_whole_day(rows)

	def _is_open(self, shift: str, day: date) -> bool:
		"""To the day, and rather too long: no shift takes punches later than this."""
		return self._dates.get(shift, self._today) <= day + _LONGEST
