"""One picture of an enrolment, with drawn faces; and recognition as the configuration says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from attendance_bridge.core.config import parse
from attendance_bridge.core.errors import BridgeError, Code, ConfigError
from attendance_bridge.core.template import Pose
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.enrollment import Lack, agree, examine
from attendance_bridge.recognition.pack import MANIFEST
from attendance_bridge.recognition.quality import ENROLLMENT, Flaw
from attendance_bridge.recognition.settings import RecognitionSettings, open_recognition
from attendance_bridge.recognition.tiny import THRESHOLD
from tests.recognition.drawing import blank, draw

TURNS: dict[Pose, dict[str, float]] = {
	Pose.FRONT: {},
	Pose.LEFT: {"yaw": 0.45},
	Pose.RIGHT: {"yaw": -0.45},
	Pose.UP: {"pitch": 0.3},
	Pose.DOWN: {"pitch": -0.3},
}


def drawn(pose: Pose, person: int = 8, scale: float = 2.0) -> np.ndarray:
	return draw(blank(), person, 150, 100, scale=scale, **TURNS[pose])


@pytest.mark.parametrize("pose", Pose)
def test_each_pose_is_taken_as_itself_only(tiny_engine: Engine, pose: Pose) -> None:
	front = examine(tiny_engine, drawn(Pose.FRONT), Pose.FRONT, ENROLLMENT)
	good = {each for each in Pose if examine(tiny_engine, drawn(pose), each, ENROLLMENT, front).good}
	# Looking up or down a little is still ahead.
	assert good == ({pose, Pose.FRONT} if pose in (Pose.UP, Pose.DOWN) else {pose})


def test_the_shots_of_one_person_agree(tiny_engine: Engine) -> None:
	shots = [examine(tiny_engine, drawn(pose), pose, ENROLLMENT).embedding for pose in Pose]
	other = examine(tiny_engine, drawn(Pose.FRONT, person=9), Pose.FRONT, ENROLLMENT).embedding
	assert other is not None
	for shot in shots:
		assert shot is not None
		assert agree(shots[0], shot, THRESHOLD)  # type: ignore[arg-type]
		assert not agree(other, shot, THRESHOLD)


def test_what_is_not_good_is_not_kept(tiny_engine: Engine) -> None:
	nobody = examine(tiny_engine, blank(), Pose.FRONT, ENROLLMENT)
	two = examine(tiny_engine, draw(draw(blank(), 1, 60, 60), 2, 360, 60), Pose.FRONT, ENROLLMENT)
	small = examine(tiny_engine, drawn(Pose.FRONT, scale=1), Pose.FRONT, ENROLLMENT)
	assert (nobody.lack, two.lack) == (Lack.NO_FACE, Lack.SEVERAL_FACES)
	assert small.flaws == (Flaw.TOO_SMALL,)
	assert not any(shot.good or shot.embedding is not None for shot in (nobody, two, small))


def no_secrets(_kind: str, _reference: str) -> str:
	raise ConfigError(Code.SECRET_MISSING)


def test_recognition_is_opened_as_the_configuration_says(tiny_pack: Path) -> None:
	table = {
		"pack": str(tiny_pack),
		"liveness_pack": str(tiny_pack),
		"threads": 1,
		"pipeline": {"challenged": True, "decision": {"agree": 2}},
	}
	opened = open_recognition(parse(RecognitionSettings, table, secrets=no_secrets))
	assert opened.threshold == THRESHOLD
	assert opened.matcher.model == opened.engine.model
	with pytest.raises(ConfigError) as caught:
		parse(RecognitionSettings, {**table, "pipeline": {"decisions": {}}}, secrets=no_secrets)
	assert caught.value.details["path"] == "pipeline.decisions"


def test_without_a_threshold_nothing_is_guessed(tiny_pack: Path, tmp_path: Path) -> None:
	for file in tiny_pack.iterdir():
		(tmp_path / file.name).write_bytes(file.read_bytes())
	manifest = tmp_path / MANIFEST
	lines = [line for line in manifest.read_text().splitlines() if not line.startswith("thresholds")]
	manifest.write_text("\n".join(lines))
	with pytest.raises(BridgeError, match="set `threshold`"):
		open_recognition(RecognitionSettings(pack=tmp_path))
	assert open_recognition(RecognitionSettings(pack=tmp_path, threshold=0.6)).threshold == 0.6
