"""How far terminals are vouched for that nobody reads."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Page
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.watermark import PUSH_GRACE
from attendance_bridge.edge.receiver.promptness import Promptness
from tests.edge.receiver.conftest import DUBAI, Clock, Premises

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


def page(at: datetime) -> Page:
	punch = Punch(device_serial="A1", device_user_id="7", occurred_at=at.astimezone(DUBAI))
	return Page(punches=(punch,), cursor=START)


def calling(promptness: Promptness, minutes: int, start: datetime = NOW) -> datetime:
	for minute in range(minutes + 1):
		promptness.called("A1", start + minute * MINUTE, is_twin=False)
	return start + minutes * MINUTE


def test_one_that_calls_for_a_while_is_vouched_for_up_to_a_while_ago() -> None:
	promptness = Promptness()
	calling(promptness, 14)
	assert promptness.earned() == {}
	last = calling(promptness, 20)
	assert promptness.earned() == {"A1": last - PUSH_GRACE}
	assert promptness.earned() == {}, "it has not moved since"


def test_a_break_begins_anew() -> None:
	promptness = Promptness()
	last = calling(promptness, 20)
	promptness.earned()
	calling(promptness, 14, last + timedelta(minutes=6))
	assert promptness.earned() == {}


@pytest.mark.parametrize("off", [timedelta(minutes=-30), timedelta(minutes=30)])
def test_a_late_punch_or_one_of_a_wrong_clock_holds_it_back(off: timedelta) -> None:
	promptness = Promptness()
	last = calling(promptness, 20)
	promptness.brought("A1", page(last + off), last)
	assert promptness.earned() == {}
	last = calling(promptness, 16, last)
	assert promptness.earned() == {"A1": last - PUSH_GRACE}


def test_a_twin_is_vouched_for_by_nobody() -> None:
	promptness = Promptness()
	for minute in range(60):
		promptness.called("A1", NOW + minute * MINUTE, is_twin=True)
	assert promptness.earned() == {}


def test_a_receiver_vouches(premises: Premises, clock: Clock) -> None:
	for _minute in range(20):
		premises.get("/iclock/getrequest?SN=A1")
		clock.pass_(MINUTE)
	premises.stop()
	assert premises.cursors.watermark("A1") == clock.now - MINUTE - PUSH_GRACE
