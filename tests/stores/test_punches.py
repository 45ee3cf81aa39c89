from __future__ import annotations

import dataclasses
import uuid
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendance_bridge.core.clock import ClockReading, ClockVerdict
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import DeviceInfo, Page, UnreadableRow
from attendance_bridge.core.person import Directory, Person
from attendance_bridge.core.ports import Accepted, PunchSink
from attendance_bridge.core.projection import NO_SUCH_ID, Decision, DevicePolicy, State
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.punches import PunchStore
from tests.stores.samples import NOW, accept, decide, fresh, page, pending, punch, states

BERLIN = ZoneInfo("Europe/Berlin")
READING = ClockReading(taken_at=NOW, device_time=NOW + timedelta(seconds=90, microseconds=5))


@pytest.fixture
def store(db: Database) -> PunchStore:
	return PunchStore(db)


def test_it_is_a_sink(store: PunchStore) -> None:
	sink: PunchSink = store
	assert sink.accept(page(), "A", None) == Accepted(new=0, known=0)


def test_a_page_is_held_once_by_whichever_road_it_comes(store: PunchStore) -> None:
	morning, evening = punch("08:00"), punch("17:00")
	assert store.accept(page(morning), "A", READING) == Accepted(new=1, known=0)
	assert store.accept(page(morning, evening), "A", None) == Accepted(new=1, known=1)
	assert store.accept(page(morning, evening), "A", READING) == Accepted(new=0, known=2)
	assert [held.punch for held in store.each()] == [morning, evening]


def test_a_punch_twice_on_one_page_is_one_punch(store: PunchStore) -> None:
	assert store.accept(page(punch("08:00"), punch("08:00")), "A", None) == Accepted(new=1, known=1)


def test_a_known_punch_stays_as_it_came(store: PunchStore) -> None:
	first = dataclasses.replace(punch("08:00"), raw="first", verify_mode=VerifyMode.FACE)
	store.accept(page(first), "A", None)
	store.accept(page(dataclasses.replace(first, raw="second")), "A", None)
	assert [held.punch for held in store.each()] == [first]


REPEATED = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)


@pytest.mark.parametrize(
	"moment",
	[
		REPEATED,
		REPEATED.replace(fold=1),
		datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN),
		datetime(2026, 1, 1, 0, 0, tzinfo=timezone.utc),
		datetime(2026, 1, 1, 0, 0, tzinfo=timezone(timedelta(hours=5, minutes=45))),
		datetime(2026, 1, 1, 0, 0, tzinfo=timezone(timedelta(hours=-3), "named")),
		datetime(2, 1, 1, 0, 0, tzinfo=ZoneInfo("Asia/Tokyo")),
		datetime(9998, 12, 31, 23, 59, 59, tzinfo=ZoneInfo("America/New_York")),
	],
)
def test_a_punch_comes_back_equal_at_every_hour(store: PunchStore, moment: datetime) -> None:
	held = Punch(
		device_serial="A",
		device_user_id="7",
		occurred_at=moment,
		verify_mode=VerifyMode.PALM,
		device_key=DeviceKey.BREAK_OUT,
	)
	store.accept(page(held), "A", None)
	back = next(iter(store.each())).punch
	assert back == held
	assert back.punch_id == held.punch_id
	assert back.occurred_at.fold == moment.fold
	assert back.occurred_at.utcoffset() == moment.utcoffset()


def test_both_passes_of_a_repeated_hour_are_held(store: PunchStore) -> None:
	first = Punch(device_serial="A", device_user_id="7", occurred_at=REPEATED)
	second = dataclasses.replace(first, occurred_at=REPEATED.replace(fold=1))
	assert store.accept(page(second, first), "A", None).new == 2
	assert [held.punch.occurred_at.fold for held in store.each()] == [0, 1]


TEXTS = st.text(st.characters(exclude_categories=()), min_size=1, max_size=64)
TIMEZONES: list[tzinfo] = [BERLIN, ZoneInfo("Asia/Kathmandu"), timezone(-timedelta(hours=9, minutes=30))]


