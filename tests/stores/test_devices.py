from __future__ import annotations

from datetime import timedelta

import pytest

from attendance_bridge.core.clock import ClockReading, ClockRules
from attendance_bridge.core.driver import DeviceInfo
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.pull import PullReport
from attendance_bridge.core.retry import Breaker
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import MAX_DETAILS_LENGTH, DeviceBook, DeviceRecord
from tests.stores.samples import NOW

INFO = DeviceInfo(serial="A", model="K1T", firmware="V1", punches_held=412, punch_capacity=100_000)
LOCKED = DeviceError(Code.LOCKED_OUT, unlock_seconds=1800, host="192.0.2.7")


@pytest.fixture
def book(db: Database) -> DeviceBook:
	return DeviceBook(db)


def known(book: DeviceBook, name: str = "gate") -> DeviceRecord:
	record = book.find(name)
	assert record is not None
	return record


def reading(seconds: float) -> ClockReading:
	return ClockReading(taken_at=NOW, device_time=NOW + timedelta(seconds=seconds))


def test_nothing_is_known_at_first(book: DeviceBook) -> None:
	assert book.find("gate") is None
	assert book.all() == []


def test_what_the_configuration_says(book: DeviceBook) -> None:
	book.place("gate", driver="zkteco_tcp", host="192.0.2.7", port=4370, role="in", zone="Asia/Dubai")
	book.place("gate", driver="hikvision_isapi", host="192.0.2.8", port=80, role="both", zone="Asia/Qatar")
	assert book.all() == [
		DeviceRecord(
			name="gate",
			driver="hikvision_isapi",
			host="192.0.2.8",
			port=80,
			role="both",
			zone="Asia/Qatar",
		)
	]


def test_a_contact(book: DeviceBook) -> None:
	book.contact("gate", INFO, at=NOW, reading=reading(1.5))
	record = known(book)
	assert (record.serial, record.model, record.firmware) == ("A", "K1T", "V1")
	assert (record.punches_held, record.punch_capacity, record.last_seen_at) == (412, 100_000, NOW)
	assert (record.clock_offset, record.clock_good_until) == (timedelta(seconds=1.5), NOW)


def test_a_contact_that_says_less_keeps_what_was_known(book: DeviceBook) -> None:
	book.contact("gate", INFO, at=NOW, reading=reading(0))
	book.contact("gate", DeviceInfo(serial="A"), at=NOW + timedelta(hours=1))
	record = known(book)
	assert (record.punches_held, record.clock_good_until) == (412, NOW)
	assert record.last_seen_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize(("seconds", "good"), [(5, True), (-5, True), (5.1, False), (-5.1, False)])
def test_the_clock_is_good_within_the_rules(book: DeviceBook, seconds: float, good: bool) -> None:
	rules = ClockRules(tolerance=timedelta(seconds=5))
	book.contact("gate", INFO, at=NOW, reading=reading(seconds), rules=rules)
	assert known(book).clock_good_until == (NOW if good else None)
	assert known(book).clock_offset == timedelta(seconds=seconds)


def test_another_box_under_the_name_has_another_clock_and_log(book: DeviceBook) -> None:
	book.contact("gate", INFO, at=NOW, reading=reading(0))
	book.contact("gate", DeviceInfo(serial="B"), at=NOW)
	record = known(book)
	assert (record.serial, record.clock_good_until, record.clock_offset) == ("B", None, None)
	assert (record.punches_held, record.punch_capacity) == (None, None)


def test_a_terminal_may_claim_any_number(book: DeviceBook) -> None:
	book.contact("gate", DeviceInfo(serial="A", punches_held=10**30, punch_capacity=-1), at=NOW)
	assert (known(book).punches_held, known(book).punch_capacity) == (2**63 - 1, 0)


def test_a_lock_out_outlives_a_restart(db: Database, book: DeviceBook) -> None:
	until = NOW + timedelta(minutes=30)
	book.failed("gate", LOCKED, at=NOW, breaker=Breaker(failures=3, open_until=until))
	with Database.open(db.path) as reopened:
		record = known(DeviceBook(reopened))
	assert (record.failures, record.open_until) == (3, until)
	assert (record.last_error_code, record.last_error_at) == ("locked_out", NOW)
	assert record.last_error_details == "unlock_seconds=1800, host=192.0.2.7"


def test_a_contact_closes_the_breaker_and_a_complete_pull_wipes_the_error_out(book: DeviceBook) -> None:
	book.failed("gate", LOCKED, at=NOW, breaker=Breaker(failures=3, open_until=NOW))
	book.contact("gate", INFO, at=NOW)
	assert (known(book).failures, known(book).open_until, known(book).last_error_code) == (
		0,
		None,
		"locked_out",
	)
	lost = DeviceError(Code.CONNECTION_LOST)
	book.pulled("gate", PullReport(device_serial="A", read=9, new=5, known=3, error=lost), at=NOW)
	record = known(book)
	assert (record.last_pull_complete, record.last_error_code) == (False, "locked_out")
	later = NOW + timedelta(minutes=1)
	book.pulled("gate", PullReport(device_serial="A", read=1, unreadable=1), at=later)
	record = known(book)
	assert (record.last_pull_complete, record.last_pull_at) == (True, later)
	assert (record.last_pull_read, record.last_pull_new, record.last_pull_unreadable) == (1, 0, 1)
	assert (record.last_error_code, record.last_error_at, record.last_error_details) == ("", None, "")


def test_no_secret_stays_in_the_details(book: DeviceBook) -> None:
	error = DeviceError(Code.GARBAGE, answer="password=hunter2 " + "x" * 2000)
	book.failed("gate", error, at=NOW, breaker=Breaker())
	details = known(book).last_error_details
	assert "hunter2" not in details
	assert len(details) == MAX_DETAILS_LENGTH


def test_devices_are_listed_by_name_and_forgotten(book: DeviceBook) -> None:
	for name in ("b", "ä\udcff", "a"):
		book.contact(name, INFO, at=NOW)
	assert sorted(record.name for record in book.all()) == ["a", "b", "ä\udcff"]
	book.forget("a")
	book.forget("a")
	assert book.find("a") is None
	assert len(book.all()) == 2
