from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import DeviceInfo
from attendance_bridge.core.projection import State
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.rezoning import rezone
from tests.stores.samples import DUBAI, NOW, accept, decide, page, punch

KOLKATA = ZoneInfo("Asia/Kolkata")
NINETY_MINUTES = timedelta(minutes=90)


def test_what_is_held_is_timed_anew_and_stays_the_same_punch(db: Database) -> None:
	store = PunchStore(db)
	wrong = ClockReading(taken_at=NOW, device_time=NOW + NINETY_MINUTES)
	store.accept(page(punch("08:00")), "A", wrong)
	accept(store, punch("08:00", serial="B"))
	before = {held.punch.device_serial: held for held in store.each()}
	assert store.rezone("A", DUBAI.key, KOLKATA) == 1
	after = {held.punch.device_serial: held for held in store.each()}
	assert after["B"] == before["B"]
	assert after["A"].punch.punch_id == before["A"].punch.punch_id
	assert after["A"].punch.occurred_utc == before["A"].punch.occurred_utc - NINETY_MINUTES
	(observed,) = [each for each in store.undecided(9) if each.punch.device_serial == "A"]
	assert observed.reading is not None
	assert observed.reading.offset == timedelta(0)  # the clock was right, its zone was not
	assert rezone(db, "A", DUBAI.key, KOLKATA) == 0


def test_what_is_on_its_way_stays(db: Database) -> None:
	store = PunchStore(db)
	accept(store, punch("08:00"), punch("17:00"))
	decide(store)
	assert store.counts()[State.PENDING] == 2
	with db.write() as connection:  # claimed
		connection.execute("UPDATE punch SET due_at = 1 WHERE wall_time LIKE '%T08:00%'")
	assert rezone(db, "A", DUBAI.key, KOLKATA) == 1
	zones = [held.punch.occurred_at.tzinfo for held in store.each()]
	assert sorted(str(zone) for zone in zones) == [DUBAI.key, KOLKATA.key]
	assert store.counts()[State.RECEIVED] == 1


def test_what_was_seen_of_a_clock_goes_with_the_zone(db: Database) -> None:
	book = DeviceBook(db)
	reading = ClockReading(taken_at=NOW, device_time=NOW)
	book.place("Gate", driver="zkteco_tcp", host="h", zone=DUBAI.key)
	book.contact("Gate", DeviceInfo(serial="A"), at=NOW, reading=reading)
	book.place("Gate", driver="zkteco_tcp", host="h", zone=DUBAI.key)
	seen = book.find("Gate")
	assert seen is not None
	assert (seen.clock_offset, seen.clock_good_until) == (timedelta(0), NOW)
	book.place("Gate", driver="zkteco_tcp", host="h", zone=KOLKATA.key)
	seen = book.find("Gate")
	assert seen is not None
	assert (seen.clock_offset, seen.clock_good_until, seen.last_seen_at) == (None, None, NOW)
