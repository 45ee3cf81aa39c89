"""Turns and flaws, against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from attendance_bridge.core.template import Pose
from attendance_bridge.recognition.aligner import align
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.face import Face
from attendance_bridge.recognition.quality import (
	ENROLLMENT,
	Flaw,
	Quality,
	Turn,
	holds,
	measure,
	measure_turn,
)
from tests.recognition.drawing import blank, draw

# Eyes 40 apart, the mouth 40 below them, the nose in the middle.
AHEAD = np.array([[0, 0], [40, 0], [20, 20], [5, 40], [35, 40]], np.float32)


def moved_nose(x: float, y: float) -> np.ndarray:
	points = AHEAD.copy()
	points[2] += (x, y)
	return points


@pytest.mark.parametrize(
	("landmarks", "yaw", "pitch", "roll"),
	[
		(AHEAD, 0, 0, 0),
		# 30 and 10 from the eyes, along their line: (30 - 10) / 40.
		(moved_nose(10, 0), 0.5, 0, 0),
		(moved_nose(-10, 0), -0.5, 0, 0),
		(moved_nose(90, 0), 1, 0, 0),  # bounded
		# At 16 of 40: .4, that is .1 above rest.
		(moved_nose(0, -4), 0, 0.2, 0),
		(moved_nose(0, 4), 0, -0.2, 0),
		# Turned by 90 degrees in the picture: (x, y) → (-y, x).
		(moved_nose(10, -4) @ np.array([[0, 1], [-1, 0]], np.float32), 0.5, 0.2, 90),
		(AHEAD * 3 + 7, 0, 0, 0),
		(AHEAD * 0, 0, 0, 0),
	],
)
def test_turn(landmarks: np.ndarray, yaw: float, pitch: float, roll: float) -> None:
	turn = measure_turn(landmarks)
	assert (turn.yaw, turn.pitch, turn.roll) == pytest.approx((yaw, pitch, roll), abs=1e-6)


@pytest.mark.parametrize(
	("yaw", "pitch", "poses"),
	[
		(0, 0, {Pose.FRONT}),
		(0.32, 0, set()),  # neither ahead nor turned
		(0.4, 0, {Pose.LEFT}),
		(-0.4, 0, {Pose.RIGHT}),
		(0, 0.25, {Pose.FRONT, Pose.UP}),
		(0, 0.5, {Pose.UP}),
		(0, -0.5, {Pose.DOWN}),
		(0.5, 0.5, {Pose.LEFT}),
	],
)
def test_a_pose_is_held(yaw: float, pitch: float, poses: set[Pose]) -> None:
	turn = Turn(yaw=yaw, pitch=pitch, roll=0)
	assert {pose for pose in Pose if holds(turn, pose, ENROLLMENT)} == poses


def test_up_and_down_are_seen_from_where_this_nose_is_at_rest() -> None:
	rest = Turn(yaw=0, pitch=-0.3, roll=0)
	assert not holds(rest, Pose.DOWN, ENROLLMENT, rest)
	assert holds(Turn(yaw=0, pitch=-0.05, roll=0), Pose.UP, ENROLLMENT, rest)
	assert holds(Turn(yaw=0, pitch=-0.5, roll=0), Pose.DOWN, ENROLLMENT, rest)


GOOD = {"inter_eye": 80.0, "score": 0.9, "sharpness": 100.0, "dark": 0.0, "bright": 0.0}


@pytest.mark.parametrize(
	("change", "flaws"),
	[
		({}, ()),
		({"inter_eye": 59}, (Flaw.TOO_SMALL,)),
		({"score": 0.69}, (Flaw.UNSURE,)),
		({"sharpness": 59}, (Flaw.BLURRED,)),
		({"dark": 0.11}, (Flaw.TOO_DARK,)),
		({"bright": 0.11}, (Flaw.TOO_BRIGHT,)),
		({"turn": Turn(yaw=0.31, pitch=0, roll=0)}, (Flaw.TURNED,)),
		({"turn": Turn(yaw=0, pitch=0, roll=-16)}, (Flaw.TILTED,)),
	],
)
def test_flaws(change: dict[str, object], flaws: tuple[Flaw, ...]) -> None:
	turn = Turn(yaw=0, pitch=0, roll=0)
	quality = Quality(**{**GOOD, "turn": turn, **change})  # type: ignore[arg-type]
	assert quality.flaws(ENROLLMENT) == flaws
	assert 0 <= quality.figure <= 1


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (0.5, 0, 0), (-0.4, 0.3, 0), (0.3, -0.3, 14)])
def test_a_drawn_head_is_measured_as_it_was_drawn(
	tiny_engine: Engine, yaw: float, pitch: float, roll: float
) -> None:
	image = draw(blank(), 5, 150, 100, scale=2, yaw=yaw, pitch=pitch, roll=roll)
	turn = measure_turn(tiny_engine.detect(image)[0].landmarks)
	assert (turn.yaw, turn.pitch) == pytest.approx((yaw, pitch), abs=0.03)
	assert turn.roll == pytest.approx(roll, abs=1)


def test_blur_and_light_are_measured() -> None:
	face = Face(box=np.zeros(4, np.float32), landmarks=AHEAD * 2, score=1.0)
	fine = np.random.default_rng(2).integers(100, 150, (112, 112, 3), dtype=np.uint8)
	even = np.full((112, 112, 3), 128, np.uint8)
	assert measure(face, fine).sharpness > 500 > 1 > measure(face, even).sharpness
	assert measure(face, even).inter_eye == 80
	half = even.copy()
	half[:28], half[28:84] = 25, 247  # a quarter black, half white
	quality = measure(face, half)
	assert (quality.dark, quality.bright) == pytest.approx((0.25, 0.5))


def test_align_is_what_is_measured(tiny_engine: Engine) -> None:
	image = draw(blank(), 5, 150, 100, scale=2)
	face = tiny_engine.detect(image)[0]
	assert measure(face, align(image, face.landmarks)).flaws(ENROLLMENT) == ()
