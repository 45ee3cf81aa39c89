"""Access control events: what counts as a punch, and how one row of the log is read.

Numbers of minor events: constants MINOR_* of the HCNetSDK headers, in decimal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from attendance_bridge.core.clock import is_repeated, second_pass
from attendance_bridge.core.driver import UnreadableRow
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.punch import MAX_USER_ID_LENGTH, DeviceKey, Punch, VerifyMode
from attendance_bridge.core.redact import MASK, redact
from attendance_bridge.drivers.hikvision_isapi.documents import whole_number
from attendance_bridge.drivers.hikvision_isapi.times import Stamp, read_stamp

MAJOR = 5
"""The major type of every event at a door, good and bad."""

PASSED: Mapping[int, VerifyMode] = {
	1: VerifyMode.CARD,
	2: VerifyMode.MULTIPLE,  # card and password
	16: VerifyMode.MULTIPLE,  # the terminal does not say of what
	38: VerifyMode.FINGER,
	40: VerifyMode.MULTIPLE,  # card and finger
	43: VerifyMode.MULTIPLE,  # card, finger and password
	46: VerifyMode.MULTIPLE,  # finger and password
	54: VerifyMode.MULTIPLE,  # face and finger
	57: VerifyMode.MULTIPLE,  # face and password
	60: VerifyMode.MULTIPLE,  # face and card
	63: VerifyMode.MULTIPLE,  # face, password and finger
	66: VerifyMode.MULTIPLE,  # face, card and finger
	69: VerifyMode.FINGER,  # after typing the employee number
	72: VerifyMode.MULTIPLE,  # finger and password, after typing the employee number
	75: VerifyMode.FACE,
	77: VerifyMode.FACE,  # after typing the employee number
	101: VerifyMode.PASSWORD,  # after typing the employee number
	105: VerifyMode.MULTIPLE,  # the person and their identity card agree
	156: VerifyMode.QR,
	181: VerifyMode.PASSWORD,
}
"""Minor events in which somebody was let pass. Everything else is a failure (3..15, 39, 104 …), a time-out or
the door itself (17..32), and no punch. A row's `currentVerifyMode` is not asked: it is what the reader is set
to (`faceOrFpOrCardOrPw`), not what the person used."""

_KEYS: Mapping[str, DeviceKey] = {
	"checkin": DeviceKey.CHECK_IN,
	"checkout": DeviceKey.CHECK_OUT,
	"breakout": DeviceKey.BREAK_OUT,
	"breakin": DeviceKey.BREAK_IN,
	"overtimein": DeviceKey.OVERTIME_IN,
	"overtimeout": DeviceKey.OVERTIME_OUT,
}

MAX_ROWS = 1000
"""More rows in one page than any terminal sends; 30 are asked for."""
_MAX_RAW = 2000
_MAX_UNREADABLE_RAW = 500
_MAX_TIME = 40
_MAX_TEXT = 500
_MAX_SHORT_TEXT = 64
_MAX_MEMBERS = 200
_MAX_DEPTH = 4
_HIDDEN = re.compile(r"url$|password|passwd|pwd|secret|token|nonce|api_?key|comm_?key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ResultPage:
	"""One page of a search, as it came."""

	rows: tuple[object, ...]
	more: bool | None
	"""What `responseStatusStrg` says: True for MORE, False for OK and NO MATCH, None for neither."""
	total: int | None
	"""`totalMatches` of the whole search."""

	def ends_at(self, position: int) -> bool:
		"""Whether nothing is left at `position`, the one after this page.

		Terminals say MORE before an empty page, and the announced numbers are not always true: an empty page
		ends a search whatever is said, and nothing else does while either witness speaks of more.
		"""
		if not self.rows:
			return True
		if self.more:
			return False
		if self.total is not None:
			return position >= self.total
		return self.more is False


def read_result_page(answer: Mapping[str, Any]) -> ResultPage:
	"""The answer to AcsEvent. `InfoList` may be absent, a list, one bare row, or `{"AcsEventInfo": …}`.

	:raises DeviceError: GARBAGE, if it is no such answer; TOO_LARGE.
	"""
	found = answer.get("AcsEvent")
	if not isinstance(found, dict):
		raise DeviceError(Code.GARBAGE, reason="no AcsEvent in the answer")
	rows = found.get("InfoList")
	if isinstance(rows, dict) and "AcsEventInfo" in rows:
		rows = rows["AcsEventInfo"]
	if rows is None:
		rows = []
	elif isinstance(rows, dict):
		rows = [rows]
	elif not isinstance(rows, list):
		raise DeviceError(Code.GARBAGE, reason="InfoList is no list")
	if len(rows) > MAX_ROWS:
		raise DeviceError(Code.TOO_LARGE, limit=MAX_ROWS)
	status = str(found.get("responseStatusStrg", "")).strip().upper()
	more = {"MORE": True, "OK": False, "NO MATCH": False}.get(status)
	return ResultPage(tuple(rows), more, whole_number(found.get("totalMatches")))


@dataclass(frozen=True, slots=True)
class Row:
	"""One record of the log, of whatever kind."""

	serial: int | None
	time: str
	"""As it came; empty if it is no text."""
	stamp: Stamp | None
	moment: datetime | None
	"""The stamp in the terminal's zone, aware."""
	punch: Punch | None = None
	unreadable: UnreadableRow | None = None

	@property
	def fold(self) -> int:
		"""1 in the second pass through a repeated hour."""
		return self.moment.fold if self.moment is not None else 0


