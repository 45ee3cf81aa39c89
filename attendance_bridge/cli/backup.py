"""`attendance-bridge edge backup` and `edge restore`: a copy of the database, and putting one back."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from attendance_bridge.cli.options import config_option
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.stores import backup as backups


@click.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(path: Path, file: Path) -> None:
	"""Copy the database into FILE while the agent works.

	FILE is for its owner only, and is not overwritten. The key of the face templates is not in it.
	"""
	if file.exists():
		raise click.UsageError(f"{file} is there already; it is not overwritten.")
	if not file.absolute().parent.is_dir():
		raise click.UsageError(f"There is no folder {file.absolute().parent}.")
	settings = edge_settings.load(path)
	size = backups.back_up(settings.agent.database, file)
	click.echo(f"{file} holds all of {settings.agent.database}: {size:,} bytes, looked through and sound.")
	if settings.vision is not None:
		click.echo("The key of the face templates is not in it. Keep a copy of that somewhere else.")


@click.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.confirmation_option(prompt="Take the place of the present database? It is set aside, not deleted.")
def restore(path: Path, file: Path) -> None:
	"""Put the copy in FILE in the place of the database. Stop the agent first.

	Whose templates were erased since the copy was made is erased from it again.
	"""
	settings = edge_settings.load(path)
	database = settings.agent.database
	database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
	done = backups.restore(file, database, by=f"{getpass.getuser()} (restore)", at=utc_now())
	click.echo(f"{database} is what {file} holds. Start the agent: what terminals still hold is read again.")
	if done.set_aside is not None:
		click.echo(f"The database of before is {done.set_aside}; delete it when all is well.")
	if done.erased_again:
		click.echo(f"Erased again, as since the backup: {', '.join(done.erased_again)}.")
	if done.erasures_unknown:
		click.echo(
			"The database of before cannot be read. Whose face templates were erased since the backup must "
			"be erased again by hand: attendance-bridge gallery erase."
		)
