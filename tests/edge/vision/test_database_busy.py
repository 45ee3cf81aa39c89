"""Somebody else holds the database: whoever is recognised meanwhile has their punch, once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.simulators.camera import verbs
from tests.edge.vision.rig import Scene, configuration, eventually, seeing


def test_two_people_come_while_nothing_can_be_written(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path)) as sight:
		sight.let_it_look()
		with closing(sqlite3.connect(tmp_path / "edge.db", isolation_level=None)) as other:
			other.execute("BEGIN IMMEDIATE")
			verbs.come(scene.state, 1, place=0.3, scale=1.0)
			verbs.come(scene.state, 2, place=0.7, scale=1.0)
			sight.wait_for(EventType.NO_PUNCH, 2)
			told = sight.events(EventType.NO_PUNCH)
			assert {event.facts["employee"] for event in told} == {"HR-EMP-1", "HR-EMP-2"}
			assert {event.facts["reason"] for event in told} == {"not_held"}
			assert not sight.held()
			other.execute("ROLLBACK")
		sight.wait_for(EventType.PUNCH, 2)
		punches = [event.facts["employee"] for event in sight.events(EventType.PUNCH)]
		assert sorted(punches) == ["HR-EMP-1", "HR-EMP-2"]
		eventually(lambda: len(sight.held()) == 2)
		sight.let_it_look(10)
		assert len(sight.held()) == 2
		# As they came, not as the database was ready.
		assert all(each.punch.occurred_utc < told[0].at for each in sight.held())
