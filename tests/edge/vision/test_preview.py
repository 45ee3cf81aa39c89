"""What somebody at the door is told, whoever is quicker: the one who tells them, or the one who decides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.person import Directory, Person
from attendance_bridge.core.projection import Rules, State
from attendance_bridge.edge.vision.preview import Preview
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.punches import PunchStore
from tests.stores.samples import accept, decide, punch

PEOPLE = Directory([Person(employee="E1", attendance_device_id="7")])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PunchStore]:
	database = Database.open(tmp_path / "edge.db")
	yield PunchStore(database)
	database.close()


def preview(store: PunchStore) -> Preview:
	return Preview(store, Rules(), dict, lambda: PEOPLE)


def test_a_punch_that_is_decided_already_is_not_its_own_echo(store: PunchStore) -> None:
	accept(store, punch("08:00"))
	decide(store, people=PEOPLE)
	decision = preview(store).decide(punch("08:00"))
	assert (decision.state, decision.log_type) == (State.PENDING, LogType.IN)


def test_what_counted_before_it_counts(store: PunchStore) -> None:
	accept(store, punch("08:00"), punch("12:00"))
	decide(store, people=PEOPLE)
	assert preview(store).decide(punch("12:00")).log_type is LogType.OUT
	assert preview(store).decide(punch("08:00:20")).state is State.DUPLICATE
