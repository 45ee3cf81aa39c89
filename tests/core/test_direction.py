from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from attendance_bridge.core.debounce import DebounceRules, is_echo
from attendance_bridge.core.direction import (
	DeviceRole,
	DirectionRules,
	LogType,
	Reason,
	Standing,
	decide,
)
from attendance_bridge.core.punch import DeviceKey

T0 = datetime(2026, 11, 20, 8, 0, tzinfo=timezone.utc)
RULES = DirectionRules(working_day=timedelta(hours=15))
IN, OUT = LogType.IN, LogType.OUT


def after(hours: float, log_type: LogType) -> Standing:
	return Standing(occurred_at=T0 - timedelta(hours=hours), log_type=log_type)


@pytest.mark.parametrize(
	("key", "role", "standing", "log_type", "reason"),
	[
		# the key speaks first where the terminal goes by its keys
		(DeviceKey.CHECK_IN, DeviceRole.KEY, None, IN, Reason.DEVICE_KEY),
		(DeviceKey.CHECK_OUT, DeviceRole.KEY, None, OUT, Reason.DEVICE_KEY),
		(DeviceKey.BREAK_OUT, DeviceRole.KEY, after(1, OUT), OUT, Reason.DEVICE_KEY),
		(DeviceKey.BREAK_IN, DeviceRole.KEY, after(1, IN), IN, Reason.DEVICE_KEY),
		(DeviceKey.OVERTIME_IN, DeviceRole.KEY, None, IN, Reason.DEVICE_KEY),
		(DeviceKey.OVERTIME_OUT, DeviceRole.KEY, None, OUT, Reason.DEVICE_KEY),
		# an entrance and an exit are what they are, whatever key was left on
		(DeviceKey.CHECK_IN, DeviceRole.OUT, None, OUT, Reason.DEVICE_ROLE),
		(DeviceKey.UNDEFINED, DeviceRole.IN, after(1, IN), IN, Reason.DEVICE_ROLE),
		# one door for both: the keys mean nothing
		(DeviceKey.CHECK_IN, DeviceRole.BOTH, after(1, IN), OUT, Reason.AFTER_IN),
		# nobody says anything: the person's own day
		(DeviceKey.UNDEFINED, DeviceRole.KEY, None, IN, Reason.FIRST_OF_DAY),
		(DeviceKey.UNDEFINED, DeviceRole.KEY, after(9, IN), OUT, Reason.AFTER_IN),
		(DeviceKey.UNDEFINED, DeviceRole.KEY, after(1, OUT), IN, Reason.AFTER_OUT),
		(DeviceKey.UNDEFINED, DeviceRole.KEY, after(15, IN), OUT, Reason.AFTER_IN),  # the last possible OUT
		# IN yesterday at 08:00, OUT forgotten: today's first punch is an IN again
		(DeviceKey.UNDEFINED, DeviceRole.KEY, after(24, IN), IN, Reason.FIRST_OF_DAY),
	],
)
def test_decide(
	key: DeviceKey, role: DeviceRole, standing: Standing | None, log_type: LogType, reason: Reason
) -> None:
	direction = decide(T0, key, role, standing, RULES)
	assert (direction.log_type, direction.reason) == (log_type, reason)


def test_a_night_shift_over_midnight_alternates_within_its_working_day() -> None:
	hours = [22, 26, 27, 30, 46, 54]  # 22:00, 02:00, 03:00, 06:00, next evening 22:00, next morning 06:00
	standing, seen = None, []
	for hour in hours:
		moment = datetime(2026, 11, 20, tzinfo=timezone.utc) + timedelta(hours=hour)
		direction = decide(moment, DeviceKey.UNDEFINED, DeviceRole.BOTH, standing, RULES)
		standing = Standing(occurred_at=moment, log_type=direction.log_type)
		seen.append(direction.log_type.value)
	assert seen == ["IN", "OUT", "IN", "OUT", "IN", "OUT"]


@pytest.mark.parametrize(
	("seconds", "stated", "standing_type", "window", "echo"),
	[
		(0, None, IN, 60, True),
		(59, None, IN, 60, True),
		(60, None, IN, 60, False),
		(5, IN, IN, 60, True),
		(5, OUT, IN, 60, False),  # wrong key, then the right one
		(5, None, IN, 0, False),  # switched off
		(-5, None, IN, 60, False),  # a late arrival from before
	],
)
def test_is_echo(
	seconds: int, stated: LogType | None, standing_type: LogType, window: int, echo: bool
) -> None:
	standing = Standing(occurred_at=T0, log_type=standing_type)
	rules = DebounceRules(window=timedelta(seconds=window))
	assert is_echo(T0 + timedelta(seconds=seconds), stated, standing, rules) is echo


def test_the_first_punch_is_no_echo() -> None:
	assert not is_echo(T0, None, None, DebounceRules())
