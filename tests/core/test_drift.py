from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.clock import ClockReading, ClockRules, ClockVerdict, judge
from attendance_bridge.core.drift import (
	ClockCause,
	ClockState,
	cause_of,
	doubt_after_setting,
	doubt_between,
	good_until,
	is_worth_noting,
	last_turn,
	may_correct,
	retiming,
	rezoned,
)

BERLIN = ZoneInfo("Europe/Berlin")  # back on 2026-10-25 01:00 UTC, forward on 2026-03-29 01:00 UTC
DUBAI, KOLKATA = ZoneInfo("Asia/Dubai"), ZoneInfo("Asia/Kolkata")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # half an hour of summer time
RULES = ClockRules(tolerance=timedelta(seconds=120))
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
	return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


NOW = utc("2026-11-20 09:00")


def reading(offset: timedelta, at: datetime = NOW, zone: ZoneInfo = DUBAI) -> ClockReading:
	return ClockReading(taken_at=at, device_time=(at + offset).astimezone(zone))


@pytest.mark.parametrize(
	("zone", "before", "turn"),
	[
		(BERLIN, "2026-11-20 09:00", ("2026-10-25 01:00", -HOUR)),
		(BERLIN, "2026-10-25 01:00", ("2026-10-25 01:00", -HOUR)),
		(BERLIN, "2026-10-25 00:59", ("2026-03-29 01:00", HOUR)),
		(LORD_HOWE, "2026-11-20 09:00", ("2026-10-03 15:30", timedelta(minutes=30))),
		(DUBAI, "2026-11-20 09:00", None),
	],
)
def test_last_turn(zone: ZoneInfo, before: str, turn: tuple[str, timedelta] | None) -> None:
	found = last_turn(zone, utc(before), back=timedelta(days=220))
	assert found == (turn and (utc(turn[0]), turn[1]))


@pytest.mark.parametrize(
	("offset", "at", "zone", "cause"),
	[
		(timedelta(seconds=120), NOW, BERLIN, None),
		(timedelta(seconds=121), NOW, BERLIN, ClockCause.DRIFT),
		(HOUR, NOW, BERLIN, ClockCause.SUMMER_TIME),  # still in summer time
		(-HOUR, utc("2026-04-02 09:00"), BERLIN, ClockCause.SUMMER_TIME),  # still in winter time
		(HOUR, NOW, DUBAI, ClockCause.SUMMER_TIME),  # makes a change that its zone does not know
		(timedelta(minutes=30), NOW, LORD_HOWE, ClockCause.SUMMER_TIME),
		(timedelta(minutes=90), NOW, DUBAI, ClockCause.TIME_ZONE),  # Kolkata's time on a wall in Dubai
		(timedelta(minutes=-210), NOW, DUBAI, ClockCause.TIME_ZONE),
		(timedelta(minutes=17), NOW, DUBAI, ClockCause.DRIFT),
		(timedelta(minutes=15), NOW, DUBAI, ClockCause.DRIFT),  # no two zones are so near
		(timedelta(hours=40), NOW, DUBAI, ClockCause.DRIFT),  # nor so far
		(utc("2000-01-01 00:00") - NOW, NOW, DUBAI, ClockCause.RESET),
	],
)
def test_cause_of(offset: timedelta, at: datetime, zone: ZoneInfo, cause: ClockCause | None) -> None:
	assert cause_of(reading(offset, at, zone), zone, RULES) is cause


@pytest.mark.parametrize(
	("offset", "zone", "seen_good", "until"),
	[
		# Seen right on the 24th, an hour ahead since the change of the 25th: right until then.
		(HOUR, BERLIN, "2026-10-24 12:00", "2026-10-25 01:00"),
		(HOUR, BERLIN, "2026-11-01 12:00", "2026-11-01 12:00"),  # it had followed the change: set wrong since
		(-HOUR, BERLIN, "2026-10-24 12:00", "2026-10-24 12:00"),  # the other way round: not this change
		(HOUR, DUBAI, "2026-10-24 12:00", "2026-10-24 12:00"),
		(HOUR, BERLIN, None, None),
	],
)
def test_a_clock_was_right_until_the_change_that_it_did_not_follow(
	offset: timedelta, zone: ZoneInfo, seen_good: str | None, until: str | None
) -> None:
	found = good_until(reading(offset, NOW, zone), zone, RULES, utc(seen_good) if seen_good else None)
	assert found == (utc(until) if until else None)


@pytest.mark.parametrize(
	("recorded", "verdict"),
	[
		(datetime(2026, 3, 29, 1, 50, tzinfo=BERLIN), ClockVerdict.TRUSTED),  # before the change
		(datetime(2026, 3, 29, 3, 10, tzinfo=BERLIN), ClockVerdict.CLOCK_OFF),  # really 04:10
	],
)
def test_punches_before_a_change_forward_are_trusted(recorded: datetime, verdict: ClockVerdict) -> None:
	seen = reading(-HOUR, utc("2026-03-29 08:00"), BERLIN)
	until = good_until(seen, BERLIN, RULES, utc("2026-03-28 12:00"))
	assert judge(recorded, seen, RULES, good_until=until) is verdict


