"""IN or OUT, and why.

Three witnesses are heard in order, and the first that has something to say decides: the key that was pressed
on the terminal, the role of the terminal (an entrance, an exit), and the person's own day (after an IN comes
an OUT). Which reason decided is kept with the punch: a person who disputes a check-in gets an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from attendance_bridge.core.punch import DeviceKey


class LogType(str, Enum):
	"""The two values that Employee Checkin knows."""

	IN = "IN"
	OUT = "OUT"


class DeviceRole(str, Enum):
	"""What the administrator says about a terminal."""

	KEY = "key"
	"""People press the right key; where none was pressed, alternate."""
	IN = "in"
	"""An entrance: whatever key, it is IN."""
	OUT = "out"
	"""An exit: whatever key, it is OUT."""
	BOTH = "both"
	"""One door for both, and the keys mean nothing: alternate."""


class Reason(str, Enum):
	"""Which witness decided."""

	DEVICE_KEY = "device_key"
	DEVICE_ROLE = "device_role"
	FIRST_OF_DAY = "first_of_day"
	"""Alternation: no punch within a working day before it, so it opens one."""
	AFTER_IN = "after_in"
	"""Alternation: the previous punch, within the working day, was IN."""
	AFTER_OUT = "after_out"
	"""Alternation: the previous punch, within the working day, was OUT."""
	CORRECTED = "corrected"
	"""A person who may said so, after all the witnesses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionRules:
	working_day: timedelta = timedelta(hours=15)
	"""How long after an IN its OUT can still come. A night shift over midnight is one working day; a
	forgotten OUT does not turn the next morning's IN around."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
	"""A decision with its reason."""

	log_type: LogType
	reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
	"""Where a person stands: their last punch that counted, on whichever terminal."""

	occurred_at: datetime
	"""In UTC."""
	log_type: LogType


_KEYS = {
	DeviceKey.CHECK_IN: LogType.IN,
	DeviceKey.CHECK_OUT: LogType.OUT,
	DeviceKey.BREAK_IN: LogType.IN,
	DeviceKey.BREAK_OUT: LogType.OUT,
	DeviceKey.OVERTIME_IN: LogType.IN,
	DeviceKey.OVERTIME_OUT: LogType.OUT,
}

_ROLES = {DeviceRole.IN: LogType.IN, DeviceRole.OUT: LogType.OUT}


def decide(
	occurred_at: datetime,
	device_key: DeviceKey,
	role: DeviceRole,
	standing: Standing | None,
	rules: DirectionRules,
) -> Direction:
	"""Decide one punch of one person.

	:param occurred_at: in UTC, as the standing is: within one zone Python subtracts wall times.
	:param standing: the person's last counted punch before this one; None if there is none.
	"""
	stated = stated_direction(device_key, role)
	if stated is not None:
		return stated
	if standing is None or occurred_at - standing.occurred_at > rules.working_day:
		return Direction(log_type=LogType.IN, reason=Reason.FIRST_OF_DAY)
	if standing.log_type is LogType.IN:
		return Direction(log_type=LogType.OUT, reason=Reason.AFTER_IN)
	return Direction(log_type=LogType.IN, reason=Reason.AFTER_OUT)


def stated_direction(device_key: DeviceKey, role: DeviceRole) -> Direction | None:
	"""What the terminal alone says: its key if it goes by keys, else its role; None if it says nothing."""
	if role is DeviceRole.KEY and device_key in _KEYS:
		return Direction(log_type=_KEYS[device_key], reason=Reason.DEVICE_KEY)
	if role in _ROLES:
		return Direction(log_type=_ROLES[role], reason=Reason.DEVICE_ROLE)
	return None
