"""`attendance-bridge edge backup` and `edge restore`: a copy of the database, and putting one back."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path

import click

from attendance_bridge.cli.options import config_option
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.stores import backup as backups

_BY_PEOPLE = (
	(("punch_entered",), "punch entered by hand", "punches entered by hand"),
	(("punch_withdrawn",), "withdrawal of such a punch", "withdrawals of such punches"),
	(("punch_corrected",), "punch corrected", "punches corrected"),
	(("day_marked",), "entry of leave or days off", "entries of leave or days off"),
	(("shift_assigned", "shift_taken_back"), "shift assigned or taken back", "shifts assigned or taken back"),
	(("enrolled",), "face enrolled", "faces enrolled"),
	(("second_factor_set", "second_factor_removed"), "PIN or badge changed", "PINs or badges changed"),
	(
		("terminal_approved", "terminal_refused", "terminal_forgotten"),
		"terminal let in or turned away",
		"terminals let in or turned away",
	),
	(
		("account_added", "account_removed", "password_changed", "key_added", "key_removed"),
		"change of an account, a password or a key",
		"changes of accounts, passwords or keys",
	),
)
"""What stands nowhere but in the database, by codes of the audit log; words for one and for several."""


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
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(path: Path, file: Path, *, yes: bool) -> None:
	"""Put the copy in FILE in the place of the database. Stop the agent first.

	What people have entered since the copy was made (punches, corrections, leave, shifts, accounts) is not in
	it, and no terminal holds it: how much that is, is said before. Whose templates were erased since then is
	erased again.
	"""
	settings = edge_settings.load(path)
	database = settings.agent.database
	for line in _lost(file, database):
		click.echo(line)
	if not yes:
		click.confirm("Take the place of the present database? It is set aside, not deleted.", abort=True)
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


def _lost(file: Path, database: Path) -> Iterator[str]:
	"""What has to be entered again after a restore."""
	acts = backups.acts_since(file, database)
	if acts is None:
		yield "What people have entered here since the copy was made is lost, and cannot be counted."
		return
	counts = [(sum(acts[act] for act in codes), one, many) for codes, one, many in _BY_PEOPLE]
	found = [f"  {count} {one if count == 1 else many}" for count, one, many in counts if count]
	if found:
		yield "Not in the copy, and held by no terminal; it has to be entered again:"
		yield from found
