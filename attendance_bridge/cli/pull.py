"""`attendance-bridge pull`: read one terminal into a file, without any configuration."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from attendance_bridge import drivers
from attendance_bridge.cli.options import DATE, ZoneType, database_option, json_option, local_zone
from attendance_bridge.cli.progress import PullProgress
from attendance_bridge.core.direction import DeviceRole
from attendance_bridge.core.driver import Window
from attendance_bridge.core.errors import BridgeError, ConfigError, DeviceError
from attendance_bridge.core.pull import OnPage, PullReport
from attendance_bridge.core.redact import Secret
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.reader import TerminalReader
from attendance_bridge.edge.settings import Device, DeviceSettings, RulesSettings, driver_config
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.punches import PunchStore

DRIVER_OPTIONS = ("host", "port", "user", "password_env", "comm_key_env")


@click.command()
@click.option("--driver", required=True, type=click.Choice(drivers.pulled()), help="The terminal family.")
@click.option("--host", required=True, help="Host name or IP address of the terminal.")
@click.option("--port", type=click.IntRange(1, 65_535), help="By default the usual one of the family.")
@click.option("--user", help="The account on the terminal, where it has accounts.")
@click.option("--password-env", metavar="VAR", help="Environment variable that holds its password.")
@click.option("--comm-key", type=click.IntRange(0, 4_294_967_295), help="Communication key (ZKTeco).")
@click.option("--comm-key-env", metavar="VAR", help="Environment variable that holds it.")
@click.option("--timezone", "zone", type=ZoneType(), help="Of the terminal; by default that of this machine.")
@click.option(
	"--role",
	type=click.Choice([role.value for role in DeviceRole]),
	default=DeviceRole.KEY.value,
	show_default=True,
	help="What decides IN and OUT: the pressed key, an entrance, an exit, or both at one door.",
)
@click.option("--from", "first", required=True, type=DATE, help="First day, in the terminal's time zone.")
@click.option("--to", "last", required=True, type=DATE, help="Last day, included.")
@database_option
@json_option
def pull(path: Path, first: datetime, last: datetime, as_json: bool, **options: Any) -> None:
	"""Read one terminal into a SQLite file.

	Reading the same days again brings nothing twice. If the terminal fails half-way, what was read is kept.
	"""
	started = time.monotonic()
	device = _device(options)
	window = _window(device, first, last)
	with Database.open(path) as database, PullProgress(options["host"], hidden=as_json) as progress:
		report = _pull(database, device, window, progress.on_page)
	seconds = round(time.monotonic() - started, 3)
	if as_json:
		click.echo(json.dumps(_summary(report, seconds)))
	elif report.pages or report.error is None:
		click.echo(_spelled(report, seconds))
	if report.error is not None:
		raise report.error


def _pull(database: Database, device: Device, window: Window, on_page: OnPage) -> PullReport:
	"""Read the terminal; a failure before the first page comes back as an empty report with its error."""
	reader = TerminalReader(
		punches=PunchStore(database, now=utc_now),
		cursors=SqliteCursors(database),
		book=DeviceBook(database),
		clock_rules=RulesSettings().rules().clock,
		now=utc_now,
	)
	reader.enter(device)
	try:
		report = reader.read(device, window=window, on_page=on_page)
	except DeviceError as error:
		report = PullReport(device_serial="", error=error)
	return replace(report, error=_located(report.error, device)) if report.error else report


def _located(error: DeviceError, device: Device) -> DeviceError:
	"""The error with the address of the terminal, where the driver left it out."""
	where = {"host": device.config.host, "port": device.config.port or None}
	return DeviceError(error.code, retryable=error.retryable, **{**where, **error.details})


def _summary(report: PullReport, seconds: float) -> dict[str, object]:
	return {
		"fetched": report.fetched,
		"new": report.new,
		"duplicates": report.known,
		"quarantined": report.doubtful,
		"errors": [] if report.error is None else [_describe(report.error)],
		"seconds": seconds,
	}


def _spelled(report: PullReport, seconds: float) -> str:
	return (
		f"{report.fetched} punches fetched: {report.new} new, {report.known} held already, "
		f"{report.doubtful} whose time must be looked at ({seconds} s)"
	)


def _describe(error: BridgeError) -> dict[str, str]:
	return {"code": error.code.value, "message": sentence(error)}


def _device(options: dict[str, Any]) -> Device:
	given: dict[str, Any] = {key: options[key] for key in DRIVER_OPTIONS if options[key] is not None}
	if options["comm_key"] is not None:
		given["comm_key"] = Secret(str(options["comm_key"]))
	settings = DeviceSettings(
		name=options["host"] if options["port"] is None else f"{options['host']}:{options['port']}",
		driver=options["driver"],
		timezone=options["zone"] or local_zone(),
		role=DeviceRole(options["role"]),
	)
	try:
		config = driver_config(settings.driver, given, "")
	except ConfigError as error:
		facts: dict[str, Any] = {**error.details, "path": _as_option(str(error.details.get("path", "")))}
		raise ConfigError(error.code, **facts) from None
	return Device(settings=settings, config=config)


def _as_option(key: str) -> str:
	"""A key of the configuration as it is called on the command line."""
	return f"--{key.replace('_', '-')}"


def _window(device: Device, first: datetime, last: datetime) -> Window:
	if last < first:
		raise click.BadParameter("the last day lies before the first", param_hint="--to")
	zone = device.settings.timezone
	return Window(start=first.replace(tzinfo=zone), end=(last + timedelta(days=1)).replace(tzinfo=zone))
