"""When to try again: pure arithmetic, no sleeping, no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
	"""Exponential delay with full jitter.

	Attempt n (from 1) waits between half of and the whole of `base * factor ** (n - 1)`, at most `cap`:
	enough spread that a hundred agents do not come back in step, and never a hammering zero.
	"""

	base: timedelta = timedelta(seconds=1)
	factor: float = 2.0
	cap: timedelta = timedelta(minutes=15)

	def delay(self, attempt: int, chance: float) -> timedelta:
		"""
		:param attempt: how many tries have failed, from 1.
		:param chance: a random number in [0, 1).
		"""
		# Past 64 doublings every cap is reached; the bound keeps the power from overflowing.
		doublings = min(max(attempt, 1) - 1, 64)
		grown = self.base.total_seconds() * self.factor**doublings
		return timedelta(seconds=min(grown, self.cap.total_seconds()) * (0.5 + chance / 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
	"""A circuit breaker as a value: closed, open until a moment, then half open for one try.

	It opens after `threshold` failures in a row, or at once when the other side says until when (a terminal's
	lock-out, a Retry-After).
	"""

	threshold: int = 5
	backoff: Backoff = Backoff(base=timedelta(seconds=30))
	failures: int = 0
	open_until: datetime | None = None

	def allows(self, now: datetime) -> bool:
		return self.open_until is None or now >= self.open_until

	def failed(self, now: datetime, chance: float, until: datetime | None = None) -> Breaker:
		"""The breaker after one more failure; `until` is the other side's own word, if it gave one."""
		failures = self.failures + 1
		if until is None and failures >= self.threshold:
			until = now + self.backoff.delay(failures - self.threshold + 1, chance)
		return Breaker(threshold=self.threshold, backoff=self.backoff, failures=failures, open_until=until)

	def succeeded(self) -> Breaker:
		return Breaker(threshold=self.threshold, backoff=self.backoff)
