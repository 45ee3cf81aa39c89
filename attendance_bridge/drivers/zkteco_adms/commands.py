"""Commands for terminals, as text. Only what stands here can be sent.

`SHELL`, with which a terminal runs a command of its operating system, is not among them, and no function
takes a command as text: every value is checked before it stands in one. Fields are separated by TAB; with
blanks a terminal answers -1002 (s0x90/zkteco-adms). The desk gives a command its number; on the wire it is
`C:<id>:<text>`.
"""

from __future__ import annotations

import re
from datetime import datetime

from attendance_bridge.drivers.zkteco_adms.desk import Dialect, Order

MAX_TEXT = 2000
"""Characters of one command; nothing that is made here comes near."""
_PIN = re.compile(r"[A-Za-z0-9]{1,24}")

RETURN_CODES = {
	-1: "failed",
	-2: "file_failed",
	-10: "user_unknown",
	-27: "user_unknown",
	-100: "no_such_table",
	-101: "no_such_field",
	-106: "too_large",
	-612: "not_saved",
	-615: "restart_failed",
	-708: "not_supported",
	-725: "timed_out",
	-801: "bad_format",
	-1002: "bad_syntax",
	-1004: "no_such_table",
}
"""What terminals return; 0 and above is success. Sources: docs/protocols/zkteco-adms.md."""

REBOOT = "REBOOT"
"""It fetches its options anew, the UTC offset among them."""
_REBOOT_SECURITY = "CONTROL DEVICE 03000000"
REBOOTS = (REBOOT, _REBOOT_SECURITY)
"""Some firmware starts anew before it has answered: a handshake is the answer then."""
_CLOCK = "SET OPTIONS DateTime="
CHECK = "CHECK"
"""2.x: look for data that was not sent, and send it."""
INFO = "INFO"
"""2.x: tell of yourself."""


def reboot(dialect: Dialect) -> str:
	"""Restart the terminal."""
	return REBOOT if dialect is Dialect.ATTENDANCE else _REBOOT_SECURITY


def tell_of_yourself(dialect: Dialect) -> str:
	"""Ask for model, firmware, MAC address and how much it holds."""
	if dialect is Dialect.ATTENDANCE:
		return INFO
	return "GET OPTIONS ~DeviceName,FirmVer,MAC,IPAddress,TransactionCount,~MaxAttLogCount,UserCount"


def send_punches(dialect: Dialect, start: datetime, end: datetime) -> str:
	"""Ask for the punches of a time again, whatever was sent: how a gap is filled without a pull.

	:param start: naive wall time of the terminal, included; so is `end`.
	:raises ValueError: the end lies before the start.
	"""
	if end < start:
		raise ValueError("the end lies before the start")
	if dialect is Dialect.SECURITY:
		# It has no filter by time that all firmware knows; known punches cost nothing.
		return "DATA QUERY tablename=transaction,fielddesc=*,filter=*"
	return f"DATA QUERY ATTLOG StartTime={start:%Y-%m-%d %H:%M:%S}\tEndTime={end:%Y-%m-%d %H:%M:%S}"


def set_clock(dialect: Dialect, wall: datetime) -> str:
	"""Set the clock of a 3.x terminal; one of 2.x follows the `Date` of each answer.

	:param wall: naive: what its display is to show.
	:raises ValueError: a 2.x terminal has no such command.
	"""
	if dialect is Dialect.ATTENDANCE:
		raise ValueError("a 2.x terminal sets its clock by the answers that it gets")
	return f"{_CLOCK}{encode_time(wall)}"


def sets_clock(text: str) -> bool:
	"""Whether a command is one of `set_clock`: what it says is right at the moment of its sending only."""
	return text.startswith(_CLOCK)


def forget_user(dialect: Dialect, pin: str) -> str:
	"""Take a person off the terminal, with templates and pictures.

	:raises ValueError: no id that could stand in a command.
	"""
	if not _PIN.fullmatch(pin):
		raise ValueError("an id of 1 to 24 letters and digits")
	if dialect is Dialect.ATTENDANCE:
		return f"DATA DELETE USERINFO PIN={pin}"
	return f"DATA DELETE user Pin={pin}"


def encode_time(wall: datetime) -> int:
	"""The 32-bit number of this family: as if every month had 31 days (Appendix 5)."""
	days = ((wall.year - 2000) * 12 + wall.month - 1) * 31 + wall.day - 1
	return days * 86_400 + (wall.hour * 60 + wall.minute) * 60 + wall.second


def on_the_wire(orders: tuple[Order, ...]) -> str:
	"""What a terminal that asks for commands is answered.

	:raises ValueError: a text that no function here makes.
	"""
	return "".join(f"C:{order.id}:{checked(order.text)}\n" for order in orders)


_KNOWN = re.compile(
	r"REBOOT|CHECK|INFO"
	r"|CONTROL DEVICE 03000000"
	r"|GET OPTIONS [~A-Za-z,]{1,200}"
	r"|DATA QUERY ATTLOG StartTime=[0-9: -]{19}\tEndTime=[0-9: -]{19}"
	r"|DATA QUERY tablename=transaction,fielddesc=\*,filter=\*"
	r"|SET OPTIONS DateTime=[0-9]{1,12}"
	r"|DATA DELETE (USERINFO PIN|user Pin)=[A-Za-z0-9]{1,24}"
)


def checked(text: str) -> str:
	"""Return a command that came out of a store if it is one of those above: others can write to a store.

	:raises ValueError: it is another.
	"""
	if len(text) > MAX_TEXT or not _KNOWN.fullmatch(text):
		raise ValueError("not a command of ours")
	return text
