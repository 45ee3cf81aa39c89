"""What goes into a working day, punch by punch, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.punch import DeviceKey
from attendance_bridge.core.workday.rules import NOTHING


@dataclass(frozen=True, slots=True)
class Scan:
	"""A punch that counts, of one person."""

	at: datetime
	"""Aware, in UTC."""
	log_type: LogType | None = None
	key: DeviceKey = DeviceKey.UNDEFINED


class Status(str, Enum):
	"""How a day was, in the one word that people look for."""

	ON_TIME = "on_time"
	CONSIDERED = "considered"
	"""After the start, within the grace."""
	LATE = "late"
	EARLY_EXIT = "early_exit"
	HALF_DAY = "half_day"
	PRESENT = "present"
	"""Somebody has said so, and no punch tells when."""
	ABSENT = "absent"
	ON_LEAVE = "on_leave"
	HOLIDAY = "holiday"
	WEEKLY_OFF = "weekly_off"
	NOT_SCHEDULED = "not_scheduled"
	"""No shift, no punch, no day off: nothing was agreed."""
	EXPECTED = "expected"
	"""Has not come, and need not have."""
	MISSING = "missing"
	"""Has not come and should have, but may yet."""


class Reason(str, Enum):
	"""Why it is that status."""

	IN_TIME = "in_time"
	WITHIN_GRACE = "within_grace"
	AFTER_GRACE = "after_grace"
	LEFT_BEFORE_END = "left_before_end"
	BELOW_HALF_DAY = "below_half_day"
	"""Less was worked than half a day needs."""
	BELOW_ABSENT = "below_absent"
	"""So little was worked that it counts as nothing."""
	NO_PUNCH = "no_punch"
	BY_HAND = "by_hand"
	LEAVE = "leave"
	HALF_LEAVE = "half_leave"
	"""Half a day of leave, the other half worked."""
	HALF_LEAVE_HALF_ABSENT = "half_leave_half_absent"
	DAY_OFF = "day_off"
	HALF_OFF = "half_off"
	"""Half a holiday or weekly off; the other half was worked, or nobody came for it."""
	NO_SHIFT = "no_shift"
	NOT_BEGUN = "not_begun"
	NOT_COME = "not_come"


class Anomaly(str, Enum):
	"""What a hand should look at."""

	MISSING_IN = "missing_in"
	MISSING_OUT = "missing_out"
	IN_AFTER_IN = "in_after_in"
	OUT_AFTER_OUT = "out_after_out"
	PUNCH_ON_LEAVE = "punch_on_leave"
	PUNCH_ON_DAY_OFF = "punch_on_day_off"


class Workday(NamedTuple):
	"""A day as it was worked. All moments aware, in UTC.

	A tuple is made in a fraction of the time of a frozen dataclass, and a month of people has tens of
	thousands of days.
	"""

	date: date
	status: Status
	reason: Reason
	shift: str = ""
	first_in: datetime | None = None
	last_out: datetime | None = None
	"""None while somebody is in, and where the OUT is missing."""
	worked: timedelta = NOTHING
	"""Overtime included, unpaid breaks not."""
	breaks: timedelta = NOTHING
	"""Taken, by key or by leaving between two stretches of work."""
	late_by: timedelta = NOTHING
	"""After the start of the shift, grace not taken off."""
	early_by: timedelta = NOTHING
	"""Before the end of the shift, grace not taken off."""
	overtime: timedelta = NOTHING
	extra_overtime: timedelta = NOTHING
	overtime_from: datetime | None = None
	"""From when on work counted as overtime; None if none was worked."""
	extra_from: datetime | None = None
	allowances: frozenset[str] = frozenset()
	anomalies: frozenset[Anomaly] = frozenset()
	scans: tuple[Scan, ...] = ()
