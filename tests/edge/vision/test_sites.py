"""A video of two people, through the whole agent, into a simulated site: each is checked in exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from attendance_bridge.core.errors import Code
from attendance_bridge.core.projection import State
from attendance_bridge.core.relay import EDGE_CAMERA
from attendance_bridge.edge import face_sync, heartbeat
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.settings import from_mapping
from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.simulators.camera import verbs
from attendance_bridge.simulators.camera.face import Image
from attendance_bridge.simulators.frappe_site import Bridge, FrappeSite, RelayedTerminal, SiteState
from attendance_bridge.simulators.frappe_site import verbs as site_verbs
from tests.edge.vision.rig import ZONE, Scene, Sight, configuration, eventually, seeing, write_video
from tests.recognition.conftest import lay_out, real_models

EMPLOYEES = ("HR-EMP-1", "HR-EMP-2")
HUNDRED_THOUSANDTH = 1e-5


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("SITE_KEY", "0123456789abcde")
	monkeypatch.setenv("SITE_SECRET", "edcba9876543210")
	monkeypatch.setattr(heartbeat, "EVERY", timedelta(seconds=0.3))
	monkeypatch.setattr(heartbeat, "PAUSE", timedelta(seconds=0.05))


def video_of_two(folder: Path) -> dict[str, Any]:
	path = write_video(folder / "door.avi", (1, 0.5, 2.5), (2, 4.0, 2.5), seconds=7.5)
	# Again and again, as long as it takes on a busy machine: more than once they must not be checked in.
	return {"kind": "video_file", "path": str(path), "loop": True}


def with_camera(mapping: dict[str, Any], camera: dict[str, Any]) -> dict[str, Any]:
	return {**mapping, "camera": {"name": "Front door", **camera}}


@contextmanager
def site(*, has_app: bool) -> Iterator[tuple[SiteState, Bridge | None, dict[str, Any]]]:
	"""A simulated site with both employees; yields it and the table `[upstream]` for it."""
	state = SiteState(time_zone="Asia/Kolkata", strict=True)
	bridge = Bridge(site=state) if has_app else None
	for number, employee in enumerate(EMPLOYEES, start=1):
		site_verbs.hire(state, employee, device_id=f"3{number}")
	with FrappeSite(state, bridge=bridge) as service:
		upstream = {
			"kind": "frappe_bridge" if has_app else "erpnext_rest",
			"url": service.url,
			"api_key_env": "SITE_KEY",
			"api_secret_env": "SITE_SECRET",
			**({} if has_app else {"timezone": "Asia/Kolkata"}),
		}
		yield state, bridge, upstream


def assert_each_checked_in_once(sight: Sight, state: SiteState) -> None:
	sight.wait_for(EventType.PUNCH, 2)
	sight.wait_for(EventType.AGAIN)
	eventually(lambda: len(state.checkins) == 2)
	sight.wait_for(EventType.DECIDED, 2)
	assert sorted(str(row["employee"]) for row in state.checkins) == list(EMPLOYEES)
	assert {row["log_type"] for row in state.checkins} == {"IN"}
	assert {row["device_id"] for row in state.checkins} == {sight.vision.terminal.serial}
	assert {each.state for each in sight.held()} == {State.CHECKED_IN}
	assert [event.facts["log_type"] for event in sight.events(EventType.DECIDED)] == ["IN", "IN"]
	assert len(sight.events(EventType.PUNCH)) == 2


def test_into_a_stock_site(tmp_path: Path) -> None:
	with site(has_app=False) as (state, _bridge, upstream):
		mapping = with_camera(configuration(tmp_path, upstream=upstream), video_of_two(tmp_path))
		with seeing(mapping) as sight:
			assert_each_checked_in_once(sight, state)


def test_into_a_site_that_decides(tmp_path: Path) -> None:
	with site(has_app=True) as (state, bridge, upstream):
		assert bridge is not None
		mapping = with_camera(configuration(tmp_path, upstream=upstream), video_of_two(tmp_path))
		with seeing(mapping) as sight:
			sight.wait_for(EventType.PUNCH)
			# Nobody has told the site of this camera: the punch waits, and is not lost.
			eventually(lambda: [each.error_code for each in sight.held()] == ["unknown_device"])
			assert state.checkins == []
			bridge.terminals.append(
				RelayedTerminal(
					name="Camera at the door",
					driver=EDGE_CAMERA,
					options={},
					time_zone=ZONE,
					serial=sight.vision.terminal.serial,
				)
			)
			assert_each_checked_in_once(sight, state)
			beat = next(
				report
				for report in reversed([each["devices"] for each in bridge.heartbeats])
				if report and report[0]["watermark"]
			)
			assert beat[0]["name"] == "Camera at the door"
			assert beat[0]["serial"] == sight.vision.terminal.serial


def test_the_camera_of_another_agent_is_not_taken_for_ours(tmp_path: Path) -> None:
	with site(has_app=True) as (_state, bridge, upstream):
		assert bridge is not None
		bridge.terminals.append(
			RelayedTerminal(
				name="Elsewhere", driver=EDGE_CAMERA, options={}, time_zone=ZONE, serial="EDGE-other"
			)
		)
		mapping = with_camera(configuration(tmp_path, upstream=upstream), video_of_two(tmp_path))
		with seeing(mapping) as sight:
			eventually(lambda: sight.agent.terminals.assigned.unusable)
			unusable = sight.agent.terminals.assigned.unusable
			assert {name: error.code for name, error in unusable.items()} == {"Elsewhere": Code.BAD_VALUE}
			assert sight.agent.health()["ok"]


def test_a_machine_whose_clock_is_wrong_is_not_believed(scene: Scene, tmp_path: Path) -> None:
	with site(has_app=True) as (state, bridge, upstream):
		assert bridge is not None
		bridge.terminals.append(
			RelayedTerminal(name="Camera at the door", driver=EDGE_CAMERA, options={}, time_zone=ZONE)
		)
		# A small one without a battery for its clock, two hours after it was switched off.
		late = timedelta(hours=2)
		with seeing(configuration(tmp_path, upstream=upstream), now=lambda: utc_now() - late) as sight:
			reading = sight.vision.terminal.reading
			eventually(lambda: abs(reading().offset + late) < timedelta(seconds=5))
			verbs.come(scene.state, 1)
			sight.wait_for(EventType.PUNCH)
			sight.wait_for(EventType.DECIDED)
			(event,) = sight.events(EventType.DECIDED)
			assert event.facts["state"] == State.QUARANTINED.value
			assert state.checkins == []


def test_what_is_withdrawn_is_erased_by_an_agent_that_recognises_nobody(
	scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(face_sync, "EVERY", timedelta(seconds=0.3))
	with site(has_app=True) as (_state, bridge, upstream):
		assert bridge is not None
		mapping = configuration(tmp_path, upstream=upstream)
		with seeing(mapping) as sight:
			eventually(lambda: len(bridge.faces.templates) == 2)
			model = sight.vision.engine.model
		mapping["recognition"] = {"engine": "onnx", "pack": str(tmp_path / "nowhere")}
		agent = Agent(from_mapping(mapping))
		try:
			assert agent.seeing.blind is not None
			gallery = agent.seeing.blind.gallery
			assert gallery is not None
			agent.start()
			site_verbs.withdraw_consent(bridge, "HR-EMP-1")
			eventually(lambda: gallery.counts() == {model: {"HR-EMP-2": 1}})
		finally:
			agent.request_stop()
			agent.wait()
			agent.close()


# with real networks and pictures, where they are


def pictures_of(folder: Path, *people: str) -> list[list[Image]]:
	"""The pictures of some people."""
	found = []
	for person in people:
		paths = sorted((folder / person).glob("*.jpg"))
		images = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in paths]
		found.append([np.asarray(image, dtype=np.uint8) for image in images if image is not None])
	return found


@pytest.mark.parametrize("pack", ["scrfd_mobilefacenet", "yunet_mobilefacenet"])
def test_real_faces_pasted_into_the_video(tmp_path: Path, pack: str) -> None:
	faces = real_models().parent / "faces"
	if not faces.is_dir():
		pytest.skip(f"there are no pictures of faces at {faces}")
	people = sorted(folder.name for folder in faces.iterdir() if folder.is_dir())[:3]
	first, second, stranger = pictures_of(faces, *people)
	(tmp_path / "pack").mkdir()
	recognition = {
		"engine": "onnx",
		"pack": str(lay_out(pack, tmp_path / "pack")),
		"false_match_rate": HUNDRED_THOUSANDTH,
	}
	# Somebody is enrolled with three pictures on which nobody else is to be seen, and comes as a fourth.
	enrolled = {"HR-EMP-1": [first[at] for at in (0, 2, 5)], "HR-EMP-2": [second[at] for at in (0, 2, 5)]}
	comings = ((first[9], 0.5, 4.5), (second[9], 6.5, 4.5), (stranger[0], 12.5, 4.0))
	path = write_video(tmp_path / "door.avi", *comings, seconds=18)
	with site(has_app=False) as (state, _bridge, upstream):
		mapping = configuration(tmp_path, upstream=upstream)
		mapping["recognition"] = {**recognition, "frames_per_second": 5, "threads": 1}
		mapping = with_camera(mapping, {"kind": "video_file", "path": str(path), "loop": True})
		with seeing(mapping, enrolled=enrolled) as sight:
			sight.wait_for(EventType.DECIDED, 2)
			sight.wait_for(EventType.AGAIN)  # the video has begun again: the stranger has been there
			sight.wait_for(EventType.UNKNOWN)
			assert sorted(str(row["employee"]) for row in state.checkins) == list(EMPLOYEES)
			assert len(sight.events(EventType.PUNCH)) == 2
