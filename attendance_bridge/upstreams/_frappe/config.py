"""Where the site is, who we are there, and how gently it is to be treated."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from attendance_bridge.core.config import option
from attendance_bridge.core.host import check_host, url_host
from attendance_bridge.core.redact import Secret

# What may stand in an HTTP header between "token " and its end; the colon separates key and secret.
_TOKEN_PART = re.compile(r"[!-9;-~]{1,256}")
_PATH_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")


def check_url(value: str) -> str:
	"""Return the address in its plain form, without a trailing slash.

	:raises ValueError: not an http(s) address, or with credentials, a query or a fragment in it.
	"""
	parts = _split(value)
	if parts.scheme not in ("http", "https"):
		raise ValueError("an address that begins with https:// (or http://)")
	return f"{parts.scheme}://{_authority(parts)}{_prefix(parts.path)}"


def check_proxy(value: str) -> str:
	"""Return the proxy's address in its plain form; empty stays empty.

	:raises ValueError: not http://host:port.
	"""
	if not value:
		return ""
	parts = _split(value)
	if parts.scheme != "http" or parts.path not in ("", "/") or parts.port is None:
		raise ValueError("an address such as http://proxy.example.com:3128")
	return f"http://{_authority(parts)}"


def _split(value: str) -> SplitResult:
	try:
		parts = urlsplit(value)
		_ = parts.port
	except ValueError:
		raise ValueError("a valid address") from None
	if "@" in parts.netloc:
		# Not repeated in the message: what stands before the @ is a secret.
		raise ValueError("an address without user and password in it")
	if parts.query or parts.fragment or value != value.strip():
		raise ValueError("an address without spaces, ? and #")
	return parts


def _authority(parts: SplitResult) -> str:
	host = url_host(check_host(parts.hostname or ""))
	return host if parts.port is None else f"{host}:{parts.port}"


def _prefix(path: str) -> str:
	prefix = path.rstrip("/")
	if not _PATH_PREFIX.fullmatch(prefix) or any(part in (".", "..") for part in prefix.split("/")):
		raise ValueError("an address with a plain path")
	return prefix


def is_near(host: str) -> bool:
	"""Whether `host` is this machine or an address of a private network, where plain HTTP may be enough."""
	if host == "localhost":
		return True
	try:
		address = ipaddress.ip_address(host)
	except ValueError:
		return False
	return address.is_loopback or address.is_private or address.is_link_local


def _is_here(host: str) -> bool:
	try:
		return host == "localhost" or ipaddress.ip_address(host).is_loopback
	except ValueError:
		return False


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
	"""The options that every upstream in front of a Frappe site takes."""

	url: str = option(help="address of the site, such as https://erp.example.com", check=check_url)
	api_key: Secret = option(help="API key of the user that this agent is on the site")
	api_secret: Secret = option(help="API secret of that user")
	allow_http: bool = option(
		False, help="true sends the token unencrypted to a host that is not on a private address"
	)
	# Gunicorn kills a worker after 120 s: past that, no late commit can follow a time-out on our side.
	timeout: float = option(
		130.0,
		help="seconds until an answer must be complete; keep it longer than gunicorn's",
		minimum=1,
		maximum=900,
	)
	connect_timeout: float = option(
		10.0, help="seconds until the connection must stand", minimum=0.5, maximum=120
	)
	rate_limit: float = option(
		0.0, help="requests per second at the most; 0 sets no limit", minimum=0, maximum=1000
	)
	verify_tls: bool = option(True, help="false accepts any certificate: for a trial only")
	ca_file: str = option("", help="PEM file with the authority to trust; empty: those of the system")
	proxy: str = option(
		"",
		help="HTTP proxy for https addresses, such as http://proxy:3128; environment variables are not read",
		check=check_proxy,
	)

	@property
	def is_sealed(self) -> bool:
		"""Whether nobody on the way can read along: TLS with a checked certificate, or this machine."""
		parts = urlsplit(self.url)
		if parts.scheme == "https":
			return self.verify_tls
		return _is_here(parts.hostname or "")

	def __post_init__(self) -> None:
		parts = urlsplit(self.url)
		if parts.scheme == "http" and not self.allow_http and not is_near(parts.hostname or ""):
			raise ValueError("an https:// url, or allow_http = true if you accept an unencrypted token")
		if parts.scheme == "http" and self.proxy:
			raise ValueError("an https:// url if a proxy is used")
		for secret in (self.api_key, self.api_secret):
			if not _TOKEN_PART.fullmatch(secret.reveal()):
				raise ValueError(
					"an API key and an API secret as the site shows them: no spaces, no line breaks, no colon"
				)
