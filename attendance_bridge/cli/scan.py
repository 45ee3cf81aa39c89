"""`attendance-bridge edge scan`: find terminals in the LAN, for example one that got another address."""

from __future__ import annotations

import click

from attendance_bridge.core.errors import ConfigError
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.scanner import addresses_in, look_through


@click.command()
@click.argument("networks", nargs=-1, required=True, metavar="CIDR...")
def scan(networks: tuple[str, ...]) -> int:
	"""Look for terminals at every address of private ranges such as 192.168.1.0/24, at most 1024 each.

	No password is tried. A Hikvision terminal answers if its search (SADP) is on; a ZKTeco one says who it is
	if its comm key is 0, and is named by its address otherwise.
	"""
	try:
		addresses = addresses_in(networks)
	except ConfigError as error:
		click.echo(sentence(error), err=True)
		return 2
	count = 0
	for found in look_through(addresses):
		count += 1
		serial = "(needs its comm key)" if found.wants_key else found.serial
		facts = (serial, found.driver, f"{found.host}:{found.port}", found.model, found.firmware)
		click.echo("  ".join(fact for fact in facts if fact))
	click.echo(f"{count} terminals at {len(addresses)} addresses")
	return 0
