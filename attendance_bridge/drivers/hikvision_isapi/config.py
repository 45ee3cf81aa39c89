"""The options of the Hikvision driver."""

from __future__ import annotations

from dataclasses import dataclass

from attendance_bridge.core.config import option
from attendance_bridge.core.host import check_host, url_host
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.hikvision_isapi.events import MAJOR, PASSED

EVERY_MAJOR = 0
EVERY_PASS = 0
"""As `minor`: every successful identification, whatever the means."""


def _check_user(value: str) -> str:
	"""A colon would move the border of user and realm in the digest; a quote would end the header field."""
	if not value or not value.isprintable() or set(value) & set(':"\\'):
		raise ValueError("a user name without colon, quote, backslash or control characters")
	return value


def _check_major(value: int) -> int:
	if value not in (EVERY_MAJOR, MAJOR):
		raise ValueError("5, or 0 for every kind: there are no identifications under another one")
	return value


def _check_minor(value: int) -> int:
	if value != EVERY_PASS and value not in PASSED:
		known = ", ".join(str(minor) for minor in sorted(PASSED))
		raise ValueError(f"0 for every successful identification, or one of {known}")
	return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	"""Where a terminal is, how to log in, and how much to ask for at a time."""

	host: str = option(help="Host name or IP address of the terminal", check=check_host)
	user: str = option(
		help="User of the terminal's web page; its right to search events is enough",
		max_length=64,
		check=_check_user,
	)
	password: Secret = option(help="Password of that user")
	port: int = option(
		0, help="Port of the terminal's web page; 0 is 80, or 443 with HTTPS", minimum=0, maximum=65535
	)
	https: bool = option(False, help="Speak HTTPS instead of HTTP")
	verify_tls: bool = option(
		True,
		help="Check the certificate of an HTTPS terminal; off only for a self-signed one in a trusted net",
	)
	major: int = option(
		MAJOR,
		help="Major event type to ask for; 5 is events at the door, 0 is every kind. "
		"Identifications are counted only under 5",
		check=_check_major,
	)
	minor: int = option(
		EVERY_PASS,
		help="Minor event type to read; 0 is every successful identification, 75 only faces, 38 only fingers",
		check=_check_minor,
	)
	connect_timeout: float = option(
		5.0, help="Seconds to wait for the connection", minimum=0.1, maximum=120.0
	)
	timeout: float = option(20.0, help="Seconds to wait for an answer", minimum=0.1, maximum=600.0)
	page_size: int = option(
		30, help="Events to ask for at a time; terminals give 30 at the most", minimum=1, maximum=30
	)
	max_pages: int = option(
		100_000,
		help="Requests for events after which one reading is broken off; the next one goes on from there",
		minimum=1,
		maximum=10_000_000,
	)

	@property
	def effective_port(self) -> int:
		return self.port or (443 if self.https else 80)

	@property
	def base_url(self) -> str:
		"""Scheme, host and port; never a credential."""
		scheme = "https" if self.https else "http"
		return f"{scheme}://{url_host(self.host)}:{self.effective_port}"
