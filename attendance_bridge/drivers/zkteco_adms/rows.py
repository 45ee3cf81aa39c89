"""Records of a push as punches: ATTLOG (2.x), rtlog and transaction (3.x).

Every record is read by itself: one that cannot be a punch becomes an `UnreadableRow` and its neighbours stay.
Sources: docs/protocols/zkteco-adms.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import NEIGHBOURHOOD, is_repeated, localise
from attendance_bridge.core.driver import UnreadableRow
from attendance_bridge.core.punch import MAX_USER_ID_LENGTH, DeviceKey, Punch, VerifyMode
from attendance_bridge.drivers._zkteco.codes import DEVICE_KEYS, VERIFY_MODES
from attendance_bridge.drivers._zkteco.times import Timeline, wall_time
from attendance_bridge.drivers.zkteco_adms.texts import decode, fields, number, without_table

BAD_DATE = "bad_date"
BAD_USER_ID = "bad_user_id"
BAD_RECORD = "bad_record"

MAX_RAW = 300
"""Characters of a record that are kept."""
_DATE = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})[ T]+([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
	"""A record that is a punch, before its wall time has a zone."""

	user_id: str
	wall: datetime
	"""Naive, whole seconds."""
	verify_mode: VerifyMode
	device_key: DeviceKey
	raw: str


class NotAPunch(str, Enum):
	"""Why an event of an access terminal is no punch, though nothing is wrong with it."""

	DEVICE = "device"
	"""The terminal itself: it started, a door was opened from afar."""
	DENIED = "denied"
	"""Somebody was not let in."""
	ALARM = "alarm"


Read = Row | UnreadableRow | NotAPunch
Reader = Callable[[bytes], Read]

NO_PERSON = frozenset(
	(
		*range(6, 14),
		*(200, 201, 202, 204, 205, 206, 209, 210, 211, 212, 213, 214, 217, 220, 221),
		*range(223, 232),
		*range(233, 238),
		*range(239, 253),
		*(254, 255),
	)
)
"""Normal events of which Appendix 2 says that nobody was identified by them: linkage, remote opening, door
contacts, exit buttons, start, network. Some firmware puts the id of the last person into them."""

_INOUT = {0: DeviceKey.CHECK_IN, 1: DeviceKey.CHECK_OUT}

_SEVERAL = frozenset((9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 22, 23, 24))
"""Appendix 3: two or more ways together."""
_EVENT_MODES = {
	1: VerifyMode.FINGER,
	3: VerifyMode.PASSWORD,
	4: VerifyMode.CARD,
	8: VerifyMode.FINGER,
	15: VerifyMode.FACE,
	25: VerifyMode.PALM,
}
_MASK = re.compile(r"[01]{16}")
_MASK_MODES = {
	1: VerifyMode.FACE,
	2: VerifyMode.PALM,
	3: VerifyMode.PALM,
	4: VerifyMode.FINGER,
	9: VerifyMode.PASSWORD,
	11: VerifyMode.CARD,
}
"""Bits of `NewVFStyles` from the right. Bit 0 marks a combination, bit 10 an id that was typed in."""


def read_attlog(line: bytes) -> Read:
	"""`PIN, time, status, verify, work code, …` separated by TAB; some firmware writes `key=value`."""
	cells = line.split(b"\t", 12)
	if b"=" in cells[0]:
		named = fields(line)
		who, when = named.get("pin", ""), named.get("time", "")
		status, verify = named.get("status", ""), named.get("verify", "")
	else:
		who, when, status, verify = (decode(cell[:MAX_RAW]) for cell in (*cells[:4], b"", b"", b"")[:4])
	return _row(
		line,
		who,
		read_wall(when),
		VERIFY_MODES.get(_code(verify), VerifyMode.UNKNOWN),
		DEVICE_KEYS.get(_code(status), DeviceKey.UNDEFINED),
	)


def read_event(line: bytes) -> Read:
	"""rtlog: `time, pin, cardno, event, inoutstatus, verifytype, index …` as `key=value` with TAB between."""
	named = fields(line) if b"\t" in line else fields(line, b",")
	return _event(line, named, read_wall(named.get("time", "")))


def read_transaction(line: bytes) -> Read:
	"""The same out of the terminal's table, which is what a query for it brings.

	`transaction cardno, pin, verified, doorid, eventtype, inoutstate, time_second, index`; the time is the
	32-bit number of this family.
	"""
	named = fields(without_table(line))
	encoded = number(named.get("time_second", ""))
	wall = read_wall(named.get("time", "")) if encoded is None or encoded < 0 else wall_time(encoded)
	same = {
		"event": named.get("eventtype", named.get("event", "")),
		"inoutstatus": named.get("inoutstate", named.get("inoutstatus", "")),
		"verifytype": named.get("verified", named.get("verifytype", "")),
		"pin": named.get("pin", ""),
	}
	return _event(line, same, wall) if named else _unreadable(line, BAD_RECORD)


def _event(line: bytes, named: dict[str, str], wall: datetime | None) -> Read:
	if "event" not in named or "pin" not in named:
		return _unreadable(line, BAD_RECORD)
	code = number(named["event"])
	if code is None:
		return _unreadable(line, BAD_RECORD)
	if 20 <= code < 100 or 5000 <= code < 6000:
		return NotAPunch.DENIED
	if 100 <= code < 200 or 6000 <= code < 7000:
		return NotAPunch.ALARM
	if code in NO_PERSON or not named["pin"].strip("0"):
		return NotAPunch.DEVICE
	if not (0 <= code < 254 or 4000 <= code < 5000):
		return _unreadable(line, BAD_RECORD)
	return _row(
		line,
		named["pin"],
		wall,
		_event_mode(named.get("verifytype", "")),
		_INOUT.get(_code(named.get("inoutstatus", "")), DeviceKey.UNDEFINED),
	)


def _row(
	line: bytes, who: str, wall: datetime | None, verify_mode: VerifyMode, device_key: DeviceKey
) -> Row | UnreadableRow:
	if wall is None:
		return _unreadable(line, BAD_DATE)
	user_id = who.strip(" ")
	if not 0 < len(user_id) <= MAX_USER_ID_LENGTH or not user_id.isprintable():
		return _unreadable(line, BAD_USER_ID)
	return Row(
		user_id=user_id, wall=wall, verify_mode=verify_mode, device_key=device_key, raw=decode(line)[:MAX_RAW]
	)


def _unreadable(line: bytes, reason: str) -> UnreadableRow:
	return UnreadableRow(raw=decode(line)[:MAX_RAW], reason=reason)


def read_wall(text: str) -> datetime | None:
	"""A wall time as terminals write it; None for what is no time."""
	found = _DATE.fullmatch(text.strip())
	if found is None:
		return None
	try:
		wall = datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001  # wall time
	except ValueError:
		return None
	# At the edges of the calendar a wall time may have no moment in UTC.
	return wall if 1 < wall.year < 9999 else None


def _code(text: str) -> int:
	found = number(text)
	return -1 if found is None else found


def _event_mode(text: str) -> VerifyMode:
	if _MASK.fullmatch(text):
		modes = {mode for bit, mode in _MASK_MODES.items() if text[15 - bit] == "1"}
		return modes.pop() if len(modes) == 1 else VerifyMode.MULTIPLE if modes else VerifyMode.UNKNOWN
	code = _code(text)
	return VerifyMode.MULTIPLE if code in _SEVERAL else _EVENT_MODES.get(code, VerifyMode.UNKNOWN)


def place(
	rows: Iterable[Row],
	serial: str,
	zone: ZoneInfo,
	held_between: Callable[[datetime, datetime], Sequence[Punch]],
) -> list[Punch]:
	"""Punches of rows in their order.

	In a repeated hour the order tells the pass, as it does when the same log is pulled, and a punch that is
	held already keeps the pass that it is held with: a terminal that sends its log again sends nothing new.

	:param held_between: what is held of this terminal between two wall times (both included), in the order of
		arrival. Asked for only if a row lies in a repeated hour.
	"""
	rows = list(rows)
	repeated = [row.wall for row in rows if is_repeated(localise(row.wall, zone))]
	if not repeated:
		return [_punch(row, serial, localise(row.wall, zone)) for row in rows]
	held = held_between(min(repeated) - NEIGHBOURHOOD, max(repeated) + NEIGHBOURHOOD)
	folds: dict[tuple[str, datetime], set[int]] = {}
	for punch in held:
		folds.setdefault((punch.device_user_id, punch.wall_time), set()).add(punch.occurred_at.fold)
	timeline = Timeline(zone, (punch.wall_time for punch in reversed(held)))
	punches = []
	for row in rows:
		moment = timeline.place(row.wall)
		known = folds.get((row.user_id, row.wall), set())
		punches.append(
			_punch(row, serial, moment.replace(fold=next(iter(known))) if len(known) == 1 else moment)
		)
	return punches


def _punch(row: Row, serial: str, moment: datetime) -> Punch:
	return Punch(
		device_serial=serial,
		device_user_id=row.user_id,
		occurred_at=moment,
		verify_mode=row.verify_mode,
		device_key=row.device_key,
		raw=row.raw,
	)
