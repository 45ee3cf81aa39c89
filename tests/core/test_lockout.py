"""How long a terminal is left alone: the arithmetic, by hand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.lockout import left_alone_until

NOW = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)


@pytest.mark.parametrize(
	("error", "failures", "chance", "minutes"),
	[
		# 1 h * 2 ** (failures - 1), at most 48 h; of that the half, and up to the whole by chance.
		(DeviceError(Code.AUTH_FAILED), 1, 0.0, 30),
		(DeviceError(Code.AUTH_FAILED), 1, 1.0, 60),
		(DeviceError(Code.AUTH_FAILED), 3, 0.0, 2 * 60),
		(DeviceError(Code.AUTH_FAILED), 50, 1.0, 48 * 60),
		(DeviceError(Code.LOCKED_OUT, unlock_seconds=1800), 1, 0.0, 30),
		(DeviceError(Code.LOCKED_OUT, unlock_seconds=10**9), 1, 0.0, 24 * 60),
		(DeviceError(Code.LOCKED_OUT), 2, 0.0, 60),
		(DeviceError(Code.LOCKED_OUT, unlock_seconds=-5), 1, 0.0, 30),
	],
)
def test_left_alone(error: DeviceError, failures: int, chance: float, minutes: int) -> None:
	assert left_alone_until(error, NOW, failures, chance) == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize("code", [Code.TIMEOUT, Code.UNREACHABLE, Code.BUSY])
def test_other_causes_are_for_the_breaker(code: Code) -> None:
	assert left_alone_until(DeviceError(code), NOW, 1, 0.5) is None
