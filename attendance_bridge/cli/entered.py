"""`attendance-bridge edge punch …`: punches that somebody has missed, entered by hand and withdrawn again."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from attendance_bridge.cli.export_days import MonthType
from attendance_bridge.cli.options import config_option
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.line import legible
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.cells import unicode_text
from attendance_bridge.edge.messages import ENTERING
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.workdays.book import Workdays
from attendance_bridge.edge.workdays.by_hand import ByHand, EnteringError, Problem
from attendance_bridge.edge.workdays.service import every_terminal, make_by_hand, make_workdays
from attendance_bridge.edge.workdays.sheets import last_of_month
from attendance_bridge.edge.workdays.told import wall_clock
from attendance_bridge.stores.agreements import Author
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.entered import EnteredPunch, Said
from attendance_bridge.stores.roster import Roster

WHICH_PASS = "Say which by --fold 0 (before the clocks were put back) or --fold 1 (after that)."


class MomentType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.4 on
	"""A date and a time of day, naive."""

	name = "yyyy-mm-dd hh:mm"

	def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
		if isinstance(value, datetime):
			return value
		form = "%Y-%m-%d %H:%M:%S" if str(value).count(":") > 1 else "%Y-%m-%d %H:%M"
		try:
			return datetime.strptime(value, form)  # noqa: DTZ007
		except ValueError:
			self.fail(f'{value!r} is no moment; "2026-01-31 17:00" would be one', param, ctx)


@dataclass(frozen=True, slots=True)
class _Book:
	workdays: Workdays
	by_hand: ByHand


@contextmanager
def _book(config: Path) -> Iterator[_Book]:
	settings = edge_settings.load(config)
	if not settings.agent.database.exists():
		raise click.UsageError(f"There is no database {settings.agent.database} yet.")
	with Database.open(settings.agent.database, check=False) as database:
		workdays = make_workdays(
			settings, database, lambda: every_terminal(settings, database, utc_now), now=utc_now
		)
		# The agent itself decides, in a process of its own: nobody is waited for here.
		by_hand = make_by_hand(settings, workdays, Roster(database), now=utc_now, patience=timedelta(0))
		if workdays is None or by_hand is None:
			raise click.UsageError(ENTERING["kept_elsewhere"])
		try:
			yield _Book(workdays, by_hand)
		except EnteringError as error:
			more = f" {WHICH_PASS}" if error.problem is Problem.REPEATED_HOUR else ""
			raise click.UsageError(error.words + more) from None


def _author() -> Author:
	return Author(who=f"{getpass.getuser()} (command line)", at=utc_now())


@click.group()
def punch() -> None:
	"""Punches that somebody has missed, where no site keeps check-ins."""


@punch.command()
@config_option
@click.option("--in", "is_in", is_flag=True, help="Came.")
@click.option("--out", "is_out", is_flag=True, help="Left.")
@click.option("--why", required=True, help="The reason, for people.")
@click.option("--fold", type=click.IntRange(0, 1), help="Which pass through a repeated hour.")
@click.argument("employee")
@click.argument("moment", type=MomentType())
def enter(
	path: Path, is_in: bool, is_out: bool, why: str, fold: int | None, employee: str, moment: datetime
) -> None:
	"""Enter a punch of EMPLOYEE at MOMENT, as the clock at the place showed it ("2026-01-31 17:00").

	The same again is the same punch. A running agent counts it within seconds.
	"""
	if is_in == is_out:
		raise click.UsageError("Say --in or --out, one of them.")
	log_type = LogType.IN if is_in else LogType.OUT
	with _book(path) as book:
		result = book.by_hand.enter(employee, moment, log_type, why, _author(), fold=fold)
	click.echo(ENTERING[result.said])
	click.echo(f"Its id is {result.punch_id}.")


@punch.command()
@config_option
@click.option("--why", required=True, help="The reason, for people.")
@click.argument("punch_id", type=click.UUID)
def withdraw(path: Path, why: str, punch_id: UUID) -> None:
	"""Have an entered punch count for nothing. It stays on record; one of a terminal is never touched."""
	with _book(path) as book:
		result = book.by_hand.withdraw(punch_id, why, _author())
	click.echo(ENTERING[result.said])


@punch.command("list")
@config_option
@click.option("--month", required=True, type=MonthType(), help="Such as 2026-03.")
@click.argument("employee")
def list_entered(path: Path, month: date, employee: str) -> None:
	"""List what was entered for EMPLOYEE in a month: a line for each entry, correction and withdrawal."""
	with _book(path) as book:
		found = book.workdays.entered_between(employee, month, last_of_month(month))
		if not found and book.workdays.find(employee) is None:
			raise EnteringError(Problem.NO_SUCH_PERSON)
	for each in found:
		for said in each.history:
			click.echo(legible(unicode_text(_line(each, said))))
	if not found:
		click.echo("None.")


def _line(punch: EnteredPunch, said: Said) -> str:
	state = said.act.value
	if said is punch.history[-1] and punch.withdrawn is None:
		state += ", counts" if punch.is_counted else ", not counted yet"
	at = wall_clock(punch.occurred_at, "%Y-%m-%d %H:%M:%S")
	return (
		f"{punch.punch_id}  {at} {said.log_type.value:3}  {state}  "
		f"{said.by}, {said.at:%Y-%m-%d %H:%M}Z: {said.why}"
	)
