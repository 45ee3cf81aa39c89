"""What recognition needs is not there, or not any more: the terminals are read and delivered all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests

from attendance_bridge.core.errors import Code, ConfigError, StoreError
from attendance_bridge.core.projection import State
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.supervisor import WorkerState
from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.recognition import tiny
from attendance_bridge.recognition.pack import MANIFEST
from attendance_bridge.simulators.camera import verbs
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.erasures import Erasures
from attendance_bridge.stores.gallery import Gallery
from attendance_bridge.stores.sealed import GalleryKey
from tests.edge.rig import ZONE
from tests.edge.vision.rig import KEY_VARIABLE, Scene, configuration, eventually, seeing


def without_key(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
	_monkeypatch.delenv(KEY_VARIABLE)
	return {}


def with_another_key(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
	with Database.open(folder / "edge.db") as database:
		Gallery.open(database, GalleryKey.new(), now=lambda: datetime.now(timezone.utc))
	return {}


def without_pack(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
	return {"recognition": {"engine": "onnx", "pack": str(folder / "nowhere")}}


def with_a_bad_manifest(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
	(folder / "pack").mkdir()
	(folder / "pack" / "pack.toml").write_text("nonsense = 1\n", encoding="utf-8")
	return {"recognition": {"engine": "onnx", "pack": str(folder / "pack")}}


def with_a_pack_without_thresholds(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
	(folder / "pack").mkdir()
	pack = tiny.make_pack(folder / "pack")
	manifest = (pack / MANIFEST).read_text(encoding="utf-8")
	kept = [line for line in manifest.splitlines() if not line.startswith("thresholds")]
	assert len(kept) == len(manifest.splitlines()) - 1
	(pack / MANIFEST).write_text("\n".join(kept), encoding="utf-8")
	return {"recognition": {"engine": "onnx", "pack": str(pack)}}


pytestmark = pytest.mark.usefixtures("scene")


@pytest.mark.parametrize(
	("trouble", "code", "words"),
	[
		(without_key, Code.GALLERY_KEY_MISSING, f"no key for the face templates at ${KEY_VARIABLE}"),
		(with_another_key, Code.GALLERY_KEY_WRONG, "locked with another key"),
		(without_pack, Code.MODEL_MISSING, "attendance-bridge models download"),
		(with_a_bad_manifest, Code.UNKNOWN_KEY, "nonsense"),
		(with_a_pack_without_thresholds, Code.MODEL_UNFIT, "set `threshold`"),
	],
)
def test_terminals_and_the_upstream_go_on(
	tmp_path: Path,
	monkeypatch: pytest.MonkeyPatch,
	trouble: Callable[[Path, pytest.MonkeyPatch], dict[str, Any]],
	code: Code,
	words: str,
) -> None:
	terminal = ZktecoState(serial="ZK1", zone=ZONE)
	terminal.add_user("31", name="Somebody")
	wall_time = datetime.now(ZONE).replace(microsecond=0, tzinfo=None) - timedelta(hours=1)
	terminal.record("31", wall_time, VerifyMode.FINGER, DeviceKey.UNDEFINED)
	tables = trouble(tmp_path, monkeypatch)
	with ZktecoTerminal(terminal) as service:
		mapping = configuration(tmp_path, web={"enabled": True, "port": 0}, **tables)
		mapping["devices"] = [
			{
				"name": "Workshop",
				"driver": "zkteco_tcp",
				"host": "127.0.0.1",
				"port": service.port,
				"timezone": ZONE.key,
				"poll_seconds": 1.0,
			}
		]
		agent = Agent(edge_settings.from_mapping(mapping))
		try:
			agent.start()
			eventually(lambda: [each.state for each in agent.punches.each()] == [State.CHECKED_IN])
			assert agent.vision is None
			assert agent.web is not None
			board = requests.get(f"{agent.web.address}api/v1/board", timeout=10).json()
			camera, workshop = board["devices"]
			assert (camera["name"], camera["state"], camera["tone"]) == ("Front door", "dark", "bad")
			assert camera["serial"].startswith("EDGE-")
			assert workshop["state"] == "online"
			assert (record := next(each for each in agent.book.all() if each.name == "Front door"))
			assert record.last_error_code == code.value
			seen = agent.status.view()["vision"]
			assert words in seen["model_sentence"]
			assert "start the agent again" in seen["model_sentence"]
			assert (seen["model"], seen["camera_state"]) == ("", "stopped")
			assert agent.health()["ok"]
		finally:
			agent.request_stop()
			agent.wait()
			agent.close()


def test_the_board_says_where_the_key_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.delenv(KEY_VARIABLE)
	agent = Agent(edge_settings.from_mapping(configuration(tmp_path, web={"enabled": True, "port": 0})))
	try:
		agent.start()
		assert agent.web is not None
		board = requests.get(f"{agent.web.address}api/v1/board", timeout=10).json()
		assert f"${KEY_VARIABLE}" in board["devices"][0]["problem"]
	finally:
		agent.request_stop()
		agent.wait()
		agent.close()


def test_a_pack_without_thresholds_does_with_one_that_is_set(
	scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	tables = with_a_pack_without_thresholds(tmp_path, monkeypatch)
	tables["recognition"]["threshold"] = 0.7
	with seeing(configuration(tmp_path, **tables)) as sight:
		assert sight.vision.threshold == 0.7
		verbs.come(scene.state, 1)
		sight.wait_for(EventType.PUNCH)


def test_a_key_that_comes_back_opens_the_eyes_of_the_same_terminal(
	scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	mapping = configuration(tmp_path)
	key = GalleryKey.new().text()
	monkeypatch.delenv(KEY_VARIABLE)
	blind = Agent(edge_settings.from_mapping(mapping))
	assert blind.seeing.blind is not None
	serial = blind.seeing.blind.device.settings.serial
	blind.close()
	monkeypatch.setenv(KEY_VARIABLE, key)
	with seeing(mapping) as sight:
		verbs.come(scene.state, 1)
		sight.wait_for(EventType.PUNCH)
		assert sight.held()[0].punch.device_serial == serial
		eventually(lambda: [each.last_error_code for each in sight.agent.book.all()] == [""])


def test_a_damaged_database_is_not_taken_for_that(tmp_path: Path) -> None:
	(tmp_path / "edge.db").write_bytes(b"no database " * 1000)
	with pytest.raises(StoreError) as raised:
		Agent(edge_settings.from_mapping(configuration(tmp_path)))
	assert raised.value.code is Code.DATABASE_UNREADABLE


def test_a_wrong_key_of_the_configuration_is_refused(tmp_path: Path) -> None:
	with pytest.raises(ConfigError) as raised:
		edge_settings.from_mapping(configuration(tmp_path, recognition={"thresold": 0.4}))
	assert raised.value.code is Code.UNKNOWN_KEY


def test_a_gallery_that_is_locked_anew_meanwhile_is_known_by_nobody(scene: Scene, tmp_path: Path) -> None:
	with seeing(configuration(tmp_path)) as sight:
		eventually(lambda: sight.vision.live.state.people == 2)
		with Database.open(tmp_path / "edge.db") as database:
			key = sight.vision.gallery._key  # what another process would read in its place
			Gallery.open(database, key, now=lambda: datetime.now(timezone.utc)).rotate(GalleryKey.new())
			# Another process erases, which needs no key.
			Erasures(database).withdraw("HR-EMP-1", by="test", at=datetime.now(timezone.utc))
		eventually(lambda: sight.vision.live.state.people == 0)
		state = sight.vision.live.state
		assert "another key" in state.model_sentence
		assert state.model == ""
		verbs.come(scene.state, 1)
		sight.wait_for(EventType.UNKNOWN)
		assert sight.agent.supervisor.fatal is None
		assert sight.agent.supervisor.states["vision"] is WorkerState.RUNNING
		assert sight.held() == []
