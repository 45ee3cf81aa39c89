from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.clock import (
	ClockReading,
	ClockRules,
	ClockVerdict,
	is_repeated,
	is_skipped,
	judge,
	localise,
	second_pass,
)

BERLIN = ZoneInfo("Europe/Berlin")  # clocks go back on 2026-10-25 at 03:00 to 02:00, forward on 2026-03-29
DUBAI = ZoneInfo("Asia/Dubai")
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=timezone.utc)
RULES = ClockRules(tolerance=timedelta(seconds=120))


def reading(offset_seconds: int) -> ClockReading:
	return ClockReading(taken_at=NOW, device_time=(NOW + timedelta(seconds=offset_seconds)).astimezone(DUBAI))


@pytest.mark.parametrize(
	("wall", "offset_hours", "fold"),
	[
		(datetime(2026, 10, 25, 2, 30), None, 0),
		(datetime(2026, 10, 25, 2, 30), 2, 0),  # summer time: first pass
		(datetime(2026, 10, 25, 2, 30), 1, 1),  # winter time: second pass
		(datetime(2026, 10, 25, 2, 30), 8, 0),  # the terminal's own zone is wrong: it decides nothing
		(datetime(2026, 10, 25, 3, 0), 1, 0),  # not repeated: fold would mean nothing
		(datetime(2026, 10, 25, 1, 59, 59), 2, 0),
	],
)
def test_localise(wall: datetime, offset_hours: int | None, fold: int) -> None:
	offset = None if offset_hours is None else timedelta(hours=offset_hours)
	moment = localise(wall, BERLIN, utc_offset=offset)
	assert moment.replace(tzinfo=None, fold=0) == wall
	assert moment.fold == fold


def test_a_wall_time_in_the_skipped_hour_stays_as_the_terminal_showed_it() -> None:
	wall = datetime(2026, 3, 29, 2, 30)
	assert localise(wall, BERLIN).replace(tzinfo=None) == wall
	assert not is_repeated(localise(wall, BERLIN))


def test_order_of_recording_tells_the_second_pass() -> None:
	walls = ["01:50", "02:10", "02:50", "02:05", "02:40", "03:10"]
	folds = []
	previous = localise(datetime(2026, 10, 25, 0, 0), BERLIN)
	for wall in walls:
		hour, minute = map(int, wall.split(":"))
		moment = second_pass(previous, localise(datetime(2026, 10, 25, hour, minute), BERLIN))
		folds.append(moment.fold)
		previous = moment
	assert folds == [0, 0, 0, 1, 1, 0]


@pytest.mark.parametrize(
	"previous",
	[
		datetime(2099, 1, 1, tzinfo=BERLIN),
		datetime(2025, 10, 26, 2, 30, tzinfo=BERLIN, fold=1),
		datetime(2026, 10, 25, 6, 0, tzinfo=BERLIN),
	],
)
def test_a_distant_record_says_nothing_about_the_pass(previous: datetime) -> None:
	assert second_pass(previous, localise(datetime(2026, 10, 25, 2, 30), BERLIN)).fold == 0


@pytest.mark.parametrize(
	("occurred_at", "offset", "good_until", "verdict"),
	[
		(NOW - timedelta(hours=1), 0, None, ClockVerdict.TRUSTED),
		(NOW - timedelta(hours=1), 120, None, ClockVerdict.TRUSTED),  # just within the tolerance
		(NOW - timedelta(hours=1), 121, None, ClockVerdict.CLOCK_OFF),
		(NOW - timedelta(hours=1), -3600, None, ClockVerdict.CLOCK_OFF),
		# Made before the clock was last seen right: 08:00 <= 08:30.
		(NOW - timedelta(hours=1), 3600, NOW - timedelta(minutes=30), ClockVerdict.TRUSTED),
		(NOW - timedelta(minutes=10), 3600, NOW - timedelta(minutes=30), ClockVerdict.CLOCK_OFF),
		(NOW + timedelta(seconds=119), 0, None, ClockVerdict.TRUSTED),
		(NOW + timedelta(seconds=121), 0, None, ClockVerdict.IN_THE_FUTURE),
		(datetime(2099, 1, 1, tzinfo=DUBAI), 0, NOW, ClockVerdict.IN_THE_FUTURE),
		# An hour fast: "in 50 minutes" by the terminal's own clock is not the future, but not to be believed.
		(NOW + timedelta(minutes=50), 3600, None, ClockVerdict.CLOCK_OFF),
		(datetime(2000, 1, 1, 3, 0, tzinfo=DUBAI), 0, NOW, ClockVerdict.BEFORE_TIME),
		(datetime(2000, 1, 1, 3, 0, tzinfo=DUBAI), None, None, ClockVerdict.BEFORE_TIME),
		(NOW + timedelta(days=1), None, None, ClockVerdict.TRUSTED),  # no reading: nothing to hold against it
	],
)
def test_judge(
	occurred_at: datetime, offset: int | None, good_until: datetime | None, verdict: ClockVerdict
) -> None:
	look = None if offset is None else reading(offset)
	assert judge(occurred_at, look, RULES, good_until=good_until) is verdict


@pytest.mark.parametrize(
	("wall", "zone", "skipped"),
	[
		(datetime(2026, 3, 29, 1, 59, 59), BERLIN, False),
		(datetime(2026, 3, 29, 2, 0), BERLIN, True),
		(datetime(2026, 3, 29, 2, 59, 59), BERLIN, True),
		(datetime(2026, 3, 29, 3, 0), BERLIN, False),
		(datetime(2026, 10, 25, 2, 30), BERLIN, False),  # that one occurs twice
		(datetime(2026, 3, 29, 2, 30), DUBAI, False),
	],
)
def test_a_time_that_clocks_go_over(wall: datetime, zone: ZoneInfo, *, skipped: bool) -> None:
	assert is_skipped(wall.replace(tzinfo=zone)) is skipped
	assert is_skipped(wall.replace(tzinfo=zone, fold=1)) is skipped
