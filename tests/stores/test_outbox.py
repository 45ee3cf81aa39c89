"""The outbox, step by step; what any order of steps leads to stands in test_outbox_in_any_order.py."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.ports import Outbox
from attendance_bridge.core.projection import NO_SUCH_ID, State
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.retry import Backoff
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.held import HeldPunch
from attendance_bridge.stores.outbox import Backlog, SqliteOutbox
from attendance_bridge.stores.punches import PunchStore
from tests.stores.samples import NOW, pending, punch

SETTLE = timedelta(seconds=120)
# With chance 1 (which random numbers only come near) the waits are whole: 10, 20, 40 … seconds.
BACKOFF = Backoff(base=timedelta(seconds=10), cap=timedelta(minutes=15))
FIRST, SECOND, THIRD = punch("08:00"), punch("12:00"), punch("17:00")
OTHER = punch("09:00", "8")


@pytest.fixture
def store(db: Database) -> PunchStore:
	return PunchStore(db)


@pytest.fixture
def outbox(db: Database) -> SqliteOutbox:
	return SqliteOutbox(db, settle=SETTLE, backoff=BACKOFF, max_attempts=3, chance=lambda: 1.0)


def receipt(of: Punch, outcome: Outcome, *, code: str = "", in_doubt: bool = False) -> Receipt:
	reference = "CKIN-1" if outcome in (Outcome.ACCEPTED, Outcome.DUPLICATE) else ""
	return Receipt(punch_id=of.punch_id, outcome=outcome, code=code, reference=reference, in_doubt=in_doubt)


def after(seconds: float) -> datetime:
	return NOW + timedelta(seconds=seconds)


def claimed(batch: list[CheckIn]) -> list[tuple[str, bool]]:
	return [(f"{each.punch.occurred_at:%H:%M}", each.in_doubt) for each in batch]


def only(store: PunchStore) -> HeldPunch:
	(held,) = store.each()
	return held


def test_it_is_an_outbox(outbox: SqliteOutbox) -> None:
	port: Outbox = outbox
	assert list(port.claim(10, NOW)) == []


def test_check_ins_leave_oldest_first_by_the_moment_not_the_wall(
	store: PunchStore, outbox: SqliteOutbox
) -> None:
	kathmandu = Punch(
		device_serial="K",
		device_user_id="9",
		occurred_at=punch("08:30").occurred_at.astimezone(ZoneInfo("Asia/Kathmandu")),
	)
	pending(store, THIRD, OTHER, FIRST, kathmandu)
	batch = outbox.claim(10, NOW)
	assert [each.punch for each in batch] == [FIRST, kathmandu, OTHER, THIRD]
	assert (batch[0].employee, batch[0].log_type, batch[0].in_doubt) == ("7", "IN", False)


def test_a_batch_is_no_larger_than_asked(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST, SECOND, OTHER)
	assert claimed(outbox.claim(2, NOW)) == [("08:00", False), ("09:00", False)]


def test_what_is_claimed_is_not_claimed_again_until_it_has_settled(
	store: PunchStore, outbox: SqliteOutbox
) -> None:
	pending(store, FIRST, OTHER)
	outbox.claim(10, NOW)
	assert outbox.claim(10, after(119.999999)) == []
	assert claimed(outbox.claim(10, after(120))) == [("08:00", True), ("09:00", True)]
	assert outbox.claim(10, after(239.999999)) == []


def test_a_claim_outlives_the_process(db: Database, store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST)
	outbox.claim(10, NOW)
	with Database.open(db.path) as reopened:
		after_restart = SqliteOutbox(reopened, settle=SETTLE, backoff=BACKOFF, max_attempts=3)
		assert after_restart.claim(10, after(60)) == []
		assert claimed(after_restart.claim(10, after(120))) == [("08:00", True)]


def test_an_accepted_check_in_is_done(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST)
	outbox.claim(10, NOW)
	outbox.mark([receipt(FIRST, Outcome.ACCEPTED)], NOW)
	held = only(store)
	assert (held.state, held.reference, held.in_doubt) == (State.CHECKED_IN, "CKIN-1", False)
	assert outbox.claim(10, after(9999)) == []


def test_one_that_somebody_else_entered_is_a_duplicate(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST)
	outbox.claim(10, NOW)
	outbox.mark([receipt(FIRST, Outcome.DUPLICATE)], NOW)
	assert (only(store).state, only(store).reference) == (State.DUPLICATE, "CKIN-1")


def test_one_that_we_may_have_sent_before_and_that_is_there_is_ours(
	store: PunchStore, outbox: SqliteOutbox
) -> None:
	pending(store, FIRST)
	outbox.claim(10, NOW)
	outbox.claim(10, after(120))
	outbox.mark([receipt(FIRST, Outcome.DUPLICATE)], after(121))
	assert only(store).state is State.CHECKED_IN


def test_a_doubt_that_was_cleared_up_is_gone(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST)
	outbox.claim(10, NOW)
	outbox.claim(10, after(120))
	outbox.mark([receipt(FIRST, Outcome.RETRY, code="busy")], after(121))
	assert claimed(outbox.claim(10, after(131))) == [("08:00", False)]
	outbox.mark([receipt(FIRST, Outcome.DUPLICATE)], after(132))
	assert only(store).state is State.DUPLICATE


def test_an_unmapped_one_is_nobodys(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST)
	outbox.claim(10, NOW)
	outbox.mark([receipt(FIRST, Outcome.UNMAPPED, code="ValidationError")], NOW)
	held = only(store)
	assert (held.state, held.state_reason, held.error_code) == (
		State.UNMAPPED,
		NO_SUCH_ID,
		"ValidationError",
	)
	assert (held.employee, held.log_type) == ("", None)
	assert store.standings({"7": NOW}) == {}


def test_a_rejected_one_waits_for_a_person(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST)
	outbox.claim(10, NOW)
	outbox.mark([receipt(FIRST, Outcome.REJECTED, code="InactiveEmployeeStatusError")], NOW)
	assert (only(store).state, only(store).error_code) == (State.REJECTED, "InactiveEmployeeStatusError")
	assert outbox.claim(10, after(9999)) == []
	assert store.reopen(State.REJECTED) == 1
	assert (only(store).state, only(store).error_code, only(store).attempts) == (State.RECEIVED, "", 0)


@pytest.mark.parametrize("in_doubt", [False, True])
def test_waits_grow(store: PunchStore, outbox: SqliteOutbox, in_doubt: bool) -> None:
	pending(store, FIRST)
	now = NOW
	waits = []
	for _attempt in range(2):
		outbox.claim(10, now)
		outbox.mark([receipt(FIRST, Outcome.RETRY, code="busy", in_doubt=in_doubt)], now)
		due_at = outbox.next_due(now)
		assert due_at is not None
		waits.append((due_at - now).total_seconds())
		assert outbox.claim(10, due_at - timedelta(microseconds=1)) == []
		now = due_at
	# Either wait must be over: the settling of what is in doubt, and the backoff.
	assert waits == ([120, 120] if in_doubt else [10, 20])
	assert claimed(outbox.claim(10, now)) == [("08:00", in_doubt)]


def test_a_doubtful_wait_can_be_longer_than_settling(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST)
	now = NOW
	for _attempt in range(5):
		outbox.claim(10, now)
		outbox.mark([receipt(FIRST, Outcome.RETRY, in_doubt=True)], now)
		now = outbox.next_due(now) or now
	assert (now - NOW).total_seconds() == 120 + 120 + 120 + 120 + 160


def test_after_enough_certain_answers_it_is_given_up(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST)
	now = NOW
	for in_doubt in (False, True, True, True, False):
		assert outbox.claim(10, now)
		outbox.mark([receipt(FIRST, Outcome.RETRY, code="busy", in_doubt=in_doubt)], now)
		assert only(store).state is State.PENDING
		now += timedelta(hours=1)
	assert outbox.claim(10, now)
	outbox.mark([receipt(FIRST, Outcome.RETRY, code="busy")], now)
	held = only(store)
	assert (held.state, held.error_code, held.attempts) == (State.REJECTED, "busy", 6)


def test_what_is_in_doubt_is_never_given_up(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST)
	now = NOW
	for _attempt in range(20):
		assert outbox.claim(10, now)
		outbox.mark([receipt(FIRST, Outcome.RETRY, code="timeout", in_doubt=True)], now)
		now += timedelta(hours=1)
	assert only(store).state is State.PENDING
	assert only(store).in_doubt


def test_what_was_not_sent_is_due_again_at_once(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST)
	outbox.claim(10, NOW)
	outbox.release([FIRST.punch_id])
	assert not only(store).in_doubt
	assert claimed(outbox.claim(10, NOW)) == [("08:00", False)]


def test_what_was_not_sent_now_but_may_have_been_before_stays_in_doubt(
	store: PunchStore, outbox: SqliteOutbox
) -> None:
	pending(store, FIRST)
	outbox.claim(10, NOW)
	outbox.claim(10, after(120))
	outbox.release([FIRST.punch_id])
	assert only(store).in_doubt
	assert outbox.backlog(after(120)).in_doubt == 1
	assert claimed(outbox.claim(10, after(120))) == [("08:00", True)]


@pytest.mark.parametrize("in_doubt", [False, True])
def test_nobodys_later_check_in_passes_an_earlier_one_that_waits(
	store: PunchStore, outbox: SqliteOutbox, in_doubt: bool
) -> None:
	pending(store, FIRST, SECOND, THIRD, OTHER)
	assert claimed(outbox.claim(2, NOW)) == [("08:00", False), ("09:00", False)]
	outbox.mark([receipt(FIRST, Outcome.RETRY, in_doubt=in_doubt)], NOW)
	outbox.release([OTHER.punch_id])
	assert claimed(outbox.claim(10, after(5))) == [("09:00", False)]
	outbox.mark([receipt(OTHER, Outcome.ACCEPTED)], after(5))
	assert outbox.claim(10, after(9)) == []
	ready = after(120 if in_doubt else 10)
	assert claimed(outbox.claim(10, ready)) == [("08:00", in_doubt), ("12:00", False), ("17:00", False)]


def test_one_that_comes_late_passes_a_later_one_that_waits(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, SECOND)
	outbox.claim(10, NOW)
	outbox.mark([receipt(SECOND, Outcome.RETRY)], NOW)
	pending(store, FIRST, THIRD)
	assert claimed(outbox.claim(10, after(5))) == [("08:00", False)]


def test_the_oldest_of_a_crashed_batch_holds_its_person_back_not_others(
	store: PunchStore, outbox: SqliteOutbox
) -> None:
	pending(store, FIRST, SECOND, OTHER)
	outbox.claim(1, NOW)  # and the process dies here
	assert claimed(outbox.claim(10, after(1))) == [("09:00", False)]
	assert claimed(outbox.claim(10, after(120))) == [("08:00", True), ("12:00", False)]


@pytest.mark.parametrize(
	("first", "second"),
	[pair for pair in itertools.product(Outcome, Outcome) if pair[0] is not Outcome.RETRY],
)
def test_a_second_receipt_changes_nothing(
	store: PunchStore, outbox: SqliteOutbox, first: Outcome, second: Outcome
) -> None:
	pending(store, FIRST)
	outbox.claim(10, NOW)
	outbox.mark([receipt(FIRST, first)], NOW)
	settled = only(store)
	outbox.mark([receipt(FIRST, second, code="later")], after(1))
	outbox.release([FIRST.punch_id])
	assert only(store) == settled


def test_a_late_receipt_for_what_was_released_is_believed(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST)
	outbox.claim(10, NOW)
	outbox.release([FIRST.punch_id])
	outbox.mark([receipt(FIRST, Outcome.ACCEPTED)], NOW)
	assert only(store).state is State.CHECKED_IN


def test_receipts_and_releases_of_unknown_punches_change_nothing(
	store: PunchStore, outbox: SqliteOutbox
) -> None:
	pending(store, FIRST)
	before = only(store)
	unknown = uuid4()
	for outcome in Outcome:
		outbox.mark([Receipt(punch_id=unknown, outcome=outcome)], NOW)
	outbox.release([unknown, FIRST.punch_id])
	outbox.release([])
	outbox.mark([], NOW)
	assert only(store) == before


def test_our_clock_set_back_delays_a_check_in_by_the_longest_wait_at_most(
	store: PunchStore, outbox: SqliteOutbox
) -> None:
	pending(store, FIRST)
	years_ahead = after(3 * 365 * 86400)
	outbox.claim(10, years_ahead)
	outbox.mark([receipt(FIRST, Outcome.RETRY)], years_ahead)
	assert outbox.claim(10, NOW) == []
	assert claimed(outbox.claim(10, NOW + BACKOFF.cap)) == [("08:00", False)]


def test_the_spread_comes_from_the_chance_handed_in(db: Database, store: PunchStore) -> None:
	outbox = SqliteOutbox(db, settle=SETTLE, backoff=BACKOFF, max_attempts=3, chance=lambda: 0.0)
	pending(store, FIRST)
	outbox.claim(10, NOW)
	outbox.mark([receipt(FIRST, Outcome.RETRY)], NOW)
	assert outbox.next_due(NOW) == after(5)


def test_the_backlog(store: PunchStore, outbox: SqliteOutbox) -> None:
	assert outbox.backlog(NOW) == Backlog(waiting=0, due=0, in_doubt=0, oldest_occurred_at=None)
	assert outbox.next_due(NOW) is None
	pending(store, FIRST, SECOND, THIRD, OTHER)
	oldest = FIRST.occurred_at
	assert outbox.backlog(NOW) == Backlog(waiting=4, due=4, in_doubt=0, oldest_occurred_at=oldest)
	assert outbox.next_due(NOW) == NOW
	outbox.claim(1, NOW)
	assert outbox.backlog(NOW) == Backlog(waiting=4, due=1, in_doubt=1, oldest_occurred_at=oldest)
	outbox.claim(10, NOW)
	outbox.mark([receipt(OTHER, Outcome.ACCEPTED)], NOW)
	assert outbox.backlog(NOW) == Backlog(waiting=3, due=0, in_doubt=1, oldest_occurred_at=oldest)
	assert outbox.next_due(NOW) == after(120)
	assert outbox.backlog(after(120)).due == 3
	assert outbox.next_due(after(120)) == after(120)


def test_nothing_is_lost_when_one_receipt_cannot_be_written(store: PunchStore, outbox: SqliteOutbox) -> None:
	pending(store, FIRST, OTHER)
	outbox.claim(10, NOW)
	wrong = Receipt(punch_id=UUID(int=0), outcome=Outcome.ACCEPTED, reference=object())  # type: ignore[arg-type]
	with pytest.raises(AttributeError):
		outbox.mark([receipt(FIRST, Outcome.ACCEPTED), wrong], NOW)
	assert [held.state for held in store.each()] == [State.PENDING, State.PENDING]
	outbox.mark([receipt(FIRST, Outcome.ACCEPTED)], NOW)
	assert [held.state for held in store.each()] == [State.CHECKED_IN, State.PENDING]
