"""The made-up factory: reproducible, and as untidy as it promises."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import astuple
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode
from attendance_bridge.simulators.workforce import Identification, Workforce, build

LAST_DAY = date(2026, 10, 31)
FIRST_DAY = date(2026, 10, 2)


@pytest.fixture(scope="module")
def factory() -> Workforce:
	return build(people=50, days=30, seed=1, last_day=LAST_DAY)


@pytest.fixture(scope="module")
def first(factory: Workforce) -> tuple[Identification, ...]:
	return factory.at_terminal(1, 2)


@pytest.fixture(scope="module")
def second(factory: Workforce) -> tuple[Identification, ...]:
	return factory.at_terminal(2, 2)


def test_it_is_the_same_everywhere_and_for_ever() -> None:
	factory = build(people=12, days=10, seed=2026, last_day=LAST_DAY)
	told = hashlib.sha256()
	for worker in factory.workers:
		told.update("|".join(map(str, astuple(worker))).encode())
	for each in factory.at_terminal(1, 2) + factory.at_terminal(2, 2):
		modes = f"{each.verify_mode.value}|{each.device_key.value}"
		told.update(f"{each.device_user_id}|{each.wall_time}|{modes}".encode())
	assert told.hexdigest() == "63706dc494018c802da6031adbbc4434f872334440ab970b2b33ba2b244f0368"


def test_another_seed_is_another_factory(factory: Workforce) -> None:
	assert build(people=50, days=30, seed=2, last_day=LAST_DAY).at_terminal(1, 2) != factory.at_terminal(1, 2)


def test_it_has_the_promised_size(
	factory: Workforce, first: tuple[Identification, ...], second: tuple[Identification, ...]
) -> None:
	assert len(factory.workers) == 50
	assert len(first) + len(second) > 5000
	assert min(len(first), len(second)) > 1000


def test_every_identification_is_on_exactly_one_terminal(factory: Workforce) -> None:
	alone = Counter(each.device_user_id for each in factory.at_terminal(1, 1))
	shared = Counter(each.device_user_id for number in (1, 2, 3) for each in factory.at_terminal(number, 3))
	assert shared == alone


def test_no_terminal_records_one_person_twice_in_a_second(factory: Workforce) -> None:
	for number in (1, 2):
		recorded = factory.at_terminal(number, 2)
		assert len({(each.device_user_id, each.wall_time) for each in recorded}) == len(recorded)


def test_ids_are_texts_of_digits_and_belong_to_one_worker_each(factory: Workforce) -> None:
	ids = [worker.device_user_id for worker in factory.workers]
	assert len(set(ids)) == len(ids)
	assert {"7", "007"} <= set(ids)
	assert sum(each.startswith("0") for each in ids) > 2
	assert all(each.isdigit() and len(each) <= 9 for each in ids)
	assert len({worker.card for worker in factory.workers}) == len(ids)
	assert len({worker.employee for worker in factory.workers}) == len(ids)


def test_both_of_the_people_called_seven_are_seen(
	first: tuple[Identification, ...], second: tuple[Identification, ...]
) -> None:
	seen = {each.device_user_id for each in first + second}
	assert {"7", "007"} <= seen


def test_names_come_in_four_scripts(factory: Workforce) -> None:
	names = "".join(worker.full_name for worker in factory.workers)
	for low, high in (("A", "z"), ("\u0600", "\u06ff"), ("\u4e00", "\u9fff"), ("\u0900", "\u097f")):
		assert any(low <= letter <= high for letter in names)


def test_the_inactive_are_not_seen_and_the_left_only_until_half_way(factory: Workforce) -> None:
	status = {worker.device_user_id: worker.status for worker in factory.workers}
	assert Counter(status.values()) == {"Active": 46, "Left": 2, "Inactive": 2}
	half_way = datetime(2026, 10, 18)  # wall time
	recorded = [each for each in factory.at_terminal(1, 1) if 2000 < each.wall_time.year < 2099]
	assert not [each for each in recorded if status.get(each.device_user_id) == "Inactive"]
	left = [each.wall_time for each in recorded if status.get(each.device_user_id) == "Left"]
	assert left
	assert max(left) < half_way


def test_some_ids_belong_to_nobody(factory: Workforce, first: tuple[Identification, ...]) -> None:
	known = {worker.device_user_id for worker in factory.workers}
	strangers = {each.device_user_id for each in first} - known
	assert strangers
	assert "1012" not in known  # but "0001012" is
	assert "0001012" in known


def test_people_press_keys_on_the_second_terminal_only(
	first: tuple[Identification, ...], second: tuple[Identification, ...]
) -> None:
	def undefined(recorded: tuple[Identification, ...]) -> float:
		return sum(each.device_key is DeviceKey.UNDEFINED for each in recorded) / len(recorded)

	assert 0.9 < undefined(first) < 1
	assert 0 < undefined(second) < 0.1


def test_now_and_then_the_wrong_key_is_pressed(second: tuple[Identification, ...]) -> None:
	before_eight = [each for each in second if each.wall_time.hour == 7 and each.wall_time.minute > 40]
	keys = Counter(each.device_key for each in before_eight)
	assert keys[DeviceKey.CHECK_IN] > 10 * keys[DeviceKey.CHECK_OUT] > 0


def test_verify_modes_vary(first: tuple[Identification, ...], second: tuple[Identification, ...]) -> None:
	assert {each.verify_mode for each in first + second} == set(VerifyMode) - {VerifyMode.UNKNOWN}


def test_a_power_cut_sends_the_last_terminal_back_to_2000(
	first: tuple[Identification, ...], second: tuple[Identification, ...]
) -> None:
	reset = [position for position, each in enumerate(second) if each.wall_time.year == 2000]
	assert len(reset) > 10
	assert reset == list(range(reset[0], reset[-1] + 1)), "recorded one after the other"
	assert 0 < reset[0] < reset[-1] < len(second) - 1
	assert {second[position].wall_time.date() for position in reset} == {date(2000, 1, 1)}
	assert not [each for each in first if each.wall_time.year == 2000]


def test_one_record_of_the_first_terminal_is_from_2099(
	first: tuple[Identification, ...], second: tuple[Identification, ...]
) -> None:
	assert [each.wall_time.year for each in first].count(2099) == 1
	assert 2099 not in {each.wall_time.year for each in second}


def test_under_a_right_clock_the_order_of_recording_is_the_order_of_time(
	first: tuple[Identification, ...], second: tuple[Identification, ...]
) -> None:
	for recorded in (first, second):
		right = [each.wall_time for each in recorded if each.wall_time.year == 2026]
		assert right == sorted(right)
		assert right[0].date() == FIRST_DAY
		assert right[-1].date() == LAST_DAY


def test_some_punch_twice_within_seconds(first: tuple[Identification, ...]) -> None:
	gaps = [
		after.wall_time - before.wall_time
		for before, after in pairwise(first)
		if before.device_user_id == after.device_user_id
	]
	echoes = [gap for gap in gaps if gap < timedelta(seconds=10)]
	assert len(echoes) > len(first) / 40


def test_night_shifts_run_over_midnight_and_some_outs_are_forgotten(factory: Workforce) -> None:
	night = {worker.device_user_id for worker in factory.workers if worker.shift == "Night Shift"}
	recorded = [each for each in factory.at_terminal(1, 1) if each.device_user_id in night]
	arrived = sum(21 <= each.wall_time.hour <= 22 for each in recorded)
	gone = sum(5 <= each.wall_time.hour <= 9 for each in recorded)
	assert gone > 100
	assert arrived > gone


def test_everything_recorded_can_be_a_punch(first: tuple[Identification, ...]) -> None:
	for each in first:
		Punch(
			device_serial="A",
			device_user_id=each.device_user_id,
			occurred_at=each.wall_time.replace(tzinfo=ZoneInfo("Asia/Dubai")),
			verify_mode=each.verify_mode,
			device_key=each.device_key,
		)


def test_the_smallest_factory_works() -> None:
	factory = build(people=1, days=1, seed=5, last_day=LAST_DAY)
	assert len(factory.workers) == 1
	factory.at_terminal(1, 1)


@pytest.mark.parametrize(("people", "days"), [(0, 1), (1, 0), (50_001, 1)])
def test_an_impossible_factory_is_refused(people: int, days: int) -> None:
	with pytest.raises(ValueError, match="factory"):
		build(people=people, days=days, seed=1, last_day=LAST_DAY)


@pytest.mark.parametrize(("number", "of"), [(0, 2), (3, 2), (1, 0)])
def test_a_terminal_that_is_not_there_is_refused(factory: Workforce, number: int, of: int) -> None:
	with pytest.raises(ValueError, match="counted from 1"):
		factory.at_terminal(number, of)
