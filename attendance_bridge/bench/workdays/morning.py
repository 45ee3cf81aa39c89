"""The morning board: where everybody is on one date, as `days` works it out and the last check-in says.

Somebody is in whose last check-in is an IN, as on the live board. Of several shifts the one counts that began
last, so that last night's is shown until it is over and today's from the moment it opens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _

from attendance_bridge.bench import devices, moments, people_spans
from attendance_bridge.bench.workdays import days, shift_rules, words
from attendance_bridge.bench.workdays.choice import Choice
from attendance_bridge.bench.workdays.days import PersonDay
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.punch import DeviceKey
from attendance_bridge.core.workday.day import Reason, Status, Workday

MOST_PEOPLE = 20_000
_DAY = timedelta(days=1)
_COMMITTED_WITHIN = timedelta(seconds=30)
"""What was written before somebody asked may have become visible after it."""


class State(str, Enum):
	"""Where somebody is; each is in exactly one."""

	IN = "in"
	LEFT = "left"
	"""Was here, and has gone; of a date that is over: was here."""
	MISSING = "missing"
	"""Should be here. May be, if a terminal still holds the punch."""
	ABSENT = "absent"
	"""The shift is over, and every punch of it is known."""
	ON_LEAVE = "on_leave"
	OFF = "off"
	"""A holiday or a weekly off."""
	EXPECTED = "expected"
	"""The shift has not begun, or its grace is not over."""
	NO_SHIFT = "no_shift"


_WITHOUT_PUNCH = {
	Status.ABSENT: State.ABSENT,
	Status.MISSING: State.MISSING,
	Status.EXPECTED: State.EXPECTED,
	Status.ON_LEAVE: State.ON_LEAVE,
	Status.HOLIDAY: State.OFF,
	Status.WEEKLY_OFF: State.OFF,
	Status.NOT_SCHEDULED: State.NO_SHIFT,
}


@dataclass(frozen=True, slots=True)
class _Checkin:
	at: datetime
	"""Naive, in site time, as HRMS has it."""
	log_type: str
	device: str


def look(chosen: Choice, now: datetime, *, shift: str | None = None) -> list[dict[str, Any]]:
	"""Where people are on a date, in the order of the people given.

	The number of statements does not depend on how many people there are.

	:param chosen: people and one date.
	:param now: the present moment, aware.
	:param shift: only those who are in this one.
	:returns: one line a person, times naive in site time: `employee`, `name`, `department`, `shift`, `date`
		(of the shift), `state`, `reason` (in words), `late` (minutes; 0 if not), `came`, `since` and `device`
		(of the last check-in), `on_break`, `starts`, and `unread` where the terminals were not read since the
		shift began, and up to when they were: `read_until`.
	:raises frappe.ValidationError: more than MOST_PEOPLE.
	"""
	if len(chosen.employees) > MOST_PEOPLE:
		frappe.throw(
			_("More than {0} people at once. Choose a company, a branch or a department.").format(MOST_PEOPLE)
		)
	zone = moments.site_zone()
	first = chosen.first - _DAY if _yesterday_runs_on(chosen.first, now, zone) else chosen.first
	by_person: dict[str, list[PersonDay]] = defaultdict(list)
	for each in days.load(chosen.employees, first, chosen.first, now=now):
		belongs = each.plan.date == chosen.first or _runs_on(each, now)
		if belongs and (not shift or each.day.shift == shift):
			by_person[each.person.name].append(each)
	checkins = _checkins(chosen.employees, first, chosen.first)
	board = _Board(now, zone, checkins, devices.rules().direction.working_day)
	return [board.line(of_one) for of_one in by_person.values()]


def changed_since(chosen: Choice, since: datetime) -> Choice:
	"""Those of whom something was written since a moment: check-in, Attendance, leave or shift.

	One statement. What was deleted is not found: whoever keeps a board asks for all of it now and then.

	:param since: naive, in site time: the `now` of the answer before.
	"""
	values = {
		"since": since - _COMMITTED_WITHIN,
		"from": datetime.combine(chosen.first - _DAY, time()),
		"to": datetime.combine(chosen.first + 2 * _DAY, time()),
		"first": chosen.first - _DAY,
		"last": chosen.first,
	}
	changed = set(
		frappe.db.sql_list(
			"SELECT `employee` FROM `tabEmployee Checkin` WHERE `modified` >= %(since)s"
			" AND `time` >= %(from)s AND `time` < %(to)s"
			" UNION SELECT `employee` FROM `tabAttendance` WHERE `modified` >= %(since)s"
			" AND `attendance_date` BETWEEN %(first)s AND %(last)s"
			" UNION SELECT `employee` FROM `tabLeave Application` WHERE `modified` >= %(since)s"
			" UNION SELECT `employee` FROM `tabShift Assignment` WHERE `modified` >= %(since)s",
			values,
		)
	)
	people = tuple(name for name in chosen.employees if name in changed)
	return Choice(employees=people, first=chosen.first, last=chosen.last)


def _yesterday_runs_on(day: date, now: datetime, zone: ZoneInfo) -> bool:
	"""Whether the day is today and a shift of the day before is not over. One statement."""
	if day != moments.to_site(now, zone).date():
		return False
	return any(shift.times.on(day - _DAY, zone).closes > now for shift in shift_rules.load().values())


def _runs_on(each: PersonDay, now: datetime) -> bool:
	"""Whether it is of yesterday, and not over."""
	return each.plan.shift is not None and each.plan.shift.closes > now


def _checkins(employees: Collection[str], first: date, last: date) -> dict[str, list[_Checkin]]:
	"""Of each the check-ins of some dates, and of a shift that opens the evening before or ends the morning
	after, in order of time, whatever shift they belong to. One statement.
	"""
	rows = people_spans.read(
		"SELECT c.`employee`, c.`time`, c.`log_type`, COALESCE(p.`device`, c.`device_id`)"
		" FROM `tabEmployee Checkin` c LEFT JOIN `tabPunch Log` p ON p.`name` = c.`punch_log`"
		" WHERE c.`employee` IN %s AND c.`time` >= %s AND c.`time` < %s ORDER BY c.`time`, c.`creation`",
		(
			tuple(employees) or ("",),
			datetime.combine(first, time()) - _DAY / 2,
			datetime.combine(last, time()) + 2 * _DAY,
		),
		as_dict=False,
	)
	found: dict[str, list[_Checkin]] = defaultdict(list)
	for employee, at, log_type, device in rows:
		found[employee].append(_Checkin(at, log_type or "", device or ""))
	return found


@dataclass(frozen=True, slots=True)
class _Board:
	"""What the lines of one board have in common."""

	now: datetime
	zone: ZoneInfo
	checkins: Mapping[str, Sequence[_Checkin]]
	working_day: timedelta

	def line(self, person_days: Iterable[PersonDay]) -> dict[str, Any]:
		"""
		:param person_days: of one person, at least one.
		"""
		rows = sorted(person_days, key=self._opens)
		each = self._shown(rows)
		day, shift = each.day, each.plan.shift
		last = self._last(each)
		state = self._state(each, last)
		was_here = last is not None and state in (State.IN, State.LEFT)
		late = max((row.day.late_by for row in rows if row.day.status is Status.LATE), default=timedelta())
		unread = state is State.MISSING and shift is not None and each.vouched < shift.start
		return {
			"employee": each.person.name,
			"name": each.person.employee_name or each.person.name,
			"department": each.person.department or "",
			"shift": day.shift,
			"date": each.plan.date,
			"state": state.value,
			"reason": _(words.REASON[day.reason]),
			"late": int(late.total_seconds() // 60),
			"came": self._site(day.first_in),
			"since": last.at if was_here and last is not None else None,
			"device": last.device if was_here and last is not None else "",
			"on_break": state is State.IN and self._is_on_break(day),
			"starts": self._site(shift.start) if shift is not None else None,
			"unread": unread,
			"read_until": self._site(each.vouched) if unread and each.vouched.year > 1 else None,
		}

	def _opens(self, each: PersonDay) -> datetime:
		if each.plan.shift is not None:
			return each.plan.shift.opens
		return datetime.combine(each.plan.date, time(), self.zone)

	def _runs(self, each: PersonDay) -> bool:
		"""Whether there may be more to come of it."""
		if _runs_on(each, self.now):
			return True
		return each.plan.date >= self.now.astimezone(self.zone).date()

	def _shown(self, rows: Sequence[PersonDay]) -> PersonDay:
		"""Where somebody has punched in a shift that is not over, that one; else the one that opened last."""
		meant = [each for each in rows if each.plan.shift is not None or each.day.scans] or rows
		begun = [each for each in meant if self._opens(each) <= self.now]
		punched = [each for each in begun if each.day.scans and _runs_on(each, self.now)]
		return (punched or begun or meant[:1])[-1]

	def _last(self, each: PersonDay) -> _Checkin | None:
		"""The last check-in since the shift opened: of one that runs of whatever shift, else of its own."""
		begins, until = self._site(self._opens(each)), self._site(self.now)
		if not self._runs(each):
			until = self._site(each.day.scans[-1].at) if each.day.scans else None
		if begins is None or until is None:
			return None
		checkins = self.checkins.get(each.person.name, ())
		return next((checkin for checkin in reversed(checkins) if begins <= checkin.at <= until), None)

	def _state(self, each: PersonDay, last: _Checkin | None) -> State:
		day = each.day
		if last is not None and self._runs(each) and self._is_in(day, last):
			return State.IN
		if day.status is Status.ON_LEAVE:
			return State.ON_LEAVE
		if day.status is Status.ABSENT or day.reason is Reason.HALF_LEAVE_HALF_ABSENT:
			return State.ABSENT
		if day.scans:
			return State.LEFT
		if day.status is Status.PRESENT:
			shift = each.plan.shift
			return State.IN if self._runs(each) and (shift is None or self.now < shift.end) else State.LEFT
		if day.reason is Reason.HALF_LEAVE:
			return State.ON_LEAVE
		return _WITHOUT_PUNCH.get(day.status, State.LEFT)

	def _is_in(self, day: Workday, last: _Checkin) -> bool:
		now = self._site(self.now)
		if now is None or last.at <= now - self.working_day:
			return False
		if self._is_on_break(day):
			return True
		# Check-ins that do not say which they are alternate.
		return last.log_type == LogType.IN.value if last.log_type else len(day.scans) % 2 == 1

	def _is_on_break(self, day: Workday) -> bool:
		return bool(day.scans) and day.scans[-1].key is DeviceKey.BREAK_OUT

	def _site(self, moment: datetime | None) -> datetime | None:
		return moments.to_site(moment, self.zone) if moment is not None else None
