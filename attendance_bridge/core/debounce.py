"""One person, two punches a few seconds apart: the second is an echo, not a second passage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from attendance_bridge.core.direction import LogType, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class DebounceRules:
	window: timedelta = timedelta(seconds=60)
	"""Zero switches debouncing off."""


def is_echo(
	occurred_at: datetime, stated: LogType | None, standing: Standing | None, rules: DebounceRules
) -> bool:
	"""Whether a punch only repeats the person's last counted one.

	Somebody who pressed the wrong key and at once the right one states another direction than before: that is
	no echo, and both are kept.

	:param occurred_at: in UTC, as the standing is: within one zone Python subtracts wall times.
	:param stated: the direction that the terminal itself states, None if it states none.
	"""
	if standing is None:
		return False
	if not timedelta(0) <= occurred_at - standing.occurred_at < rules.window:
		return False
	return stated is None or stated is standing.log_type
