"""`attendance-bridge edge check`: what would keep the agent from its work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import click

from attendance_bridge.cli.options import config_option
from attendance_bridge.core.errors import BridgeError
from attendance_bridge.core.relay import DecidingUpstream
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.connections import check_device, make_upstream
from attendance_bridge.edge.messages import sentence, spell_problems
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.settings import Device, Settings
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook


@click.command()
@config_option
def check(path: Path) -> int:
	"""Say in one line each what is wrong with the configuration, every terminal and the upstream."""
	settings = edge_settings.load(path)
	number = len(settings.devices)
	devices = {0: "no device yet", 1: "1 device"}.get(number, f"{number} devices")
	click.echo(f"ok      configuration: {devices}, upstream {settings.upstream.kind}")
	worst = 0
	for code, line in _findings(settings):
		click.echo(line)
		worst = max(worst, code)
	return worst


def _findings(settings: Settings) -> Iterator[tuple[int, str]]:
	"""One exit code and one line for the database, the upstream and each terminal."""
	try:
		database = Database.open(settings.agent.database)
	except BridgeError as error:
		yield 5, f"WRONG   database: {sentence(error)}"
		return
	with database:
		yield 0, f"ok      database: {settings.agent.database}"
		yield from _check_web(settings, database)
		yield from _check_vision(settings, database)
		terminals = Terminals(settings.devices)
		yield from _check_upstream(settings, database, terminals)
	for device in terminals.all:
		yield _check_device(device)


def _check_web(settings: Settings, database: Database) -> Iterator[tuple[int, str]]:
	if settings.web.enabled:
		from attendance_bridge.cli.access import web_findings

		yield from web_findings(settings.web, database)


def _check_vision(settings: Settings, database: Database) -> Iterator[tuple[int, str]]:
	if settings.vision is not None:
		# What it needs is heavy, and not there on a machine that only relays terminals.
		from attendance_bridge.edge.vision.findings import vision_findings

		yield from vision_findings(settings.vision, database, utc_now)


def _check_upstream(
	settings: Settings, database: Database, terminals: Terminals
) -> Iterator[tuple[int, str]]:
	"""
	:param terminals: gets those that a site assigns to this agent.
	"""
	try:
		upstream = make_upstream(settings, database)
		try:
			info = upstream.check()
			if info.problems:
				yield 4, f"WRONG   upstream {info.label}: {spell_problems(info.problems)}"
				return
			facts = ", ".join(fact for fact in (info.version, info.user) if fact)
			yield 0, f"ok      upstream {info.label}{': ' if facts else ''}{facts}"
			if upstream.spec.decides:
				yield from _check_assignment(cast(DecidingUpstream, upstream), database, terminals)
		finally:
			upstream.close()
	except BridgeError as error:
		yield 4, f"WRONG   upstream: {sentence(error)}"


def _check_assignment(
	upstream: DecidingUpstream, database: Database, terminals: Terminals
) -> Iterator[tuple[int, str]]:
	assigned = terminals.assign(upstream.devices(), DeviceBook(database).serials())
	names = ", ".join([*assigned.names, *assigned.unusable]) or "none yet"
	yield 0, f"ok      assigned to this agent: {names}"
	for error in assigned.unusable.values():
		yield 3, f"WRONG   {sentence(error)}"


def _check_device(device: Device) -> tuple[int, str]:
	name = device.settings.name
	if not device.settings.enabled:
		return 0, f"off     {name}"
	finding = check_device(device, utc_now)
	return (0, f"ok      {name}: {finding.text}") if finding.ok else (3, f"WRONG   {name}: {finding.text}")
