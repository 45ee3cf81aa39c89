"""An agent that sees is killed between recognition and upload: each person is checked in exactly once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from attendance_bridge.core.projection import State
from attendance_bridge.simulators.frappe_site import FrappeSite, SiteState
from attendance_bridge.simulators.frappe_site import verbs as site_verbs
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.punches import PunchStore
from tests.acceptance import toml
from tests.acceptance.command import Running, wait_until

pytest.importorskip("onnxruntime", reason="the extra `recognition` is not installed")
pytest.importorskip("cv2", reason="the extra `recognition` is not installed")

from tests.edge.vision.rig import KEY_VARIABLE, PATIENCE, ZONE, configuration, new_key, seeing, write_video

EMPLOYEES = ("HR-EMP-1", "HR-EMP-2")
SITE_ZONE = "Asia/Kolkata"


def states(path: Path) -> list[State]:
	with Database.open(path, check=False) as database:
		return [held.state for held in PunchStore(database).each()]


def test_killed_between_recognition_and_upload(
	tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reserve_port: Callable[[], int]
) -> None:
	key = new_key()
	monkeypatch.setenv(KEY_VARIABLE, key)
	video = write_video(tmp_path / "door.avi", (1, 0.5, 4.0), (2, 7.0, 4.0), seconds=14)
	state = SiteState(time_zone=SITE_ZONE, strict=True)
	for number, employee in enumerate(EMPLOYEES, start=1):
		site_verbs.hire(state, employee, device_id=f"3{number}")
	mapping = configuration(tmp_path, camera={"play": "nobody"})
	# The list of people comes once; then the site is dark.
	port = reserve_port()
	upstream: dict[str, toml.Value] = {
		"kind": "erpnext_rest",
		"url": f"http://127.0.0.1:{port}",
		"api_key_env": "SITE_KEY",
		"api_secret_env": "SITE_SECRET",
		"timezone": SITE_ZONE,
		"settle_seconds": 0.3,
	}
	secrets = {"SITE_KEY": state.api_key, "SITE_SECRET": state.api_secret, KEY_VARIABLE: key}
	for name, value in secrets.items():
		monkeypatch.setenv(name, value)
	with (
		FrappeSite(state, port=port),
		seeing({**mapping, "upstream": upstream}) as sight,
	):
		wait_until(lambda: sight.agent.roster.refreshed_at is not None, "no list of people", seconds=PATIENCE)
	config = toml.write(
		tmp_path / "agent.toml",
		{
			"agent": {"database": str(tmp_path / "edge.db"), "timezone": ZONE},
			"web": {"enabled": False},
			"upstream": upstream,
			"camera": {"kind": "video_file", "path": str(video), "loop": True, "name": "Front door"},
			"recognition": {"engine": "tiny", "threads": 1, "frames_per_second": 10.0},
			"gallery": {"key_env": KEY_VARIABLE},
			"kiosk": {"pause_seconds": 600.0},
		},
	)

	def agent(run: int) -> Running:
		return Running("edge", "run", "--config", config, log=tmp_path / f"run-{run}.log", env=secrets)

	for kills in (1, 2):
		with agent(kills) as running:
			wait_until(
				lambda kills=kills: len(states(tmp_path / "edge.db")) >= kills or not running.is_alive,  # type: ignore[misc]
				"nobody was recognised",
				seconds=PATIENCE,
			)
			assert running.is_alive, running.printed
			running.kill()
		assert state.checkins == []
	with FrappeSite(state, port=port), agent(3) as running:
		wait_until(lambda: len(state.checkins) == 2, "not checked in", seconds=PATIENCE)
		wait_until(
			lambda: states(tmp_path / "edge.db") == [State.CHECKED_IN] * 2, "not settled", seconds=PATIENCE
		)
		assert running.end() == 0
		assert "Traceback" not in running.printed
	assert sorted(str(row["employee"]) for row in state.checkins) == list(EMPLOYEES)
