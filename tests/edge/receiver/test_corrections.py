"""Wrong clocks of pushing terminals, where an agent may set them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from attendance_bridge.core.clock import ClockReading, ClockRules
from attendance_bridge.drivers.zkteco_adms.commands import encode_time
from attendance_bridge.drivers.zkteco_adms.desk import Dialect
from attendance_bridge.edge.correcting import Correcting
from attendance_bridge.edge.receiver.corrections import Corrections
from attendance_bridge.stores.push import CommandState
from tests.edge.receiver.conftest import DUBAI, Clock, Open, Premises, device

HOUR = timedelta(hours=1)
ALLOWED = Correcting(rules=ClockRules(), is_wanted=True, largest=timedelta(minutes=90))


def look(premises: Premises, dialect: Dialect, ahead: timedelta, correcting: Correcting = ALLOWED) -> None:
	now = premises.clock.now
	reading = ClockReading(taken_at=now, device_time=now + ahead)
	Corrections(premises.push_book, lambda: correcting).look("A1", dialect, DUBAI, reading)


def asked(premises: Premises) -> list[str]:
	return [each.text.partition("=")[0] for each in premises.push_book.commands("A1")]


def test_an_access_terminal_is_told_the_time_at_which_it_asks(open_premises: Open, clock: Clock) -> None:
	premises = open_premises(device("A1"))
	premises.correcting = ALLOWED
	state = f"time={(clock.now - HOUR).astimezone(DUBAI):%Y-%m-%d %H:%M:%S}\tsensor=00"
	premises.post("/iclock/cdata?SN=A1&table=rtstate", state)
	premises.close()
	premises = open_premises(device("A1"))
	clock.pass_(timedelta(minutes=7))
	wall = datetime(2026, 11, 26, 12, 7)
	told = premises.get("/iclock/getrequest?SN=A1").text
	assert told == f"C:1:SET OPTIONS DateTime={encode_time(wall)}\n"
	premises.post("/iclock/devicecmd?SN=A1", "ID=1&Return=0&CMD=SET OPTIONS")
	assert premises.push_book.commands("A1")[0].state is CommandState.DONE


@pytest.mark.parametrize(
	("dialect", "text", "pause"),
	[
		(Dialect.SECURITY, "SET OPTIONS DateTime", timedelta(hours=2)),
		(Dialect.ATTENDANCE, "REBOOT", timedelta(days=8)),
	],
)
def test_it_is_asked_now_and_then(
	premises: Premises, clock: Clock, dialect: Dialect, text: str, pause: timedelta
) -> None:
	for _minute in range(5):
		look(premises, dialect, -HOUR)
		clock.pass_(timedelta(minutes=1))
	assert asked(premises) == [text]
	premises.push_book.due("A1", 20, clock.now)
	premises.push_book.outcomes("A1", [(1, 0, "")], clock.now)
	look(premises, dialect, -HOUR)
	assert asked(premises) == [text]
	clock.pass_(pause)
	look(premises, dialect, -HOUR)
	assert asked(premises) == [text, text]


@pytest.mark.parametrize(
	("ahead", "correcting"),
	[
		(-HOUR, Correcting(rules=ClockRules())),
		(-2 * HOUR, ALLOWED),
		(timedelta(seconds=90), ALLOWED),
	],
)
def test_it_is_left_alone(premises: Premises, ahead: timedelta, correcting: Correcting) -> None:
	look(premises, Dialect.SECURITY, ahead, correcting)
	assert asked(premises) == []
