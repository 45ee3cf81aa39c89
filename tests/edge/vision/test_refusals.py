"""Who does not get a punch: strangers, photographs, people who cannot have one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from attendance_bridge.core.projection import State
from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.simulators.camera import verbs
from attendance_bridge.simulators.camera.face import Look
from tests.edge.vision.rig import Scene, configuration, people_file, seeing


def test_a_stranger_is_unknown_and_punches_nothing(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path)) as sight:
		verbs.come(scene.state, 77)
		sight.wait_for(EventType.UNKNOWN)
		sight.let_it_look(8)
		assert sight.held() == []
		assert sight.told().count("unknown") == 1


def test_a_photograph_is_refused_where_liveness_is_asked_for(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path, recognition={"liveness": True})) as sight:
		photo = verbs.hold_up_photo(scene.state, 1)
		sight.wait_for(EventType.LIVENESS_FAILED)
		sight.let_it_look(4)
		assert sight.held() == []
		verbs.go(scene.state, photo)
		time.sleep(3.0)
		verbs.come(scene.state, 1)
		sight.wait_for(EventType.PUNCH)


def test_a_photograph_does_not_pass_the_challenge(scene: Scene, tmp_path: Path) -> None:
	quick = {"challenged": True, "challenge": {"seconds": 2.0}}
	with seeing(configuration(tmp_path, recognition={"pipeline": quick})) as sight:
		verbs.hold_up_photo(scene.state, 1)
		assert sight.wait_for(EventType.CHALLENGE).facts["seconds"] == 2.0
		failed = sight.wait_for(EventType.CHALLENGE_FAILED)
		assert failed.facts["reason"] == "too_late"
		assert sight.held() == []


def test_a_person_passes_the_challenge(scene: Scene, tmp_path: Path) -> None:
	patient = {"challenged": True, "challenge": {"seconds": 60.0}}
	with seeing(configuration(tmp_path, recognition={"pipeline": patient})) as sight:
		visitor = verbs.come(scene.state, 1)
		side = sight.wait_for(EventType.CHALLENGE).facts["side"]
		assert sight.held() == []
		towards = 1 if side == "left" else -1
		# Each way of holding the head is kept until it was seen, however busy the machine is.
		sight.let_it_look()
		for part in (0.35, 0.7):
			visitor = verbs.turn(scene.state, visitor, Look(yaw=towards * part))
			sight.let_it_look()
		sight.wait_for(EventType.PUNCH)
		assert [each.employee for each in sight.held()] in ([""], ["HR-EMP-1"])


@pytest.mark.parametrize(
	("people", "reason"),
	[
		pytest.param([("HR-EMP-1", "", "First Person")], "no_device_id", id="no-id"),
		pytest.param([("HR-EMP-9", "39", "Another Person")], "not_in_roster", id="not-in-the-list"),
	],
)
def test_somebody_who_cannot_punch_is_told_why(
	scene: Scene, tmp_path: Path, people: list[tuple[str, str, str]], reason: str
) -> None:
	mapping = configuration(tmp_path)
	people_file(tmp_path, people)
	with seeing(mapping) as sight:
		verbs.come(scene.state, 1)
		assert sight.wait_for(EventType.NO_PUNCH).facts["reason"] == reason
		assert sight.held() == []


def test_an_id_of_two_people_is_held_as_unmapped(scene: Scene, tmp_path: Path) -> None:
	mapping = configuration(tmp_path)
	people_file(tmp_path, [("HR-EMP-1", "31", "First Person"), ("HR-EMP-2", "31", "Second Person")])
	with seeing(mapping) as sight:
		verbs.come(scene.state, 1)
		assert sight.wait_for(EventType.PUNCH).facts["state"] == State.UNMAPPED.value
		assert sight.wait_for(EventType.DECIDED).facts["state"] == State.UNMAPPED.value


def test_nobody_punches_while_somebody_is_enrolled(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path)) as sight:
		with sight.vision.enrolling():
			verbs.come(scene.state, 1)
			assert sight.wait_for(EventType.NO_PUNCH).facts["reason"] == "enrolling"
		assert sight.held() == []
