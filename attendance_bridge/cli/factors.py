"""`attendance-bridge edge factor`: the PINs and badges that a kiosk asks for besides the face."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from attendance_bridge.cli.options import config_option
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.messages import FACTOR_WORDS
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.roster import Roster
from attendance_bridge.stores.second_factors import KINDS, PIN, SecondFactors


@contextmanager
def _database(config: Path) -> Iterator[Database]:
	with Database.open(edge_settings.load(config).agent.database, check=False) as database:
		yield database


def _note(database: Database, act: str, employee: str, details: str = "") -> None:
	who = f"{getpass.getuser()} (command line)"
	AuditLog(database).write(act, who=who, at=utc_now(), subject=employee, details=details)


@click.group()
def factor() -> None:
	"""PINs and badges that the kiosk asks for besides the face ([kiosk] second_factor)."""


@factor.command("set")
@config_option
@click.argument("employee")
@click.option("--kind", type=click.Choice(list(KINDS)), default=PIN, show_default=True)
def set_factor(path: Path, employee: str, kind: str) -> None:
	"""Give EMPLOYEE (the key at the upstream) a PIN or a badge; asked for, or read from standard input."""
	with _database(path) as database:
		if not any(person.employee == employee for person in Roster(database).people()):
			raise click.UsageError(f"The list of people has no {employee}.")
		if sys.stdin.isatty():
			secret: str = click.prompt(kind, hide_input=True, confirmation_prompt=True)
		else:
			secret = sys.stdin.readline(200).rstrip("\r\n")
		try:
			SecondFactors(database).set(employee, kind, secret)
		except ValueError:
			raise click.UsageError(FACTOR_WORDS[f"bad_{kind}"]) from None
		_note(database, "second_factor_set", employee, kind)
	click.echo(f"{employee} has a new {kind}.")


@factor.command("remove")
@config_option
@click.argument("employee")
def remove_factor(path: Path, employee: str) -> None:
	"""Take PIN and badge of EMPLOYEE away."""
	with _database(path) as database:
		factors = SecondFactors(database)
		if employee not in factors.kinds():
			raise click.UsageError(f"{employee} has neither PIN nor badge.")
		factors.clear(employee)
		_note(database, "second_factor_removed", employee)
	click.echo(f"{employee} has neither PIN nor badge any more.")


@factor.command("list")
@config_option
def list_factors(path: Path) -> None:
	"""List who has a PIN or a badge, without what they are."""
	with _database(path) as database:
		held = SecondFactors(database).kinds()
	for employee, kinds in sorted(held.items()):
		click.echo(f"{employee}  {', '.join(sorted(kinds))}")
	if not held:
		click.echo("Nobody has one.")
