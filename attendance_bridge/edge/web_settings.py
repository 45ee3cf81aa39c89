"""Where the pages are served, and to whom."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from attendance_bridge.core.config import option
from attendance_bridge.core.errors import Code, ConfigError

MAX_NAMES = 20


def _address(value: str) -> str:
	host = "127.0.0.1" if value == "localhost" else value
	try:
		ipaddress.ip_address(host)
	except ValueError:
		raise ValueError("an IP address of this machine: 127.0.0.1, or 0.0.0.0 for all of them") from None
	return host


def _names(value: str) -> str:
	names = value.lower().split()
	fits = all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-:") for name in names)
	if not fits or len(names) > MAX_NAMES or len(value) > 1_000:
		raise ValueError("names or addresses, separated by blanks")
	return " ".join(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
	enabled: bool = option(True, help="false serves no page, no metrics and no health check")
	host: str = option(
		"127.0.0.1", help="address to listen on; another than loopback needs TLS", check=_address
	)
	port: int = option(8377, help="port to listen on; 0 takes a free one", minimum=0, maximum=65_535)
	names: str = option(
		"",
		help="by what else browsers call this machine, separated by blanks: its name, its address in the LAN",
		check=_names,
	)
	tls_cert: Path | None = option(None, help="PEM file of the certificate; `edge tls` makes one")
	tls_key: Path | None = option(None, help="PEM file of its key")

	@property
	def is_loopback(self) -> bool:
		return ipaddress.ip_address(self.host).is_loopback

	@property
	def trusted_hosts(self) -> tuple[str, ...]:
		"""By what names and addresses the pages are asked for, in the words of a Host header."""
		own = () if self.host in ("0.0.0.0", "::") else (self.host,)  # noqa: S104  # compared, not bound
		return (*own, "localhost", "127.0.0.1", "::1", *self.names.split())


def check_web(web: WebSettings) -> WebSettings:
	"""
	:raises ConfigError: options that do not go together.
	"""
	if (web.tls_cert is None) != (web.tls_key is None):
		missing = "tls_key" if web.tls_key is None else "tls_cert"
		raise ConfigError(Code.MISSING_KEY, path=f"web.{missing}", help="certificate and key go together")
	if web.enabled and not web.is_loopback and web.tls_cert is None:
		# Passwords, cookies and faces are not for everybody in the network to read.
		raise ConfigError(
			Code.BAD_VALUE,
			path="web.host",
			expected="a loopback address such as 127.0.0.1, or have tls_cert and tls_key beside it "
			"(`attendance-bridge edge tls` makes a certificate)",
		)
	return web


def no_account() -> ConfigError:
	"""Pages that others reach, and nobody to log in."""
	return ConfigError(
		Code.BAD_VALUE,
		path="web.host",
		expected="a loopback address as long as nobody has an account (`attendance-bridge edge user add`)",
	)
