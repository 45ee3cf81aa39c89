"""What somebody is told, for every way in which a picture can fall short."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("numpy", reason="recognition needs the extra `recognition`")

from attendance_bridge.core.template import Pose
from attendance_bridge.edge.enrollment.advice import Advice, advise, speed
from attendance_bridge.edge.enrollment.settings import EnrollmentSettings
from attendance_bridge.recognition.quality import Turn
from tests.enrollment.seen import HELD, face, nobody, quality, seen

SETTINGS = EnrollmentSettings()
FRONT, LEFT, RIGHT, UP, DOWN = Pose


@pytest.mark.parametrize("pose", Pose)
def test_a_good_picture_needs_nothing(pose: Pose) -> None:
	assert advise(seen(pose), pose, SETTINGS) == ()


@pytest.mark.parametrize(
	("pose", "other"), [(a, b) for a in Pose for b in Pose if a is not b], ids=lambda pose: pose.value
)
def test_no_pose_passes_for_another(pose: Pose, other: Pose) -> None:
	assert advise(seen(other), pose, SETTINGS) != () or (pose, other) in (
		# Looking ahead allows for a pitch of 0.45: noses differ.
		(FRONT, UP),
		(FRONT, DOWN),
	)


@pytest.mark.parametrize(
	("changes", "advice"),
	[
		({"faces": 0, "face": None, "quality": None, "embedding": None}, Advice.NO_FACE),
		({"faces": 2, "quality": None, "embedding": None}, Advice.SEVERAL_FACES),
		({"embedding": None}, Advice.NO_FACE),
		({"quality": quality(score=0.69)}, Advice.NO_FACE),
		({"quality": quality(inter_eye=59)}, Advice.TOO_FAR),
		({"quality": quality(dark=0.11)}, Advice.TOO_DARK),
		({"quality": quality(bright=0.11)}, Advice.TOO_BRIGHT),
		({"quality": quality(roll=16)}, Advice.HOLD_UPRIGHT),
		({"quality": quality(roll=-16)}, Advice.HOLD_UPRIGHT),
		({"quality": quality(yaw=0.31)}, Advice.LOOK_AHEAD),
		({"quality": quality(pitch=-0.46)}, Advice.LOOK_AHEAD),
		({"quality": quality(sharpness=59)}, Advice.BLURRED),
		({"eyes_open": False}, Advice.EYES_CLOSED),
		# The picture is 480 high, and a face may fill 0.85 of that: 408.
		({"face": face(left=200, width=240, top=35, height=409)}, Advice.TOO_CLOSE),
		# Its middle may be 0.2 × 480 = 96 from the picture's, at (320, 240).
		({"face": face(left=240 + 97)}, Advice.OFF_CENTRE),
		({"face": face(left=240 - 97)}, Advice.OFF_CENTRE),
		({"face": face(top=120 + 97)}, Advice.OFF_CENTRE),
		({"face": face(top=120 - 97)}, Advice.OFF_CENTRE),
	],
)
def test_what_falls_short_is_told(changes: dict[str, Any], advice: Advice) -> None:
	assert advise(replace(seen(), **changes), FRONT, SETTINGS) == (advice,)


@pytest.mark.parametrize(
	"changes",
	[
		{"quality": quality(inter_eye=60, score=0.7, dark=0.1, bright=0.1, roll=15, yaw=0.3, sharpness=60)},
		{"face": face(left=200, width=240, top=36, height=408)},
		{"face": face(left=240 + 96, top=120 - 96)},
		{"eyes_open": True},
	],
)
def test_what_is_just_good_enough_passes(changes: dict[str, Any]) -> None:
	assert advise(replace(seen(), **changes), FRONT, SETTINGS) == ()


@pytest.mark.parametrize(
	("pose", "yaw", "pitch", "advice"),
	[
		# A turn to the side counts from 0.35 to 0.8; from 0.3 × 0.35 = 0.105 on, somebody has begun.
		(LEFT, 0.0, 0.0, Advice.TURN_LEFT),
		(LEFT, 0.10, 0.0, Advice.TURN_LEFT),
		(LEFT, -0.5, 0.0, Advice.TURN_LEFT),
		(LEFT, 0.11, 0.0, Advice.TURN_LEFT_MORE),
		(LEFT, 0.34, 0.0, Advice.TURN_LEFT_MORE),
		(LEFT, 0.35, 0.0, None),
		(LEFT, 0.80, 0.0, None),
		(LEFT, 0.81, 0.0, Advice.TURN_LEFT_LESS),
		(RIGHT, 0.5, 0.0, Advice.TURN_RIGHT),
		(RIGHT, -0.2, 0.0, Advice.TURN_RIGHT_MORE),
		(RIGHT, -0.5, 0.0, None),
		(RIGHT, -0.9, 0.0, Advice.TURN_RIGHT_LESS),
		# Up and down count from 0.2; 0.3 × 0.2 = 0.06.
		(UP, 0.0, 0.05, Advice.TURN_UP),
		(UP, 0.0, 0.07, Advice.TURN_UP_MORE),
		(UP, 0.0, 0.21, None),
		(UP, 0.0, 0.81, Advice.TURN_UP_LESS),
		(UP, 0.31, 0.3, Advice.LOOK_AHEAD),
		(DOWN, 0.0, 0.3, Advice.TURN_DOWN),
		(DOWN, 0.0, -0.1, Advice.TURN_DOWN_MORE),
		(DOWN, 0.0, -0.3, None),
		(DOWN, 0.0, -0.9, Advice.TURN_DOWN_LESS),
	],
)
def test_turns(pose: Pose, yaw: float, pitch: float, advice: Advice | None) -> None:
	picture = replace(seen(), quality=quality(yaw=yaw, pitch=pitch))
	assert advise(picture, pose, SETTINGS) == (() if advice is None else (advice,))


@pytest.mark.parametrize(
	("pose", "yaw", "pitch", "advice"),
	[
		# Who looks ahead at a yaw of 0.1 and a pitch of -0.2 turns from there.
		(LEFT, 0.44, -0.2, Advice.TURN_LEFT_MORE),
		(LEFT, 0.46, -0.2, None),
		(RIGHT, -0.24, -0.2, Advice.TURN_RIGHT_MORE),
		(RIGHT, -0.26, -0.2, None),
		(UP, 0.1, -0.01, Advice.TURN_UP_MORE),
		(UP, 0.1, 0.01, None),
		(DOWN, 0.1, -0.39, Advice.TURN_DOWN_MORE),
		(DOWN, 0.1, -0.41, None),
		# Too far is too far from ahead, not from rest.
		(RIGHT, -0.79, -0.2, None),
		(LEFT, 0.81, -0.2, Advice.TURN_LEFT_LESS),
		(UP, 0.1, 0.79, None),
	],
)
def test_turns_are_measured_from_how_the_head_is_held_at_rest(
	pose: Pose, yaw: float, pitch: float, advice: Advice | None
) -> None:
	picture = replace(seen(), quality=quality(yaw=yaw, pitch=pitch))
	found = advise(picture, pose, SETTINGS, rest=Turn(yaw=0.1, pitch=-0.2, roll=0))
	assert found == (() if advice is None else (advice,))


def test_of_a_turned_head_less_is_asked() -> None:
	yaw, pitch = HELD[LEFT]
	# 0.75 × 60 = 45 pixels, 0.7 - 0.1, 15° + 10°.
	held = replace(seen(), quality=quality(yaw=yaw, pitch=pitch, inter_eye=45, score=0.6, roll=25))
	assert advise(held, LEFT, SETTINGS) == ()
	assert advise(replace(held, quality=quality(yaw=yaw, inter_eye=44)), LEFT, SETTINGS) == (Advice.TOO_FAR,)


def test_the_most_urgent_comes_first() -> None:
	bad = replace(seen(), quality=quality(inter_eye=40, dark=0.5, yaw=0.5, sharpness=10))
	assert advise(bad, FRONT, SETTINGS) == (
		Advice.TOO_FAR,
		Advice.TOO_DARK,
		Advice.LOOK_AHEAD,
		Advice.BLURRED,
	)


def test_a_face_that_moves_is_told_to_hold_still() -> None:
	# The eyes are 80 pixels apart; 24 pixels in 0.2 s are 0.3 distances in 0.2 s: 1.5 a second.
	fast = replace(seen(seconds=0.2), face=face(moved=24))
	assert speed(seen(), fast) == pytest.approx(1.5, rel=1e-5)
	assert advise(fast, FRONT, SETTINGS, before=seen()) == (Advice.HOLD_STILL,)
	# 16 pixels are 1 a second.
	assert advise(replace(fast, face=face(moved=16)), FRONT, SETTINGS, before=seen()) == ()


def test_nothing_before_is_no_movement() -> None:
	assert speed(None, seen()) == speed(nobody(), seen(seconds=1)) == speed(seen(), nobody(1)) == 0
	assert speed(seen(), replace(seen(), face=face(moved=50))) == 0
