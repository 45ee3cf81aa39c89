from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_bridge.core.clock import ClockReading, ClockRules
from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.core.watermark import (
	PUSH_GRACE,
	shift_watermark,
	watermark_after_pull,
	watermark_of_push,
)

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=timezone.utc)
EARLIER = NOW - timedelta(hours=3)


@given(st.dictionaries(st.text(max_size=10), st.integers() | st.text(max_size=10), max_size=5))
def test_a_cursor_survives_its_store(position: dict[str, int | str]) -> None:
	assert Cursor.from_text(Cursor(position).to_text()) == Cursor(position)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "5", "null", '"x"', "{"])
def test_an_unreadable_cursor_is_the_beginning(text: str) -> None:
	assert Cursor.from_text(text) == START
	assert not START


def test_typed_access() -> None:
	cursor = Cursor({"serial": 5, "digest": "ab"})
	assert (cursor.number("serial"), cursor.text("digest")) == (5, "ab")
	assert (cursor.number("digest"), cursor.text("serial"), cursor.number("absent")) == (None, None, None)


@pytest.mark.parametrize(
	("watermarks", "shift"),
	[
		([], None),
		([NOW], NOW),
		([NOW, EARLIER], EARLIER),
		([NOW, None], None),  # a device never heard of holds the shift
		([None], None),
	],
)
def test_the_slowest_device_holds_the_shift(
	watermarks: list[datetime | None], shift: datetime | None
) -> None:
	assert shift_watermark(watermarks) == shift


@pytest.mark.parametrize(("offset", "earned"), [(0, True), (120, True), (-120, True), (121, False)])
def test_a_clock_that_is_off_earns_no_watermark(offset: int, earned: bool) -> None:
	reading = ClockReading(taken_at=NOW, device_time=NOW + timedelta(seconds=offset))
	rules = ClockRules(tolerance=timedelta(seconds=120))
	assert watermark_after_pull(EARLIER, reading, rules) == (EARLIER if earned else None)


def test_an_unseen_clock_earns_no_watermark() -> None:
	assert watermark_after_pull(EARLIER, None, ClockRules()) is None


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
	("since", "late", "earned"),
	[
		(None, None, False),  # never called
		(NOW, None, False),  # has only just called
		(NOW - 14 * MINUTE, None, False),
		(NOW - 15 * MINUTE, None, True),
		(NOW - 600 * MINUTE, None, True),
		(NOW - 600 * MINUTE, NOW - 14 * MINUTE, False),  # something from before came a while ago
		(NOW - 600 * MINUTE, NOW - 15 * MINUTE, True),
		(NOW - 14 * MINUTE, NOW - 600 * MINUTE, False),  # it was away since
	],
)
def test_one_that_pushes_is_vouched_for_while_it_calls_and_brings_nothing_late(
	since: datetime | None, late: datetime | None, earned: bool
) -> None:
	expected = NOW - PUSH_GRACE if earned else None
	assert watermark_of_push(since, NOW, late) == expected
	assert watermark_of_push(since, None, late) is None
