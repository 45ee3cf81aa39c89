"""The options of a ZKTeco terminal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from attendance_bridge.core.config import option
from attendance_bridge.core.host import check_host
from attendance_bridge.core.redact import Secret


class Transport(str, Enum):
	"""How the terminal is reached."""

	AUTO = "auto"
	"""TCP, and UDP when the terminal refuses TCP: old models listen on UDP only."""
	TCP = "tcp"
	UDP = "udp"


def check_id_encoding(value: str) -> str:
	"""Return `value` if it names a text encoding in which a digit is the one byte of ASCII.

	:raises ValueError: it does not.
	"""
	try:
		if b"0".decode(value) == "0":
			return value
	except (LookupError, ValueError):
		pass
	raise ValueError("a text encoding such as utf-8, gb18030 or cp1256")


def check_comm_key(text: str) -> int:
	"""Return the comm key as the number that the terminal's menu shows.

	The key is scrambled on 32 bits: its bits are mirrored, then the session id (16 bits) is added. pyzk 0.9
	raises when that sum passes 32 bits, which depends on the session id that the terminal happens to give
	out. The few keys to which it can happen (from 131071 on, one in 65536) are refused here rather than
	working on some days only.

	:raises ValueError: not a number from 0 to 4294967295, or one of those keys. The text is not in it.
	"""
	if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 1 << 32):
		raise ValueError("a comm key of digits, from 0 to 4294967295")
	key = int(text)
	if key & 0xFFFF == 0xFFFF and key >> 16:
		raise ValueError("another comm key: this one cannot be sent in every session")
	return key


def _check_secret_comm_key(secret: Secret) -> Secret:
	check_comm_key(secret.reveal())
	return secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	"""Where the terminal is and how to talk to it."""

	host: str = option(help="Host name or IP address of the terminal.", max_length=253, check=check_host)
	port: int = option(4370, help="Port of the terminal, TCP and UDP alike.", minimum=1, maximum=65535)
	comm_key: Secret | None = option(
		None,
		help="Comm key from the terminal's communication menu, digits only; leave out if it is 0.",
		check=_check_secret_comm_key,
	)
	transport: Transport = option(
		Transport.AUTO, help="auto (TCP, then UDP if TCP is refused), tcp, or udp for old models."
	)
	timeout: float = option(
		10.0, help="Seconds of silence after which the terminal is given up.", minimum=0.1, maximum=120
	)
	transfer_timeout: float = option(
		600.0,
		help="Seconds that reading the whole log may take; terminals send about 100 kilobytes a second.",
		minimum=1,
		maximum=7200,
	)
	id_encoding: str = option(
		"utf-8",
		help="Encoding of user ids on the terminal; what does not fit it is read as latin-1.",
		max_length=40,
		check=check_id_encoding,
	)
	max_log_bytes: int = option(
		64 * 1024 * 1024,
		help="Largest log that is accepted, in bytes. A punch takes 8 to 49 bytes.",
		minimum=65_536,
		maximum=1024 * 1024 * 1024,
	)
