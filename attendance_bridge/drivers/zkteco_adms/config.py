"""The options of a terminal that pushes by itself."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from attendance_bridge.core.config import option
from attendance_bridge.core.host import check_host
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.zkteco_adms.desk import Network

MAX_NETWORKS = 20
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")


def parse_networks(text: str) -> tuple[Network, ...]:
	"""Networks in CIDR notation, or single addresses, separated by blanks or commas.

	:raises ValueError: one of them is none, or there are more than 20.
	"""
	parts = text.replace(",", " ").split()
	if len(parts) > MAX_NETWORKS:
		raise ValueError("at most 20 networks")
	try:
		return tuple(ipaddress.ip_network(part, strict=False) for part in parts)
	except ValueError:
		raise ValueError("networks such as 192.168.1.0/24, separated by blanks") from None


def check_networks(text: str) -> str:
	"""Return `text` if `parse_networks` reads it.

	:raises ValueError: it does not.
	"""
	parse_networks(text)
	return " ".join(text.replace(",", " ").split())


def check_token(secret: Secret) -> Secret:
	"""Return a token that can stand in a path and is long enough not to be guessed.

	:raises ValueError: it cannot. The token is not in it.
	"""
	if not _TOKEN.fullmatch(secret.reveal()):
		raise ValueError("a token of 16 to 128 letters, digits, - and _")
	return secret


def _host_or_nothing(value: str) -> str:
	return check_host(value) if value else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
	"""Who may push as this terminal. It calls us: there is no address to call it at."""

	host: str = option(
		"",
		help="Host name or IP address of the terminal, for people: nothing is sent there.",
		max_length=253,
		check=_host_or_nothing,
	)
	port: int = option(0, help="Not used.", minimum=0, maximum=65_535)
	push_token: Secret | None = option(
		None,
		help="What must stand in the path of the server address that is typed in on the terminal.",
		check=check_token,
	)
	networks: str = option(
		"", help="From where it may push, such as 192.168.1.0/24; empty: from anywhere.", check=check_networks
	)

	@property
	def allowed_networks(self) -> tuple[Network, ...]:
		return parse_networks(self.networks)
