from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta

import pytest

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.person import Person
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.roster import Roster
from tests.stores.samples import NOW

ANNA = Person(employee="E1", attendance_device_id="007", full_name="أنّا", status="Active", shift="Day")
BO = Person(employee="E2", attendance_device_id="7", department="R&D", company="C", branch="B")
ODD = Person(employee="E3\udcff", full_name="\ud800", designation="D")


@pytest.fixture
def roster(db: Database) -> Roster:
	return Roster(db)


def test_there_is_none_at_first(roster: Roster) -> None:
	assert roster.people() == []
	assert roster.refreshed_at is None
	assert roster.directory().find("007") is None


def test_people_come_back_as_they_were(roster: Roster) -> None:
	assert roster.replace([BO, ODD, ANNA], NOW) == 3
	assert sorted(roster.people(), key=lambda person: person.employee) == [ANNA, BO, ODD]
	assert roster.directory().find("007") == ANNA
	assert roster.directory().find("7") == BO
	assert roster.refreshed_at == NOW


def test_it_tells_how_many_came_went_or_changed(roster: Roster) -> None:
	roster.replace([ANNA, BO, ODD], NOW)
	later = NOW + timedelta(minutes=10)
	assert roster.replace([ANNA, BO, ODD], later) == 0
	assert roster.refreshed_at == later
	moved = dataclasses.replace(BO, branch="Other")
	assert roster.replace([ANNA, moved], later) == 2
	assert roster.people() == [ANNA, moved]
	assert roster.replace([], later) == 2
	assert roster.people() == []


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Person)][1:])
def test_a_change_in_any_field_is_a_change(roster: Roster, field: str) -> None:
	roster.replace([ANNA], NOW)
	changed = dataclasses.replace(ANNA, **{field: "changed"})
	assert roster.replace([changed], NOW) == 1
	assert roster.people() == [changed]


def test_a_list_that_breaks_off_does_not_replace_a_good_one(roster: Roster) -> None:
	roster.replace([ANNA, BO], NOW)

	def breaks_off() -> Iterator[Person]:
		yield dataclasses.replace(ANNA, shift="Night")
		raise UpstreamError(Code.TIMEOUT)

	with pytest.raises(UpstreamError):
		roster.replace(breaks_off(), NOW + timedelta(minutes=10))
	assert roster.people() == [ANNA, BO]
	assert roster.refreshed_at == NOW


def test_of_two_with_one_key_the_last_counts(roster: Roster) -> None:
	roster.replace([ANNA, dataclasses.replace(ANNA, shift="Night")], NOW)
	assert [person.shift for person in roster.people()] == ["Night"]
