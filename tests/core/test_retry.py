from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from attendance_bridge.core.retry import Backoff, Breaker

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
	("attempt", "chance", "seconds"),
	[
		(1, 0.0, 0.5),  # 1 * 2^0 = 1, half of it
		(1, 1.0, 1.0),
		(2, 0.5, 1.5),  # 1 * 2^1 = 2, three quarters of it
		(5, 0.0, 8.0),  # 1 * 2^4 = 16
		(10, 1.0, 60.0),  # 512, capped
		(10_000, 0.0, 30.0),
		(0, 1.0, 1.0),
	],
)
def test_backoff(attempt: int, chance: float, seconds: float) -> None:
	backoff = Backoff(base=timedelta(seconds=1), factor=2, cap=timedelta(seconds=60))
	assert backoff.delay(attempt, chance) == timedelta(seconds=seconds)


def test_a_breaker_opens_after_its_threshold_and_closes_on_success() -> None:
	breaker = Breaker(threshold=3, backoff=Backoff(base=timedelta(seconds=10)))
	for _ in range(2):
		breaker = breaker.failed(NOW, 1.0)
		assert breaker.allows(NOW)
	breaker = breaker.failed(NOW, 1.0)
	assert not breaker.allows(NOW + timedelta(seconds=9))
	assert breaker.allows(NOW + timedelta(seconds=10))  # half open: one try
	breaker = breaker.failed(NOW + timedelta(seconds=10), 1.0)
	assert not breaker.allows(NOW + timedelta(seconds=29))  # 10 + 2 * 10
	assert breaker.succeeded().allows(NOW)
	assert breaker.succeeded().failures == 0


def test_the_other_sides_word_opens_it_at_once() -> None:
	breaker = Breaker().failed(NOW, 0.0, until=NOW + timedelta(minutes=30))
	assert not breaker.allows(NOW + timedelta(minutes=29))
	assert breaker.allows(NOW + timedelta(minutes=30))
