"""A punch as an agent sends it, and how it becomes one of ours."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar
from zoneinfo import ZoneInfo

from attendance_bridge.bench import punch_rows
from attendance_bridge.bench.sent_fields import BadFieldError, SentFields
from attendance_bridge.core.clock import ClockReading, ClockRules
from attendance_bridge.core.punch import (
	MAX_SERIAL_LENGTH,
	MAX_USER_ID_LENGTH,
	DeviceKey,
	Punch,
	VerifyMode,
)

E = TypeVar("E", bound=Enum)

MAX_RAW_LENGTH = 64 * 1024
MAX_ZONE_LENGTH = 64

_WALL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_WORST_OFFSET_SECONDS = 100 * 366 * 86_400
"""A clock that lost its battery says 1970, one that somebody set wrong says 2099."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPunch:
	"""A punch with what the agent knew about the terminal when it read it."""

	punch: Punch
	name: str
	"""Its punch_id as text: the primary key of Punch Log."""
	device: str
	"""Name of the Device Configuration; may be empty."""
	reading: ClockReading | None
	clock_good_until: datetime | None
	"""Aware."""


def parse(sent: object, now: datetime, rules: ClockRules) -> SentPunch:
	"""Read one punch.

	No look at a clock can have been later than `now`: what an agent with a fast clock says is moved there,
	and the terminal's own time stays. A punch later than `now` that comes without a look shows itself how
	far the terminal's clock is ahead at the least.

	:param now: aware.
	:raises BadFieldError: it is no punch, or its punch_id is not its own.
	"""
	fields = SentFields(sent)
	punch = _punch(fields)
	name = punch_rows.name_of(punch)
	if fields.text("punch_id") != name:
		raise BadFieldError("punch_id")
	clock = fields.table("clock")
	good_until = clock.moment("good_until") if clock else None
	reading = _reading(clock, now) if clock else None
	if reading is None and punch.occurred_utc - now > rules.tolerance:
		reading = ClockReading(taken_at=now, device_time=punch.occurred_at)
	return SentPunch(
		punch=punch,
		name=name,
		device=fields.text("device"),
		reading=reading,
		clock_good_until=min(good_until, now) if good_until else None,
	)


def _punch(fields: SentFields) -> Punch:
	try:
		return Punch(
			device_serial=fields.text("device_serial", MAX_SERIAL_LENGTH),
			device_user_id=fields.text("device_user_id", MAX_USER_ID_LENGTH),
			occurred_at=_occurred_at(fields),
			verify_mode=_member(VerifyMode, fields.text("verify_mode"), VerifyMode.UNKNOWN),
			device_key=_member(DeviceKey, fields.text("device_key"), DeviceKey.UNDEFINED),
			raw=fields.text("raw", MAX_RAW_LENGTH),
		)
	except BadFieldError:
		raise
	except ValueError as error:  # what a punch itself refuses
		raise BadFieldError(str(error)) from None


def _occurred_at(fields: SentFields) -> datetime:
	wall_time, fold = fields.text("wall_time"), fields.whole("fold", -1, 2)
	if not _WALL_TIME.fullmatch(wall_time):
		raise BadFieldError("wall_time")
	if fold not in (0, 1):
		raise BadFieldError("fold")
	zone = _zone(fields.text("time_zone", MAX_ZONE_LENGTH))
	return datetime.fromisoformat(wall_time).replace(tzinfo=zone, fold=fold)


def _reading(clock: SentFields, now: datetime) -> ClockReading | None:
	read_at, offset = clock.moment("read_at"), clock.number("offset_seconds", _WORST_OFFSET_SECONDS)
	if read_at is None or offset is None:
		return None
	try:
		device_time = read_at + timedelta(seconds=offset)
	except OverflowError:
		raise BadFieldError("clock.offset_seconds") from None
	return ClockReading(taken_at=min(read_at, now), device_time=device_time)


def _member(wanted: type[E], value: str, default: E) -> E:
	"""A newer agent may know more than this site: the punch is worth more than the word."""
	try:
		return wanted(value) if value else default
	except ValueError:
		return default


@functools.lru_cache(maxsize=64)
def _known_zone(name: str) -> ZoneInfo:
	return ZoneInfo(name)


def _zone(name: str) -> ZoneInfo:
	try:
		# ZoneInfo looks names up in folders: it refuses absolute and climbing paths with ValueError.
		return _known_zone(name)
	except (ValueError, OSError, LookupError):
		raise BadFieldError("time_zone") from None
