"""The line to an upstream: how it last failed, and whether it is time to ask again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import UpstreamError
from attendance_bridge.core.retry import Backoff, Breaker
from attendance_bridge.edge.messages import sentence

logger = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(minutes=15)
"""How long an upstream is left alone at the most."""


class Line:
	"""One of the things that an upstream is asked for; each has its own pauses."""

	def __init__(self, now: Now, chance: Callable[[], float]) -> None:
		self._now = now
		self._chance = chance
		self._breaker = Breaker(
			threshold=1, backoff=Backoff(base=timedelta(seconds=2), cap=timedelta(minutes=5))
		)
		self.error: UpstreamError | None = None

	def is_open(self) -> bool:
		now, until = self._now(), self._breaker.open_until
		# Farther off than any pause means that our own clock was set back.
		return self._breaker.allows(now) or (until is not None and until - now > LONGEST_PAUSE)

	def works(self) -> None:
		self._breaker = self._breaker.succeeded()
		self.error = None

	def failed(self, error: UpstreamError) -> None:
		now = self._now()
		self.error = error
		self._breaker = self._breaker.failed(now, self._chance(), _left_alone_until(error, now))
		logger.warning("%s [%s]", sentence(error, "the upstream"), error.code.value)


def _left_alone_until(error: UpstreamError, now: datetime) -> datetime | None:
	"""The upstream's own word on when to come back, or a long pause where only a person can help."""
	seconds = error.details.get("retry_after")
	if isinstance(seconds, (int, float)) and seconds > 0:
		return now + timedelta(seconds=min(seconds, LONGEST_PAUSE.total_seconds()))
	return None if error.retryable else now + LONGEST_PAUSE
