"""Which clocks of terminals are to be set, as the configuration or the site says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from attendance_bridge.core.clock import ClockRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Correcting:
	"""Which clocks are to be set."""

	rules: ClockRules
	is_wanted: bool = False
	largest: timedelta = timedelta.max
	"""One that is further off is left to a person."""
