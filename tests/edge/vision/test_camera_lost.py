"""The camera is unplugged and plugged in again; the agent is started anew; what pages are shown of it."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import cv2
import numpy as np
import requests

from attendance_bridge.core.consent import ErasureReason
from attendance_bridge.edge.camera import CameraState
from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.simulators.camera import verbs
from attendance_bridge.simulators.camera.state import Trouble
from attendance_bridge.stores.erasures import Erasures
from tests.edge.vision.rig import Scene, configuration, eventually, seeing

LOST = ("camera_lost", "camera_not_there")
"""It is tried again soon, and then it is not there: whoever looks now and then may see only that."""


def test_unplugged_and_back(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path)) as sight:
		live, cursors, serial = sight.vision.live, sight.agent.cursors, sight.vision.terminal.serial
		eventually(lambda: live.state.camera_state == CameraState.OPEN.value)
		eventually(lambda: live.frame_jpeg() is not None)
		eventually(lambda: cursors.watermark(serial) is not None)
		vouched = cursors.watermark(serial)
		verbs.trouble(scene.state, Trouble.UNPLUGGED)
		eventually(lambda: live.state.camera_state == CameraState.LOST.value)
		state = live.state
		assert "simulated camera" in state.camera_sentence
		assert state.as_json()["camera_since"] == state.camera_since.isoformat()
		assert live.frame_jpeg() is None
		eventually(lambda: [each.last_error_code in LOST for each in sight.agent.book.all()] == [True])
		assert cursors.watermark(serial) == vouched
		verbs.relieve(scene.state, Trouble.UNPLUGGED)
		eventually(lambda: live.state.camera_state == CameraState.OPEN.value)
		verbs.come(scene.state, 1)
		sight.wait_for(EventType.PUNCH)
		eventually(lambda: len(sight.events(EventType.CAMERA)) >= 3)
		states = [event.facts["state"] for event in sight.events(EventType.CAMERA)]
		assert [states.index(each) for each in ("open", "lost")] == sorted(
			states.index(each) for each in ("open", "lost")
		)
		assert states[-1] == "open"


def test_the_board_and_the_metrics_show_the_camera(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path, web={"enabled": True, "port": 0})) as sight:
		verbs.come(scene.state, 1)
		sight.wait_for(EventType.DECIDED)
		web = sight.agent.web
		assert web is not None
		board = requests.get(f"{web.address}api/v1/board", timeout=10).json()
		(camera,) = board["devices"]
		assert (camera["name"], camera["state"]) == ("Front door", "online")
		assert camera["serial"] == sight.vision.terminal.serial
		assert camera["driver"] == "Camera of this agent"
		metrics = requests.get(f"{web.address}metrics", timeout=10).text
		assert 'attendance_bridge_vision_outcomes_total{outcome="punch"} 1.0' in metrics
		assert "attendance_bridge_vision_camera_up 1.0" in metrics
		assert "attendance_bridge_vision_look_seconds_bucket" in metrics


def test_a_new_start_knows_whose_pause_is_not_over(scene: Scene, tmp_path: Path) -> None:
	mapping = configuration(tmp_path)
	with seeing(mapping) as sight:
		serial = sight.vision.terminal.serial
		verbs.come(scene.state, 1)
		sight.wait_for(EventType.DECIDED)
	with seeing(mapping, enrolled={}) as sight:
		sight.wait_for(EventType.AGAIN)
		assert len(sight.held()) == 1
		assert sight.vision.terminal.serial == serial
		assert [str(each) for each in sight.vision.punch_ids()] == [str(sight.held()[0].punch.punch_id)]


def test_a_camera_with_another_name_is_the_same_terminal(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path)) as sight:
		serial = sight.vision.terminal.serial
	with seeing(configuration(tmp_path, camera={"name": "Back door"})) as sight:
		assert sight.vision.terminal.serial == serial
		assert [record.name for record in sight.agent.book.all()] == ["Back door"]


def test_a_picture_is_encoded_once_for_all_who_watch(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path)) as sight:
		live = sight.vision.live
		verbs.come(scene.state, 1)
		sight.wait_for(EventType.PUNCH)
		assert live.encoded == 0
		verbs.trouble(scene.state, Trouble.FROZEN)
		eventually(lambda: live.frame_jpeg(320) == live.frame_jpeg(320))
		made = live.encoded
		first = live.frame_jpeg(320)
		assert first is not None
		assert live.frame_jpeg(320) is first
		assert live.encoded == made
		pixels = cv2.imdecode(np.frombuffer(first.jpeg, np.uint8), cv2.IMREAD_COLOR)
		assert pixels is not None
		assert pixels.shape == (240, 320, 3)
		assert live.frame_jpeg(after=first.sequence) is None
		(face,) = live.faces
		assert face.name == "First Person"
		assert all(0 <= share <= 1 for share in face.box)


def test_who_is_erased_is_not_known_any_more(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path)) as sight:
		eventually(lambda: sight.vision.live.state.people == 2)
		erasures = Erasures(sight.agent.database)
		assert erasures.remove("HR-EMP-1", ErasureReason.ASKED, by="test", at=datetime.now(timezone.utc))
		eventually(lambda: sight.vision.live.state.people == 1)
		verbs.come(scene.state, 1)
		sight.wait_for(EventType.UNKNOWN)
		assert sight.held() == []
