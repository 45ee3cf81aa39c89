"""What may stand where a host is asked for.

The value reaches sockets, URLs and, in pyzk's ping, a shell: only host names and IP addresses pass.
"""

from __future__ import annotations

import ipaddress
import re

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def check_host(value: str) -> str:
	"""Return `value` if it is an IPv4 address, an IPv6 address (without brackets) or a host name.

	:raises ValueError: it is none of them.
	"""
	if value.startswith("[") and value.endswith("]"):
		value = value[1:-1]
	try:
		return str(ipaddress.ip_address(value))
	except ValueError:
		pass
	labels = value.rstrip(".").split(".")
	looks_like_an_address = labels[-1].isdigit()
	if len(value) > 253 or looks_like_an_address or not all(_LABEL.fullmatch(label) for label in labels):
		raise ValueError("a host name or an IP address, without http:// and without a port")
	return value


def url_host(host: str) -> str:
	"""`host` as it stands in a URL: IPv6 in brackets."""
	return f"[{host}]" if ":" in host else host
