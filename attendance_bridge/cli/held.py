"""`attendance-bridge punches` and `outbox`: look into what an agent holds, and set things going again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from attendance_bridge.cli.options import database_option, json_option
from attendance_bridge.core.person import Everybody
from attendance_bridge.core.projection import Decision, Rules, State, project
from attendance_bridge.edge.messages import REASONS
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.entered import BY_HAND, SOURCE
from attendance_bridge.stores.held import HeldPunch
from attendance_bridge.stores.punches import PunchStore

NEEDS_A_HAND = (State.UNMAPPED, State.QUARANTINED, State.REJECTED)
WAITING = (State.RECEIVED, State.PENDING, *NEEDS_A_HAND)
EVERYTHING = 1 << 62

_COLUMNS = ("wall_time", "device", "device_user_id", "employee", "log_type", "state", "reason")


def _open(path: Path) -> Database:
	"""Open an existing file, which an agent may be using; the agent has looked for damage already."""
	if not path.exists():
		raise click.BadParameter(f"{path} does not exist", param_hint="--db")
	return Database.open(path, check=False)


@click.command()
@database_option
@json_option
def punches(path: Path, as_json: bool) -> None:
	"""List every punch that a file holds, in order of time.

	IN and OUT of punches that are not decided yet are shown as they would be decided now.
	"""
	with _open(path) as database:
		store = PunchStore(database)
		previews = _previews(store, DeviceBook(database))
		names = _names(database)
		rows = (_row(held, names, previews.get(held.punch.punch_id)) for held in store.each())
		_print(rows, as_json)


def _previews(store: PunchStore, book: DeviceBook) -> dict[uuid.UUID, Decision]:
	decisions = project(store.undecided(EVERYTHING), Everybody(), book.policies(), {}, Rules())
	return {decision.punch.punch_id: decision for decision in decisions}


def _names(database: Database) -> dict[str, str]:
	"""The names of the terminals, by serial; and of what stands in the place of one."""
	return {BY_HAND: SOURCE, **{serial: name for name, serial in DeviceBook(database).serials().items()}}


def _row(held: HeldPunch, names: Mapping[str, str], preview: Decision | None = None) -> dict[str, Any]:
	log_type, reason = held.log_type, held.log_type_reason
	if preview is not None:
		log_type = preview.log_type
		reason = preview.log_type_reason.value if preview.log_type_reason else preview.state_reason
	return {
		"punch_id": str(held.punch.punch_id),
		"device": names.get(held.punch.device_serial, held.punch.device_serial),
		"device_serial": held.punch.device_serial,
		"device_user_id": held.punch.device_user_id,
		"wall_time": held.punch.wall_time.isoformat(),
		"occurred_at": held.punch.occurred_at.isoformat(),
		"verify_mode": held.punch.verify_mode.value,
		"log_type": log_type.value if log_type else None,
		"reason": reason or held.error_code or held.state_reason,
		"state": held.state.value,
		"employee": held.employee or None,
	}


def _print(rows: Iterable[dict[str, Any]], as_json: bool) -> None:
	if as_json:
		for piece in _array(rows):
			click.echo(piece, nl=False)
		return
	table = Table(*(column.replace("_", " ") for column in _COLUMNS), box=None, pad_edge=False)
	for row in rows:
		shown = {
			**row,
			"wall_time": row["wall_time"].replace("T", " "),
			"reason": REASONS.get(row["reason"], row["reason"]),
		}
		table.add_row(*("" if shown[column] is None else str(shown[column]) for column in _COLUMNS))
	if not table.row_count:
		click.echo("There are none.")
		return
	# As wide as it must be: folded columns are unreadable, and what is piped has no width.
	console = Console()
	width = console.measure(table).maximum
	Console(width=max(width, console.width)).print(table, soft_wrap=True)


def _array(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
	"""A JSON array, an object a line, without holding all of it."""
	opening = "[\n"
	for row in rows:
		# What is no Unicode on a terminal stays an escape, which is how JSON writes it anyway.
		text = json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
		yield opening + text
		opening = ",\n"
	yield "[]\n" if opening == "[\n" else "\n]\n"


@click.group()
def outbox() -> None:
	"""What waits for the upstream, and what waits for a person."""


@outbox.command("list")
@database_option
@json_option
@click.option(
	"--state", type=click.Choice([state.value for state in WAITING]), help="Only punches in this state."
)
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True)
def list_waiting(path: Path, as_json: bool, state: str | None, limit: int) -> None:
	"""List punches that are not delivered, with what keeps them."""
	states = [State(state)] if state else list(WAITING)
	with _open(path) as database:
		store = PunchStore(database)
		held = [punch for each in states for punch in store.held(state=each, limit=limit)]
		names = _names(database)
	_print((_row(punch, names) for punch in held), as_json)


@outbox.command()
@database_option
@click.option(
	"--state",
	required=True,
	type=click.Choice([state.value for state in NEEDS_A_HAND]),
	help="Which punches; quarantined ones are taken at the time they carry.",
)
@click.option("--punch-id", type=click.UUID, help="Only this one.")
def retry(path: Path, state: str, punch_id: uuid.UUID | None) -> None:
	"""Decide and send punches anew, after what kept them was put right."""
	chosen = State(state)
	with _open(path) as database:
		number = PunchStore(database).reopen(
			chosen, punch_id=punch_id, approve_time=chosen is State.QUARANTINED
		)
	punches_are = "1 punch is" if number == 1 else f"{number} punches are"
	click.echo(f"{punches_are} decided and sent anew by the running agent.")
