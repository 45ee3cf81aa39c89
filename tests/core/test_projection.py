from __future__ import annotations

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.direction import DeviceRole, LogType, Standing
from attendance_bridge.core.person import Directory, Everybody, Person
from attendance_bridge.core.projection import (
	Decision,
	DevicePolicy,
	Observation,
	Rules,
	State,
	project,
)
from attendance_bridge.core.punch import DeviceKey, Punch

DUBAI = ZoneInfo("Asia/Dubai")
DAY = datetime(2026, 11, 19, 0, 0, tzinfo=DUBAI)
READ_AT = datetime(2026, 11, 20, 9, 0, tzinfo=DUBAI)
PEOPLE = Directory(
	[
		Person(employee="E1", attendance_device_id="7"),
		Person(employee="E2", attendance_device_id="007"),
		Person(employee="E3", attendance_device_id="B7"),
	]
)


def at(clock: str, user: str = "7", serial: str = "A", key: DeviceKey = DeviceKey.UNDEFINED) -> Observation:
	hour, minute, second = map(int, clock.split(":"))
	moment = DAY + timedelta(hours=hour, minutes=minute, seconds=second)
	punch = Punch(device_serial=serial, device_user_id=user, occurred_at=moment, device_key=key)
	return Observation(punch=punch, reading=ClockReading(taken_at=READ_AT, device_time=READ_AT))


def decided(
	observations: list[Observation],
	policies: dict[str, DevicePolicy] | None = None,
	standings: dict[str, Standing] | None = None,
) -> list[Decision]:
	return list(project(observations, PEOPLE, policies or {}, standings or {}, Rules()))


def short(decisions: list[Decision]) -> list[str]:
	return [
		f"{d.employee} {d.log_type.value}" if d.log_type else f"{d.state.value} {d.state_reason}"
		for d in decisions
	]


def test_a_day_at_two_doors() -> None:
	day = [at("08:00:00"), at("12:00:00", serial="B"), at("12:31:00", serial="B"), at("17:00:00")]
	assert short(decided(day)) == ["E1 IN", "E1 OUT", "E1 IN", "E1 OUT"]


def test_leading_zeros_are_another_person() -> None:
	assert short(decided([at("08:00:00", "7"), at("08:00:01", "007")])) == ["E1 IN", "E2 IN"]


def test_the_same_number_on_another_terminal_can_be_another_person() -> None:
	policies = {"B": DevicePolicy(user_id_prefix="B")}
	decisions = decided([at("08:00:00", serial="A"), at("08:00:01", serial="B")], policies)
	assert short(decisions) == ["E1 IN", "E3 IN"]


def test_an_echo_is_held_but_makes_no_check_in_and_turns_nothing_around() -> None:
	assert short(decided([at("08:00:00"), at("08:00:04"), at("17:00:00")])) == [
		"E1 IN",
		"duplicate echo",
		"E1 OUT",
	]


def test_an_hour_apart_in_the_repeated_hour_is_no_echo() -> None:
	berlin = ZoneInfo("Europe/Berlin")
	passes = [
		Observation(punch=Punch(device_serial="A", device_user_id="7", occurred_at=moment))
		for moment in (
			datetime(2026, 10, 25, 2, 30, 0, tzinfo=berlin),
			datetime(2026, 10, 25, 2, 30, 20, tzinfo=berlin, fold=1),
		)
	]
	assert short(decided(passes)) == ["E1 IN", "E1 OUT"]


def test_unknown_ids_wait_for_their_person() -> None:
	assert short(decided([at("08:00:00", "99")])) == ["unmapped no_such_id"]


def test_two_people_with_one_id_get_none_of_its_punches() -> None:
	twins = Directory(
		[
			Person(employee="E1", attendance_device_id="7"),
			Person(employee="E9", attendance_device_id="7"),
		]
	)
	(decision,) = project([at("08:00:00")], twins, {}, {}, Rules())
	assert decision.state is State.UNMAPPED


def test_a_time_in_doubt_is_quarantined_until_somebody_releases_it() -> None:
	reset = Punch(device_serial="A", device_user_id="7", occurred_at=datetime(2000, 1, 1, 8, tzinfo=DUBAI))
	(held,) = decided([Observation(punch=reset)])
	assert (held.state, held.state_reason) == (State.QUARANTINED, "before_time")
	(released,) = decided([Observation(punch=reset, time_approved=True)])
	assert released.state is State.PENDING


def test_yesterdays_standing_carries_over_midnight() -> None:
	standing = {"E1": Standing(occurred_at=DAY - timedelta(hours=2), log_type=LogType.IN)}
	assert short(decided([at("06:00:00")], standings=standing)) == ["E1 OUT"]


def test_a_ledger_without_people_takes_everybody() -> None:
	(decision,) = project([at("08:00:00", "unheard-of")], Everybody(), {}, {}, Rules())
	assert decision.employee == "unheard-of"


@given(st.lists(st.integers(0, 86_399), min_size=1, max_size=30, unique=True), st.randoms())
def test_the_order_of_arrival_changes_nothing(seconds: list[int], chance: random.Random) -> None:
	day = [at(f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}") for s in seconds]
	shuffled = list(day)
	chance.shuffle(shuffled)
	assert decided(day) == decided(shuffled)


@pytest.mark.parametrize("role", list(DeviceRole))
@given(seconds=st.lists(st.integers(0, 86_399), min_size=1, max_size=30, unique=True))
def test_every_observation_gets_one_decision(role: DeviceRole, seconds: list[int]) -> None:
	day = [at(f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}") for s in seconds]
	decisions = decided(day, {"A": DevicePolicy(role=role)})
	assert {d.punch.punch_id for d in decisions} == {o.punch.punch_id for o in day}
	assert len(decisions) == len(day)