@pytest.mark.parametrize(
	("minutes_ago", "verdict"),
	[
		(150, ClockVerdict.TRUSTED),
		(90, ClockVerdict.CLOCK_OFF),  # recorded before it was seen right: by a clock that is an hour slow
		(50, ClockVerdict.CLOCK_OFF),
	],
)
def test_what_a_slow_clock_records_lies_in_the_past(minutes_ago: int, verdict: ClockVerdict) -> None:
	recorded = NOW - timedelta(minutes=minutes_ago)
	assert judge(recorded, reading(-HOUR), RULES, good_until=NOW - HOUR) is verdict


@pytest.mark.parametrize(
	("recorded", "verdict"),
	[
		(datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN), ClockVerdict.TRUSTED),  # before the change
		(datetime(2026, 10, 25, 3, 10, tzinfo=BERLIN), ClockVerdict.CLOCK_OFF),  # really 02:10, second pass
	],
)
def test_punches_before_the_change_are_trusted(recorded: datetime, verdict: ClockVerdict) -> None:
	seen = reading(HOUR, utc("2026-10-25 08:00"), BERLIN)
	until = good_until(seen, BERLIN, RULES, utc("2026-10-24 12:00"))
	assert judge(recorded, seen, RULES, good_until=until) is verdict


@pytest.mark.parametrize(
	("before", "now", "recorded_minutes_ago", "covered"),
	[
		(-HOUR, timedelta(0), 30, True),  # behind at the contact before, right now: which was it?
		(-HOUR, timedelta(0), 179, True),  # under the slow clock, soon after it was seen right two hours ago
		(-HOUR, timedelta(0), 181, False),
		(HOUR, timedelta(0), -50, True),  # under the fast clock, nearly an hour into the future
		(HOUR, timedelta(0), -61, False),
		(timedelta(0), timedelta(0), 30, None),
		(None, timedelta(0), 30, None),
		(HOUR, HOUR, 30, None),  # still wrong: judged by the look itself
		(timedelta(0), HOUR, 30, None),
	],
)
def test_a_clock_that_was_set_between_two_contacts(
	before: timedelta | None, now: timedelta, recorded_minutes_ago: int, covered: bool | None
) -> None:
	doubt = doubt_between(before, reading(now), RULES, NOW - 2 * HOUR)
	assert (doubt is None) == (covered is None)
	if doubt is not None:
		assert doubt.covers(NOW - timedelta(minutes=recorded_minutes_ago)) is covered


@pytest.mark.parametrize(
	("recorded", "covered"),
	[
		("2026-11-20 09:50", False),  # under the wrong clock, and read before it was set
		("2026-11-20 09:58", True),  # made between the reading and the setting
		("2026-11-20 10:01", False),  # under the right clock, later
	],
)
def test_a_clock_that_we_set(recorded: str, covered: bool) -> None:
	doubt = doubt_after_setting(reading(HOUR), NOW, NOW - timedelta(minutes=5))
	assert doubt.covers(utc(recorded)) is covered


@pytest.mark.parametrize(
	("seconds", "verdict"),
	[(0, ClockVerdict.TRUSTED), (3600, ClockVerdict.CLOCK_JUMPED)],
)
def test_a_doubtful_time_is_no_time_to_pay_by(seconds: int, verdict: ClockVerdict) -> None:
	jumped_by = timedelta(seconds=seconds)
	assert judge(NOW - HOUR, reading(timedelta(0)), RULES, jumped_by=jumped_by) is verdict


@pytest.mark.parametrize(
	("seconds", "allowed"), [(120, False), (121, True), (-3600, True), (5400, True), (5401, False)]
)
def test_a_correction_has_a_bound(seconds: int, allowed: bool) -> None:
	assert may_correct(timedelta(seconds=seconds), RULES, largest=timedelta(minutes=90)) is allowed


@pytest.mark.parametrize(
	("recorded", "offset", "good", "by"),
	[
		("2026-11-20 09:30", HOUR, "2026-11-20 06:00", -HOUR),
		("2026-11-20 08:00", -HOUR, None, HOUR),
		("2026-11-20 09:30", timedelta(seconds=1799.6), None, timedelta(minutes=-30)),
		("2026-11-20 06:30", HOUR, "2026-11-20 06:00", None),  # would be 05:30, when the clock was right
		("2026-11-20 12:00", HOUR, None, None),  # would be in the future still
		("2026-11-20 08:00", timedelta(0), None, None),
		("2000-01-02 00:00", utc("2000-01-02 01:00") - NOW, None, NOW - utc("2000-01-02 01:00")),  # reset
	],
)
def test_retiming(recorded: str, offset: timedelta, good: str | None, by: timedelta | None) -> None:
	found = retiming(utc(recorded), offset, read_at=NOW, good_until=utc(good) if good else None, rules=RULES)
	assert found == by


