"""`attendance-bridge edge export-days`: the working days of a month as a file for spreadsheets."""

from __future__ import annotations

import getpass
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from attendance_bridge.cli.options import config_option
from attendance_bridge.core.person import Person
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.settings import Settings
from attendance_bridge.edge.workdays import sheets
from attendance_bridge.edge.workdays.book import Workdays
from attendance_bridge.edge.workdays.service import every_terminal, make_workdays
from attendance_bridge.edge.workdays.sheets import last_of_month
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.database import Database


class MonthType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on
	"""A month, as its first date; of years that the clock of a terminal can show."""

	name = "yyyy-mm"

	def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
		try:
			first = value if isinstance(value, date) else datetime.strptime(value, "%Y-%m").date()  # noqa: DTZ007
		except ValueError:
			self.fail(f"{value!r} is no month; 2026-01 would be one", param, ctx)
		if not 1970 <= first.year <= 2199:
			self.fail(f"{value!r} is not between 1970 and 2199", param, ctx)
		return first


@click.command("export-days")
@config_option
@click.option("--month", required=True, type=MonthType(), help="Such as 2026-03.")
@click.option(
	"--format",
	"kind",
	type=click.Choice(["csv", "xlsx"]),
	default="csv",
	show_default=True,
	help="Of the file.",
)
@click.option("--department", default="", help="Only its people.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export_days(path: Path, month: date, kind: str, department: str, file: Path) -> None:
	"""Write the working days of a month into FILE: CSV, or Excel with the month as a grid besides.

	FILE is for its owner only, and is not overwritten. The agent may be running.
	"""
	if not file.absolute().parent.is_dir():
		raise click.UsageError(f"There is no folder {file.absolute().parent}.")
	settings = edge_settings.load(path)
	if not settings.agent.database.exists():
		raise click.UsageError(f"There is no database {settings.agent.database} yet.")
	with Database.open(settings.agent.database, check=False) as database:
		workdays = _workdays(settings, database)
		last = last_of_month(month)
		people = [person for person in workdays.people(month, last) if department in ("", person.department)]
		_write(file, kind, workdays, people, month, last)
		AuditLog(database).write(
			"days_exported",
			who=f"{getpass.getuser()} (command line)",
			at=utc_now(),
			subject=kind,
			details=f"{month} to {last}{f', department {department}' if department else ''}",
		)
	click.echo(f"{file} holds the days of {len(people)} {'person' if len(people) == 1 else 'people'}.")


def _workdays(settings: Settings, database: Database) -> Workdays:
	found = make_workdays(
		settings, database, lambda: every_terminal(settings, database, utc_now), now=utc_now
	)
	if found is None:
		raise click.UsageError("The site that gets the check-ins counts working days: export them there.")
	return found


def _write(file: Path, kind: str, workdays: Workdays, people: list[Person], first: date, last: date) -> None:
	try:
		descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
	except FileExistsError:
		raise click.UsageError(f"{file} is there already; it is not overwritten.") from None
	except OSError as error:
		raise click.UsageError(f"{file} cannot be written: {error.strerror}.") from None
	days = workdays.of(people, first, last)
	with os.fdopen(descriptor, "wb") as target:
		if kind == "csv":
			for lines in sheets.csv_of_days(days, workdays.zone):
				target.write(lines.encode())
		else:
			sheets.write_month(
				target, days, workdays.zone, first=first, last=last, allowances=workdays.rules.allowances
			)
