"""Punches and their receipts on the wire; see docs/protocols/agent-api.md."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.projection import NO_SUCH_ID, State
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt
from attendance_bridge.upstreams.frappe_bridge.fields import (
	Json,
	flag_of,
	garbage,
	read_list,
	read_object,
	spell_moment,
	text_of,
)

MAX_BODY = 7 * 1024 * 1024
"""Bytes, by an estimate from above; the site takes 8 MiB."""
MAX_RAW = 16 * 1024
"""Characters of a raw record; in UTF-8 they never exceed the 64 KiB that the site takes."""
_ROOM_A_PUNCH = 1_000
_ROOM_A_CHARACTER = 12
"""Bytes: a character beyond the first plane is spelt as two escapes of six."""

_STATES = {
	"Received": State.DELIVERED,
	"Pending": State.DELIVERED,
	"Checked in": State.CHECKED_IN,
	"Duplicate": State.DUPLICATE,
	"Unmapped": State.UNMAPPED,
	"Quarantined": State.QUARANTINED,
	"Rejected": State.REJECTED,
	"Ignored": State.IGNORED,
}
"""What the status in Punch Log is to us; one that we do not know yet is held there, and no more is known."""


def chunks(batch: Sequence[CheckIn], at_once: int) -> Iterator[list[CheckIn]]:
	"""Parts of a batch that fit into one request each."""
	chunk: list[CheckIn] = []
	size = 0
	for check_in in batch:
		room = _room(check_in)
		if chunk and (len(chunk) >= at_once or size + room > MAX_BODY):
			yield chunk
			chunk, size = [], 0
		chunk.append(check_in)
		size += room
	if chunk:
		yield chunk


def _room(check_in: CheckIn) -> int:
	punch = check_in.punch
	characters = len(punch.raw[:MAX_RAW]) + len(punch.device_user_id) + len(punch.device_serial)
	return _ROOM_A_PUNCH + _ROOM_A_CHARACTER * characters


def body(chunk: Sequence[CheckIn], names: Collection[str]) -> Json:
	"""What is posted.

	:param names: the site's names of its terminals. Another name would tell it nothing.
	"""
	return {"punches": [_row(check_in, names) for check_in in chunk]}


def _row(check_in: CheckIn, names: Collection[str]) -> Json:
	punch = check_in.punch
	row: dict[str, object] = {
		"punch_id": str(punch.punch_id),
		"device_serial": punch.device_serial,
		"device_user_id": punch.device_user_id,
		"wall_time": punch.wall_time.isoformat(),
		"fold": punch.occurred_at.fold,
		"time_zone": _zone_name(punch.occurred_at),
		"verify_mode": punch.verify_mode.value,
		"device_key": punch.device_key.value,
		"raw": punch.raw[:MAX_RAW],
		"clock": _clock(check_in),
	}
	if check_in.device in names:
		row["device"] = check_in.device
	return row


def _clock(check_in: CheckIn) -> Json | None:
	reading = check_in.reading
	if reading is None:
		return None
	return {
		"read_at": spell_moment(reading.taken_at),
		"offset_seconds": reading.offset.total_seconds(),
		"good_until": spell_moment(check_in.clock_good_until),
	}


def _zone_name(occurred_at: datetime) -> str:
	key = getattr(occurred_at.tzinfo, "key", None)
	return key if isinstance(key, str) else occurred_at.isoformat()[19:]


def receipts(message: object, chunk: Sequence[CheckIn]) -> list[Receipt]:
	"""Read the answer to a chunk; a receipt that makes no sense leaves its punch in doubt.

	:raises UpstreamError: GARBAGE: these are no receipts for this chunk.
	"""
	rows = read_list(read_object(message).get("receipts"), len(chunk))
	if len(rows) < len(chunk):
		raise garbage()
	return [_receipt(row, check_in) for row, check_in in zip(rows, chunk, strict=True)]


def _receipt(row: object, check_in: CheckIn) -> Receipt:
	try:
		return _read(read_object(row), check_in)
	except UpstreamError as error:
		return in_doubt(check_in, error.code.value)


def _read(row: Json, check_in: CheckIn) -> Receipt:
	punch_id = check_in.punch.punch_id
	if row.get("punch_id") != str(punch_id):
		raise garbage()
	outcome, reason = text_of(row, "outcome"), text_of(row, "reason")
	if outcome == "retry":
		return Receipt(punch_id=punch_id, outcome=Outcome.RETRY, code=reason or Code.BUSY.value)
	if outcome == "rejected":
		code = reason or State.REJECTED.value
		return Receipt(punch_id=punch_id, outcome=Outcome.REJECTED, code=code, state=State.REJECTED)
	status = text_of(row, "status", needed=True)
	if outcome == "unmapped":
		code = reason or NO_SUCH_ID
		return Receipt(punch_id=punch_id, outcome=Outcome.UNMAPPED, code=code, state=State.UNMAPPED)
	if outcome != "accepted":
		raise garbage()
	log_type = text_of(row, "log_type")
	return Receipt(
		punch_id=punch_id,
		# What we may have sent before is ours, although it is known there.
		outcome=Outcome.DUPLICATE if flag_of(row, "known") and not check_in.in_doubt else Outcome.ACCEPTED,
		code=reason,
		reference=text_of(row, "checkin"),
		state=_STATES.get(status, State.DELIVERED),
		employee=text_of(row, "employee"),
		log_type=LogType(log_type) if log_type in ("IN", "OUT") else None,
		log_type_reason=text_of(row, "log_type_reason"),
	)


def in_doubt(check_in: CheckIn, code: str) -> Receipt:
	"""It may have been taken: it is sent again."""
	return Receipt(punch_id=check_in.punch.punch_id, outcome=Outcome.RETRY, code=code, in_doubt=True)