@settings(deadline=None)
@given(
	serial=TEXTS,
	user=TEXTS,
	raw=st.text(st.characters(exclude_categories=())),
	wall=st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),  # wall times
	zone=st.sampled_from(TIMEZONES),
	fold=st.sampled_from([0, 1]),
)
def test_any_punch_comes_back_equal(
	serial: str, user: str, raw: str, wall: datetime, zone: tzinfo, fold: int
) -> None:
	moment = wall.replace(tzinfo=zone, fold=fold, microsecond=0)
	held = Punch(device_serial=serial, device_user_id=user, occurred_at=moment, raw=raw)
	with fresh() as db:
		store = PunchStore(db)
		store.accept(page(held), serial, None)
		assert store.accept(page(held), serial, None) == Accepted(new=0, known=1)
		assert [each.punch for each in store.held(device_serial=serial, device_user_id=user)] == [held]


def test_a_zone_that_this_machine_does_not_know_costs_no_punch(db: Database, store: PunchStore) -> None:
	held = punch("08:00")
	store.accept(page(held), "A", None)
	with db.write() as connection:
		connection.execute("UPDATE punch SET zone = 'Mars/Olympus'")
	back = next(iter(store.each())).punch
	assert back.occurred_at == held.occurred_at
	assert back.punch_id == held.punch_id


def test_the_clock_under_which_a_punch_was_read_stays_with_it(db: Database, store: PunchStore) -> None:
	good = NOW - timedelta(days=2)
	book = DeviceBook(db)
	book.contact(
		"gate", DeviceInfo(serial="A"), at=good, reading=ClockReading(taken_at=good, device_time=good)
	)
	store.accept(page(punch("08:00")), "A", READING)
	later = NOW + timedelta(hours=1)
	book.contact(
		"gate", DeviceInfo(serial="A"), at=later, reading=ClockReading(taken_at=later, device_time=later)
	)
	(observation,) = store.undecided(10)
	assert observation.reading == READING
	assert observation.clock_good_until == good
	assert not observation.time_approved


def test_without_a_look_at_the_clock_there_is_none(store: PunchStore) -> None:
	store.accept(page(punch("08:00")), "A", None)
	(observation,) = store.undecided(10)
	assert observation.reading is None
	assert observation.clock_good_until is None


@pytest.mark.parametrize("year", [1, 9999])
def test_a_terminal_whose_clock_stands_at_an_edge_of_the_calendar(store: PunchStore, year: int) -> None:
	far = datetime(year, 12 if year == 9999 else 1, 31 if year == 9999 else 1, 12, tzinfo=ZoneInfo("UTC"))
	zone = timezone(timedelta(hours=14 if year == 1 else -12))
	reading = ClockReading(taken_at=NOW, device_time=far.replace(tzinfo=zone))
	store.accept(page(punch("08:00")), "A", reading)
	(observation,) = store.undecided(10)
	assert observation.reading is not None
	assert abs(observation.reading.offset) > timedelta(days=365 * 1000)


@pytest.mark.parametrize(
	("now", "reading", "expected"),
	[(NOW, None, NOW), (None, READING, READING.taken_at), (None, None, None), (NOW, READING, NOW)],
)
def test_the_time_of_arrival(
	db: Database, now: datetime | None, reading: ClockReading | None, expected: datetime | None
) -> None:
	store = PunchStore(db, now=(lambda: now) if now else None)
	store.accept(page(punch("08:00")), "A", reading)
	assert [held.received_at for held in store.each()] == [expected]


