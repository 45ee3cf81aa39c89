"""What only whole periods show: nights, rotations, dark terminals, who belongs to the place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from attendance_bridge.core.person import Person
from attendance_bridge.core.workday.day import Anomaly, Reason, Status
from attendance_bridge.edge.workdays.book import MOST_DAYS, PersonDay, sums
from attendance_bridge.stores.agreements import MarkKind
from attendance_bridge.stores.corrections import Corrections, Kind
from tests.edge.rig import Edge
from tests.edge.workdays.rig import ANNA, BEN, BOSS, DAY_SHIFT, MONDAY, NEXT_MONTH, NIGHT_SHIFT, Shop

TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = MONDAY + timedelta(days=2)
SHIFTS: list[dict[str, Any]] = [DAY_SHIFT, NIGHT_SHIFT, {"name": "Evening", "start": "18:00", "end": "21:00"}]


@pytest.fixture
def shop(edge: Edge) -> Shop:
	return Shop(edge, [ANNA, BEN], shifts=SHIFTS)


def status(found: PersonDay) -> tuple[Status, Reason]:
	return found.day.status, found.day.reason


def test_nights_of_a_week_belong_to_the_date_on_which_they_began(shop: Shop) -> None:
	for number in range(3):
		shop.passes("2", "22:00", "+06:15", day=MONDAY + timedelta(days=number))
	shop.settle()
	days = shop.days(BEN.employee, MONDAY, MONDAY + timedelta(days=3))
	# 06:15 - 22:00 = 8:15, of which 0:15 after the end.
	worked = [(each.day.worked, each.day.overtime) for each in days]
	assert worked == [(timedelta(hours=8.25), timedelta(hours=0.25))] * 3 + [(timedelta(), timedelta())]
	assert status(days[3]) == (Status.ABSENT, Reason.NO_PUNCH)
	assert not any(each.outside for each in days)


def test_two_shifts_of_a_date_are_two_days_and_one_in_the_sum(shop: Shop) -> None:
	shop.agreements.assign(ANNA.employee, "Evening", MONDAY, MONDAY, BOSS, besides=True)
	shop.passes("1", "09:00", "17:20", "18:05", "21:00")
	shop.settle()
	days = shop.days(ANNA.employee, MONDAY, MONDAY)
	assert [(each.day.shift, each.day.status) for each in days] == [
		("Day", Status.ON_TIME),
		("Evening", Status.CONSIDERED),
	]
	# 17:20 - 09:00 = 8:20, and 21:00 - 18:05 = 2:55
	assert (sums(days).worked, sums(days).hours) == (1.0, timedelta(hours=11, minutes=15))


def test_a_rotation_takes_the_place_of_the_everyday_shift_on_its_dates(shop: Shop) -> None:
	shop.passes("1", "09:00", "17:00")
	shop.agreements.assign(ANNA.employee, "Night", TUESDAY, WEDNESDAY, BOSS)
	shop.settle()
	assert [each.day.shift for each in shop.days(ANNA.employee, MONDAY, MONDAY + timedelta(days=3))] == [
		"Day",
		"Night",
		"Night",
		"Day",
	]


def test_of_two_shifts_that_overlap_the_one_assigned_last_counts(shop: Shop) -> None:
	shop.agreements.assign(ANNA.employee, "Day", MONDAY, None, BOSS, besides=True)
	long = {"name": "Long", "start": "08:00", "end": "20:00"}
	shop = Shop(shop.edge, [ANNA], shifts=[*SHIFTS, long])
	shop.agreements.assign(ANNA.employee, "Long", TUESDAY, TUESDAY, BOSS, besides=True)
	shop.settle()
	days = shop.days(ANNA.employee, MONDAY, TUESDAY)
	assert [each.day.shift for each in days] == ["Day", "Long"]


def test_an_assigned_shift_that_is_not_configured_any_more_is_nobodys(shop: Shop) -> None:
	shop.agreements.assign(ANNA.employee, "Gone", MONDAY, MONDAY, BOSS)
	shop.settle()
	assert status(shop.day(ANNA.employee)) == (Status.NOT_SCHEDULED, Reason.NO_SHIFT)


def test_nobody_is_waited_for_before_their_first_punch(shop: Shop) -> None:
	shop.passes("1", "09:00", "17:00", day=TUESDAY)
	shop.settle()
	days = shop.days(ANNA.employee, MONDAY, WEDNESDAY)
	assert [each.day.status for each in days] == [Status.NOT_SCHEDULED, Status.ON_TIME, Status.ABSENT]
	assert status(shop.day(BEN.employee)) == (Status.NOT_SCHEDULED, Reason.NO_SHIFT)


def test_who_was_assigned_a_shift_by_name_is_waited_for_from_then_on(shop: Shop) -> None:
	shop.agreements.assign(BEN.employee, "Day", MONDAY, None, BOSS)
	shop.settle()
	assert status(shop.day(BEN.employee)) == (Status.ABSENT, Reason.NO_PUNCH)


def test_a_day_that_a_dark_terminal_may_hold_is_missing_and_not_absent(shop: Shop) -> None:
	shop.passes("1", "09:00", "17:00")
	shop.passes("1", "09:30", day=WEDNESDAY)
	shop.settle(vouch=False)
	shop.edge.cursors.vouch("T1", datetime(2026, 3, 3, 10, 0, tzinfo=timezone.utc))
	monday, tuesday, wednesday = shop.days(ANNA.employee, MONDAY, WEDNESDAY)
	assert (monday.day.status, monday.is_open) == (Status.ON_TIME, False)
	assert status(tuesday) == (Status.MISSING, Reason.NOT_COME)
	# The OUT may be in the terminal: it is not missed, and half a day is not said.
	assert (wednesday.day.status, wednesday.day.anomalies, wednesday.is_open) == (
		Status.LATE,
		frozenset(),
		True,
	)
	shop.settle()
	after = shop.days(ANNA.employee, TUESDAY, WEDNESDAY)
	assert [each.day.status for each in after] == [Status.ABSENT, Status.LATE]
	assert after[1].day.anomalies == {Anomaly.MISSING_OUT}


def test_what_is_not_in_the_ledger_yet_holds_absence_back(shop: Shop) -> None:
	shop.passes("1", "09:00", "17:00")
	shop.settle()
	assert status(shop.day(ANNA.employee, TUESDAY)) == (Status.ABSENT, Reason.NO_PUNCH)
	# Held, and not delivered: the terminal was vouched for up to today.
	shop.passes("1", "09:00", day=TUESDAY)
	assert status(shop.day(ANNA.employee, TUESDAY)) == (Status.MISSING, Reason.NOT_COME)


@pytest.mark.parametrize(
	("hour", "minute", "expected"),
	[
		(8, 30, (Status.EXPECTED, Reason.NOT_BEGUN)),
		(9, 11, (Status.MISSING, Reason.NOT_COME)),
		# The window of the shift closes eight hours after 17:00.
		(24, 59, (Status.MISSING, Reason.NOT_COME)),
		(25, 0, (Status.ABSENT, Reason.NO_PUNCH)),
	],
)
def test_while_the_day_runs(shop: Shop, hour: int, minute: int, expected: tuple[Status, Reason]) -> None:
	shop.passes("1", "09:00", "17:00")
	shop.settle()
	shop.edge.clock.advance(
		seconds=(
			datetime(2026, 4, 1, 20, tzinfo=timezone.utc)
			+ timedelta(hours=hour, minutes=minute)
			- shop.edge.clock()
		).total_seconds()
	)
	shop.edge.cursors.vouch("T1", shop.edge.clock())
	assert shop.workdays.today == date(2026, 4, 2) + timedelta(days=hour // 24)
	assert status(shop.day(ANNA.employee, date(2026, 4, 2))) == expected


def test_days_off_by_calendar_by_shift_and_by_mark(edge: Edge) -> None:
	shifts = [{**DAY_SHIFT, "weekly_off": ["tuesday"]}, NIGHT_SHIFT]
	calendar = {"weekly_off": ["Monday"], "holidays": {"2026-03-04": "Founding day"}}
	shop = Shop(edge, [ANNA, BEN], shifts=shifts, working_days=calendar)
	shop.passes("1", "09:00", "17:00")
	shop.passes("2", "22:00", "+06:00")
	shop.agreements.mark(BEN.employee, MarkKind.OFF, TUESDAY, TUESDAY, "", BOSS)
	shop.settle()
	anna, ben = (shop.days(person.employee, MONDAY, WEDNESDAY) for person in (ANNA, BEN))
	# Work on a day off is overtime, and the punches are looked at.
	assert [each.day.status for each in ben] == [Status.WEEKLY_OFF, Status.WEEKLY_OFF, Status.HOLIDAY]
	assert (ben[0].day.overtime, ben[0].day.anomalies) == (
		timedelta(hours=8),
		{Anomaly.PUNCH_ON_DAY_OFF},
	)
	assert [each.day.status for each in anna] == [Status.ON_TIME, Status.WEEKLY_OFF, Status.HOLIDAY]
	assert [each.holiday for each in anna] == ["", "", "Founding day"]


def test_marks_are_heard_and_can_be_taken_back(shop: Shop) -> None:
	shop.passes("1", "09:00", "17:00")
	shop.passes("1", "09:00", "13:00", day=WEDNESDAY)
	shop.agreements.mark(ANNA.employee, MarkKind.LEAVE, TUESDAY, WEDNESDAY, "family", BOSS)
	shop.agreements.mark(ANNA.employee, MarkKind.HALF_LEAVE, WEDNESDAY, WEDNESDAY, "", BOSS)
	shop.settle()
	days = shop.days(ANNA.employee, MONDAY, WEDNESDAY)
	assert [status(each) for each in days[1:]] == [
		(Status.ON_LEAVE, Reason.LEAVE),
		(Status.HALF_DAY, Reason.HALF_LEAVE),
	]
	assert (sums(days).worked, sums(days).leave, sums(days).absent) == (1.5, 1.5, 0.0)
	shop.agreements.mark(ANNA.employee, None, TUESDAY, WEDNESDAY, "", BOSS)
	assert [each.day.status for each in shop.days(ANNA.employee, TUESDAY, WEDNESDAY)] == [
		Status.ABSENT,
		Status.EARLY_EXIT,
	]


def test_what_somebody_says_of_a_punch_counts_though_the_ledger_keeps_it(edge: Edge) -> None:
	shop = Shop(edge, [ANNA], shifts=[{**DAY_SHIFT, "pairing": "strict"}])
	shop.passes("1", "08:00i", "09:00i", "17:00i")
	shop.settle()
	assert shop.day(ANNA.employee).day.last_out is None
	punches = [held.punch.punch_id for held in edge.held()]
	corrections = Corrections(edge.database, apart=timedelta(minutes=1))
	corrections.correct(punches[0], Kind.IGNORE, "a test", by="boss", at=NEXT_MONTH)
	corrections.correct(punches[2], Kind.SET_OUT, "the wrong key", by="boss", at=NEXT_MONTH)
	day = shop.day(ANNA.employee).day
	assert (day.worked, day.anomalies, len(day.scans)) == (timedelta(hours=8), frozenset(), 2)
	corrections.correct(punches[0], Kind.AS_DECIDED, "no test", by="boss", at=NEXT_MONTH)
	assert shop.day(ANNA.employee).day.worked == timedelta(hours=9)
	assert shop.ledger.count() == 3


def test_a_punch_outside_of_every_shift_is_shown_with_its_date(shop: Shop) -> None:
	shop.passes("1", "04:30", "09:00", "17:00")
	shop.settle()
	found = shop.day(ANNA.employee)
	assert [scan.at.astimezone(shop.workdays.zone).hour for scan in found.outside] == [4]
	assert found.day.worked == timedelta(hours=8)


def test_without_any_rule_hours_and_overtime_are_there(edge: Edge) -> None:
	shop = Shop(edge)
	shop.passes("7", "08:00", "18:30")
	shop.settle()
	found = shop.day("7")
	assert status(found) == (Status.ON_TIME, Reason.NO_SHIFT)
	assert (found.day.worked, found.day.overtime) == (timedelta(hours=10.5), timedelta(hours=1.5))


def test_who_belongs_to_the_place(edge: Edge) -> None:
	left = Person(employee="HR-3", attendance_device_id="3", full_name="Carl", status="Left")
	gone = replace(left, employee="HR-4", attendance_device_id="4", full_name="Dora")
	shop = Shop(edge, [BEN, left, gone, ANNA], shifts=SHIFTS)
	shop.passes("3", "09:00")
	shop.settle()
	assert [each.full_name for each in shop.workdays.people(MONDAY, MONDAY)] == ["Anna", "Ben", "Carl"]
	assert [each.full_name for each in shop.workdays.people(TUESDAY, TUESDAY)] == ["Anna", "Ben"]
	# Taken out of the list, and did come.
	shop.people = (ANNA,)
	shop.settle()
	assert [each.employee for each in shop.workdays.people(MONDAY, MONDAY)] == ["HR-1", "HR-3"]


def test_where_nobody_says_who_there_is_whoever_came_in_the_last_month_belongs_to_it(edge: Edge) -> None:
	shop = Shop(edge)
	shop.passes("7", "09:00")
	shop.passes("8\udcff", "09:00")
	shop.settle()
	assert [each.employee for each in shop.workdays.people(MONDAY, MONDAY)] == ["7", "8\udcff"]
	assert len(shop.workdays.people(MONDAY + timedelta(days=31), MONDAY + timedelta(days=31))) == 2
	assert shop.workdays.people(MONDAY + timedelta(days=32), MONDAY + timedelta(days=40)) == []
	assert shop.day("8\udcff").day.anomalies == {Anomaly.MISSING_OUT}


@pytest.mark.parametrize("last", [MONDAY - timedelta(days=1), MONDAY + timedelta(days=MOST_DAYS)])
def test_a_range_without_sense_is_refused(shop: Shop, last: date) -> None:
	with pytest.raises(ValueError, match="1 to 366 days"):
		list(shop.workdays.of([ANNA], MONDAY, last))
