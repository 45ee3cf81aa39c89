"""`attendance-bridge edge pair`: what an administrator does without the pages."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner

from attendance_bridge.cli.pairing import pair
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.push import PairingState, PushBook

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)


class Command:
	def __init__(self, folder: Path) -> None:
		self.database = folder / "edge.db"
		self.config = folder / "edge.toml"
		self.config.write_text(f'[agent]\ndatabase = "{self.database}"\ntimezone = "Asia/Dubai"\n')
		with Database.open(self.database) as database:
			PushBook(database).knock(
				"B2", at=NOW, peer="192.0.2.9", dialect="attendance", model="K40", firmware="", mac=""
			)

	def run(self, *arguments: str) -> tuple[int, str]:
		name, *rest = arguments
		result = CliRunner().invoke(pair, [name, "--config", str(self.config), *rest])
		return result.exit_code, result.output


@pytest.fixture
def command(tmp_path: Path) -> Command:
	return Command(tmp_path)


def state(command: Command) -> PairingState | None:
	with Database.open(command.database) as database:
		found = PushBook(database).find("B2")
	return found.state if found else None


def test_from_waiting_to_let_in_to_forgotten(command: Command) -> None:
	assert "B2  waiting  192.0.2.9  K40" in command.run("list")[1]
	assert command.run("approve", "B2", "--name", "Back")[1] == "B2 is let in as Back (Asia/Dubai).\n"
	assert state(command) is PairingState.APPROVED
	assert command.run("refuse", "B2")[0] == 0
	assert state(command) is PairingState.REFUSED
	assert command.run("forget", "B2")[0] == 0
	assert command.run("list")[1] == "None has called.\n"


@pytest.mark.parametrize(
	"arguments",
	[
		("approve", "B2", "--name", "Back", "--timezone", "Mars/Olympus"),
		("approve", "B 2", "--name", "Back"),
		("approve", "B2", "--name", " "),
		("refuse", "C3"),
		("forget", "C3"),
		("order", "C3", "restart"),
		("order", "B2", "shell"),
		("order", "B2", "send-again"),
		("order", "B2", "send-again", "--from", "2026-03-02", "--to", "2026-03-01"),
	],
)
def test_what_cannot_be_done_is_said(command: Command, arguments: tuple[str, ...]) -> None:
	code, output = command.run(*arguments)
	assert code == 2
	assert "Error" in output


def test_commands_are_queued_and_listed(command: Command) -> None:
	assert command.run("orders", "B2")[1] == "There are none.\n"
	assert command.run("order", "B2", "restart")[1] == "Command 1 waits for B2 to ask.\n"
	command.run("order", "B2", "send-again", "--from", "2026-03-01", "--to", "2026-03-02")
	with Database.open(command.database) as database:
		book = PushBook(database)
		assert book.due("B2", 10, NOW) == [
			(1, "REBOOT"),
			(2, "DATA QUERY ATTLOG StartTime=2026-03-01 00:00:00\tEndTime=2026-03-02 23:59:59"),
		]
		book.outcomes("B2", [(1, 0, "REBOOT"), (2, -1002, "DATA")], NOW)
	output = command.run("orders", "B2")[1]
	assert "1  done 0  'REBOOT'" in output
	assert "bad_syntax" in output
