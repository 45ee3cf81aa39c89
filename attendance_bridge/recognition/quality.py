"""How good a face is for recognition: its size, its turn, its sharpness and its light.

Measured from the five landmarks and the aligned face, after the quality components of ISO/IEC 29794-5 that
five points allow. The limits are from the percentiles of Labeled Faces in the Wild. Five points cannot tell
whether eyes are open.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from attendance_bridge.core.config import option
from attendance_bridge.core.template import Pose
from attendance_bridge.recognition.face import (
	LEFT_EYE,
	LEFT_MOUTH,
	NOSE,
	RIGHT_EYE,
	RIGHT_MOUTH,
	Face,
	Floats,
	Image,
)
from attendance_bridge.recognition.runtime import load_cv2

DARKEST, BRIGHTEST = 25, 247
"""Grey values up to and from which a pixel shows nothing."""
NOSE_AT_REST = 0.5
"""Where the nose stands between the line of the eyes (0) and that of the mouth (1) when one looks ahead."""
GOOD_INTER_EYE, GOOD_SHARPNESS = 90.0, 150.0
"""From here on, more makes a face no better."""


class Flaw(str, Enum):
	"""Why a face is not good enough."""

	UNSURE = "unsure"
	"""The detector is not sure that it is a face."""
	TOO_SMALL = "too_small"
	TURNED = "turned"
	"""Not looking ahead, or not in the wanted direction."""
	TILTED = "tilted"
	BLURRED = "blurred"
	TOO_DARK = "too_dark"
	TOO_BRIGHT = "too_bright"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
	"""What a face must reach."""

	inter_eye: float = option(60.0, help="least distance of the eyes in pixels", minimum=10, maximum=1000)
	score: float = option(0.7, help="least certainty of the detector", minimum=0, maximum=1)
	sharpness: float = option(60.0, help="least variance of the Laplacian", minimum=0, maximum=10_000)
	yaw: float = option(0.3, help="most turn to a side of a face that looks ahead", minimum=0, maximum=1)
	pitch: float = option(0.45, help="most turn up or down of a face that looks ahead", minimum=0, maximum=1)
	roll: float = option(15.0, help="most tilt in degrees", minimum=0, maximum=90)
	dark: float = option(0.1, help="largest share of pixels that are black", minimum=0, maximum=1)
	bright: float = option(0.1, help="largest share of pixels that are white", minimum=0, maximum=1)
	turned: float = option(0.35, help="least turn to a side of a face in a turned pose", minimum=0, maximum=1)
	raised: float = option(
		0.2, help="least raising or lowering of a face in such a pose", minimum=0, maximum=1
	)


ENROLLMENT = Limits()
RECOGNITION = Limits(
	inter_eye=30.0, score=0.6, sharpness=25.0, yaw=0.6, pitch=0.7, roll=30.0, dark=0.4, bright=0.4
)
"""Looser: a face at the door only has to be worth a comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
	"""How a head is held, from its landmarks. Without a unit: ratios of distances, but for the roll."""

	yaw: float
	"""(left - right) / (left + right) of the distances of the nose to the eyes along the line of the eyes.
	Positive when the person turns to their own left; 0.5 is about 25 degrees."""
	pitch: float
	"""Twice how far the nose stands above its place at rest. Positive when the person looks up."""
	roll: float
	"""Degrees; positive clockwise as seen in the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
	"""What was measured of one face."""

	inter_eye: float
	"""Pixels."""
	score: float
	sharpness: float
	"""Variance of the Laplacian of the aligned face in grey."""
	turn: Turn
	dark: float
	bright: float

	@property
	def figure(self) -> float:
		"""One figure from 0 to 1, for a template: the weakest of size, sharpness, certainty and light."""
		parts = (
			self.inter_eye / GOOD_INTER_EYE,
			self.sharpness / GOOD_SHARPNESS,
			self.score,
			1 - self.dark - self.bright,
		)
		return max(0.0, min(1.0, *parts))

	def flaws(self, limits: Limits, pose: Pose = Pose.FRONT, rest: Turn | None = None) -> tuple[Flaw, ...]:
		"""Why this face does not do in `pose`; empty when it does.

		:param rest: how this person's head is held looking ahead; see `holds`.
		"""
		found = {
			Flaw.UNSURE: self.score < limits.score,
			Flaw.TOO_SMALL: self.inter_eye < limits.inter_eye,
			Flaw.TURNED: not holds(self.turn, pose, limits, rest),
			Flaw.TILTED: abs(self.turn.roll) > limits.roll,
			Flaw.BLURRED: self.sharpness < limits.sharpness,
			Flaw.TOO_DARK: self.dark > limits.dark,
			Flaw.TOO_BRIGHT: self.bright > limits.bright,
		}
		return tuple(flaw for flaw, there in found.items() if there)


def holds(turn: Turn, pose: Pose, limits: Limits, rest: Turn | None = None) -> bool:
	"""Whether a head is held in `pose`.

	:param rest: how the same head was held looking ahead. Noses differ, and so do detectors; a turn away from
		the front is measured from there.
	"""
	ahead = abs(turn.yaw) <= limits.yaw
	yaw = turn.yaw - (rest.yaw if rest else 0)
	pitch = turn.pitch - (rest.pitch if rest else 0)
	return {
		Pose.FRONT: ahead and abs(turn.pitch) <= limits.pitch,
		Pose.LEFT: yaw >= limits.turned,
		Pose.RIGHT: yaw <= -limits.turned,
		Pose.UP: ahead and pitch >= limits.raised,
		Pose.DOWN: ahead and pitch <= -limits.raised,
	}[pose]


def measure_turn(landmarks: Floats) -> Turn:
	"""How the head is held.

	:param landmarks: 5 × 2.
	"""
	points = landmarks.astype(np.float64)
	eyes = points[RIGHT_EYE] - points[LEFT_EYE]
	apart = float(np.hypot(*eyes)) or 1.0
	along = eyes / apart
	across = np.array([-along[1], along[0]])
	eye_middle = (points[LEFT_EYE] + points[RIGHT_EYE]) / 2
	mouth_middle = (points[LEFT_MOUTH] + points[RIGHT_MOUTH]) / 2
	nose = points[NOSE] - eye_middle
	length = float((mouth_middle - eye_middle) @ across)
	height = float(nose @ across) / length if length > 0 else NOSE_AT_REST
	return Turn(
		# With both distances along the line of the eyes, their sum is that of the eyes.
		yaw=_bounded(2 * float(nose @ along) / apart),
		pitch=_bounded(2 * (NOSE_AT_REST - height)),
		roll=float(np.degrees(np.arctan2(eyes[1], eyes[0]))),
	)


def _bounded(ratio: float) -> float:
	return max(-1.0, min(1.0, ratio))


def measure(face: Face, aligned: Image) -> Quality:
	"""The quality of a face, from itself and its aligned picture."""
	cv2 = load_cv2()
	grey = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY)
	counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).reshape(-1) / grey.size
	laplacian = cv2.Laplacian(grey, cv2.CV_32F)
	eyes = face.landmarks[RIGHT_EYE] - face.landmarks[LEFT_EYE]
	return Quality(
		inter_eye=float(np.hypot(*eyes)),
		score=face.score,
		sharpness=float(laplacian.var()),
		turn=measure_turn(face.landmarks),
		dark=float(counts[: DARKEST + 1].sum()),
		bright=float(counts[BRIGHTEST:].sum()),
	)
