"""Who is at an address, without a password: the search protocol (SADP) that these terminals answer on UDP.

An `inquiry` to port 37020 is answered by a `ProbeMatch` with the serial number, model, firmware and the port
of the web page (public captures of the search tool). An administrator may switch it off. Whether every
terminal answers an inquiry that is sent to it alone and not to the group is (open).
"""

from __future__ import annotations

import socket
import time
import uuid
from dataclasses import dataclass

from attendance_bridge.core.driver import DeviceInfo
from attendance_bridge.core.errors import DeviceError
from attendance_bridge.core.punch import MAX_SERIAL_LENGTH
from attendance_bridge.drivers.hikvision_isapi.documents import XmlDocument, read_document, whole_number

PORT = 37020
MAX_DATAGRAM = 8192
_MAX_TEXT = 140
_DEFAULT_WEB_PORT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
	"""What a terminal says of itself."""

	info: DeviceInfo
	port: int
	"""Of its web page."""


def inquiry() -> bytes:
	"""A question to everybody who hears it."""
	return (
		f'<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>{str(uuid.uuid4()).upper()}</Uuid>'
		"<Types>inquiry</Types></Probe>"
	).encode()


def read_match(datagram: bytes) -> Match | None:
	"""The answer of a terminal; None for anything else."""
	start, end = datagram.find(b"<"), datagram.rfind(b">")
	try:
		document = read_document(datagram[start : end + 1]) if 0 <= start < end else None
	except DeviceError:
		return None
	if not isinstance(document, XmlDocument) or document.root != "ProbeMatch":
		return None
	fields = document.fields
	serial = fields.get("DeviceSN", "")
	if not 0 < len(serial) <= MAX_SERIAL_LENGTH or not serial.isprintable():
		return None
	port = whole_number(fields.get("HttpPort"))
	info = DeviceInfo(
		serial=serial,
		model=_text(fields.get("DeviceDescription", "")),
		firmware=_text(fields.get("SoftwareVersion", "")),
	)
	return Match(info=info, port=port if port and port < 65_536 else _DEFAULT_WEB_PORT)


def probe(host: str, seconds: float, *, port: int = PORT) -> tuple[int, DeviceInfo] | None:
	"""The port of the web page and who it is; None if nobody answers there within so many seconds.

	:param host: an IP address.
	"""
	deadline = time.monotonic() + seconds
	family = socket.AF_INET6 if ":" in host else socket.AF_INET
	with socket.socket(family, socket.SOCK_DGRAM) as asking:
		try:
			# Connected, so that nobody else's datagrams are heard.
			asking.connect((host, port))
			asking.send(inquiry())
			while (left := deadline - time.monotonic()) > 0:
				asking.settimeout(left)
				match = read_match(asking.recv(MAX_DATAGRAM))
				if match is not None:
					return match.port, match.info
		except OSError:
			pass
	return None


def _text(text: str) -> str:
	return "".join(letter for letter in text if letter.isprintable())[:_MAX_TEXT]