def test_unreadable_rows_are_held_once(store: PunchStore) -> None:
	rows = (UnreadableRow(raw="00ff", reason="bad_date"), UnreadableRow(raw="\udcff{", reason="bad_record"))
	broken = Page(punches=(punch("08:00"),), cursor=START, unreadable=rows)
	assert store.accept(broken, "A", READING) == Accepted(new=1, known=0, unreadable=2)
	assert store.accept(broken, "A", READING) == Accepted(new=0, known=1, unreadable=0)
	assert store.accept(broken, "B", None).unreadable == 2
	assert store.unreadable_count() == 4
	last, *others = store.unreadable(4)
	assert (last.device_serial, last.raw, last.reason, last.received_at) == (
		"B",
		"\udcff{",
		"bad_record",
		None,
	)
	assert others[-1].received_at == NOW
	assert store.unreadable(1, 3) == others[-1:]


def test_decisions_are_written_beside_the_punch(store: PunchStore) -> None:
	accept(store, punch("08:00"), punch("08:00:20"), punch("09:00", "nobody"))
	decide(store, people=Directory([Person(employee="E1", attendance_device_id="7")]))
	counted, echo, nobody = store.each()
	assert (counted.state, counted.employee, counted.log_type) == (State.PENDING, "E1", "IN")
	assert counted.log_type_reason == "first_of_day"
	assert (echo.state, echo.state_reason, echo.employee, echo.log_type) == (
		State.DUPLICATE,
		"echo",
		"E1",
		None,
	)
	assert (nobody.state, nobody.state_reason, nobody.employee) == (State.UNMAPPED, NO_SUCH_ID, "")
	assert store.undecided(10) == []


def test_a_decision_does_not_overwrite_what_happened_meanwhile(store: PunchStore) -> None:
	pending(store, punch("08:00"))
	assert store.record([Decision(punch=punch("08:00"), state=State.UNMAPPED)], {}) == 0
	assert states(store) == [State.PENDING]


def test_standings_are_the_last_counted_punch_up_to_a_moment(store: PunchStore) -> None:
	accept(store, punch("08:00"), punch("08:00:20"), punch("12:00"), punch("13:00"), punch("08:30", "8"))
	decide(store)
	standings = store.standings(dict.fromkeys(["7", "8", "9"], punch("12:30").occurred_at))
	assert {who: (each.occurred_at, each.log_type) for who, each in standings.items()} == {
		"7": (punch("12:00").occurred_at, "OUT"),
		"8": (punch("08:30").occurred_at, "IN"),
	}
	assert store.standings({"7": punch("08:00").occurred_at})["7"].log_type == "IN"
	assert store.standings({"7": punch("07:59:59").occurred_at}) == {}


def test_held_punches_are_found(store: PunchStore) -> None:
	everything = [punch("08:00"), punch("09:00", "8"), punch("10:00", "7", "B"), punch("11:00", "\udcff")]
	accept(store, *everything)
	decide(store, people=Directory([Person(employee="E1", attendance_device_id="7")]))
	found = {
		"all": store.held(limit=10),
		"some": store.held(limit=2, offset=1),
		"of A": store.held(device_serial="A", limit=10),
		"of 7": store.held(device_user_id="7", limit=10),
		"broken": store.held(device_user_id="\udcff", limit=10),
		"unmapped": store.held(state=State.UNMAPPED, limit=10),
		"both": store.held(state=State.PENDING, device_serial="B", device_user_id="7", limit=10),
		"none": store.held(state=State.IGNORED),
	}
	assert {what: [f"{each.punch.occurred_at:%H}" for each in held] for what, held in found.items()} == {
		"all": ["10", "11", "09", "08"],  # the page of B arrived last
		"some": ["11", "09"],
		"of A": ["11", "09", "08"],
		"of 7": ["10", "08"],
		"broken": ["11"],
		"unmapped": ["11", "09"],
		"both": ["10"],
		"none": [],
	}


def test_each_shows_one_state_of_the_log_and_needs_no_end(store: PunchStore) -> None:
	accept(store, punch("08:00"), punch("09:00"))
	whole, begun = store.each(), store.each()
	next(whole), next(begun)
	accept(store, punch("10:00"))
	assert len(list(whole)) == 1
	begun.close()  # type: ignore[attr-defined]
	assert len(list(store.each())) == 3


