"""How long a terminal is left alone that refused a password: terminals lock accounts, for everybody."""

from __future__ import annotations

from datetime import datetime, timedelta

from attendance_bridge.core.errors import BridgeError, Code
from attendance_bridge.core.retry import Backoff

PASSWORD_TROUBLES = frozenset({Code.AUTH_FAILED, Code.LOCKED_OUT})
"""Causes after which another try makes it worse."""

AFTER_REFUSED_PASSWORD = Backoff(base=timedelta(hours=1), cap=timedelta(days=2))
"""Half an hour (Hikvision locks for as long after a few tries) to an hour, and twice as long each further
time, so that few tries never come together. Whoever corrects the password has it tried at once."""
LONGEST_LOCK_OUT = timedelta(days=1)
"""A terminal's own word on how long it is locked is taken up to this."""


def left_alone_until(error: BridgeError, at: datetime, failures: int, chance: float) -> datetime | None:
	"""Until when a terminal must not be asked again; None where its breaker alone decides.

	:param at: aware, when it failed.
	:param failures: how often it has failed in a row, this time included.
	:param chance: a random number in [0, 1).
	"""
	if error.code not in PASSWORD_TROUBLES:
		return None
	seconds = error.details.get("unlock_seconds")
	if error.code is Code.LOCKED_OUT and isinstance(seconds, (int, float)) and seconds > 0:
		return at + timedelta(seconds=min(seconds, LONGEST_LOCK_OUT.total_seconds()))
	return at + AFTER_REFUSED_PASSWORD.delay(failures, chance)
