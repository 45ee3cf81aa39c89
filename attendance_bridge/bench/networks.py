"""Where a call comes from, and whether it may come from there."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

MOST_NETWORKS = 20

_THIS_MACHINE = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def parse(text: str | None) -> tuple[Network, ...]:
	"""Networks as people write them down, as `192.0.2.0/24` or as one address, between blanks or commas.

	:raises ValueError: with what is none, or with how many there may be.
	"""
	wanted = (text or "").replace(",", " ").split()
	if len(wanted) > MOST_NETWORKS:
		raise ValueError(f"> {MOST_NETWORKS}")
	return tuple(_network(each) for each in wanted)


def _network(text: str) -> Network:
	try:
		return ip_network(text, strict=False)
	except ValueError:
		raise ValueError(text[:64]) from None


def lies_in(address: str, networks: Iterable[Network]) -> bool:
	"""Whether an address lies in one of some networks; what is no address lies in none."""
	try:
		parsed = ip_address(address)
	except ValueError:
		return False
	return any(parsed.version == network.version and parsed in network for network in networks)


def caller(remote: str | None, forwarded: str | None, proxies: Iterable[Network]) -> str:
	"""The address of whoever called, seen through proxies whose word is taken.

	:param remote: the other end of the connection; None or empty for a socket in the file system.
	:param forwarded: the header X-Forwarded-For. Each proxy adds its caller at the end; what stands before
		the word of a trusted one may have been made up.
	:param proxies: whose word is taken, besides this machine's.
	"""
	trusted = (*_THIS_MACHINE, *proxies)
	address = _plain(remote or "127.0.0.1")
	for said in reversed([_plain(each) for each in (forwarded or "").split(",") if each.strip()]):
		if not lies_in(address, trusted):
			break
		address = said
	return address[:64]


def _plain(address: str) -> str:
	"""Without a port, and an IPv4 address that stands in an IPv6 one as itself."""
	text = address.strip()
	if text.startswith("["):
		text = text[1:].partition("]")[0]
	elif text.count(":") == 1:
		text = text.partition(":")[0]
	try:
		parsed = ip_address(text)
	except ValueError:
		return text
	mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
	return str(mapped or parsed)
