"""`attendance-bridge edge pair`: let terminals in that push by themselves."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import click

from attendance_bridge.cli.options import config_option
from attendance_bridge.core.direction import DeviceRole
from attendance_bridge.drivers.zkteco_adms import commands
from attendance_bridge.drivers.zkteco_adms.desk import Dialect
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.messages import PAIRING_PROBLEMS
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.receiver.pairing import Pairing, PairingError
from attendance_bridge.edge.settings import Settings
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.push import PushBook, QueueFullError


@contextmanager
def _push_book(path: Path) -> Iterator[tuple[Settings, PushBook]]:
	settings = edge_settings.load(path)
	with Database.open(settings.agent.database, check=False) as database:
		yield settings, PushBook(database)


@contextmanager
def _pairing(path: Path) -> Iterator[tuple[Settings, Pairing]]:
	with _push_book(path) as (settings, push_book):
		pairing = Pairing(push_book, Terminals(settings.devices), now=utc_now)
		pairing.reload()
		yield settings, pairing


def _by() -> str:
	return f"{getpass.getuser()} (command line)"


@click.group()
def pair() -> None:
	"""The terminals that push by themselves, and those that wait to be let in."""


@pair.command("list")
@config_option
def list_callers(path: Path) -> None:
	"""List the terminals that called."""
	with _pairing(path) as (_settings, pairing):
		callers = pairing.callers()
	for each in callers:
		facts = (each.serial, each.state.value, each.name, each.peer, each.model)
		told = "  ".join(fact for fact in facts if fact)
		twin = "  TWO TERMINALS CALL WITH THIS SERIAL NUMBER" if each.is_twin else ""
		click.echo(f"{told}  {each.calls} calls, last {each.last_seen_at:%Y-%m-%d %H:%M} UTC{twin}")
	if not callers:
		click.echo("None has called.")


@pair.command("approve")
@config_option
@click.argument("serial")
@click.option("--name", required=True, help="What it is called on pages.")
@click.option("--timezone", "zone", default=None, help="Of its wall; by default that of the agent.")
@click.option(
	"--role", type=click.Choice([role.value for role in DeviceRole]), default="key", show_default=True
)
@click.option("--prefix", default="", help="Put before every id when its person is looked up.")
def approve(path: Path, serial: str, name: str, zone: str | None, role: str, prefix: str) -> None:
	"""Let the terminal SERIAL in; its next call is answered."""
	with _pairing(path) as (settings, pairing):
		wall = zone or settings.agent.zone.key
		try:
			pairing.approve(serial, name=name, zone=wall, role=role, user_id_prefix=prefix, by=_by())
		except PairingError as error:
			raise click.UsageError(PAIRING_PROBLEMS[error.problem]) from None
	click.echo(f"{serial} is let in as {name} ({wall}).")


@pair.command("refuse")
@config_option
@click.argument("serial")
def refuse(path: Path, serial: str) -> None:
	"""Turn the terminal SERIAL away."""
	with _pairing(path) as (_settings, pairing):
		if not pairing.refuse(serial, by=_by()):
			raise click.UsageError(f"{serial} has not called.")
	click.echo(f"{serial} is turned away.")


@pair.command("forget")
@config_option
@click.argument("serial")
def forget(path: Path, serial: str) -> None:
	"""Take the terminal SERIAL off the list; it may knock again."""
	with _pairing(path) as (_settings, pairing):
		if not pairing.forget(serial, by=_by()):
			raise click.UsageError(f"{serial} is not on the list.")
	click.echo(f"{serial} is forgotten.")


@pair.command("order")
@config_option
@click.argument("serial")
@click.argument("what", type=click.Choice(["restart", "tell", "send-again"]))
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="send-again: the first day.")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), help="send-again: the last day.")
def order(path: Path, serial: str, what: str, start: datetime | None, end: datetime | None) -> None:
	"""Have the terminal SERIAL restart, tell of itself, or send its punches again, when it next asks."""
	with _push_book(path) as (_settings, push_book):
		caller = push_book.find(serial)
		if caller is None or not caller.dialect:
			raise click.UsageError(f"{serial} has not called.")
		dialect = Dialect(caller.dialect)
		if what == "restart":
			text = commands.reboot(dialect)
		elif what == "tell":
			text = commands.tell_of_yourself(dialect)
		else:
			if start is None or end is None or end < start:
				raise click.UsageError("send-again needs --from and --to, in this order.")
			text = commands.send_punches(dialect, start, end + timedelta(days=1, seconds=-1))
		try:
			number = push_book.queue(serial, text, by=_by(), at=utc_now())
		except QueueFullError:
			raise click.UsageError("So many commands are under way that no more are taken.") from None
	click.echo(f"Command {number} waits for {serial} to ask.")


@pair.command("orders")
@config_option
@click.argument("serial")
def list_orders(path: Path, serial: str) -> None:
	"""List the latest commands for the terminal SERIAL and what became of them."""
	with _push_book(path) as (_settings, push_book):
		found = push_book.commands(serial)
	for each in found:
		answer = "" if each.code is None else f" {each.code}"
		what = commands.RETURN_CODES.get(each.code or 0, "")
		click.echo(f"{each.command}  {each.state.value}{answer}  {each.text!r}  {what or each.said}".rstrip())
	if not found:
		click.echo("There are none.")
