"""`attendance-bridge edge user`, `edge key`, `edge tls`: who may use the agent's pages, and how safely."""

from __future__ import annotations

import getpass
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from attendance_bridge.cli.options import config_option
from attendance_bridge.core.errors import ConfigError
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.certificates import SOON, make_certificate, read_certificate
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.web.access import passwords
from attendance_bridge.edge.web.access.access import Access
from attendance_bridge.edge.web.access.names import LONGEST as MAX_NAME
from attendance_bridge.edge.web.access.names import check_name
from attendance_bridge.edge.web.access.scopes import ROLES, Scope
from attendance_bridge.edge.web_settings import WebSettings, no_account
from attendance_bridge.stores.accounts import Accounts
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.database import Database


@contextmanager
def _accounts(config: Path) -> Iterator[Accounts]:
	with Database.open(edge_settings.load(config).agent.database, check=False) as database:
		yield Accounts(database)


def _by() -> str:
	return f"{getpass.getuser()} (command line)"


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
	name = value.strip()
	if not name or len(name) > MAX_NAME or not name.isprintable():
		raise click.BadParameter(f"1 to {MAX_NAME} printable characters")
	return name


def _new_name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
	try:
		return check_name(value)
	except ValueError as error:
		raise click.BadParameter(str(error)) from None


name_argument = click.argument("name", callback=_name)


def _ask_for_password() -> str:
	password: str
	if sys.stdin.isatty():
		password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
	else:  # from a pipe: a line, never an argument that everybody on the machine could read
		password = sys.stdin.readline(passwords.LONGEST + 2).rstrip("\r\n")
	if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
		raise click.UsageError(
			f"A password has {passwords.SHORTEST} to {passwords.LONGEST} characters; a few words are good."
		)
	return password


@click.group()
def user() -> None:
	"""The accounts of people who use the pages."""


@user.command("add")
@config_option
@click.argument("name", callback=_new_name)
@click.option("--role", type=click.Choice(list(ROLES)), default="viewer", show_default=True)
def add_user(path: Path, name: str, role: str) -> None:
	"""Make the account NAME. Asks for its password, or reads it from standard input."""
	with _accounts(path) as accounts:
		known = accounts.like(name)
		if known is not None:
			raise click.UsageError(f"There is an account {known.name} already.")
		hashed = passwords.hash_password(_ask_for_password())
		accounts.add(name, role, hashed, by=_by(), at=utc_now())
	click.echo(f"{name} can log in as {role}: {', '.join(sorted(scope.value for scope in ROLES[role]))}.")


@user.command("list")
@config_option
def list_users(path: Path) -> None:
	"""List the accounts."""
	with _accounts(path) as accounts:
		found = accounts.all()
	for account in found:
		click.echo(f"{account.name}  {account.role}  since {account.created_at:%Y-%m-%d}")
	if not found:
		click.echo("There are none.")


@user.command("remove")
@config_option
@name_argument
def remove_user(path: Path, name: str) -> None:
	"""Take the account NAME away; its logins end at once."""
	with _accounts(path) as accounts:
		if not accounts.remove(name, by=_by(), at=utc_now()):
			raise click.UsageError(f"There is no account {name}.")
	click.echo(f"{name} is gone.")


@user.command("passwd")
@config_option
@name_argument
def change_password(path: Path, name: str) -> None:
	"""Give the account NAME another password; its logins end at once."""
	with _accounts(path) as accounts:
		if accounts.find(name) is None:
			raise click.UsageError(f"There is no account {name}.")
		accounts.set_password(name, passwords.hash_password(_ask_for_password()), by=_by(), at=utc_now())
	click.echo(f"{name} has a new password.")


@click.group()
def key() -> None:
	"""The keys of programs that use the JSON API."""


@key.command("add")
@config_option
@name_argument
@click.option(
	"--scope",
	"scopes",
	type=click.Choice([scope.value for scope in Scope]),
	multiple=True,
	required=True,
	help="What it may do; may be given several times.",
)
def add_key(path: Path, name: str, scopes: tuple[str, ...]) -> None:
	"""Make a key for the program NAME and print it, once."""
	with _accounts(path) as accounts:
		access = Access(accounts, AuditLog(accounts.db), now=utc_now)
		made = access.add_key(name, map(Scope, set(scopes)), by=_by())
	if made is None:
		raise click.UsageError(f"There is a key {name} already.")
	click.echo("Authorization: Bearer", err=True, nl=False)
	click.echo(" … — it is shown this once:", err=True)
	click.echo(made)


@key.command("list")
@config_option
def list_keys(path: Path) -> None:
	"""List the keys, without what they are."""
	with _accounts(path) as accounts:
		found = accounts.keys()
	for each in found:
		used = f"last used {each.used_at:%Y-%m-%d %H:%M} UTC" if each.used_at else "never used"
		click.echo(f"{each.name}  {', '.join(each.scopes)}  {used}")
	if not found:
		click.echo("There are none.")


@key.command("remove")
@config_option
@name_argument
def remove_key(path: Path, name: str) -> None:
	"""Take the key NAME away; it opens nothing any more."""
	with _accounts(path) as accounts:
		if not accounts.remove_key(name, by=_by(), at=utc_now()):
			raise click.UsageError(f"There is no key {name}.")
	click.echo(f"{name} is gone.")


@click.command()
@click.option(
	"--cert",
	"certificate",
	required=True,
	type=click.Path(path_type=Path, dir_okay=False),
	help="To be made.",
)
@click.option(
	"--key", "key_file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="To be made."
)
@click.option(
	"--name",
	"names",
	multiple=True,
	help="By what browsers call this machine (name, address in the LAN); by default its host name.",
)
def tls(certificate: Path, key_file: Path, names: tuple[str, ...]) -> None:
	"""Make a certificate for the pages, signed by itself, so that phones let them use their cameras."""
	called = names or (socket.gethostname(), f"{socket.gethostname()}.local")
	made = make_certificate(certificate, key_file, called, now=utc_now())
	click.echo(f"{certificate} is good for {', '.join(made.names)} until {made.ends_at:%Y-%m-%d}.")
	click.echo(f"SHA-256 {made.fingerprint}")
	click.echo("\nIn the configuration:\n[web]")
	click.echo(f'tls_cert = "{certificate.absolute()}"')
	click.echo(f'tls_key = "{key_file.absolute()}"')
	click.echo(f'names = "{" ".join(called)}"')


def web_findings(web: WebSettings, database: Database) -> Iterator[tuple[int, str]]:
	"""What `edge check` says about pages that others may reach: an exit code and a line each."""
	if not web.enabled or (web.is_loopback and web.tls_cert is None):
		return
	people = Accounts(database).count()
	if not web.is_loopback and not people:
		yield 2, f"WRONG   pages: {sentence(no_account())}"
		return
	accounts = {0: "no account", 1: "1 account"}.get(people, f"{people} accounts")
	where = "this machine only" if web.is_loopback else f"{web.host}:{web.port}"
	yield 0, f"ok      pages: {where}, {accounts}"
	if web.tls_cert is None:
		return
	try:
		facts = read_certificate(web.tls_cert)
	except ConfigError as error:
		yield 2, f"WRONG   certificate: {sentence(error)}"
		return
	left = facts.ends_at - utc_now()
	word = "ok      " if left > SOON else "WRONG   "
	yield (0 if left > SOON else 2), f"{word}certificate: until {facts.ends_at:%Y-%m-%d}, {facts.fingerprint}"
