"""What the kiosk may know: who is called how, and what of an event goes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.edge.kiosk import KioskView
from attendance_bridge.edge.kiosk_settings import Names, called
from attendance_bridge.edge.vision import events
from attendance_bridge.edge.vision.events import EventType, VisionEvent
from attendance_bridge.edge.vision.ports import FaceState, FaceView
from attendance_bridge.simulators.camera import verbs
from tests.edge.rig import MORNING, eventually
from tests.edge.vision.rig import Scene, Sight, configuration, seeing

BOX = (0.1, 0.2, 0.3, 0.6)


@pytest.mark.parametrize(
	("name", "names", "shown"),
	[
		("First Middle Person", Names.FULL, "First Middle Person"),
		("First Middle Person", Names.SHORT, "First P."),
		("Single", Names.SHORT, "Single"),
		("محمد الأحمد", Names.SHORT, "محمد ا."),
		("  ", Names.SHORT, ""),
		("First Person", Names.HIDDEN, ""),
	],
)
def test_how_people_are_called(name: str, names: Names, shown: str) -> None:
	assert called(name, names) == shown


def view_of(sight: Sight) -> KioskView:
	agent = sight.agent
	web = agent.seeing.kiosk(
		waiting=lambda: agent.outbox.backlog(agent._now()).waiting,
		offline=lambda: agent.last_error is not None,
	)
	assert web is not None
	return web


def event(type: EventType, **facts: Any) -> VisionEvent:
	return VisionEvent(number=7, type=type, at=MORNING, facts=facts)


def face(state: FaceState, name: str = "", hint: str = "") -> dict[str, Any]:
	return FaceView(track=1, box=BOX, state=state, name=name, hint=hint).as_json()


@pytest.fixture
def view(scene: Scene, tmp_path: Path) -> Any:
	with seeing(configuration(tmp_path, kiosk={"names": "short"})) as sight:
		yield view_of(sight)


def test_what_goes_out_of_an_event(view: KioskView) -> None:
	facts = {"punch_id": "1", "employee": "HR-EMP-1", "name": "First Person", "time": "t", "log_type": "IN"}
	assert view.show(event(EventType.PUNCH, **facts, state="pending", preview=True)) == {
		"type": "punch",
		"at": MORNING.isoformat(),
		"faces": [],
		"punch_id": "1",
		"name": "First P.",
		"time": "t",
		"log_type": "IN",
		"preview": True,
	}
	told = view.show(event(EventType.CAMERA, state="lost", since="s", sentence="rtsp://192.0.2.1/ failed"))
	assert "192.0.2.1" not in str(told)
	assert view.show(event(EventType.ENROLLMENT, employee="HR-EMP-1")) is None


def test_a_face_that_is_not_recognised_is_only_counted(view: KioskView) -> None:
	told = view.show(
		event(
			EventType.FACE,
			faces=[
				face(FaceState.KNOWN, "First Person"),
				face(FaceState.UNKNOWN, "Second Person"),
				face(FaceState.LOOKING, hint="too_dark"),
			],
		)
	)
	assert told is not None
	assert told["faces"] == [{"box": list(BOX), "state": "known", "name": "First P."}]
	assert (told["seen"], told["hint"]) == (3, "")


def test_who_is_still_to_turn_their_head_is_not_named(view: KioskView) -> None:
	told = view.show(event(EventType.FACE, faces=[face(FaceState.CHALLENGED, "First Person", "turn_left")]))
	assert told is not None
	assert told["faces"] == [{"box": list(BOX), "state": "challenged", "name": ""}]


def test_what_would_help_somebody_who_is_looked_at(view: KioskView) -> None:
	told = view.show(event(EventType.FACE, faces=[face(FaceState.LOOKING, hint="too_small")]))
	assert told is not None
	assert (told["faces"], told["seen"], told["hint"]) == ([], 1, "too_small")


def test_the_days_punches(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path, kiosk={"last_punches": 1, "names": "short"})) as sight:
		kiosk = view_of(sight)
		assert kiosk.status()["punches"] == []
		verbs.come(scene.state, 1, place=0.3, scale=1.0)
		eventually(lambda: kiosk.status(news=True)["punches"])
		verbs.come(scene.state, 2, place=0.7, scale=1.0)
		eventually(lambda: kiosk.status(news=True)["punches"][0]["name"] == "Second P.")
		eventually(lambda: kiosk.status(news=True)["punches"][0]["state"] == "done")
		(row,) = kiosk.status(news=True)["punches"]
		assert row["log_type"] == "IN"
		assert (kiosk.status()["waiting"], kiosk.status()["offline"]) == (0, False)


def test_a_watcher_that_passes_something_on_is_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
	news = events.VisionEvents(lambda: MORNING)
	assert not news.watched
	news.wait(0, 0)
	assert news.watched
	monkeypatch.setattr(events, "AWAY_SECONDS", 0.0)
	assert not news.watched
