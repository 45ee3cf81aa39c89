"""Events as the terminal shows them: rows of JSON, among them damaged ones.

The fields are those that a DS-K1T terminal was seen to send; rows that concern nobody come without
employeeNoString.
"""

from __future__ import annotations

from typing import Any

from attendance_bridge.core.punch import DeviceKey
from attendance_bridge.simulators.hikvision import events
from attendance_bridge.simulators.hikvision.events import MAJOR_EVENT, Event

Row = dict[str, Any]

ATTENDANCE_STATUS = {
	DeviceKey.UNDEFINED: "undefined",
	DeviceKey.CHECK_IN: "checkIn",
	DeviceKey.CHECK_OUT: "checkOut",
	DeviceKey.BREAK_OUT: "breakOut",
	DeviceKey.BREAK_IN: "breakIn",
	DeviceKey.OVERTIME_IN: "overtimeIn",
	DeviceKey.OVERTIME_OUT: "overtimeOut",
}
_STATUS_VALUE = {key: value for value, key in enumerate(ATTENDANCE_STATUS)}
_VERIFY_MODE = "faceOrFpOrCardOrPw"

_REMOVED = object()
DAMAGES: dict[str, Row] = {
	"impossible-time": {"time": "2026-02-30T25:61:00+04:00"},
	"no-time": {"time": _REMOVED},
	"number-as-id": {"employeeNoString": 4242},
	"endless-id": {"employeeNoString": "9" * 200},
}
"""What is wrong with a damaged entry: fields that replace those of a sound row."""


def row(event: Event, name: str) -> Row:
	"""One element of InfoList.

	:param name: of the person, if it concerns one.
	"""
	shown: Row = {"major": event.major, "minor": event.minor, "time": time_text(event)}
	if event.major != MAJOR_EVENT:
		shown |= {"netUser": "", "remoteHostAddr": "0.0.0.0", "employeeNoString": ""}  # noqa: S104  # shown, not bound
	elif event.employee_no:
		shown |= _person(event, name)
	else:
		shown |= {
			"cardNo": event.card_no,
			"cardType": 1,
			"cardReaderNo": 1 if event.card_no else 0,
			"doorNo": 1,
		}
	shown |= {
		"serialNo": event.serial_no,
		"currentVerifyMode": _VERIFY_MODE if event.employee_no else "invalid",
		"attendanceStatus": ATTENDANCE_STATUS[event.device_key],
		"statusValue": _STATUS_VALUE[event.device_key],
	}
	shown |= DAMAGES.get(event.damage, {})
	return {field: value for field, value in shown.items() if value is not _REMOVED}


def time_text(event: Event) -> str:
	"""ISO 8601, with the offset that was in force."""
	sign = "-" if event.offset < 0 else "+"
	hours, minutes = divmod(abs(event.offset) // 60, 60)
	return f"{event.wall_time:%Y-%m-%dT%H:%M:%S}{sign}{hours:02d}:{minutes:02d}"


def _person(event: Event, name: str) -> Row:
	shown: Row = {
		"cardNo": event.card_no,
		"cardType": 1,
		"name": name,
		"cardReaderNo": 1,
		"doorNo": 1,
		"employeeNoString": event.employee_no,
		"userType": "normal",
	}
	if event.minor == events.MINOR_FACE:
		shown |= {
			"mask": "no",
			"pictureURL": f"http://192.0.2.64/LOCALS/pic/acsLinkCap/{event.serial_no}.jpeg",
			"picturesNumber": 1,
		}
	return shown
