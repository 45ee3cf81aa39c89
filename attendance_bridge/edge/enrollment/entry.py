"""One enrollment under way: who, how it was begun, how far it is."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from attendance_bridge.core.person import Person
from attendance_bridge.edge.enrollment.advice import Observation
from attendance_bridge.edge.enrollment.session import Session


class Source(str, Enum):
	"""Where the pictures come from."""

	CAMERA = "camera"
	"""The agent's own."""
	BROWSER = "browser"
	"""The camera of whoever has the page open; it posts picture after picture."""
	PHOTO = "photo"
	"""One uploaded picture: one template, looking ahead. Weaker than five."""


class Refusal(str, Enum):
	NO_SUCH_PERSON = "no_such_person"
	NO_SUCH_ENROLLMENT = "no_such_enrollment"
	NO_CAMERA = "no_camera"
	CAMERA_TAKEN = "camera_taken"
	"""Somebody else is being enrolled before it."""
	PERSON_TAKEN = "person_taken"
	"""This person is being enrolled elsewhere at the moment."""
	TOO_MANY = "too_many_enrollments"
	CONSENT_MISSING = "consent_missing"
	CONSENT_CHANGED = "consent_changed"
	"""The words are not those that the person saw."""
	OTHER_SOURCE = "other_source"
	"""This enrollment takes its pictures from elsewhere."""


class RefusedError(Exception):
	"""An act that is not possible, or not now."""

	def __init__(self, refusal: Refusal) -> None:
		super().__init__(refusal.value)
		self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
	"""What is needed to begin."""

	employee: str
	source: Source
	consent_sha256: str
	"""Of the words that the person saw and agreed to."""
	replace: bool = True
	"""Whether former templates of this model are erased."""
	accepted: Collection[str] = ()
	"""People whom this one may look like."""
	who: str = ""
	"""Who stands beside the person."""
	address: str = ""


@dataclass(slots=True, eq=False)
class Enrollment:
	"""One of them. Changed under its lock."""

	id: str
	person: Person
	start: Start
	session: Session
	error: str = ""
	"""The code of what kept it from being kept, in the state FAILED."""
	ended: float | None = None
	version: int = 0
	"""Grows with every picture that was looked at."""
	lock: threading.RLock = field(default_factory=threading.RLock)
	changed: threading.Condition = field(init=False)

	def __post_init__(self) -> None:
		self.changed = threading.Condition(self.lock)


def as_json(entry: Enrollment) -> dict[str, Any]:
	"""For the page and for programs. Places are shares of the picture, from 0 to 1; pixels are not told."""
	with entry.lock:
		session = entry.session
		return {
			"id": entry.id,
			"employee": entry.person.employee,
			"name": entry.person.full_name or entry.person.employee,
			"source": entry.start.source.value,
			"state": session.state.value,
			"over": session.over,
			"pose": session.pose.value if session.pose else None,
			"poses": [
				{"pose": pose.value, "captured": place < len(session.shots)}
				for place, pose in enumerate(session.poses)
			],
			"progress": session.progress,
			"held": session.held,
			"advice": [advice.value for advice in session.advice],
			"face": _face(session.before),
			"owner": session.owner or None,
			"error": entry.error or None,
		}


def _face(seen: Observation | None) -> dict[str, Any] | None:
	if seen is None or seen.face is None:
		return None
	left, top, right, bottom = (float(side) for side in seen.face.box)
	box = (left / seen.width, top / seen.height, right / seen.width, bottom / seen.height)
	turn = seen.quality.turn if seen.quality else None
	return {
		"box": [round(side, 4) for side in box],
		"yaw": round(turn.yaw, 3) if turn else 0.0,
		"pitch": round(turn.pitch, 3) if turn else 0.0,
	}
