"""What a pushing terminal writes about punches, users and itself: one line each, fields joined by tabs.

Attendance PUSH 2.x writes ATTLOG by position; Security PUSH 3.x writes `key=value` pairs. Sources: the
vendor's two PUSH manuals (attendance: chapters 9 and 13; security: chapters 7 and 12), traffic of a
SpeedFace-V5L (s0x90/zkteco-adms, `datasheet/ADMS.md`), and public captures of ATTLOG rows with ten and more
columns.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.zkteco.records import KEY_CODES, UNDEFINED_CODE, VERIFY_CODES
from attendance_bridge.simulators.zkteco.wire import encode_time

ATTLOG_COLUMNS = (5, 7, 10, 11)
"""How many columns models write: up to the work code, with two reserved ones, with mask and temperatures,
with a time offset that stays empty."""

EVENT_GRANTED = 0
EVENT_GRANTED_FACE = 3
EVENT_DENIED = 27
"""An unregistered credential; 20 to 99 are refusals."""
EVENT_STARTED = 206
"""The device itself: `pin` is 0."""
EVENT_DOOR_OPENED = 200
EVENT_TAMPER = 100

DEVICE_ITSELF = "0"
_OUT_KEYS = frozenset({DeviceKey.CHECK_OUT, DeviceKey.BREAK_OUT, DeviceKey.OVERTIME_OUT})
_STYLE_BITS = {
	VerifyMode.FACE: 1,
	VerifyMode.PALM: 3,
	VerifyMode.FINGER: 4,
	VerifyMode.PASSWORD: 9,
	VerifyMode.CARD: 11,
}
DAMAGES = {
	"impossible-date": "2026-02-31 08:00:00",
	"no-date": "",
	"garbage-date": "99-99-99",
}


class Entry(NamedTuple):
	"""One row of the log. A tuple, because logs are long."""

	number: int
	"""Counts for the life of the terminal."""
	user_id: str
	wall_time: datetime
	"""What the display showed: naive, whole seconds."""
	happened_at: datetime
	"""The true moment: aware, UTC."""
	verify_mode: VerifyMode
	device_key: DeviceKey
	event: int
	damage: str = ""
	"""A key of `DAMAGES`: what is wrong with the stored row."""

	@property
	def is_punch(self) -> bool:
		"""Whether somebody was recognised and let in, and the row can be read."""
		granted = 0 <= self.event < 20 or 200 <= self.event < 254
		return granted and self.user_id != DEVICE_ITSELF and not self.damage


class User(NamedTuple):
	user_id: str
	name: str = ""
	privilege: int = 0
	password: str = ""
	card: str = ""
	group: str = "1"


class Template(NamedTuple):
	user_id: str
	kind: int
	"""1 finger, 2 face by infrared, 8 palm, 9 face by visible light."""
	number: int
	major: int
	minor: int
	content: str
	"""Base64."""


def attlog(entry: Entry, columns: int) -> str:
	status = KEY_CODES.get(entry.device_key, UNDEFINED_CODE)
	verify = VERIFY_CODES.get(entry.verify_mode, UNDEFINED_CODE)
	fields = [entry.user_id, _time(entry), str(status), str(verify), "0", "0", "0", "0", "0", "0", ""]
	return "\t".join(fields[:columns])


def rtlog(entry: Entry, *, new_styles: bool) -> str:
	"""
	:param new_styles: the server said that it understands the sixteen-digit way to name a verification.
	"""
	return "\t".join(
		(
			f"time={_time(entry)}",
			f"pin={entry.user_id}",
			"cardno=0",
			"sitecode=0",
			"linkid=0",
			"eventaddr=1",
			f"event={entry.event}",
			f"inoutstatus={int(entry.device_key in _OUT_KEYS)}",
			f"verifytype={_verify_type(entry, new_styles=new_styles)}",
			f"index={entry.number}",
			"maskflag=0",
			"temperature=0.0",
			"convtemperature=0.0",
		)
	)


def transaction(entry: Entry) -> str:
	"""The same event as a row of the table `transaction`, its time packed as the terminal stores it."""
	packed = 0 if entry.damage else encode_time(entry.wall_time)
	return "transaction " + "\t".join(
		(
			"cardno=0",
			f"pin={entry.user_id}",
			f"verified={_verify_type(entry, new_styles=False)}",
			"doorid=1",
			f"eventtype={entry.event}",
			f"inoutstate={int(entry.device_key in _OUT_KEYS)}",
			f"time_second={packed}",
			f"index={entry.number}",
			"sitecode=0",
		)
	)


def operation(code: int, operator: str, wall_time: datetime, subject: str = "0") -> str:
	return f"OPLOG {code}\t{operator}\t{wall_time:%Y-%m-%d %H:%M:%S}\t{subject}\t0\t0\t0"


def user_2(user: User) -> str:
	return "USER " + "\t".join(
		(
			f"PIN={user.user_id}",
			f"Name={user.name}",
			f"Pri={user.privilege}",
			f"Passwd={user.password}",
			f"Card={user.card}",
			f"Grp={user.group}",
			"TZ=0000000000000000",
			"Verify=-1",
			"ViceCard=",
		)
	)


def user_3(user: User, uid: int) -> str:
	return "user " + "\t".join(
		(
			f"uid={uid}",
			f"cardno={user.card}",
			f"pin={user.user_id}",
			f"password={user.password}",
			f"group={user.group}",
			"starttime=0",
			"endtime=0",
			f"name={user.name}",
			f"privilege={user.privilege}",
			"disable=0",
			"verify=0",
		)
	)


def template(one: Template, *, lower_case: bool) -> str:
	"""
	:param lower_case: as Security PUSH spells the keys.
	"""
	fields = {
		"Pin": one.user_id,
		"No": one.number,
		"Index": 0,
		"Valid": 1,
		"Duress": 0,
		"Type": one.kind,
		"MajorVer": one.major,
		"MinorVer": one.minor,
		"Format": 0,
		"Tmp": one.content,
	}
	line = "\t".join(f"{name.lower() if lower_case else name}={value}" for name, value in fields.items())
	return f"{'biodata' if lower_case else 'BIODATA'} {line}"


def _time(entry: Entry) -> str:
	return DAMAGES.get(entry.damage) or ("" if entry.damage else f"{entry.wall_time:%Y-%m-%d %H:%M:%S}")


def _verify_type(entry: Entry, *, new_styles: bool) -> str:
	if not new_styles:
		return str(VERIFY_CODES.get(entry.verify_mode, UNDEFINED_CODE))
	# The digits count from the right: face alone is 0000000000000010.
	bit = _STYLE_BITS.get(entry.verify_mode)
	return f"{0 if bit is None else 1 << bit:016b}"