def test_a_corrected_zone_sets_a_look_right() -> None:
	# 13:00 on a wall in Kolkata, where 09:00 UTC is 14:30 … the terminal in Dubai shows 13:00 and is right.
	wrong = ClockReading(taken_at=NOW, device_time=datetime(2026, 11, 20, 13, tzinfo=KOLKATA))
	assert wrong.offset == timedelta(minutes=-90)
	in_utc = ClockReading(taken_at=NOW, device_time=NOW + wrong.offset)  # as it comes out of a store
	assert rezoned(in_utc, KOLKATA, DUBAI).offset == timedelta(0)


@pytest.mark.parametrize(
	("noted", "hours_ago", "now", "worth"),
	[
		(None, 0, 0, True),
		(0, 1, 9, False),
		(0, 1, 31, True),  # moved by a quarter of the tolerance
		(0, 24, 0, True),  # once a day
		(115, 1, 125, True),  # over the line
		(3600, 1, 3610, False),
		(3600, 1, 0, True),
	],
)
def test_which_looks_are_noted(noted: int | None, hours_ago: int, now: int, worth: bool) -> None:
	last = None if noted is None else timedelta(seconds=noted)
	at = None if noted is None else NOW - timedelta(hours=hours_ago)
	assert is_worth_noting(reading(timedelta(seconds=now)), RULES, last, at) is worth


def test_a_clock_from_contact_to_contact() -> None:
	state = ClockState().after(reading(timedelta(0), NOW - 3 * HOUR), RULES)
	assert (state.good_until, state.jumped_by(NOW)) == (NOW - 3 * HOUR, timedelta(0))
	state = state.after(reading(HOUR, NOW - 2 * HOUR), RULES)
	assert (state.offset, state.good_until) == (HOUR, NOW - 3 * HOUR)
	state = state.after(reading(timedelta(0), NOW), RULES)  # somebody has set it
	assert state.jumped_by(NOW - HOUR) == HOUR
	assert state.after(reading(timedelta(0), NOW), RULES) == state
	later = state.after(reading(timedelta(0), NOW + 5 * HOUR), RULES)
	assert later.jumped_by(NOW - HOUR) == HOUR  # what was left unread is as doubtful as before
	assert later.jumped_by(NOW + 2 * HOUR) == timedelta(0)
	assert state.after(None, RULES) is state


def test_a_clock_that_we_have_set_leaves_little_doubt() -> None:
	wrong = reading(-HOUR, NOW)
	state = ClockState(good_until=NOW - 9 * HOUR).after(wrong, RULES)
	state = state.after_setting(wrong, NOW, NOW - timedelta(minutes=1), RULES)
	state = state.after(reading(timedelta(0), NOW), RULES)
	assert state.good_until == NOW
	assert state.jumped_by(NOW - HOUR - timedelta(seconds=30)) == -HOUR  # made after the log was read
	assert state.jumped_by(NOW - timedelta(minutes=30)) == timedelta(0)
	right = ClockState(offset=timedelta(0))
	assert right.after_setting(reading(timedelta(0)), NOW, None, RULES) is right


@pytest.mark.parametrize(
	("slow_by", "wall", "verdict", "by", "true"),
	[
		# Berlin went forward at 01:00 UTC; the terminal did not, and was read at noon.
		(HOUR, "01:59", ClockVerdict.TRUSTED, None, "00:59"),
		(HOUR, "02:30", ClockVerdict.TRUSTED, None, "01:30"),  # in the hour that there was not
		(HOUR, "03:30", ClockVerdict.CLOCK_OFF, HOUR, "02:30"),
		# … and one that was slow besides.
		(HOUR + timedelta(minutes=5), "02:30", ClockVerdict.CLOCK_OFF, timedelta(minutes=5), "01:35"),
	],
)
def test_the_hour_that_a_zone_skips(
	slow_by: timedelta, wall: str, verdict: ClockVerdict, by: timedelta | None, true: str
) -> None:
	look = reading(-slow_by, utc("2026-03-29 10:00"), BERLIN)
	recorded = datetime.fromisoformat(f"2026-03-29 {wall}").replace(tzinfo=BERLIN)
	seen_good = good_until(look, BERLIN, RULES, utc("2026-03-28 22:00"))
	assert judge(recorded, look, RULES, good_until=seen_good) is verdict
	found = retiming(recorded, look.offset, read_at=look.taken_at, good_until=seen_good, rules=RULES)
	if verdict is not ClockVerdict.TRUSTED:
		assert found == by
	assert recorded.astimezone(timezone.utc) + (by or timedelta(0)) == utc(f"2026-03-29 {true}")


def test_a_skipped_hour_after_the_clock_was_set() -> None:
	"""An hour slow until somebody has set it: what it recorded in the skipped hour stands for its moment."""
	look = reading(timedelta(0), utc("2026-03-29 10:00"), BERLIN)
	recorded = datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN)
	assert judge(recorded, look, RULES, jumped_by=-HOUR) is ClockVerdict.TRUSTED
	assert judge(recorded, look, RULES, jumped_by=-2 * HOUR) is ClockVerdict.CLOCK_JUMPED
