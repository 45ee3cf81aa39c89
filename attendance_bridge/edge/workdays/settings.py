"""How working days are counted here: the tables [working_days], [overtime] and [[shifts]]."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from types import MappingProxyType
from typing import Any

from attendance_bridge.core.config import option, parse
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.workday.plan import ShiftTimes
from attendance_bridge.core.workday.rules import (
	DEFAULT_ALLOWANCES,
	BreakRules,
	Counting,
	DaysOff,
	OvertimeRules,
	Pairing,
	Rounding,
	RoundingMode,
	ShiftRules,
)
from attendance_bridge.edge.secrets import read_secret

TABLES = ("working_days", "overtime", "shifts")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_SHIFTS = 50
MAX_HOLIDAYS = 1_000
MAX_ALLOWANCES = 20
MAX_NAME = 60
LONGEST_WINDOW = timedelta(hours=36)


def _name(value: str) -> str:
	if not value.strip() or not value.isprintable():
		raise ValueError("some printable text")
	return value.strip()


def _clock_time(value: str) -> str:
	_parsed(value)
	return value


def _parsed(value: str) -> time:
	try:
		found = time.fromisoformat(value)
	except ValueError:
		raise ValueError("a time of day such as 09:00") from None
	if found.tzinfo is not None:
		raise ValueError("a time of day such as 09:00, without a zone")
	return found


def _weekday(value: str) -> str:
	if value.lower() not in WEEKDAYS:
		raise ValueError(f"one of {', '.join(WEEKDAYS)}")
	return value.lower()


def _weekdays(values: tuple[str, ...]) -> tuple[str, ...]:
	return tuple(_weekday(value) for value in values)


def _minutes(number: float) -> timedelta:
	return timedelta(minutes=number)


def _hours(number: float) -> timedelta:
	return timedelta(hours=number)


@dataclass(frozen=True, slots=True, kw_only=True)
class OvertimeSettings:
	begins: str = option("17:00", help="from when on work is overtime", check=_clock_time)
	extra_begins: str = option("19:00", help="from when on it is extra overtime", check=_clock_time)
	within_shift: bool = option(False, help="whether work before the end of the shift can be overtime")
	standard_hours: float = option(
		0.0, help="work below this is no overtime, however late", minimum=0, maximum=24
	)
	minimum_minutes: float = option(
		0.0, help="less overtime than this in a day is none", minimum=0, maximum=1_440
	)
	round_minutes: int = option(1, help="steps in which overtime is counted", minimum=1, maximum=240)
	rounding: RoundingMode = option(RoundingMode.DOWN, help="down, nearest or up")
	days_off: DaysOff = option(
		DaysOff.ALL_OVERTIME, help="all_overtime or as_usual: what work on a holiday or a weekly off is"
	)
	allowances: Mapping[str, Any] | None = option(
		None, help="hours of extra overtime from which on there is a right to something, by its name"
	)

	def rules(self, path: str) -> OvertimeRules:
		"""
		:raises ConfigError: what does not go together, or is no allowance.
		"""
		try:
			return OvertimeRules(
				begins=_parsed(self.begins),
				extra_begins=_parsed(self.extra_begins),
				within_shift=self.within_shift,
				standard=_hours(self.standard_hours),
				minimum=_minutes(self.minimum_minutes),
				rounding=Rounding(step=_minutes(self.round_minutes), mode=self.rounding),
				days_off=self.days_off,
				allowances=_allowances(self.allowances, f"{path}.allowances"),
			)
		except ValueError as error:
			raise ConfigError(Code.BAD_VALUE, path=path, expected=f"sound: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftSettings:
	name: str = option(help="how the shift is called, used once", max_length=MAX_NAME, check=_name)
	start: str = option(help="time of day at which it starts, such as 09:00", check=_clock_time)
	end: str = option(
		help="time of day at which it ends; of the next date if it is not later", check=_clock_time
	)
	opens_before_hours: float = option(
		2.0, help="how long before the start a punch belongs to it", minimum=0, maximum=12
	)
	closes_after_hours: float = option(
		8.0, help="how long after the end a punch belongs to it, overtime included", minimum=0, maximum=16
	)
	late_grace_minutes: float = option(
		10.0, help="who comes later than this is late; -1: nobody is", minimum=-1, maximum=720
	)
	early_grace_minutes: float = option(
		10.0, help="who leaves earlier than this leaves early; -1: nobody does", minimum=-1, maximum=720
	)
	half_day_below_hours: float = option(
		0.0, help="less work than this is half a day; 0: no such rule", minimum=0, maximum=24
	)
	absent_below_hours: float = option(
		0.0, help="less work than this is none; 0: no such rule", minimum=0, maximum=24
	)
	pairing: Pairing = option(
		Pairing.ALTERNATING, help="alternating (IN, OUT, IN, OUT …) or strict (as each punch says)"
	)
	counting: Counting = option(
		Counting.FIRST_TO_LAST, help="first_to_last or every_pair: which time counts as worked"
	)
	breaks_by_key_unpaid: bool = option(False, help="whether the time between the break keys is no work")
	paid_break_minutes: float = option(
		0.0, help="so much of a day's breaks counts as worked after all", minimum=0, maximum=480
	)
	deducted_break_minutes: float = option(
		0.0, help="taken off a long day by itself, less the breaks taken", minimum=0, maximum=480
	)
	deducted_over_hours: float = option(
		6.0, help="a day is long if more than this was worked", minimum=0, maximum=24
	)
	round_minutes: int = option(
		0, help="steps in which the hours worked are counted; 0: to the second", minimum=0, maximum=240
	)
	rounding: RoundingMode = option(RoundingMode.DOWN, help="down, nearest or up")
	weekly_off: tuple[str, ...] | None = option(
		None, help="the weekly offs of this shift, where they are not everybody's", check=_weekdays
	)
	overtime: OvertimeSettings | None = option(
		None, help="how its overtime is counted, where it is not as everybody's"
	)

	def times(self) -> ShiftTimes:
		return ShiftTimes(
			name=self.name,
			start=_parsed(self.start),
			end=_parsed(self.end),
			opens_before=_hours(self.opens_before_hours),
			closes_after=_hours(self.closes_after_hours),
			rules=ShiftRules(
				pairing=self.pairing,
				counting=self.counting,
				late_grace=_grace(self.late_grace_minutes),
				early_grace=_grace(self.early_grace_minutes),
				half_day_below=_hours(self.half_day_below_hours),
				absent_below=_hours(self.absent_below_hours),
				breaks=BreakRules(
					by_key_unpaid=self.breaks_by_key_unpaid,
					paid=_minutes(self.paid_break_minutes),
					deducted=_minutes(self.deducted_break_minutes),
					deducted_over=_hours(self.deducted_over_hours),
				),
				rounding=Rounding(step=_minutes(self.round_minutes), mode=self.rounding)
				if self.round_minutes
				else None,
			),
		)


def _grace(minutes: float) -> timedelta | None:
	return None if minutes < 0 else _minutes(minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSettings:
	"""The table [working_days]."""

	weekly_off: tuple[str, ...] = option((), help="the days of the week that are off", check=_weekdays)
	default_shift: str = option("", help="the shift of whoever has no other", max_length=MAX_NAME)
	holidays: Mapping[str, Any] | None = option(None, help="the name of each holiday, by its date")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedShift:
	"""A shift with all that holds for whoever works it."""

	times: ShiftTimes
	overtime: OvertimeRules
	weekly_off: frozenset[int]
	"""Days of the week, Monday is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDays:
	"""The rules of this place, ready for use."""

	shifts: Mapping[str, AgreedShift] = dataclasses.field(default_factory=lambda: MappingProxyType({}))
	default_shift: str = ""
	weekly_off: frozenset[int] = frozenset()
	"""Of whoever works no shift on the date."""
	holidays: Mapping[date, str] = dataclasses.field(default_factory=lambda: MappingProxyType({}))
	overtime: OvertimeRules = dataclasses.field(default_factory=OvertimeRules)

	@property
	def allowances(self) -> tuple[str, ...]:
		"""The names of all that extra overtime can give a right to."""
		rules = (self.overtime, *(shift.overtime for shift in self.shifts.values()))
		return tuple(sorted({name for each in rules for name in each.allowances}))


