"""One picture as an enrolment looks at it, with drawn faces; and networks as the configuration names them."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from attendance_bridge.core.config import parse
from attendance_bridge.core.errors import BridgeError, Code, ConfigError
from attendance_bridge.core.template import Pose
from attendance_bridge.edge.vision.networks import open_networks
from attendance_bridge.edge.vision.portraits import Portrait, look_at
from attendance_bridge.edge.vision.settings import RecognitionSettings
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.matcher import Matcher
from attendance_bridge.recognition.pack import MANIFEST
from attendance_bridge.recognition.quality import ENROLLMENT, Flaw
from attendance_bridge.recognition.tiny import THRESHOLD
from tests.recognition.drawing import blank, draw

TURNS: dict[Pose, dict[str, float]] = {
	Pose.FRONT: {},
	Pose.LEFT: {"yaw": 0.45},
	Pose.RIGHT: {"yaw": -0.45},
	Pose.UP: {"pitch": 0.3},
	Pose.DOWN: {"pitch": -0.3},
}


def portrait(engine: Engine, pose: Pose, person: int = 8, scale: float = 2.0) -> Portrait:
	(found,) = look_at(draw(blank(), person, 150, 100, scale=scale, **TURNS[pose]), engine)
	return found


@pytest.mark.parametrize("pose", Pose)
def test_each_pose_is_taken_as_itself_only(tiny_engine: Engine, pose: Pose) -> None:
	rest = portrait(tiny_engine, Pose.FRONT).quality.turn
	quality = portrait(tiny_engine, pose).quality
	good = {each for each in Pose if not quality.flaws(ENROLLMENT, each, rest)}
	# Looking up or down a little is still ahead.
	assert good == ({pose, Pose.FRONT} if pose in (Pose.UP, Pose.DOWN) else {pose})


def test_the_shots_of_one_person_agree(tiny_engine: Engine) -> None:
	shots = [portrait(tiny_engine, pose).embedding for pose in Pose]
	other = portrait(tiny_engine, Pose.FRONT, person=9).embedding
	for shot in shots:
		assert shots[0] @ shot >= THRESHOLD
		assert other @ shot < THRESHOLD


def test_nothing_of_a_face_is_written_into_a_log_by_accident(tiny_engine: Engine) -> None:
	found = portrait(tiny_engine, Pose.FRONT)
	taken_at = datetime.now(timezone.utc)
	template = found.template("HR-EMP-1", tiny_engine.model, captured_at=taken_at, captured_by="")
	matcher = Matcher(tiny_engine.model, tiny_engine.dimension)
	matcher.add([template])
	number = repr(float(found.embedding[np.abs(found.embedding).argmax()]))[:6]
	for holder in (found, template, matcher._held, matcher.search(found.embedding)):
		shown = repr(holder)
		assert number not in shown
		assert all(f"{name}=" not in shown for name in ("embedding", "vector", "matrix"))


def test_whoever_is_in_the_picture_is_seen(tiny_engine: Engine) -> None:
	assert look_at(blank(), tiny_engine) == []
	assert len(look_at(draw(draw(blank(), 1, 60, 60), 2, 360, 60), tiny_engine)) == 2
	small = portrait(tiny_engine, Pose.FRONT, scale=1).quality
	assert small.flaws(ENROLLMENT, Pose.FRONT) == (Flaw.TOO_SMALL,)


def no_secrets(_kind: str, _reference: str) -> str:
	raise ConfigError(Code.SECRET_MISSING)


def test_networks_are_opened_as_the_configuration_says(tiny_pack: Path, tiny_engine: Engine) -> None:
	table = {
		"pack": str(tiny_pack),
		"liveness": True,
		"liveness_pack": str(tiny_pack),
		"threads": 1,
		"pipeline": {"challenged": True, "decision": {"agree": 2}},
	}
	settings = parse(RecognitionSettings, table, secrets=no_secrets)
	assert (settings.pipeline.challenged, settings.pipeline.decision.agree) == (True, 2)
	opened = open_networks(settings)
	assert opened.threshold == THRESHOLD
	assert opened.engine.model == tiny_engine.model
	assert opened.liveness is not None
	picture = draw(blank(), 8, 150, 100, scale=2.0)
	(ours,), (bare,) = look_at(picture, opened.engine), look_at(picture, tiny_engine)
	np.testing.assert_allclose(ours.embedding, bare.embedding, atol=1e-6)
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
		open_networks(RecognitionSettings(pack=tmp_path))
	assert open_networks(RecognitionSettings(pack=tmp_path, threshold=0.6)).threshold == 0.6
