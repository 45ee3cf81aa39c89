"""What terminals are answered. Sources: docs/protocols/zkteco-adms.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from attendance_bridge.drivers.zkteco_adms.commands import encode_time
from attendance_bridge.drivers.zkteco_adms.desk import Registration, Stamp, Table
from attendance_bridge.drivers.zkteco_adms.wire import TEXT, Reply

ERROR_DELAY = 30
"""Seconds after which a terminal tries again what was not acknowledged."""
POLL_DELAY = 10
"""Seconds between two questions for commands."""
TRANS_TIMES = "00:00;14:05"
SERVER_VERSION = "2.4.1"
SECURITY_VERSION = "3.0.1"
"""From 3.1.1 on a terminal may want to speak in cipher; both sides take the lower version (Appendix 13)."""


_RESUME_UNKNOWN = {Table.ATTLOG: "0", Table.OPERLOG: "9999", Table.ATTPHOTO: "9999"}
"""Every punch that it has, as nobody knows what another server got of it; of the rest only what is new."""
_OLD_STAMPS = {Table.ATTLOG: "Stamp", Table.OPERLOG: "OpStamp", Table.ATTPHOTO: "PhotoStamp"}


def text_reply(status: int, text: str, now: datetime, *more: tuple[str, str]) -> Reply:
	"""
	:param now: aware; becomes the `Date` by which terminals set their clocks.
	"""
	body = text.encode()
	headers = (
		("Content-Type", TEXT),
		("Content-Length", str(len(body))),
		("Date", format_datetime(now.astimezone(timezone.utc), usegmt=True)),
		("Cache-Control", "no-store"),
		*more,
	)
	return Reply(status=status, headers=headers, body=body)


def time_zone_option(zone: ZoneInfo, now: datetime) -> tuple[int, str]:
	"""The UTC offset at a moment in minutes, and as a terminal takes it.

	|x| < 12 is read as hours, anything else as minutes, and `5.5` as 5. So a whole number of hours within 11
	is sent as hours, everything else as minutes. What would then be minutes below 12 (no zone has that since
	the 19th century) cannot be said and is rounded to hours.
	"""
	offset = now.astimezone(zone).utcoffset()
	minutes = round(offset.total_seconds() / 60) if offset is not None else 0
	hours, rest = divmod(abs(minutes), 60)
	sign = -1 if minutes < 0 else 1
	if (rest == 0 and hours < 12) or abs(minutes) < 12:
		return minutes, str(sign * hours)
	return minutes, str(minutes)


def option_block(
	serial: str, zone: ZoneInfo, stamps: Sequence[Stamp], now: datetime, *, is_old: bool
) -> tuple[int, str]:
	"""The UTC offset given, and the handshake's answer for a 2.x terminal.

	:param stamps: where it resumes; without one for punches it sends all that it has.
	:param is_old: it names no version of the protocol: older names, and flags as digits.
	"""
	known = {**_RESUME_UNKNOWN, **{stamp.table: stamp.value for stamp in stamps}}
	offset, time_zone = time_zone_option(zone, now)
	names = _OLD_STAMPS if is_old else {table: f"{table.value}Stamp" for table in Table}
	options = [
		*((names[table], known[table]) for table in Table),
		("ErrorDelay", str(ERROR_DELAY)),
		("Delay", str(POLL_DELAY)),
		("TransTimes", TRANS_TIMES),
		("TransInterval", "1"),
		# Punches and what was done at the menu; no people, no templates, no pictures.
		("TransFlag", "1100000000" if is_old else "TransData AttLog\tOpLog"),
		("TimeZone", time_zone),
		("Realtime", "1"),
		("Encrypt", "0"),
		("ServerVer", SERVER_VERSION),
		("PushProtVer", SERVER_VERSION),
		# Tell of yourself when you start: model, MAC address, how much you hold.
		("PushOptionsFlag", "1"),
	]
	return offset, _block(f"GET OPTION FROM: {serial}", options)


def registered_block(registration: Registration) -> str:
	"""The handshake's answer for a 3.x terminal that is registered."""
	return _block("registry=ok", [("RegistryCode", registration.code), *_configuration(registration)])


def configuration_block(registration: Registration) -> str:
	"""What such a terminal is told when it asks for its configuration."""
	first, *rest = _configuration(registration)
	return _block(f"{first[0]}={first[1]}", rest)


def _configuration(registration: Registration) -> list[tuple[str, str]]:
	return [
		("ServerVersion", SECURITY_VERSION),
		("ServerName", "ADMS"),
		# One name in the text of the specification, the other in its example and for some models.
		("PushProtVer", SECURITY_VERSION),
		("PushVersion", SECURITY_VERSION),
		("ErrorDelay", str(ERROR_DELAY)),
		("RequestDelay", str(POLL_DELAY)),
		("TransTimes", TRANS_TIMES),
		("TransInterval", "1"),
		("TransTables", "Transaction"),
		("Realtime", "1"),
		("SessionID", registration.session),
		("TimeoutSec", "10"),
	]


def time_answer(zone: ZoneInfo, now: datetime) -> str:
	"""The time for a 3.x terminal that asks: UTC as the number of this family, and the offset of its wall."""
	offset = now.astimezone(zone).strftime("%z")
	utc = now.astimezone(timezone.utc).replace(tzinfo=None)
	return f"DateTime={encode_time(utc)},ServerTZ={offset[:5]}"


def _block(first: str, options: Sequence[tuple[str, str]]) -> str:
	return "".join(f"{line}\n" for line in (first, *(f"{name}={value}" for name, value in options)))
