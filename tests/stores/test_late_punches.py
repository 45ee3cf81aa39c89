"""Decisions come out as if the punches had arrived in order, except that nothing sent is changed."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from attendance_bridge.core.person import Directory, Everybody, Person
from attendance_bridge.core.projection import Observation, Rules, State, project
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.retry import Backoff
from attendance_bridge.core.upstream import Outcome, Receipt
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore
from tests.stores.samples import DAY, NOW, accept, decide, fresh, log_types, punch


def outbox_of(db: Database) -> SqliteOutbox:
	return SqliteOutbox(db, settle=timedelta(seconds=120), backoff=Backoff(), max_attempts=3)


def deliver(db: Database) -> None:
	outbox = outbox_of(db)
	while batch := outbox.claim(100, NOW):
		outbox.mark([Receipt(punch_id=each.punch.punch_id, outcome=Outcome.ACCEPTED) for each in batch], NOW)


def test_a_late_punch_turns_around_what_was_not_sent(db: Database) -> None:
	store = PunchStore(db)
	accept(store, punch("12:00"), punch("13:00"), punch("18:00"))
	decide(store)
	assert log_types(store) == {"12:00": "IN", "13:00": "OUT", "18:00": "IN"}
	accept(store, punch("08:00", serial="B"))
	assert decide(store) == 2
	assert log_types(store) == {"08:00": "IN", "12:00": "OUT", "13:00": "IN", "18:00": "OUT"}


def test_what_was_sent_stands_and_so_does_what_follows_it(db: Database) -> None:
	store = PunchStore(db)
	accept(store, punch("12:00"))
	decide(store)
	deliver(db)
	accept(store, punch("18:00"))
	decide(store)
	accept(store, punch("08:00", serial="B"), punch("10:00", serial="B"))
	decide(store)
	assert log_types(store) == {"08:00": "IN", "10:00": "OUT", "12:00": "IN", "18:00": "OUT"}


def test_what_is_in_flight_stands_and_what_was_released_does_not(db: Database) -> None:
	store, outbox = PunchStore(db), outbox_of(db)
	accept(store, punch("12:00"))
	decide(store)
	outbox.claim(1, NOW)
	accept(store, punch("08:00", serial="B"))
	decide(store)
	assert log_types(store) == {"08:00": "IN", "12:00": "IN"}
	outbox.release([punch("12:00").punch_id])
	accept(store, punch("09:00", serial="B"))
	decide(store)
	assert log_types(store) == {"08:00": "IN", "09:00": "OUT", "12:00": "IN"}
	accept(store, punch("07:00", serial="B"))
	decide(store)
	assert log_types(store) == {"07:00": "IN", "08:00": "OUT", "09:00": "IN", "12:00": "OUT"}


def test_a_batch_over_many_hours_reckons_with_what_was_sent_in_between(db: Database) -> None:
	store = PunchStore(db)
	accept(store, punch("09:00"), punch("12:00"))
	decide(store)
	deliver(db)
	accept(store, punch("08:00", serial="B"), punch("18:00", serial="B"))
	assert decide(store) == 2
	# Carried on from 08:00 alone, 18:00 would be an OUT.
	assert log_types(store) == {"08:00": "IN", "09:00": "IN", "12:00": "OUT", "18:00": "IN"}


def test_one_persons_early_punch_does_not_hide_another_ones_standing(db: Database) -> None:
	store = PunchStore(db)
	accept(store, punch("08:00", "8"))
	decide(store)
	deliver(db)
	accept(store, punch("07:00", "7", "B"), punch("17:00", "8", "B"))
	decide(store)
	assert log_types(store) == {"07:00": "IN", "08:00": "IN", "17:00": "OUT"}


def test_an_echo_is_looked_at_again(db: Database) -> None:
	store = PunchStore(db)
	accept(store, punch("08:00:30"), punch("08:01:20"))
	decide(store)
	assert log_types(store) == {"08:00:30": "IN", "08:01:20": "duplicate"}
	accept(store, punch("08:00", serial="B"))
	decide(store)
	assert log_types(store) == {"08:00": "IN", "08:00:30": "duplicate", "08:01:20": "OUT"}


def test_the_same_second_on_two_terminals_is_an_echo_whichever_came_first(db: Database) -> None:
	store = PunchStore(db)
	accept(store, punch("08:00", serial="A"))
	decide(store)
	accept(store, punch("08:00", serial="B"))
	assert decide(store) == 1
	assert sorted(state.value for state in (held.state for held in store.each())) == ["duplicate", "pending"]


def test_a_person_with_two_ids_has_one_day(db: Database) -> None:
	people = Directory(
		[Person(employee="E1", attendance_device_id="7"), Person(employee="E1", attendance_device_id="B7")]
	)
	store = PunchStore(db)
	accept(store, punch("12:00", "7"))
	decide(store, people=people)
	accept(store, punch("08:00", "B7", "B"))
	decide(store, people=people)
	assert log_types(store) == {"08:00": "IN", "12:00": "OUT"}


# A few people and terminals, moments close enough for echoes and far enough for new days; no two punches of
# somebody in the same second, whose order nobody could tell.
MOMENTS = st.lists(
	st.tuples(st.sampled_from("789"), st.integers(0, 40 * 60), st.sampled_from("AB")),
	max_size=40,
	unique_by=lambda made: made[:2],
)


def made(user: str, minute: int, serial: str) -> Punch:
	moment = DAY + timedelta(seconds=40 * minute * 2)
	return Punch(device_serial=serial, device_user_id=user, occurred_at=moment)


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_any_order_of_arrival_leads_to_the_same_decisions(
	moments: list[tuple[str, int, str]], page_size: int, limit: int, chance: random.Random
) -> None:
	punches = [made(*each) for each in moments]
	in_order = {
		decision.punch: (decision.state, decision.log_type)
		for decision in project([Observation(punch=each) for each in punches], Everybody(), {}, {}, Rules())
	}
	chance.shuffle(punches)
	with fresh() as db:
		store = PunchStore(db)
		for start in range(0, len(punches), page_size):
			accept(store, *punches[start : start + page_size])
			decide(store, limit=limit)
		assert {held.punch: (held.state, held.log_type) for held in store.each()} == in_order


@settings(max_examples=40, deadline=None)
@given(MOMENTS, st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_whatever_is_sent_when_each_decision_rests_on_the_counted_punch_before_it(
	moments: list[tuple[str, int, str]], page_size: int, limit: int, chance: random.Random
) -> None:
	punches = [made(*each) for each in moments]
	chance.shuffle(punches)
	sent: dict[Punch, object] = {}
	with fresh() as db:
		store = PunchStore(db)
		for start in range(0, len(punches), page_size):
			accept(store, *punches[start : start + page_size])
			decide(store, limit=limit)
			if chance.random() < 0.5:
				sent |= {
					held.punch: held.log_type for held in store.held(state=State.PENDING, limit=len(punches))
				}
				deliver(db)
		rows = list(store.each())
	assert {held.punch: held.log_type for held in rows if held.state is State.CHECKED_IN} == sent
	rules, last = Rules(), {}
	for held in rows:
		before = last.get(held.employee)
		if held.state is State.PENDING:
			longest = max(rules.debounce.window, rules.direction.working_day)
			gap = held.punch.occurred_at - before.punch.occurred_at if before else longest * 2
			opens = before is None or gap > rules.direction.working_day or before.log_type == "OUT"
			assert held.log_type == ("IN" if opens else "OUT")
		if held.log_type:
			last[held.employee] = held
