"""What is known of some Attendances (shift, day off, leave, rules, punches), read all at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from typing import Any
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
from attendance_bridge.core.workday.rules import OvertimeRules

_LOG_TYPES = {each.value: each for each in LogType}
_KEYS = {each.value: each for each in DeviceKey}
PERSON = (
	"name",
	"employee_name",
	"company",
	"department",
	"designation",
	"grade",
	"default_shift",
	"holiday_list",
	"status",
	"date_of_joining",
	"relieving_date",
)

_MIDNIGHT = time()
_DAY = timedelta(days=1)


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
		people: Mapping[str, Any],
		shifts: Mapping[str, ShiftType],
		rulebook: Rulebook,
		holidays: Holidays,
		checkins: _Checkins,
	) -> None:
		self.people = people
		"""Rows of Employee by name: those of `PERSON`."""
		self._shifts = shifts
		self._rulebook = rulebook
		self._holidays = holidays
		self._checkins = checkins
		self.zone = moments.site_zone()

	@classmethod
	def load(
		cls,
		employees: Collection[str],
		first: date,
		last: date,
		*,
		people: Mapping[str, Any] | None = None,
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
			shift=_shift(shift, rules, found, row.attendance_date, self.zone),
			off=off,
			leave=_leave(row),
			present=row.status in ("Present", "Work From Home"),
		)
		scans = [_scan(each, self.zone) for each in found]
		return Line(attendance=row, plan=plan, scans=scans, overtime=rules.overtime)

	def shifts_punched(self, employee: str, day: date) -> set[str | None]:
		"""The shifts of the check-ins of a day; None among them: some belong to no shift."""
		return self._checkins.shifts(employee, day)


def load_people(names: Collection[str]) -> dict[str, Any]:
	"""Rows of Employee by name: the columns of `PERSON`. One statement."""
	rows = frappe.get_all(
		"Employee", filters={"name": ("in", sorted(names) or [""])}, fields=list(PERSON), order_by=None
	)
	return {row.name: row for row in rows}


def _leave(row: Any) -> Leave | None:
	if row.status == "On Leave":
		return Leave.FULL
	# Without a leave type it is HRMS's own verdict on the hours, and not a leave.
	return Leave.HALF if row.status == "Half Day" and row.leave_type else None


def _shift(
	shift: ShiftType | None, rules: DayRules, checkins: Sequence[Any], day: date, zone: ZoneInfo
) -> Shift | None:
	if shift is None:
		return None
	agreed = shift.times.on(day, zone)
	counted = shift.rules(rules.breaks)
	times = next((each for each in checkins if each.shift_start and each.shift_end), None)
	if times is None:
		return replace(agreed, rules=counted)
	# As it was when the punches came: a Shift Type may have got other times since.
	start, end = _utc(times.shift_start, zone), _utc(times.shift_end, zone)
	opens, closes = agreed.start - agreed.opens, agreed.closes - agreed.end
	return Shift(
		name=agreed.name, start=start, end=end, opens=start - opens, closes=end + closes, rules=counted
	)


def _scan(row: Any, zone: ZoneInfo) -> Scan:
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

	def __init__(self, rows: Iterable[Any]) -> None:
		self._by_day: dict[tuple[str, date, str | None], list[Any]] = defaultdict(list)
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

	def of(self, employee: str, day: date, shift: str | None) -> Sequence[Any]:
		return self._by_day.get((employee, day, shift or None), ())

	def shifts(self, employee: str, day: date) -> set[str | None]:
		return self._shifts.get((employee, day), set())


def _read_checkins(
	employees: Collection[str], first: date, last: date, condition: str, **values: Any
) -> list[Any]:
	return people_spans.read(
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
	)
