"""The questions about terminals that the agent itself is told to read."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import timedelta
from typing import Any

import click

from attendance_bridge import drivers
from attendance_bridge.cli.init.questions import Questions
from attendance_bridge.core.config import describe
from attendance_bridge.core.errors import BridgeError, Code, ConfigError
from attendance_bridge.core.redact import Secret
from attendance_bridge.edge.messages import sentence, spell_offset
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.settings import DeviceSettings
from attendance_bridge.edge.setup import spec
from attendance_bridge.edge.setup.terminal import look_at_terminal

OPTION = "--terminal"
TOLERANCE = timedelta(minutes=2)
"""The agent's own default; see `[rules]`."""
ROLES = {
	"key": "the key that people press on it",
	"in": "nothing: it is an entrance",
	"out": "nothing: it is an exit",
	"both": "nothing: one door, so IN and OUT alternate",
}


def ask_terminals(
	questions: Questions, given: tuple[str, ...], *, zone: str, site_assigns: bool
) -> list[dict[str, object]]:
	"""The `[[devices]]` tables.

	:raises BridgeError: one does not answer, and nobody can be asked again.
	"""
	questions.heading("Terminals")
	tables: list[dict[str, object]] = []
	for each in given:
		table = _table_of(each, zone)
		questions.until(lambda table=table: table, lambda found: _try(questions, found), repeat=False)  # type: ignore[misc]
		tables.append(table)
	if questions.asks and not given:
		if site_assigns:
			questions.note(
				"The site says which terminals are read. Only those that it does not know go here."
			)
		while questions.yes("Add a terminal?" if not tables else "Add another one?", default=False):
			asked = _ask_one(questions, zone, {str(table["name"]) for table in tables})
			if asked is not None:
				tables.append(asked)
	if not tables:
		questions.note("None is configured here.")
	return tables


def _table_of(text: str, zone: str) -> dict[str, object]:
	values = spec.split(text)
	driver = values.get("driver", "")
	if driver not in drivers.pulled():
		raise ConfigError(
			Code.BAD_VALUE, path=f"{OPTION} driver", expected=f"one of {', '.join(drivers.pulled())}"
		)
	values.setdefault("name", values.get("host", ""))
	values.setdefault("timezone", zone)
	return spec.typed(values, DeviceSettings, drivers.load(driver).spec.config)


def _try(questions: Questions, table: dict[str, object]) -> None:
	found = look_at_terminal(table, utc_now)
	held = "" if found.info.punches_held is None else f", {found.info.punches_held} records"
	clock = f", clock {spell_offset(found.reading.offset)}" if found.reading else ""
	questions.right(f"{table['name']}: {found.info.model} {found.info.serial}{held}{clock}.")
	if found.reading is not None and abs(found.reading.offset) > TOLERANCE:
		questions.note(
			f"Its clock is {spell_offset(found.reading.offset)} by the clock of this machine, for a wall in "
			f"{table['timezone']}. Punches are held back until it is right: set it, or correct `timezone`."
		)


def _ask_one(questions: Questions, zone: str, taken: set[str]) -> dict[str, object] | None:
	"""None when it was given up."""
	labels = {name: drivers.load(name).spec.label for name in drivers.pulled()}
	driver = questions.choose(OPTION, "Which kind", labels)
	config = drivers.load(driver).spec.config
	table: dict[str, object] = {"name": _ask_name(questions, taken), "driver": driver, "timezone": zone}
	table["role"] = questions.choose(OPTION, "What tells IN from OUT", ROLES, default="key")
	while True:
		_ask_address(questions, table)
		_ask_login(questions, config, table)
		try:
			_try(questions, table)
		except BridgeError as error:
			questions.wrong(sentence(error))
			ways = {
				"again": "enter address and login again",
				"keep": "write it down as it is: it is switched off, or not there yet",
				"drop": "leave it out",
			}
			way = questions.choose(OPTION, "What now", ways, default="again")
			if way == "drop":
				return None
			if way == "keep" and error.code not in (Code.BAD_VALUE, Code.MISSING_KEY):
				return table
		else:
			return table


def _ask_name(questions: Questions, taken: set[str]) -> str:
	while True:
		name = questions.text(OPTION, "A name for it, such as Main gate")
		if name and name not in taken and len(name) <= 140:
			return name
		questions.wrong("A name that no other terminal has, please.")


def _ask_address(questions: Questions, table: dict[str, object]) -> None:
	address = questions.text(OPTION, "Its address (host, or host:port)")
	host, colon, port = address.rpartition(":")
	if colon and port.isdecimal() and ":" not in host:
		table.update(host=host, port=int(port))
	else:
		table.pop("port", None)
		table["host"] = address


def _ask_login(questions: Questions, config: type[Any], table: dict[str, object]) -> None:
	"""Whatever the driver cannot do without, and every secret that it knows."""
	needed = {
		each.name for each in fields(config) if each.default is MISSING and each.default_factory is MISSING
	}
	for name, (kind, option) in describe(config).items():
		if name == "host":
			continue
		question = option.help.partition(";")[0].rstrip(".")
		if kind is Secret or Secret in getattr(kind, "__args__", ()):
			extra = "" if name in needed else "; empty: none"
			secret = questions.secret(OPTION, f"{question} (not shown{extra})", may_lack=name not in needed)
			table.pop(name, None)
			if secret is not None:
				table[name] = secret
		elif name in needed:
			table[name] = questions.text(OPTION, question)


terminal_option = click.option(
	OPTION,
	"terminals",
	multiple=True,
	metavar="KEY=VALUE,…",
	help="A terminal to read: driver=…, host=… and other keys of a [[devices]] table; a secret by its file, "
	"password_file=…. May be given several times.",
)
