"""What the log and the outbox do for an upstream that decides by itself."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import START
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.driver import DeviceInfo, Page, UnreadableRow
from attendance_bridge.core.person import Directory
from attendance_bridge.core.projection import Rules, State, project
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.retry import Backoff
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=timezone.utc)


def punches(number: int, serial: str = "T1") -> tuple[Punch, ...]:
	"""One an hour, the last one an hour ago."""
	return tuple(
		Punch(device_serial=serial, device_user_id="7", occurred_at=NOW - timedelta(hours=number - each))
		for each in range(number)
	)


@pytest.fixture
def store(db: Database) -> PunchStore:
	return PunchStore(db)


@pytest.fixture
def outbox(db: Database) -> SqliteOutbox:
	backoff = Backoff(base=timedelta(minutes=1))
	return SqliteOutbox(db, settle=timedelta(0), backoff=backoff, max_attempts=None, chance=lambda: 1.0)


def hold(store: PunchStore, *held: Punch, unreadable: tuple[UnreadableRow, ...] = ()) -> None:
	reading = ClockReading(taken_at=NOW, device_time=NOW + timedelta(seconds=3))
	store.accept(Page(punches=held, cursor=START, unreadable=unreadable), "T1", reading)


def put_off(check_in: CheckIn) -> Receipt:
	return Receipt(punch_id=check_in.punch.punch_id, outcome=Outcome.RETRY, code="unknown_device")


def test_punches_leave_raw_in_order_of_time_with_their_clock(
	db: Database, store: PunchStore, outbox: SqliteOutbox
) -> None:
	DeviceBook(db).contact("Old name", DeviceInfo(serial="T1"), at=NOW - timedelta(days=9))
	DeviceBook(db).contact("Main gate", DeviceInfo(serial="T1"), at=NOW)
	held = punches(3)
	hold(store, held[2], held[0], held[1])
	assert store.hand_on(2) == 2
	claimed = outbox.claim(10, NOW)
	assert [each.punch for each in claimed] == list(held[:2])
	assert {(each.employee, each.log_type, each.device) for each in claimed} == {("", None, "Main gate")}
	assert {each.reading and each.reading.offset for each in claimed} == {timedelta(seconds=3)}


def test_one_that_waits_keeps_no_other_waiting(store: PunchStore, outbox: SqliteOutbox) -> None:
	hold(store, *punches(3))
	store.hand_on(10)
	first, *others = outbox.claim(10, NOW)
	outbox.mark([put_off(first)], NOW)
	outbox.release(each.punch.punch_id for each in others)
	assert [each.punch for each in outbox.claim(10, NOW)] == [each.punch for each in others]
	backlog = outbox.backlog(NOW)
	assert (backlog.waiting, backlog.due) == (3, 2)


def test_nothing_is_given_up_and_all_can_be_hurried(store: PunchStore, outbox: SqliteOutbox) -> None:
	hold(store, *punches(1))
	store.hand_on(10)
	now = NOW
	for _time in range(50):
		(claimed,) = outbox.claim(10, now)
		outbox.mark([put_off(claimed)], now)
		now += timedelta(hours=1)
	(claimed,) = outbox.claim(10, now)
	outbox.mark([put_off(claimed)], now)
	assert outbox.claim(10, now) == []
	assert outbox.hurry("busy") == 0
	assert outbox.hurry("unknown_device") == 1
	assert len(outbox.claim(10, now)) == 1


def test_what_the_upstream_made_of_a_punch_is_kept(store: PunchStore, outbox: SqliteOutbox) -> None:
	hold(store, *punches(4))
	store.hand_on(10)
	claimed = outbox.claim(10, NOW)
	ids = [each.punch.punch_id for each in claimed]
	outbox.mark(
		[
			Receipt(
				punch_id=ids[0],
				outcome=Outcome.DUPLICATE,
				state=State.CHECKED_IN,
				reference="EMP-CKIN-1",
				employee="HR-EMP-1",
				log_type=LogType.IN,
				log_type_reason="first_of_day",
			),
			Receipt(punch_id=ids[1], outcome=Outcome.ACCEPTED, state=State.QUARANTINED, code="clock_off"),
			Receipt(punch_id=ids[2], outcome=Outcome.REJECTED, state=State.REJECTED, code="refused"),
			Receipt(punch_id=ids[3], outcome=Outcome.ACCEPTED, state=State.DELIVERED),
		],
		NOW,
	)
	held = list(store.each())
	assert [(each.state, each.state_reason, each.error_code) for each in held] == [
		(State.CHECKED_IN, "", ""),
		(State.QUARANTINED, "clock_off", ""),
		(State.REJECTED, "", "refused"),
		(State.DELIVERED, "", ""),
	]
	assert (held[0].employee, held[0].log_type, held[0].log_type_reason, held[0].reference) == (
		"HR-EMP-1",
		LogType.IN,
		"first_of_day",
		"EMP-CKIN-1",
	)
	assert store.counts()[State.DELIVERED] == 1
	assert store.waiting_since() == {}
	# It has seen them: they are not its affair once more when the agent starts again.
	assert store.take_back_untold() == 0


def test_what_waits_is_told_by_terminal(store: PunchStore, outbox: SqliteOutbox) -> None:
	hold(store, *punches(2), *punches(5, "T2"))
	store.hand_on(3)
	assert store.waiting_since() == {"T1": NOW - timedelta(hours=2), "T2": NOW - timedelta(hours=5)}


def test_what_was_only_decided_here_is_taken_back_for_an_upstream_that_decides(store: PunchStore) -> None:
	hold(store, *punches(2))
	observations = store.undecided(10)
	store.record(project(observations, Directory(()), {}, {}, Rules()), {})
	assert store.counts()[State.UNMAPPED] == 2
	assert store.take_back_untold() == 2
	assert store.counts()[State.RECEIVED] == 2


def test_unreadable_records_are_told_once(store: PunchStore) -> None:
	rows = tuple(UnreadableRow(raw=f"{number}", reason="bad_date") for number in range(3))
	hold(store, unreadable=rows)
	assert store.untold("T2", 10) == []
	assert store.untold("T1", 2) == list(rows[:2])
	store.mark_told("T1", rows[:2])
	assert store.untold("T1", 10) == [rows[2]]
	hold(store, unreadable=rows)
	assert store.untold("T1", 10) == [rows[2]]
