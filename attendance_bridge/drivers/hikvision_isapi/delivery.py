"""Whether a terminal that was told to post its events does so: arithmetic over what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from attendance_bridge.drivers.hikvision_isapi.http_hosts import HEARTBEAT_SECONDS

SILENCE = timedelta(seconds=5 * HEARTBEAT_SECONDS)
"""Of a terminal that sends heartbeats; some of them may be lost."""
LATE = timedelta(minutes=2)
"""A punch that has not been posted so long after it was made will not be."""


class Delivery(str, Enum):
	WAITING = "waiting"
	"""Set up, and nothing was due yet."""
	DELIVERS = "delivers"
	NEVER = "never"
	"""It accepted the listener, something was due since, and nothing has ever come."""
	STOPPED = "stopped"
	"""It delivered and does not any more; after a restart some firmware forgets to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
	"""What was seen. All moments aware."""

	set_up_at: datetime
	subscribes: bool
	"""Whether the terminal took a subscription with a heartbeat."""
	arrived_at: datetime | None = None
	"""When it last posted anything, a heartbeat too."""
	event_at: datetime | None = None
	"""When it last posted a punch."""
	missed_at: datetime | None = None
	"""When the last punch was made that a pull brought and no post."""


def judge(seen: Arrivals, now: datetime) -> Delivery:
	"""Say how delivery stands at `now`."""
	latest = max(seen.set_up_at, seen.arrived_at or seen.set_up_at)
	# A heartbeat is no proof: firmware is seen that sends them and keeps its events.
	told = max(seen.set_up_at, seen.event_at or seen.set_up_at)
	has_missed = seen.missed_at is not None and seen.missed_at > told and now - seen.missed_at > LATE
	# Only one that has sent a heartbeat, or an event, is known to keep to it.
	is_silent = seen.subscribes and now - latest > SILENCE
	if not has_missed and not is_silent:
		return Delivery.WAITING if seen.arrived_at is None else Delivery.DELIVERS
	has_delivered = seen.event_at is not None or (not has_missed and seen.arrived_at is not None)
	return Delivery.STOPPED if has_delivered else Delivery.NEVER
