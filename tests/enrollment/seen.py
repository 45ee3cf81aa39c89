"""What is seen of somebody who is being enrolled, as numbers that are easy to work out by hand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np

from attendance_bridge.core.consent import Consent
from attendance_bridge.core.template import Pose
from attendance_bridge.edge.enrollment.advice import Observation
from attendance_bridge.recognition.face import Face, Floats
from attendance_bridge.recognition.quality import Quality, Turn

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=timezone.utc)
WIDTH, HEIGHT = 640, 480
EMPLOYEE = "HR-EMP-1"
HELD = {
	Pose.FRONT: (0.0, 0.0),
	Pose.LEFT: (0.5, 0.0),
	Pose.RIGHT: (-0.5, 0.0),
	Pose.UP: (0.0, 0.4),
	Pose.DOWN: (0.0, -0.4),
}
"""Yaw and pitch of a head that is held well in each pose."""


def at_angle(degrees: float) -> Floats:
	"""An embedding of which the cosine with that at 0° is the cosine of the angle."""
	return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


def consent(employee: str = EMPLOYEE, withdrawn: datetime | None = None) -> Consent:
	return Consent(
		employee=employee, given_at=NOW, text_version="1", text_sha256="ab" * 32, withdrawn_at=withdrawn
	)


def face(
	*, left: float = 240, top: float = 120, width: float = 160, height: float = 240, moved: float = 0
) -> Face:
	"""By default in the middle; the eyes are 80 pixels apart.

	:param moved: by how many pixels all landmarks lie farther to the right.
	"""
	points = [[280, 220], [360, 220], [320, 260], [290, 300], [350, 300]]
	return Face(
		box=np.array([left, top, left + width, top + height], np.float32),
		landmarks=np.array(points, np.float32) + np.array([moved, 0], np.float32),
		score=0.9,
	)


def quality(*, yaw: float = 0, pitch: float = 0, roll: float = 0, **changes: Any) -> Quality:
	measures: dict[str, Any] = {
		"inter_eye": 80.0,
		"score": 0.9,
		"sharpness": 120.0,
		"dark": 0.0,
		"bright": 0.0,
	}
	return Quality(turn=Turn(yaw=yaw, pitch=pitch, roll=roll), **{**measures, **changes})


def seen(
	pose: Pose = Pose.FRONT,
	seconds: float = 0.0,
	*,
	angle: float = 0.0,
	owner: str = "",
	sharpness: float = 120.0,
) -> Observation:
	"""A good picture of a head held in `pose`.

	:param angle: of the embedding; see `at_angle`.
	"""
	yaw, pitch = HELD[pose]
	return Observation(
		seconds=seconds,
		taken_at=NOW + timedelta(seconds=seconds),
		width=WIDTH,
		height=HEIGHT,
		faces=1,
		face=face(),
		quality=quality(yaw=yaw, pitch=pitch, sharpness=sharpness),
		embedding=at_angle(angle),
		owner=owner,
	)


def nobody(seconds: float = 0.0) -> Observation:
	return Observation(
		seconds=seconds, taken_at=NOW + timedelta(seconds=seconds), width=WIDTH, height=HEIGHT, faces=0
	)
