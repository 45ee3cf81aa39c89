"""Where terminals call this agent, and which may."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from attendance_bridge.core.config import option
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.zkteco_adms.config import check_networks, check_token, parse_networks
from attendance_bridge.drivers.zkteco_adms.desk import Gate

PRIVATE = "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1 fc00::/7 fe80::/10"


def _address(value: str) -> str:
	try:
		return str(ipaddress.ip_address(value))
	except ValueError:
		raise ValueError("an IP address of this machine, or 0.0.0.0 for all of them") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverSettings:
	enabled: bool = option(False, help="true lets terminals push to this agent")
	host: str = option(
		"0.0.0.0",  # noqa: S104  # terminals are other machines
		help="address to listen on; by default all of this machine",
		check=_address,
	)
	port: int = option(
		8081,
		help="port to listen on, as typed in on the terminals; 0 takes a free one",
		minimum=0,
		maximum=65_535,
	)
	token: Secret | None = option(
		None,
		help="what must stand in the path of what terminals call, where a terminal has no token of its own",
		check=check_token,
	)
	networks: str = option(
		PRIVATE,
		help="from where terminals may call; by default from private addresses only",
		check=check_networks,
	)
	pairing: bool = option(True, help="false keeps unknown terminals off the pairing list")
	restart_terminals: bool = option(
		True, help="restart a terminal after a change of clocks: it takes the new offset only when it starts"
	)
	tls_cert: Path | None = option(
		None, help="PEM file of a certificate: terminals have to call with HTTPS then, all of them"
	)
	tls_key: Path | None = option(None, help="PEM file of its key")
	threads: int = option(16, help="how many calls are answered at the same time", minimum=2, maximum=128)

	@property
	def speaks_tls(self) -> bool:
		return self.tls_cert is not None

	@property
	def gate(self) -> Gate:
		return Gate(token=self.token, networks=parse_networks(self.networks))
