"""A change of clocks at terminals that take their offset only when they start."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.stores.push import CommandState
from tests.edge.receiver.conftest import Clock, Open, Premises, device

BERLIN = ZoneInfo("Europe/Berlin")
BEFORE = datetime(2026, 10, 25, 0, 30, tzinfo=timezone.utc)
AFTER = datetime(2026, 10, 25, 1, 30, tzinfo=timezone.utc)
HELLO = "/iclock/cdata?SN=A1&options=all&pushver=2.4.1"
POLL = "/iclock/getrequest?SN=A1"


def test_it_is_restarted_once(open_premises: Open, clock: Clock) -> None:
	clock.now = BEFORE
	premises = open_premises(device("A1", zone=BERLIN))
	assert "TimeZone=2\n" in premises.get(HELLO).text
	premises.close()
	premises = open_premises(device("A1", zone=BERLIN))
	assert told(premises) == []
	clock.now = AFTER
	premises.get(POLL)
	premises.close()
	premises = open_premises(device("A1", zone=BERLIN))
	assert told(premises) == ["REBOOT"]
	assert premises.get(POLL).text.endswith(":REBOOT\n")
	assert "TimeZone=1\n" in premises.get(HELLO).text
	premises.stop()
	(command,) = premises.push_book.commands("A1")
	assert (command.text, command.state) == ("REBOOT", CommandState.DONE), (
		"it has started, and knows the new one"
	)


def test_one_that_is_told_to_restart_already_is_not_told_again(open_premises: Open, clock: Clock) -> None:
	clock.now = BEFORE
	premises = open_premises(device("A1", zone=BERLIN))
	premises.get(HELLO)
	premises.push_book.queue("A1", "REBOOT", by="somebody", at=clock.now)
	clock.now = AFTER
	premises.get("/iclock/ping?SN=A1")
	premises.stop()
	assert [each.queued_by for each in premises.push_book.commands("A1")] == ["somebody"]


@pytest.mark.parametrize(("zone", "restart"), [(BERLIN, False), (ZoneInfo("Asia/Dubai"), True)])
def test_it_is_left_alone(open_premises: Open, clock: Clock, zone: ZoneInfo, restart: bool) -> None:
	clock.now = BEFORE
	premises = open_premises(device("A1", zone=zone), restart_terminals=restart)
	premises.get(HELLO)
	clock.now = AFTER
	premises.get(POLL)
	premises.stop()
	assert premises.push_book.commands("A1") == []


def told(premises: Premises) -> list[str]:
	found = premises.push_book.commands("A1")
	assert all(each.state in (CommandState.QUEUED, CommandState.SENT) for each in found)
	return [each.text for each in found]
