from __future__ import annotations

import dataclasses

import pytest

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.ports import Ledger
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.upstream import CheckIn
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.ledger import Entry, SqliteLedger
from tests.stores.samples import punch


@pytest.fixture
def ledger(db: Database) -> SqliteLedger:
	return SqliteLedger(db)


def check_in(of: Punch, employee: str = "E1") -> CheckIn:
	return CheckIn(punch=of, employee=employee, log_type=LogType.IN, log_type_reason="first_of_day")


def clocks(entries: list[Entry]) -> list[str]:
	return [f"{entry.occurred_at:%H:%M}" for entry in entries]


def test_each_check_in_stands_once(db: Database, ledger: SqliteLedger) -> None:
	port: Ledger = ledger
	assert list(port.record([])) == []
	assert list(port.record([check_in(punch("08:00")), check_in(punch("09:00"))])) == [True, True]
	again = [check_in(punch("09:00")), check_in(punch("10:00")), check_in(punch("10:00"))]
	assert list(port.record(again)) == [False, True, False]
	with Database.open(db.path) as reopened:
		assert SqliteLedger(reopened).count() == 3


def test_an_entry_comes_back_as_it_was(ledger: SqliteLedger) -> None:
	repeated = dataclasses.replace(
		punch("08:00"), occurred_at=punch("08:00").occurred_at.replace(fold=1), device_serial="Ä\udcff"
	)
	ledger.record([check_in(repeated, "E\udcff")])
	(entry,) = ledger.entries()
	assert entry == Entry(
		punch_id=repeated.punch_id,
		employee="E\udcff",
		log_type=LogType.IN,
		log_type_reason="first_of_day",
		occurred_at=repeated.occurred_at,
		device_serial="Ä\udcff",
	)
	assert entry.occurred_at.fold == 1


def test_a_check_in_without_direction(ledger: SqliteLedger) -> None:
	ledger.record([dataclasses.replace(check_in(punch("08:00")), log_type=None, log_type_reason="")])
	assert [entry.log_type for entry in ledger.entries()] == [None]


def test_entries_are_found(ledger: SqliteLedger) -> None:
	ledger.record([check_in(punch("08:00")), check_in(punch("12:00")), check_in(punch("09:00"), "E2")])
	assert clocks(ledger.entries()) == ["12:00", "09:00", "08:00"]
	assert clocks(ledger.entries(1, 1)) == ["09:00"]
	assert clocks(ledger.entries(employee="E1")) == ["12:00", "08:00"]
	noon = punch("12:00").occurred_at
	assert clocks(ledger.entries(until=noon)) == ["09:00", "08:00"]
	assert clocks(ledger.entries(since=noon)) == ["12:00"]
