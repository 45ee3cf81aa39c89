"""Working days against sums made by hand, and what must hold for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.punch import DeviceKey
from attendance_bridge.core.workday.day import Scan, Status, Workday
from attendance_bridge.core.workday.engine import work_out
from attendance_bridge.core.workday.plan import DayPlan, Leave, Off, Shift, ShiftTimes, share_out, trimmed
from attendance_bridge.core.workday.rules import (
	BreakRules,
	Counting,
	DaysOff,
	OvertimeRules,
	Pairing,
	Rounding,
	RoundingMode,
	ShiftRules,
)
from tests.core.workday_table import DAYS, Day

DUBAI = ZoneInfo("Asia/Dubai")
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)


def minutes(number: float) -> timedelta:
	return timedelta(minutes=number)


RULES = ShiftRules(
	late_grace=minutes(10), early_grace=minutes(10), half_day_below=minutes(240), absent_below=minutes(120)
)
DAY = ShiftTimes(
	name="day", start=time(9), end=time(17), opens_before=minutes(60), closes_after=minutes(60), rules=RULES
)
HALF_HOURS = {mode: Rounding(step=minutes(30), mode=mode) for mode in RoundingMode}
KEYS = replace(RULES, breaks=BreakRules(by_key_unpaid=True))
SHIFTS = {
	"day": DAY,
	"long": replace(DAY, end=time(18)),
	"evening": replace(DAY, start=time(14), end=time(20)),
	"night": replace(DAY, start=time(22), end=time(6)),
	"late": replace(DAY, start=time(18), end=time(2)),
	"pairs": replace(DAY, rules=replace(RULES, counting=Counting.EVERY_PAIR)),
	"strict": replace(DAY, rules=replace(RULES, pairing=Pairing.STRICT)),
	"strict_pairs": replace(DAY, rules=replace(RULES, pairing=Pairing.STRICT, counting=Counting.EVERY_PAIR)),
	"open": replace(DAY, rules=ShiftRules(late_grace=None, early_grace=None)),
	"keys": replace(DAY, rules=KEYS),
	"keys_paid": replace(DAY, rules=replace(KEYS, breaks=replace(KEYS.breaks, paid=minutes(20)))),
	"lunch": replace(DAY, rules=replace(RULES, breaks=BreakRules(deducted=minutes(60)))),
	"quarter": replace(DAY, rules=replace(RULES, rounding=Rounding(step=minutes(15)))),
}
OVERTIME = {
	"default": OvertimeRules(),
	"standard": OvertimeRules(standard=minutes(480)),
	"minimum": OvertimeRules(minimum=minutes(30)),
	"down_30": OvertimeRules(rounding=HALF_HOURS[RoundingMode.DOWN]),
	"nearest_30": OvertimeRules(rounding=HALF_HOURS[RoundingMode.NEAREST]),
	"up_30": OvertimeRules(rounding=HALF_HOURS[RoundingMode.UP]),
	"within": OvertimeRules(within_shift=True),
	"four_six": OvertimeRules(begins=time(16), extra_begins=time(18)),
	"dinner": OvertimeRules(allowances={"dinner": minutes(30)}),
	"as_usual": OvertimeRules(days_off=DaysOff.AS_USUAL),
}


def moment(text: str, day: date = MONDAY, zone: ZoneInfo = DUBAI) -> datetime:
	"""A moment of the table, in UTC."""
	if text.startswith("+"):
		day += timedelta(days=1)
	at = time.fromisoformat(text.lstrip("+"))
	return datetime.combine(day, at, zone).astimezone(timezone.utc)


def scan(text: str) -> Scan:
	at = text.rstrip("iob")
	marks = text[len(at) :]
	log_type = LogType.IN if "i" in marks else LogType.OUT if "o" in marks else None
	key = DeviceKey.UNDEFINED
	if "b" in marks:
		key = DeviceKey.BREAK_IN if log_type is LogType.IN else DeviceKey.BREAK_OUT
	return Scan(moment(at), log_type, key)


def plan_of(day: Day) -> DayPlan:
	return DayPlan(
		date=MONDAY,
		zone=DUBAI,
		shift=SHIFTS[day.shift].on(MONDAY, DUBAI) if day.shift else None,
		off=Off(day.off) if day.off else None,
		leave=Leave(day.leave) if day.leave else None,
		present=day.present,
	)


def worked_out(day: Day) -> Workday:
	as_of = moment(day.as_of) if day.as_of else None
	vouched = moment(day.vouched) if day.vouched else None
	scans = map(scan, day.scans.split())
	return work_out(plan_of(day), scans, OVERTIME[day.rules], as_of=as_of, vouched=vouched)


def told(span: timedelta) -> str:
	hours, rest = divmod(round(span.total_seconds()), 3600)
	assert rest % 60 == 0
	return f"{hours}:{rest // 60:02}"


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name)
def test_day(day: Day) -> None:
	result = worked_out(day)

	assert (result.status.value, result.reason.value) == (day.status, day.reason)
	assert told(result.worked) == day.worked
	assert (told(result.overtime), told(result.extra_overtime)) == (day.overtime, day.extra)
	assert (told(result.late_by), told(result.early_by)) == (day.late, day.early)
	assert told(result.breaks) == day.breaks
	assert result.allowances == frozenset(day.allowances.split())
	assert {anomaly.value for anomaly in result.anomalies} == set(day.anomalies.split())


def test_the_table_is_long_enough_and_its_names_are_unique() -> None:
	assert len(DAYS) >= 80
	assert len({day.name for day in DAYS}) == len(DAYS)


def test_first_and_last_are_told() -> None:
	result = worked_out(next(day for day in DAYS if day.name == "lunch out"))
	assert (result.first_in, result.last_out) == (moment("09:00"), moment("17:00"))


def test_who_came_back_has_not_left() -> None:
	result = worked_out(next(day for day in DAYS if day.name == "did not come back, it seems"))
	assert (result.first_in, result.last_out) == (moment("09:00"), None)


def test_when_overtime_began_is_told() -> None:
	result = worked_out(next(day for day in DAYS if day.name == "night with snacks"))
	assert (result.overtime_from, result.extra_from) == (moment("+06:00"), moment("+08:00"))


@pytest.mark.parametrize(
	("day", "hours"),
	[
		(date(2026, 3, 28), 7),  # 22:00 to 06:00, and 02:00 to 03:00 does not exist
		(date(2026, 10, 24), 9),  # and here it exists twice
	],
)
def test_a_night_of_a_clock_change_is_as_long_as_it_was(day: date, hours: int) -> None:
	shift = SHIFTS["night"].on(day, BERLIN)
	scans = [Scan(moment("22:00", day, BERLIN)), Scan(moment("+06:00", day, BERLIN))]
	result = work_out(DayPlan(date=day, zone=BERLIN, shift=shift), scans, OvertimeRules())
	assert (result.status, result.worked) == (Status.ON_TIME, timedelta(hours=hours))


def test_two_shifts_of_a_date_are_worked_out_apart() -> None:
	morning = replace(DAY, name="morning", start=time(6), end=time(10)).on(MONDAY, DUBAI)
	evening = replace(DAY, name="evening", start=time(16), end=time(20)).on(MONDAY, DUBAI)
	scans = [scan(text) for text in ("06:00", "10:05", "13:00", "16:20", "20:00")]
	shares, outside = share_out(scans, trimmed([evening, morning]))
	days = [
		work_out(DayPlan(date=MONDAY, zone=DUBAI, shift=shift), share, OvertimeRules())
		for shift, share in zip(trimmed([morning, evening]), shares, strict=True)
	]
	# 10:05 - 06:00 = 4:05; 20:00 - 16:20 = 3:40, below 4 hours
	assert [(day.shift, day.status, told(day.worked)) for day in days] == [
		("morning", Status.ON_TIME, "4:05"),
		("evening", Status.HALF_DAY, "3:40"),
	]
	assert outside == [scan("13:00")]


def test_windows_of_neighbouring_shifts_are_trimmed_to_each_other() -> None:
	first = replace(DAY, start=time(6), end=time(14)).on(MONDAY, DUBAI)
	second = replace(DAY, start=time(14), end=time(22)).on(MONDAY, DUBAI)
	trimmed_first, trimmed_second = trimmed([second, first])
	# The second would open at 13:00, when the first has not ended.
	assert trimmed_first.closes == trimmed_second.opens == moment("14:00")


def test_shifts_that_overlap_are_refused() -> None:
	other = replace(DAY, name="other", start=time(12), end=time(20)).on(MONDAY, DUBAI)
	with pytest.raises(ValueError, match="day has not ended when other starts"):
		trimmed([DAY.on(MONDAY, DUBAI), other])


@pytest.mark.parametrize(
	("make", "words"),
	[
		(lambda: OvertimeRules(begins=time(19), extra_begins=time(19)), "after overtime"),
		(lambda: Rounding(step=timedelta(0)), "longer than nothing"),
		(
			lambda: Shift(
				name="",
				start=moment("09:00"),
				end=moment("09:00"),
				opens=moment("08:00"),
				closes=moment("10:00"),
			),
			"in this order",
		),
	],
)
def test_rules_without_sense_are_refused(make: Callable[[], object], words: str) -> None:
	with pytest.raises(ValueError, match=words):
		make()


# What holds for all days

SCANS = st.lists(
	st.builds(
		Scan,
		st.integers(0, 36 * 60).map(lambda number: moment("00:00") + minutes(number)),
		st.sampled_from([None, LogType.IN, LogType.OUT]),
		st.sampled_from([DeviceKey.UNDEFINED, DeviceKey.BREAK_OUT, DeviceKey.BREAK_IN]),
	),
	max_size=12,
)
PLANS = st.builds(
	lambda shift, off, leave: DayPlan(
		date=MONDAY,
		zone=DUBAI,
		shift=SHIFTS[shift].on(MONDAY, DUBAI) if shift else None,
		off=off,
		leave=leave,
	),
	st.sampled_from([None, *SHIFTS]),
	st.sampled_from([None, *Off]),
	st.sampled_from([None, *Leave]),
)
ANY_OVERTIME = st.sampled_from(list(OVERTIME.values()))


@given(PLANS, SCANS, ANY_OVERTIME)
def test_hours_never_exceed_the_span(plan: DayPlan, scans: list[Scan], rules: OvertimeRules) -> None:
	result = work_out(plan, scans, rules)
	times = [each.at for each in scans]
	span = max(times) - min(times) if times else timedelta(0)
	assert timedelta(0) <= result.worked <= span
	assert timedelta(0) <= result.breaks <= span


@given(PLANS, SCANS, st.sampled_from(["default", "standard", "minimum", "down_30", "within", "as_usual"]))
def test_overtime_never_exceeds_the_hours(plan: DayPlan, scans: list[Scan], rules: str) -> None:
	result = work_out(plan, scans, OVERTIME[rules])
	# The hours themselves may have been rounded down by up to a quarter.
	assert result.overtime + result.extra_overtime <= result.worked + minutes(15)


@given(PLANS, SCANS, ANY_OVERTIME, st.data())
def test_a_repetition_changes_nothing(
	plan: DayPlan, scans: list[Scan], rules: OvertimeRules, data: st.DataObject
) -> None:
	again = data.draw(st.lists(st.sampled_from(scans), max_size=3)) if scans else []
	assert work_out(plan, scans + again, rules) == work_out(plan, scans, rules)


@given(PLANS, SCANS, ANY_OVERTIME, st.integers(-400, 400))
def test_another_date_is_worked_out_alike(
	plan: DayPlan, scans: list[Scan], rules: OvertimeRules, days: int
) -> None:
	by = timedelta(days=days)
	moved = lambda at: at + by if at is not None else None  # noqa: E731
	shift = plan.shift and replace(
		plan.shift,
		**{name: getattr(plan.shift, name) + by for name in ("start", "end", "opens", "closes")},
	)
	result = work_out(plan, scans, rules)
	later = work_out(
		replace(plan, date=plan.date + by, shift=shift),
		[replace(each, at=each.at + by) for each in scans],
		rules,
	)
	assert later == result._replace(
		date=result.date + by,
		first_in=moved(result.first_in),
		last_out=moved(result.last_out),
		overtime_from=moved(result.overtime_from),
		extra_from=moved(result.extra_from),
		scans=tuple(replace(each, at=each.at + by) for each in result.scans),
	)


@given(PLANS, SCANS, ANY_OVERTIME, st.randoms())
def test_the_order_of_arrival_does_not_matter(
	plan: DayPlan, scans: list[Scan], rules: OvertimeRules, random: object
) -> None:
	expected = work_out(plan, scans, rules)
	shuffled = list(scans)
	random.shuffle(shuffled)  # type: ignore[attr-defined]
	assert work_out(plan, shuffled, rules) == expected
