"""Working days for spreadsheets: CSV and Excel, a person at a time, however many there are."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import Enum
from typing import IO, Any, cast

import xlsxwriter

from attendance_bridge.core.line import legible
from attendance_bridge.core.person import Person
from attendance_bridge.core.workday.tally import Tally
from attendance_bridge.edge.cells import CSV_MARK, csv_line, harmless, unicode_text
from attendance_bridge.edge.messages import DAY_ANOMALIES, DAY_LETTERS, DAY_REASONS, DAY_STATUS
from attendance_bridge.edge.workdays.book import PersonDay, sums
from attendance_bridge.edge.workdays.told import all_scans, anomalies, hours, wall_clock
from attendance_bridge.stores.entered import EnteredPunch

_DAY = timedelta(days=1)


class Kind(str, Enum):
	TEXT = "text"
	DATE = "date"
	MOMENT = "moment"
	"""As the clock of the place showed it."""
	HOURS = "hours"
	COUNT = "count"


_FORMATS = {
	Kind.TEXT: {},
	Kind.DATE: {"num_format": "yyyy-mm-dd", "align": "left"},
	Kind.MOMENT: {"num_format": "yyyy-mm-dd hh:mm", "align": "left"},
	Kind.HOURS: {"num_format": "0.00"},
	Kind.COUNT: {},
}
_WIDTHS = {Kind.TEXT: 16, Kind.DATE: 11, Kind.MOMENT: 16, Kind.HOURS: 9, Kind.COUNT: 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
	title: str
	kind: Kind
	value: Callable[[PersonDay], Any]
	"""Text, a date, an aware datetime, a timedelta or a number; None for an empty cell."""


def _told(punch: EnteredPunch) -> str:
	at = wall_clock(punch.occurred_at, "%H:%M:%S")
	told = [f"{at} {punch.entered.log_type.value} entered by {punch.entered.by}: {punch.entered.why}"]
	told += [f"corrected to {said.log_type.value} by {said.by}: {said.why}" for said in punch.corrected]
	return ", ".join(told)


DAY_COLUMNS = (
	Column(title="Date", kind=Kind.DATE, value=lambda each: each.day.date),
	Column(title="Employee", kind=Kind.TEXT, value=lambda each: each.person.employee),
	Column(title="Name", kind=Kind.TEXT, value=lambda each: each.person.full_name),
	Column(title="Department", kind=Kind.TEXT, value=lambda each: each.person.department),
	Column(title="Designation", kind=Kind.TEXT, value=lambda each: each.person.designation),
	Column(title="Shift", kind=Kind.TEXT, value=lambda each: each.day.shift),
	Column(title="Day", kind=Kind.TEXT, value=lambda each: DAY_STATUS[each.day.status]),
	Column(title="Why", kind=Kind.TEXT, value=lambda each: DAY_REASONS[each.day.reason]),
	Column(title="In", kind=Kind.MOMENT, value=lambda each: each.day.first_in),
	Column(title="Out", kind=Kind.MOMENT, value=lambda each: each.day.last_out),
	Column(title="Hours", kind=Kind.HOURS, value=lambda each: each.day.worked),
	Column(title="Overtime", kind=Kind.HOURS, value=lambda each: each.day.overtime),
	Column(title="Extra Overtime", kind=Kind.HOURS, value=lambda each: each.day.extra_overtime),
	Column(title="Breaks", kind=Kind.HOURS, value=lambda each: each.day.breaks),
	Column(title="Late by", kind=Kind.HOURS, value=lambda each: each.day.late_by),
	Column(title="Left Early by", kind=Kind.HOURS, value=lambda each: each.day.early_by),
	Column(title="Allowances", kind=Kind.TEXT, value=lambda each: ", ".join(sorted(each.day.allowances))),
	Column(
		title="To Look At",
		kind=Kind.TEXT,
		value=lambda each: ", ".join(DAY_ANOMALIES[code] for code in anomalies(each)),
	),
	Column(title="Punches", kind=Kind.COUNT, value=lambda each: len(all_scans(each))),
	Column(title="By Hand", kind=Kind.TEXT, value=lambda each: "; ".join(map(_told, each.entered.values()))),
	Column(title="Complete", kind=Kind.TEXT, value=lambda each: "no" if each.is_open else "yes"),
)
"""One line for each day of a person."""

BY_HAND = "By Hand"
"""Behind the totals of a month: how many of the punches somebody entered."""


def entered_by_hand(person_days: Iterable[PersonDay]) -> int:
	return sum(len(each.entered) for each in person_days)


Total = Callable[[Tally[Person]], Any]
TOTALS: tuple[tuple[str, Kind, Total], ...] = (
	("Worked", Kind.COUNT, lambda total: total.worked),
	("Absent", Kind.COUNT, lambda total: total.absent),
	("Leave", Kind.COUNT, lambda total: total.leave),
	("Off", Kind.COUNT, lambda total: total.off),
	("Late", Kind.COUNT, lambda total: total.late),
	("Hours", Kind.HOURS, lambda total: total.hours),
	("Overtime", Kind.HOURS, lambda total: total.overtime),
	("Extra Overtime", Kind.HOURS, lambda total: total.extra_overtime),
)
"""Behind the days of a month: title, kind, value."""


def csv_of_days(people: Iterable[Sequence[PersonDay]], zone: tzinfo) -> Iterator[str]:
	"""The lines of a CSV file: one for each day of a person. Hours are decimal, moments of the place."""
	yield CSV_MARK + csv_line(column.title for column in DAY_COLUMNS)
	for person_days in people:
		yield "".join(
			csv_line(_text(column.kind, column.value(each), zone) for column in DAY_COLUMNS)
			for each in person_days
		)


def letters(person_days: Iterable[PersonDay], days: Sequence[date]) -> list[str]:
	"""What stands in the narrow cells of a month; a date with two shifts has the letters of both."""
	found: dict[date, list[str]] = {}
	for each in person_days:
		found.setdefault(each.day.date, []).append(DAY_LETTERS[each.day.status])
	return [" ".join(filter(None, found.get(day, ()))) for day in days]


def dates(first: date, last: date) -> list[date]:
	return [first + number * _DAY for number in range((last - first).days + 1)]


def last_of_month(day: date) -> date:
	return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def write_days(file: IO[bytes], people: Iterable[Sequence[PersonDay]], zone: tzinfo) -> None:
	"""An Excel workbook with the sheet Days: one line for each day of a person."""
	with _Book(file, zone) as book:
		days = book.sheet("Days", [(column.title, column.kind) for column in DAY_COLUMNS])
		for person_days in people:
			_add_days(days, person_days)


def write_month(
	file: IO[bytes],
	people: Iterable[Sequence[PersonDay]],
	zone: tzinfo,
	*,
	first: date,
	last: date,
	allowances: Sequence[str],
) -> None:
	"""An Excel workbook with the sheets Month (people and dates as a grid, with totals) and Days.

	:param allowances: a column for each, with how often there was a right to it.
	"""
	listed = dates(first, last)
	heads = [("Employee", Kind.TEXT), ("Name", Kind.TEXT), ("Department", Kind.TEXT)]
	heads += [(str(day.day), Kind.TEXT) for day in listed]
	heads += [(title, kind) for title, kind, _value in TOTALS]
	heads += [(BY_HAND, Kind.COUNT), *((name, Kind.COUNT) for name in allowances)]
	with _Book(file, zone) as book:
		month = book.sheet("Month", heads, narrow=range(3, 3 + len(listed)))
		days = book.sheet("Days", [(column.title, column.kind) for column in DAY_COLUMNS])
		for person_days in people:
			if not person_days:
				continue
			person, total = person_days[0].person, sums(person_days)
			month.add(
				[
					*(person.employee, person.full_name, person.department),
					*letters(person_days, listed),
					*(value(total) for _title, _kind, value in TOTALS),
					entered_by_hand(person_days),
					*(total.allowances.get(name, 0) for name in allowances),
				]
			)
			_add_days(days, person_days)


def _add_days(sheet: _Sheet, person_days: Iterable[PersonDay]) -> None:
	for each in person_days:
		sheet.add([column.value(each) for column in DAY_COLUMNS])


def _text(kind: Kind, value: Any, zone: tzinfo) -> str:
	if value is None:
		return ""
	if kind is Kind.MOMENT:
		return cast(datetime, value).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
	if kind is Kind.HOURS:
		return f"{hours(value):.2f}"
	return harmless(unicode_text(str(value)))


class _Book:
	"""A workbook whose lines go to the disk as they are written."""

	def __init__(self, file: IO[bytes], zone: tzinfo) -> None:
		self._zone = zone
		options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
		self._book = xlsxwriter.Workbook(file, options)
		self._formats = {kind: self._book.add_format(form) for kind, form in _FORMATS.items()}
		self._head = self._book.add_format({"bold": True, "bottom": 1})

	def __enter__(self) -> _Book:
		return self

	def __exit__(self, *exc_info: object) -> None:
		self._book.close()

	def sheet(self, name: str, heads: Sequence[tuple[str, Kind]], narrow: Iterable[int] = ()) -> _Sheet:
		"""
		:param narrow: the columns that hold a letter.
		"""
		sheet = self._book.add_worksheet(name)
		sheet.set_landscape()
		sheet.set_paper(9)  # A4
		sheet.fit_to_pages(1, 0)
		sheet.repeat_rows(0)
		sheet.freeze_panes(1, 0)
		slim = set(narrow)
		for position, (_title, kind) in enumerate(heads):
			sheet.set_column(position, position, 4 if position in slim else _WIDTHS[kind])
		for position, (title, _kind) in enumerate(heads):
			sheet.write_string(0, position, _printable(title), self._head)
		return _Sheet(sheet, [kind for _title, kind in heads], self._formats, self._zone)


class _Sheet:
	def __init__(self, sheet: Any, kinds: Sequence[Kind], formats: dict[Kind, Any], zone: tzinfo) -> None:
		self._sheet = sheet
		self._kinds = kinds
		self._formats = formats
		self._zone = zone
		self._row = 0

	def add(self, values: Sequence[Any]) -> None:
		self._row += 1
		for position, (kind, value) in enumerate(zip(self._kinds, values, strict=True)):
			if value is not None and value != "":
				self._write(position, kind, value)

	def _write(self, position: int, kind: Kind, value: Any) -> None:
		form = self._formats[kind]
		if kind is Kind.TEXT:
			# As text, whatever it begins with: no formula, no link.
			self._sheet.write_string(self._row, position, _printable(value), form)
		elif kind is Kind.DATE:
			self._sheet.write_datetime(self._row, position, value, form)
		elif kind is Kind.MOMENT:
			at_place = value.astimezone(self._zone).replace(tzinfo=None, microsecond=0)
			self._sheet.write_datetime(self._row, position, at_place, form)
		else:
			number = hours(value) if kind is Kind.HOURS else value
			self._sheet.write_number(self._row, position, number, form)


def _printable(text: str) -> str:
	"""What XML can hold."""
	return legible(unicode_text(text))