def working_days_from(mapping: Mapping[str, Any]) -> WorkingDays:
	"""Read the tables of TABLES out of the tables of the whole file.

	:raises ConfigError: with the path of the key that is wrong.
	"""
	calendar = parse(
		CalendarSettings, mapping.get("working_days", {}), secrets=read_secret, path="working_days"
	)
	overtime = parse(
		OvertimeSettings, _plain(mapping.get("overtime", {})), secrets=read_secret, path="overtime"
	).rules("overtime")
	everybodys_off = _numbers(calendar.weekly_off)
	shifts: dict[str, AgreedShift] = {}
	for position, table in enumerate(_tables(mapping.get("shifts", []))):
		path = f"shifts[{position}]"
		found = parse(ShiftSettings, _plain(table), secrets=read_secret, path=path)
		if found.name in shifts:
			raise ConfigError(Code.BAD_VALUE, path=f"{path}.name", expected="a name that no other shift has")
		shifts[found.name] = AgreedShift(
			times=_bounded(found.times(), path),
			overtime=found.overtime.rules(f"{path}.overtime") if found.overtime else overtime,
			weekly_off=everybodys_off if found.weekly_off is None else _numbers(found.weekly_off),
		)
	if calendar.default_shift and calendar.default_shift not in shifts:
		raise ConfigError(
			Code.BAD_VALUE, path="working_days.default_shift", expected="the name of one of [[shifts]]"
		)
	return WorkingDays(
		shifts=MappingProxyType(shifts),
		default_shift=calendar.default_shift,
		weekly_off=everybodys_off,
		holidays=MappingProxyType(_holidays(calendar.holidays)),
		overtime=overtime,
	)


