"""Turns what people did into the log that a terminal would have written about it.

A terminal notes much more than punches: the door that unlocks, opens, closes and locks, faces that it did not
recognise, cards that it does not know, its own power cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.hikvision import events
from attendance_bridge.simulators.hikvision.events import MAJOR_EVENT, MAJOR_EXCEPTION, Event, EventLog
from attendance_bridge.simulators.workforce import Identification

# (minor, seconds after the pass) of what the door does for everybody who may enter.
_DOOR = (
	(events.MINOR_UNLOCKED, 0),
	(events.MINOR_OPENED, 1),
	(events.MINOR_CLOSED, 4),
	(events.MINOR_LOCKED, 5),
)
# Every so many passes: (how many, minor, card number).
_FAILURES = (
	(23, events.MINOR_FACE_FAILED, ""),
	(41, events.MINOR_UNKNOWN_CARD, "87654321"),
	(67, events.MINOR_NO_LIVING_FACE, ""),
)
_BUTTON_EVERY = 31


def write(
	log: EventLog, identifications: Iterable[Identification], cards: dict[str, str], zone: ZoneInfo
) -> None:
	"""Append to `log` what a terminal in `zone` records of `identifications` (in the order of recording).

	:param cards: card number by device_user_id.
	"""
	recorded = list(identifications)
	moments = [_moment(each.wall_time, zone) for each in recorded]
	for position, (each, (second, offset)) in enumerate(zip(recorded, moments, strict=True)):
		previous = moments[position - 1][0] if position else None
		if previous is None or second < previous:
			log.record(MAJOR_EXCEPTION, events.MINOR_POWER_ON, second, offset)
		record_failures(log, position, second, offset)
		record_pass(
			log,
			second,
			offset,
			employee_no=each.device_user_id,
			card_no=cards.get(each.device_user_id, ""),
			verify_mode=each.verify_mode,
			device_key=each.device_key,
		)
		following = moments[position + 1][0] if position + 1 < len(moments) else None
		went_back = following is not None and following < second
		record_door(log, position, second, offset, until=None if went_back else following)


def record_pass(
	log: EventLog,
	second: int,
	offset: int,
	*,
	employee_no: str,
	card_no: str,
	verify_mode: VerifyMode,
	device_key: DeviceKey,
) -> Event:
	minors = events.PASS_MINORS[verify_mode]
	return log.record(
		MAJOR_EVENT,
		minors[log.last_serial_no % len(minors)],
		second,
		offset,
		employee_no=employee_no,
		card_no=card_no if verify_mode is VerifyMode.CARD else "",
		device_key=device_key,
	)


def record_failures(log: EventLog, count: int, second: int, offset: int) -> None:
	"""Now and then, somebody was not recognised just before pass number `count`."""
	for every, minor, card_no in _FAILURES:
		if count % every == every - 1:
			log.record(MAJOR_EVENT, minor, second, offset, card_no=card_no)


def record_door(log: EventLog, count: int, second: int, offset: int, *, until: int | None = None) -> None:
	"""What the door did after pass number `count`, none of it later than `until`."""
	for minor, after in _DOOR:
		log.record(
			MAJOR_EVENT, minor, second + after if until is None else min(second + after, until), offset
		)
	if count % _BUTTON_EVERY == _BUTTON_EVERY - 1:
		last = log.last_second or second
		log.record(MAJOR_EVENT, events.MINOR_BUTTON_PRESSED, last, offset)
		log.record(MAJOR_EVENT, events.MINOR_BUTTON_RELEASED, last, offset)


def _moment(wall_time: datetime, zone: ZoneInfo) -> tuple[int, int]:
	"""(seconds since 1970 UTC, offset of the wall from UTC); the first pass of a repeated hour."""
	aware = wall_time.replace(tzinfo=zone)
	offset = aware.utcoffset()
	return int(aware.timestamp()), int(offset.total_seconds()) if offset is not None else 0
