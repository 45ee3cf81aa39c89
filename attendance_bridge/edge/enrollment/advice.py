"""What is seen of somebody who is being enrolled, and what they are told to do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

import numpy as np

from attendance_bridge.core.template import Pose
from attendance_bridge.edge.enrollment.settings import EnrollmentSettings
from attendance_bridge.recognition.face import LEFT_EYE, RIGHT_EYE, Face, Floats, Image
from attendance_bridge.recognition.quality import Flaw, Quality, Turn, holds

BEGUN = 0.3
"""From this share of the wanted turn on, somebody has understood which way."""


class Advice(str, Enum):
	"""What the person is told. Left and right are the person's own."""

	NO_FACE = "no_face"
	SEVERAL_FACES = "several_faces"
	TOO_FAR = "too_far"
	TOO_CLOSE = "too_close"
	OFF_CENTRE = "off_centre"
	TOO_DARK = "too_dark"
	TOO_BRIGHT = "too_bright"
	LOOK_AHEAD = "look_ahead"
	HOLD_UPRIGHT = "hold_upright"
	"""The head leans to a side."""
	TURN_LEFT = "turn_left"
	TURN_LEFT_MORE = "turn_left_more"
	TURN_LEFT_LESS = "turn_left_less"
	TURN_RIGHT = "turn_right"
	TURN_RIGHT_MORE = "turn_right_more"
	TURN_RIGHT_LESS = "turn_right_less"
	TURN_UP = "turn_up"
	TURN_UP_MORE = "turn_up_more"
	TURN_UP_LESS = "turn_up_less"
	TURN_DOWN = "turn_down"
	TURN_DOWN_MORE = "turn_down_more"
	TURN_DOWN_LESS = "turn_down_less"
	HOLD_STILL = "hold_still"
	BLURRED = "blurred"
	EYES_CLOSED = "eyes_closed"
	OTHER_PERSON = "other_person"
	"""Not the face of the first shot."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
	"""What was seen in one picture. Of several faces, the largest is measured. Its `repr` shows no face."""

	seconds: float
	"""When it was taken, by a clock that never goes back."""
	taken_at: datetime
	"""Aware."""
	width: int
	"""Of the picture, in pixels; so is `height`."""
	height: int
	faces: int
	"""How many there are that disturb, the measured one included."""
	face: Face | None = field(default=None, repr=False)
	quality: Quality | None = None
	embedding: Floats | None = field(default=None, repr=False)
	"""Of length 1. None when there is not exactly one face, or it cannot be aligned."""
	owner: str = ""
	"""The employee other than the enrolled one whose face this is by the gallery; empty if it is nobody's."""
	eyes_open: bool | None = None
	"""None where the engine cannot tell: five landmarks cannot."""
	crop: Image | None = field(default=None, repr=False)
	"""The face with what is around it, where pictures are kept."""


def advise(
	seen: Observation,
	pose: Pose,
	settings: EnrollmentSettings,
	*,
	rest: Turn | None = None,
	before: Observation | None = None,
) -> tuple[Advice, ...]:
	"""What keeps this picture from being a shot in `pose`, the most urgent first; empty when nothing does.

	:param rest: how the head was held in the shot that looks ahead.
	:param before: what was seen just before, to tell whether the face moves.
	"""
	if seen.faces > 1:
		return (Advice.SEVERAL_FACES,)
	if seen.face is None or seen.quality is None or seen.embedding is None:
		return (Advice.NO_FACE,)
	flaws = seen.quality.flaws(settings.limits_for(pose), pose, rest)
	if Flaw.UNSURE in flaws:
		return (Advice.NO_FACE,)
	turn = _turn_advice(seen.quality.turn, pose, settings, rest)
	found = {
		Advice.TOO_FAR: Flaw.TOO_SMALL in flaws,
		Advice.TOO_CLOSE: seen.face.height > settings.too_close * min(seen.width, seen.height),
		Advice.OFF_CENTRE: _is_off_centre(seen.face, seen, settings),
		Advice.TOO_DARK: Flaw.TOO_DARK in flaws,
		Advice.TOO_BRIGHT: Flaw.TOO_BRIGHT in flaws,
		Advice.HOLD_UPRIGHT: Flaw.TILTED in flaws,
		turn: turn is not None,
		Advice.HOLD_STILL: speed(before, seen) > settings.speed,
		Advice.BLURRED: Flaw.BLURRED in flaws,
		Advice.EYES_CLOSED: seen.eyes_open is False,
	}
	return tuple(advice for advice, there in found.items() if there and advice is not None)


def _is_off_centre(face: Face, seen: Observation, settings: EnrollmentSettings) -> bool:
	left, top, right, bottom = (float(side) for side in face.box)
	borne = settings.off_centre * min(seen.width, seen.height)
	return abs(left + right - seen.width) / 2 > borne or abs(top + bottom - seen.height) / 2 > borne


def _turn_advice(turn: Turn, pose: Pose, settings: EnrollmentSettings, rest: Turn | None) -> Advice | None:
	limits = settings.limits_for(pose)
	if pose is Pose.FRONT:
		return None if holds(turn, pose, limits) else Advice.LOOK_AHEAD
	# Enough is measured from how the head was held at rest; too much, from where landmarks become unsure.
	yaw = turn.yaw - (rest.yaw if rest else 0)
	pitch = turn.pitch - (rest.pitch if rest else 0)
	if pose in (Pose.UP, Pose.DOWN) and abs(turn.yaw) > limits.yaw:
		return Advice.LOOK_AHEAD
	towards, least, is_too_far = {
		Pose.LEFT: (yaw, limits.turned, turn.yaw > settings.most_turned),
		Pose.RIGHT: (-yaw, limits.turned, turn.yaw < -settings.most_turned),
		Pose.UP: (pitch, limits.raised, turn.pitch > settings.most_raised),
		Pose.DOWN: (-pitch, limits.raised, turn.pitch < -settings.most_raised),
	}[pose]
	if towards >= least and not is_too_far:
		return None
	degree = "_less" if is_too_far else "" if towards < BEGUN * least else "_more"
	return Advice(f"turn_{pose.value}{degree}")


def speed(before: Observation | None, seen: Observation) -> float:
	"""How fast the landmarks move, on average, in distances of the eyes a second; 0 if nothing tells."""
	if before is None or before.face is None or seen.face is None or seen.seconds <= before.seconds:
		return 0.0
	moved = np.hypot(*(seen.face.landmarks - before.face.landmarks).T).mean()
	apart = float(np.hypot(*(seen.face.landmarks[RIGHT_EYE] - seen.face.landmarks[LEFT_EYE]))) or 1.0
	return float(moved) / apart / (seen.seconds - before.seconds)