def test_counts_follow_every_change(store: PunchStore) -> None:
	assert store.counts() == dict.fromkeys(State, 0)
	accept(store, punch("08:00"), punch("09:00", "8"), punch("10:00", "7", "B"))
	assert store.counts_by_device() == {"A": {State.RECEIVED: 2}, "B": {State.RECEIVED: 1}}
	decide(store, people=Directory([Person(employee="E1", attendance_device_id="7")]))
	assert store.counts_by_device() == {"A": {State.PENDING: 1, State.UNMAPPED: 1}, "B": {State.PENDING: 1}}
	store.reopen(State.UNMAPPED)
	assert store.counts()[State.RECEIVED] == 1
	assert sum(store.counts().values()) == 3


def test_a_page_with_punches_of_two_terminals_is_counted_for_each(store: PunchStore) -> None:
	store.accept(page(punch("08:00"), punch("09:00", "7", "B")), "A", None)
	assert store.counts_by_device() == {"A": {State.RECEIVED: 1}, "B": {State.RECEIVED: 1}}


def test_somebody_who_gets_an_id_gets_their_past_punches(store: PunchStore) -> None:
	accept(store, punch("08:00"), punch("17:00"), punch("09:00", "8"), punch("10:00", "7", "B"))
	decide(store, people=Directory([]))
	people = Directory([Person(employee="E1", attendance_device_id="7"), Person(employee="E2")])
	assert store.reopen_mapped(people, {"B": DevicePolicy(user_id_prefix="B")}) == 2
	decide(store, people=people)
	assert [(held.employee, held.state) for held in store.each()] == [
		("E1", State.PENDING),
		("", State.UNMAPPED),
		("", State.UNMAPPED),
		("E1", State.PENDING),
	]
	assert store.reopen_mapped(people, {"B": DevicePolicy(user_id_prefix="B")}) == 0
	assert store.reopen_mapped(Directory([Person(employee="E3", attendance_device_id="\udcff")])) == 0


def test_an_unmapped_id_that_is_no_unicode_is_found_again(store: PunchStore) -> None:
	accept(store, punch("08:00", "\udcff", "\ud800"))
	decide(store, people=Directory([]))
	assert store.reopen_mapped(Directory([Person(employee="E3", attendance_device_id="\udcff")])) == 1


def test_a_released_time_is_trusted_from_then_on(store: PunchStore) -> None:
	off = ClockReading(taken_at=NOW, device_time=NOW - timedelta(days=3))
	morning, evening = punch("08:00"), punch("17:00")
	store.accept(page(morning, evening), "A", off)
	decide(store)
	assert [(held.state, held.state_reason) for held in store.each()] == [
		(State.QUARANTINED, ClockVerdict.CLOCK_OFF.value)
	] * 2
	assert store.reopen(State.QUARANTINED, punch_id=morning.punch_id, approve_time=True) == 1
	decide(store)
	assert states(store) == [State.PENDING, State.QUARANTINED]
	assert store.reopen(State.QUARANTINED) == 1
	decide(store)
	assert states(store) == [State.PENDING, State.QUARANTINED]
	assert store.reopen(State.QUARANTINED, approve_time=True) == 1
	decide(store)
	assert states(store) == [State.PENDING, State.PENDING]


def test_reopening_finds_only_what_is_in_the_state(store: PunchStore) -> None:
	accept(store, punch("08:00"))
	assert store.reopen(State.REJECTED) == 0
	assert store.reopen(State.UNMAPPED, punch_id=punch("08:00").punch_id) == 0
	assert store.reopen(State.UNMAPPED, punch_id=uuid.uuid4()) == 0


@pytest.mark.parametrize(
	"state", sorted(set(State) - {State.UNMAPPED, State.REJECTED, State.QUARANTINED}, key=str)
)
def test_what_is_on_its_way_or_settled_is_not_reopened(store: PunchStore, state: State) -> None:
	with pytest.raises(ValueError, match="not to be reopened"):
		store.reopen(state)
