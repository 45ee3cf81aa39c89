"""From a face before the camera to a check-in: once, and once only."""

from __future__ import annotations

from pathlib import Path

from attendance_bridge.core.projection import State
from attendance_bridge.core.punch import VerifyMode
from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.simulators.camera import verbs
from tests.edge.vision.rig import Scene, configuration, eventually, seeing


def test_two_people_come_and_go_and_each_is_checked_in_once(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path)) as sight:
		first = verbs.come(scene.state, 1, place=0.3, scale=1.0)
		verbs.come(scene.state, 2, place=0.7, scale=1.0)
		sight.wait_for(EventType.PUNCH, 2)
		verbs.go(scene.state, first)
		sight.wait_for(EventType.DECIDED, 2)
		verbs.come(scene.state, 1, place=0.3, scale=1.0)
		sight.wait_for(EventType.AGAIN)
		held = sight.held()
		assert sorted(each.employee for each in held) == ["HR-EMP-1", "HR-EMP-2"]
		assert {each.state for each in held} == {State.CHECKED_IN}
		assert {each.punch.verify_mode for each in held} == {VerifyMode.FACE}
		punches = sight.events(EventType.PUNCH)
		assert {(event.facts["name"], event.facts["log_type"]) for event in punches} == {
			("First Person", "IN"),
			("Second Person", "IN"),
		}
		eventually(lambda: len(sight.vision.punch_ids()) == 2)