def _tables(tables: object) -> list[Any]:
	if not isinstance(tables, list) or len(tables) > MAX_SHIFTS:
		raise ConfigError(Code.BAD_VALUE, path="shifts", expected=f"[[shifts]] tables, at most {MAX_SHIFTS}")
	return tables


def _plain(table: object) -> object:
	"""TOML knows times of day; they may stand there without quotes."""
	if not isinstance(table, Mapping):
		return table
	return {
		key: value.isoformat() if isinstance(value, time) else _plain(value) for key, value in table.items()
	}


def _bounded(times: ShiftTimes, path: str) -> ShiftTimes:
	shift = times.on(date(2026, 3, 2), timezone.utc)
	if shift.closes - shift.opens > LONGEST_WINDOW:
		raise ConfigError(
			Code.BAD_VALUE,
			path=path,
			expected=f"a shift that closes at most {LONGEST_WINDOW // _hours(1)} hours after it opens",
		)
	return times


def _numbers(names: tuple[str, ...]) -> frozenset[int]:
	return frozenset(WEEKDAYS.index(name) for name in names)


def _holidays(table: Mapping[str, Any] | None) -> dict[date, str]:
	path = "working_days.holidays"
	if table is not None and len(table) > MAX_HOLIDAYS:
		raise ConfigError(Code.BAD_VALUE, path=path, expected=f"at most {MAX_HOLIDAYS} dates")
	found: dict[date, str] = {}
	for key, name in (table or {}).items():
		place = f"{path}.{str(key)[:80]}"
		try:
			day = datetime.strptime(key, "%Y-%m-%d").date()  # noqa: DTZ007  # a date has no zone
		except ValueError:
			raise ConfigError(Code.BAD_VALUE, path=place, expected="a date such as 2026-12-02") from None
		if not isinstance(name, str) or len(name) > MAX_NAME:
			raise ConfigError(Code.BAD_VALUE, path=place, expected=f"a name of at most {MAX_NAME} characters")
		found[day] = name
	return found


def _allowances(table: Mapping[str, Any] | None, path: str) -> Mapping[str, timedelta]:
	if table is None:
		return DEFAULT_ALLOWANCES
	if len(table) > MAX_ALLOWANCES:
		raise ConfigError(Code.BAD_VALUE, path=path, expected=f"at most {MAX_ALLOWANCES} of them")
	found: dict[str, timedelta] = {}
	for name, hours in table.items():
		is_number = isinstance(hours, (int, float)) and not isinstance(hours, bool)
		if not is_number or not 0 < hours <= 24 or not 0 < len(name) <= MAX_NAME:
			raise ConfigError(
				Code.BAD_VALUE, path=f"{path}.{name[:80]}", expected="a number of hours, above 0, at most 24"
			)
		found[name] = _hours(hours)
	return MappingProxyType(found)