class RowReader:
	"""Reads the rows of one terminal in their order.

	It remembers the time of the row before: a terminal that states no offset tells the two passes through a
	repeated hour apart only by their order.
	"""

	def __init__(self, *, device_serial: str, zone: tzinfo, minor: int) -> None:
		self._device_serial = device_serial
		self._zone = zone
		self._minors: frozenset[int] = frozenset({minor} if minor else PASSED)
		self._previous: datetime | None = None

	def resume_in(self, fold: int) -> None:
		"""Say in which pass the row lay that was read last."""
		if fold and self._previous is not None and is_repeated(self._previous):
			self._previous = self._previous.replace(fold=1)

	def read(self, record: object) -> Row:
		"""Never raises, whatever `record` is."""
		if not isinstance(record, dict):
			return Row(None, "", None, None, unreadable=_unreadable(record, "bad_record"))
		time = record.get("time")
		stamp = read_stamp(time)
		moment = self._moment(stamp)
		text = time[:_MAX_TIME] if isinstance(time, str) else ""
		serial = whole_number(record.get("serialNo"))
		if not self._is_pass(record):
			return Row(serial, text, stamp, moment)
		user_id = _user_id(record)
		if user_id is None:
			return Row(serial, text, stamp, moment)
		if not _is_good_user_id(user_id):
			return Row(serial, text, stamp, moment, unreadable=_unreadable(record, "bad_user_id"))
		if moment is None:
			return Row(serial, text, stamp, moment, unreadable=_unreadable(record, "bad_date"))
		return Row(serial, text, stamp, moment, punch=self._punch(record, user_id, moment))

	def _moment(self, stamp: Stamp | None) -> datetime | None:
		if stamp is None:
			return None
		moment = stamp.in_zone(self._zone)
		if stamp.offset is None and self._previous is not None:
			moment = second_pass(self._previous, moment)
		self._previous = moment
		return moment

	def _is_pass(self, record: Mapping[str, Any]) -> bool:
		major = whole_number(record.get("major", MAJOR))
		return major == MAJOR and whole_number(record.get("minor")) in self._minors

	def _punch(self, record: Mapping[str, Any], user_id: str, moment: datetime) -> Punch:
		minor = whole_number(record.get("minor"))
		status = record.get("attendanceStatus")
		return Punch(
			device_serial=self._device_serial,
			device_user_id=user_id,
			occurred_at=moment,
			verify_mode=PASSED.get(minor, VerifyMode.UNKNOWN) if minor is not None else VerifyMode.UNKNOWN,
			device_key=_KEYS.get(status.lower(), DeviceKey.UNDEFINED)
			if isinstance(status, str)
			else DeviceKey.UNDEFINED,
			raw=raw_text(record, _MAX_RAW),
		)


def _user_id(record: Mapping[str, Any]) -> str | None:
	"""The employee number as text; None if the row has none. Old firmware has only a numeric `employeeNo`,
	in which 0 means nobody."""
	value = record.get("employeeNoString")
	if value is None or value == "":
		value = record.get("employeeNo") or None
	if value is None or value == "":
		return None
	return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else "\0"


def _is_good_user_id(user_id: str) -> bool:
	"""Of bounded length, printable, and not one in which bytes were lost in decoding."""
	return len(user_id) <= MAX_USER_ID_LENGTH and user_id.isprintable() and "�" not in user_id


def _unreadable(record: object, reason: str) -> UnreadableRow:
	if isinstance(record, dict):
		return UnreadableRow(raw=raw_text(record, _MAX_UNREADABLE_RAW), reason=reason)
	return UnreadableRow(raw=_json(_clean(record))[:_MAX_UNREADABLE_RAW], reason=reason)


def raw_text(record: Mapping[str, Any], limit: int) -> str:
	"""The row as compact JSON of at most `limit` characters, without secrets and without links to pictures.

	A link to a picture of somebody's face is personal data, and some firmware puts a token into it. A row
	that is too long keeps the plain fields that fit.
	"""
	clean = _clean(record)
	text = _json(clean)
	return text if len(text) <= limit else _json(_shortened(clean, limit))


def _shortened(record: Mapping[str, Any], limit: int) -> dict[str, object]:
	kept: dict[str, object] = {}
	room = limit - len("{}")
	for key, value in record.items():
		if isinstance(value, (dict, list)):
			continue
		field = {key: value[:_MAX_SHORT_TEXT] if isinstance(value, str) else value}
		room -= len(_json(field)) - len(",")
		if room < 0:
			break
		kept.update(field)
	return kept


def _clean(value: Any, depth: int = _MAX_DEPTH) -> Any:
	"""A copy without what must not be kept, bounded in every direction."""
	if isinstance(value, str):
		return redact(value[:_MAX_TEXT])
	if isinstance(value, (dict, list)) and depth == 0:
		return "…"
	if isinstance(value, list):
		return [_clean(element, depth - 1) for element in value[:_MAX_MEMBERS]]
	if isinstance(value, dict):
		return {
			key[:_MAX_SHORT_TEXT]: MASK if _HIDDEN.search(key) else _clean(member, depth - 1)
			for key, member in list(value.items())[:_MAX_MEMBERS]
		}
	return value


def _json(value: object) -> str:
	text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
	# Half of a surrogate pair cannot be stored; it becomes an escape of JSON again.
	return text.encode("utf-8", "backslashreplace").decode("utf-8")
