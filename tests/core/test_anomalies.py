"""Punches at two places at once, and punches that keep coming together."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendance_bridge.core.anomalies.places import (
	Place,
	TravelRules,
	Visit,
	find_unreachable,
	kilometres,
)
from attendance_bridge.core.anomalies.together import (
	DayTogether,
	TogetherRules,
	Touch,
	find_patterns,
	look_at_day,
)
from attendance_bridge.core.punch import VerifyMode

START = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)
MONDAY = date(2026, 3, 2)
NORTH, SOUTH, NOWHERE = Place(site="North"), Place(site="South"), Place()
EXACT = TravelRules(clock_error=timedelta(0))


def visit(minute: float, place: Place, device: str | None = None) -> Visit:
	return Visit(
		punch=f"{minute}",
		device=device or place.site or str(place.position),
		at=START + timedelta(minutes=minute),
		place=place,
	)


class TestPlaces:
	@pytest.mark.parametrize(
		("minutes", "rules", "found"),
		[
			(9.9, EXACT, True),  # below the 10 minutes that a way takes at least
			(10, EXACT, False),
			(5.9, TravelRules(), True),  # 5.9 + 2 clocks that may be off by 2 minutes = 9.9
			(6, TravelRules(), False),
			(0, TravelRules(), True),
			(0, TravelRules(least=timedelta(0)), False),  # switched off
		],
	)
	def test_two_sites(self, minutes: float, rules: TravelRules, found: bool) -> None:
		assert bool(find_unreachable([visit(0, NORTH), visit(minutes, SOUTH)], rules)) is found

	def test_a_known_distance_counts_instead(self) -> None:
		# One degree of latitude: 6371 km * pi / 180 = 111.19 km, at 100 km/h 1:06:43
		one, other = Place(position=(25.0, 55.0)), Place(position=(26.0, 55.0))
		assert kilometres((25.0, 55.0), (26.0, 55.0)) == pytest.approx(111.19, abs=0.01)
		(pair,) = find_unreachable([visit(0, one), visit(66, other)], EXACT)
		assert pair.takes == pytest.approx(timedelta(hours=1.1119), abs=timedelta(seconds=1))
		assert find_unreachable([visit(0, one), visit(67, other)], EXACT) == []

	def test_two_names_for_one_yard(self) -> None:
		gate = Place(site="Gate", position=(25.0, 55.0))
		hall = Place(site="Hall", position=(25.001, 55.0))  # 111 m
		assert find_unreachable([visit(0, gate), visit(0.1, hall)], EXACT) == []

	def test_across_the_date_line(self) -> None:
		assert kilometres((0.0, 179.999), (0.0, -179.999)) < 1

	def test_a_punch_at_an_unknown_place_does_not_hide_a_pair(self) -> None:
		visits = [visit(0, NORTH), visit(1, NOWHERE, device="?"), visit(2, SOUTH)]
		assert len(find_unreachable(visits, EXACT)) == 1

	def test_there_and_back_are_two(self) -> None:
		assert len(find_unreachable([visit(0, NORTH), visit(1, SOUTH), visit(2, NORTH)], EXACT)) == 2


VISITS = st.lists(
	st.builds(
		visit,
		st.integers(0, 600),
		st.sampled_from(
			[NORTH, SOUTH, NOWHERE, Place(site="North", position=(25.0, 55.0)), Place(position=(25.5, 55.0))]
		),
	),
	max_size=12,
	unique_by=lambda each: each.at,
)


@settings(max_examples=60, deadline=None)
@given(VISITS, st.randoms(use_true_random=False))
def test_pairs_do_not_depend_on_order_or_on_the_day(visits: list[Visit], random: object) -> None:
	found = find_unreachable(visits, EXACT)
	shuffled = list(visits)
	random.shuffle(shuffled)  # type: ignore[attr-defined]
	assert find_unreachable(shuffled, EXACT) == found
	for pair in found:
		assert pair.apart < pair.takes
		assert pair.earlier.place != pair.later.place
		assert pair.earlier.device != pair.later.device


@settings(max_examples=40, deadline=None)
@given(VISITS)
def test_one_site_never_makes_a_pair(visits: list[Visit]) -> None:
	at_one_site = [visit(0, NORTH) for _ in visits]
	assert find_unreachable(at_one_site, EXACT) == []


@settings(max_examples=40, deadline=None)
@given(VISITS)
def test_who_takes_more_time_is_found_less(visits: list[Visit]) -> None:
	assert len(find_unreachable(visits, TravelRules())) <= len(find_unreachable(visits, EXACT))


def touch(
	person: str, second: float, *, day: int = 0, device: str = "gate", mode: VerifyMode = VerifyMode.CARD
) -> Touch:
	at = START + timedelta(days=day, seconds=second)
	return Touch(f"{person}-{day}-{second}-{device}", person, device, at, mode)


def days(*of_each: list[Touch], rules: TogetherRules | None = None) -> list[DayTogether]:
	return [
		look_at_day(MONDAY + timedelta(days=number), touches, rules or TogetherRules())
		for number, touches in enumerate(of_each)
	]


def two(day: int, gap: float = 3, **values: object) -> list[Touch]:
	return [touch("ada", 0, day=day), touch("ben", gap, day=day, **values)]  # type: ignore[arg-type]


class TestTogether:
	def test_five_days_in_a_row(self) -> None:
		(pattern,) = find_patterns(days(*(two(day) for day in range(5))), TogetherRules())
		assert pattern.couple == ("ada", "ben")
		assert pattern.dates == tuple(MONDAY + timedelta(days=day) for day in range(5))
		assert len(pattern.punches) == 10
		assert pattern.contradicted == ()

	def test_four_are_not_enough_unless_something_contradicts(self) -> None:
		found = days(*(two(day) for day in range(4)))
		assert find_patterns(found, TogetherRules()) == []
		(pattern,) = find_patterns(found, TogetherRules(), {("ben", MONDAY)})
		assert pattern.contradicted == (MONDAY,)
		# (5 + 1) // 2 = 3
		assert len(find_patterns(found[:3], TogetherRules(), {("ben", MONDAY)})) == 1
		assert find_patterns(found[:2], TogetherRules(), {("ben", MONDAY)}) == []

	@pytest.mark.parametrize(
		"mode", [VerifyMode.FACE, VerifyMode.FINGER, VerifyMode.PALM, VerifyMode.MULTIPLE]
	)
	def test_who_was_recognised_is_of_no_pattern(self, mode: VerifyMode) -> None:
		assert find_patterns(days(*(two(day, mode=mode) for day in range(9))), TogetherRules()) == []

	def test_of_an_unknown_mode_nothing_is_concluded(self) -> None:
		touches = (two(day, mode=VerifyMode.UNKNOWN) for day in range(9))
		assert find_patterns(days(*touches), TogetherRules()) == []

	def test_a_day_apart_ends_the_row_and_a_day_off_does_not(self) -> None:
		apart = [two(day, gap=90 if day == 2 else 3) for day in range(6)]
		assert find_patterns(days(*apart), TogetherRules()) == []
		alone = [[touch("ada", 0, day=day)] if day == 2 else two(day) for day in range(6)]
		(pattern,) = find_patterns(days(*alone), TogetherRules())
		assert len(pattern.dates) == 5

	def test_two_rows_are_two_patterns(self) -> None:
		apart = [two(day, gap=90 if day == 5 else 3) for day in range(12)]
		found = find_patterns(days(*apart), TogetherRules())
		assert [len(pattern.dates) for pattern in found] == [5, 6]

	def test_another_terminal_is_another_place(self) -> None:
		touches = (two(day, device="hall") for day in range(9))
		assert find_patterns(days(*touches), TogetherRules()) == []

	def test_three_are_three_couples(self) -> None:
		touches = [[*two(day), touch("cid", 5, day=day)] for day in range(5)]
		couples = [pattern.couple for pattern in find_patterns(days(*touches), TogetherRules())]
		assert couples == [("ada", "ben"), ("ada", "cid"), ("ben", "cid")]

	def test_it_can_be_switched_off(self) -> None:
		assert find_patterns(days(*(two(day) for day in range(9))), TogetherRules(days=0)) == []


TOUCHES = st.lists(
	st.builds(
		touch,
		st.sampled_from(["ada", "ben", "cid"]),
		st.integers(0, 30),
		day=st.integers(0, 5),
		mode=st.sampled_from([VerifyMode.CARD, VerifyMode.FACE, VerifyMode.PASSWORD]),
	),
	max_size=50,
)


def split(touches: list[Touch]) -> list[DayTogether]:
	return days(*([each for each in touches if each.at.day == 2 + day] for day in range(6)))


@settings(max_examples=60, deadline=None)
@given(TOUCHES)
def test_patterns_hold_what_they_say(touches: list[Touch]) -> None:
	rules = TogetherRules(days=2)
	by_id = {each.punch: each for each in touches}
	for pattern in find_patterns(split(touches), rules):
		assert pattern.couple[0] < pattern.couple[1]
		assert len(pattern.dates) >= rules.days
		assert list(pattern.dates) == sorted(set(pattern.dates))
		assert {by_id[punch].person for punch in pattern.punches} == set(pattern.couple)


@settings(max_examples=60, deadline=None)
@given(TOUCHES)
def test_a_face_never_makes_a_pattern_and_a_repetition_none_more(touches: list[Touch]) -> None:
	rules = TogetherRules(days=2)
	found = find_patterns(split(touches), rules)
	assert find_patterns(split(touches + touches), rules) == found
	faces = [Touch(each.punch, each.person, each.device, each.at, VerifyMode.FACE) for each in touches]
	assert find_patterns(split(faces), rules) == []
