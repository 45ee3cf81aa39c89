"""What people do with their hands at the door: a choice of IN or OUT, a PIN."""

from __future__ import annotations

from pathlib import Path

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.edge.vision.ports import Answer, Choice
from attendance_bridge.simulators.camera import verbs
from tests.edge.vision.rig import Scene, configuration, seeing


def test_a_choice_counts_for_the_next_punch_only(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path, kiosk={"choose_direction": True})) as sight:
		sight.vision.kiosk.choose(Choice.OUT)
		verbs.come(scene.state, 1, place=0.3, scale=1.0)
		first = sight.wait_for(EventType.PUNCH)
		assert (first.facts["log_type"], first.facts["log_type_reason"]) == ("OUT", "device_key")
		assert sight.vision.kiosk.choice is Choice.NONE
		verbs.come(scene.state, 2, place=0.7, scale=1.0)
		second = sight.wait_for(EventType.PUNCH, 2)
		assert (second.facts["log_type"], second.facts["log_type_reason"]) == ("IN", "first_of_day")
		assert [each.punch.device_key for each in sight.held()] == [DeviceKey.CHECK_OUT, DeviceKey.UNDEFINED]


def test_without_a_choice_on_offer_nothing_is_chosen(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path)) as sight:
		sight.vision.kiosk.choose(Choice.OUT)
		assert sight.vision.kiosk.choice is Choice.NONE


def test_a_pin_makes_the_punch(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path, kiosk={"second_factor": "pin"})) as sight:
		sight.vision.second_factors.set("HR-EMP-1", "pin", "4711")
		verbs.come(scene.state, 1)
		asked = sight.wait_for(EventType.SECOND_FACTOR)
		assert (asked.facts["name"], asked.facts["kind"]) == ("First Person", "pin")
		assert sight.held() == []
		kiosk, ticket = sight.vision.kiosk, asked.facts["ticket"]
		assert kiosk.answer(ticket, "4712") is Answer.WRONG
		assert kiosk.answer("another", "4711") is Answer.NO_SUCH_TICKET
		assert kiosk.answer(ticket, "4711") is Answer.PASSED
		assert kiosk.answer(ticket, "4711") is Answer.NO_SUCH_TICKET
		sight.wait_for(EventType.PUNCH)
		(held,) = sight.held()
		assert held.punch.verify_mode is VerifyMode.MULTIPLE
		assert "4711" not in held.punch.raw


def test_wrong_pins_are_limited(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path, kiosk={"second_factor": "pin", "wrong_tries": 2})) as sight:
		sight.vision.second_factors.set("HR-EMP-1", "pin", "4711")
		visitor = verbs.come(scene.state, 1)
		ticket = sight.wait_for(EventType.SECOND_FACTOR).facts["ticket"]
		kiosk = sight.vision.kiosk
		assert [kiosk.answer(ticket, guess) for guess in ("0000", "0001")] == [Answer.WRONG, Answer.TOO_MANY]
		assert sight.wait_for(EventType.SECOND_FACTOR_OVER).facts["reason"] == "too_many"
		verbs.go(scene.state, visitor)
		verbs.come(scene.state, 1, at=scene.state.clock() + 4.0)
		assert sight.wait_for(EventType.NO_PUNCH).facts["reason"] == "blocked"
		assert sight.held() == []


def test_without_a_pin_there_is_no_punch_where_one_is_asked_for(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path, kiosk={"second_factor": "badge"})) as sight:
		verbs.come(scene.state, 1)
		assert sight.wait_for(EventType.NO_PUNCH).facts["reason"] == "no_second_factor"
