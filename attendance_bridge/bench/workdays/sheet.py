"""What is known of some Attendances (shift, day off, leave, rules, punches), read all at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import frappe

from attendance_bridge.bench import moments, people_spans
from attendance_bridge.bench.workdays import shift_rules
from attendance_bridge.bench.workdays.holidays import Holidays
from attendance_bridge.bench.workdays.overtime_rules import DayRules, Rulebook
from attendance_bridge.bench.workdays.shift_rules import ShiftType
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.punch import DeviceKey
from attendance_bridge.core.workday.day import Scan
from attendance_bridge.core.workday.plan import DayPlan, Leave, Shift
from attendance_bridge.core.workday.rules import BreakRules, OvertimeRules

_LOG_TYPES = {each.value: each for each in LogType}
_KEYS = {each.value: each for each in DeviceKey}
_MIDNIGHT = time()
_DAY = timedelta(days=1)


class Employee(NamedTuple):
	"""A row of the doctype of this name. A tuple, as `judged.Judged` is."""

	name: str
	employee_name: str | None
	company: str
	department: str | None
	designation: str | None
	grade: str | None
	default_shift: str | None
	holiday_list: str | None
	status: str
	date_of_joining: date | None
	relieving_date: date | None


class _Checkin(NamedTuple):
	employee: str
	time: datetime
	log_type: str | None
	shift: str | None
	shift_start: datetime | None
	shift_end: datetime | None
	offshift: int | None
	device_key: str | None
	occurred_utc: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
	"""One Attendance, ready for the engine."""

	attendance: Any
	"""Its row: name, status, working_hours, bridge_changes …"""
	plan: DayPlan
	scans: Sequence[Scan]
	overtime: OvertimeRules


class Sheet:
	"""What is known of some people between two dates."""

	def __init__(
		self,
		people: Mapping[str, Employee],
		shifts: Mapping[str, ShiftType],
		rulebook: Rulebook,
		holidays: Holidays,
		checkins: _Checkins,
	) -> None:
		self.people = people
		"""By name."""
		self._shifts = shifts
		self._rulebook = rulebook
		self._holidays = holidays
		self._checkins = checkins
		self.zone = moments.site_zone()
		self._agreed: dict[tuple[str, date, BreakRules], Shift] = {}

	@classmethod
	def load(
		cls,
		employees: Collection[str],
		first: date,
		last: date,
		*,
		people: Mapping[str, Employee] | None = None,
		checkins_of: Collection[tuple[str, date]] | None = None,
	) -> Sheet:
		"""Seven statements, however many people and days.

		:param people: what `load_people` gave for these employees, if that was asked already.
		:param checkins_of: employees and dates whose check-ins are needed, if not all are.
		"""
		people = load_people(employees) if people is None else people
		shifts = shift_rules.load()
		shift_lists = {shift.holiday_list for shift in shifts.values() if shift.holiday_list}
		return cls(
			people,
			shifts,
			Rulebook.load(),
			Holidays.load(people.values(), shift_lists, first=first, last=last),
			_Checkins.load(people, first, last) if checkins_of is None else _Checkins.of_days(checkins_of),
		)

	def line(self, row: Any) -> Line:
		"""Gather what belongs to an Attendance, or to a day that has none yet.

		:param row: with employee, company, attendance_date, shift, status and leave_type.
		"""
		person = self.people.get(row.employee)
		shift = self._shifts.get(row.shift or "")
		rules = self._rulebook.choose(
			company=row.company, shift=row.shift, grade=person.grade if person is not None else None
		)
		found = self._checkins.of(row.employee, row.attendance_date, row.shift)
		off = self._holidays.of(
			row.attendance_date,
			employee=row.employee,
			company=row.company,
			shift_list=shift.holiday_list if shift is not None else None,
		)
		plan = DayPlan(
			date=row.attendance_date,
			zone=self.zone,
			shift=self._shift(shift, rules, found, row.attendance_date) if shift is not None else None,
			off=off,
			# HRMS counts no leave on a day off; where the Leave Type says so, there is an Attendance of it.
			leave=_leave(row) if off is None or row.name else None,
			present=row.status in ("Present", "Work From Home"),
		)
		scans = [_scan(each, self.zone) for each in found]
		return Line(attendance=row, plan=plan, scans=scans, overtime=rules.overtime)

	def _shift(
		self, shift_type: ShiftType, rules: DayRules, checkins: Sequence[_Checkin], day: date
	) -> Shift:
		agreed = self._agreed_on(day, shift_type, rules.breaks)
		times = next(
			((each.shift_start, each.shift_end) for each in checkins if each.shift_start and each.shift_end),
			None,
		)
		if times is None:
			return agreed
		# As it was when the punches came: a Shift Type may have got other times since.
		start, end = (_utc(at, self.zone) for at in times)
		if (start, end) == (agreed.start, agreed.end):
			return agreed
		return replace(
			agreed,
			start=start,
			end=end,
			opens=start - (agreed.start - agreed.opens),
			closes=end + (agreed.closes - agreed.end),
		)

	def _agreed_on(self, day: date, shift_type: ShiftType, breaks: BreakRules) -> Shift:
		"""A shift of a date is the same for everybody to whom the same rules apply."""
		key = shift_type.times.name, day, breaks
		if key not in self._agreed:
			self._agreed[key] = replace(shift_type.times, rules=shift_type.rules(breaks)).on(day, self.zone)
		return self._agreed[key]

	def shifts_punched(self, employee: str, day: date) -> set[str | None]:
		"""The shifts of the check-ins of a day; None among them: some belong to no shift."""
		return self._checkins.shifts(employee, day)


def load_people(names: Collection[str]) -> dict[str, Employee]:
	"""By name. One statement."""
	rows = frappe.get_all(
		"Employee",
		filters={"name": ("in", sorted(names) or [""])},
		fields=list(Employee._fields),
		order_by=None,
		as_list=True,
	)
	return {person.name: person for person in map(Employee._make, rows)}


def _leave(row: Any) -> Leave | None:
	if row.status == "On Leave":
		return Leave.FULL
	# Without a leave type it is HRMS's own verdict on the hours, and not a leave.
	return Leave.HALF if row.status == "Half Day" and row.leave_type else None


def _scan(row: _Checkin, zone: ZoneInfo) -> Scan:
	key = _KEYS.get(row.device_key, DeviceKey.UNDEFINED) if row.device_key else DeviceKey.UNDEFINED
	at = _utc(row.time, zone)
	if row.occurred_utc is not None:
		# Of an hour that comes twice only our own log knows which one it was; the check-in may have been
		# corrected since.
		own = row.occurred_utc.replace(tzinfo=timezone.utc)
		at = own if own.astimezone(zone).replace(tzinfo=None) == row.time else at
	return Scan(at, _LOG_TYPES.get(row.log_type), key)


def _utc(value: datetime, zone: ZoneInfo) -> datetime:
	return value.replace(tzinfo=zone).astimezone(timezone.utc)


class _Checkins:
	"""Employee Checkins by employee, date and shift, as HRMS groups them."""

	def __init__(self, rows: Iterable[_Checkin]) -> None:
		self._by_day: dict[tuple[str, date, str | None], list[_Checkin]] = defaultdict(list)
		self._shifts: dict[tuple[str, date], set[str | None]] = defaultdict(set)
		for row in rows:
			in_shift = row.shift and row.shift_start and not row.offshift
			day = row.shift_start.date() if in_shift else row.time.date()
			shift = row.shift if in_shift else None
			self._by_day[row.employee, day, shift].append(row)
			self._shifts[row.employee, day].add(shift)

	@classmethod
	def load(cls, employees: Collection[str], first: date, last: date) -> _Checkins:
		"""One statement. A night shift's punches may be of the next date."""
		return cls(_read_checkins(employees, first, last, ""))

	@classmethod
	def of_days(cls, days: Collection[tuple[str, date]]) -> _Checkins:
		"""One statement; of these employees only what belongs to one of the dates."""
		if not days:
			return cls([])
		employees, dates = {name for name, _day in days}, {day for _name, day in days}
		# As the constructor groups them.
		belongs = (
			" AND DATE(IF(c.`shift` != '' AND COALESCE(c.`offshift`, 0) = 0,"
			" COALESCE(c.`shift_start`, c.`time`), c.`time`)) IN %(dates)s"
		)
		return cls(_read_checkins(employees, min(dates), max(dates), belongs, dates=tuple(dates)))

	def of(self, employee: str, day: date, shift: str | None) -> Sequence[_Checkin]:
		return self._by_day.get((employee, day, shift or None), ())

	def shifts(self, employee: str, day: date) -> set[str | None]:
		return self._shifts.get((employee, day), set())


def _read_checkins(
	employees: Collection[str], first: date, last: date, condition: str, **values: Any
) -> Iterator[_Checkin]:
	rows = people_spans.read(
		"SELECT c.`employee`, c.`time`, c.`log_type`, c.`shift`, c.`shift_start`, c.`shift_end`,"  # noqa: S608
		" c.`offshift`, p.`device_key`, p.`occurred_utc`"
		" FROM `tabEmployee Checkin` c LEFT JOIN `tabPunch Log` p ON p.`name` = c.`punch_log`"
		" WHERE c.`employee` IN %(employees)s AND c.`time` >= %(first)s AND c.`time` < %(last)s"
		f"{condition} ORDER BY c.`employee`, c.`time`",
		{
			"employees": tuple(employees) or ("",),
			"first": datetime.combine(first, _MIDNIGHT) - _DAY,
			"last": datetime.combine(last, _MIDNIGHT) + 3 * _DAY,
			**values,
		},
		as_dict=False,
	)
	return map(_Checkin._make, rows)
