"""`attendance-bridge gallery`: the key of the face templates, and erasing them."""

from __future__ import annotations

import getpass
import json
from datetime import datetime, timezone
from pathlib import Path

import click

from attendance_bridge.cli.options import database_option, json_option
from attendance_bridge.core.consent import Erasure, ErasureReason
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.stores import gallery as galleries
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.erasures import Erasures

key_option = click.option(
	"--key-file",
	required=True,
	type=click.Path(path_type=Path, dir_okay=False),
	help="The file of the key; never in the folder of the database.",
)


def _now() -> datetime:
	return datetime.now(timezone.utc)


def _open(path: Path) -> Database:
	if not path.exists():
		raise click.BadParameter(f"{path} does not exist", param_hint="--db")
	return Database.open(path, check=False)


def _by() -> str:
	return f"{getpass.getuser()} (command line)"


@click.group()
def gallery() -> None:
	"""The face templates: their key, and what was erased."""


@gallery.command("create-key")
@click.option(
	"--db",
	"path",
	required=True,
	type=click.Path(path_type=Path, dir_okay=False),
	help="SQLite file that will hold the templates; it is made if there is none.",
)
@key_option
def create_key(path: Path, key_file: Path) -> None:
	"""Make the key of a new gallery. Keep a copy apart from every backup of the database."""
	with Database.open(path, check=False) as database:
		galleries.create_key(database, key_file)
	click.echo(
		f"{key_file} holds the key now. Without it nobody can be recognised: keep a copy in a safe place."
	)


@gallery.command("rotate-key")
@database_option
@key_option
def rotate_key(path: Path, key_file: Path) -> None:
	"""Lock all templates with a new key; the old one, and every backup made with it, opens nothing any more.

	Restart the agent afterwards.
	"""
	with _open(path) as database:
		clean = galleries.rotate_key_file(database, key_file, now=_now)
	click.echo(f"Locked anew with the key in {key_file}. Restart the agent.")
	if not clean:
		click.echo("A program that reads the database kept old bytes in its log; stop it and rotate again.")


@gallery.command()
@database_option
@click.argument("employee")
@click.option("--withdrawn", is_flag=True, help="The person takes the consent back.")
def erase(path: Path, employee: str, withdrawn: bool) -> None:
	"""Erase the templates of EMPLOYEE (the ID of the Employee), here and for good. It needs no key."""
	with _open(path) as database:
		erasures = Erasures(database)
		if withdrawn:
			done = erasures.withdraw(employee, by=_by(), at=_now())
		else:
			done = erasures.remove(employee, ErasureReason.ASKED, by=_by(), at=_now())
	click.echo(_sentence(done) if done else f"There is nothing of {employee}.")


@gallery.command("give-up")
@database_option
@click.confirmation_option(prompt="Erase every template of everybody?")
def give_up(path: Path) -> None:
	"""Erase all templates, because their key is lost. Then make a new key and enrol everybody again."""
	with _open(path) as database:
		people = Erasures(database).give_up(by=_by(), at=_now())
	click.echo(f"Erased the templates of {people} people.")


@gallery.command("re-embed")
@click.option(
	"--config",
	"path",
	required=True,
	type=click.Path(path_type=Path, dir_okay=False),
	help="The TOML file of the agent, with the new model.",
)
def re_embed(path: Path) -> None:
	"""After a change of the model: make templates for it from the pictures that were kept.

	It may run beside the agent. Whoever has no picture must be enrolled again, and is listed.
	"""
	settings = edge_settings.load(path)
	if settings.vision is None:
		raise ConfigError(Code.MISSING_KEY, path="recognition", help="the model that templates are made for")
	# What it needs is heavy, and not there on a machine that only relays terminals.
	from attendance_bridge.edge.vision.networks import open_networks
	from attendance_bridge.edge.vision.reembedding import reembed
	from attendance_bridge.edge.vision.station import open_gallery

	engine = open_networks(settings.vision.recognition).engine
	with Database.open(settings.agent.database, check=False) as database:
		result = reembed(open_gallery(settings.vision.gallery, database, _now), engine)
	for employee, templates in result.done.items():
		click.echo(f"{employee}: {templates} templates for {engine.model}")
	for employee in result.left:
		click.echo(f"{employee}: to be enrolled again")
	if not result.done and not result.left:
		click.echo(f"Everybody has templates for {engine.model}.")


@gallery.command()
@database_option
@json_option
@click.option("--employee", help="Only of this person.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True)
def erasures(path: Path, as_json: bool, employee: str | None, limit: int) -> None:
	"""List what was erased: the proof for whoever asks."""
	with _open(path) as database:
		records = Erasures(database).records(employee, limit=limit)
	if as_json:
		click.echo(json.dumps([_facts(record) for record in records], indent=1))
		return
	for record in records:
		click.echo(_sentence(record))
	if not records:
		click.echo("There are none.")


def _sentence(record: Erasure) -> str:
	if record.traces_gone_at:
		traces = f"no traces left since {record.traces_gone_at:%Y-%m-%d %H:%M} UTC"
	else:
		traces = "traces in the log are still to be cleared"
	return (
		f"{record.erased_at:%Y-%m-%d %H:%M} UTC  {record.employee}: {record.templates} templates and "
		f"{record.pictures} pictures erased ({record.reason.value}) by {record.erased_by}; {traces}"
	)


def _facts(record: Erasure) -> dict[str, object]:
	return {
		"employee": record.employee,
		"erased_at": record.erased_at.isoformat(),
		"reason": record.reason.value,
		"erased_by": record.erased_by,
		"templates": record.templates,
		"pictures": record.pictures,
		"ids_sha256": record.ids_sha256,
		"traces_gone_at": record.traces_gone_at.isoformat() if record.traces_gone_at else None,
	}
