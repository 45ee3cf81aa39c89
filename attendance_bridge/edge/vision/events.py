"""What happens before the camera, for pages and programs: a bounded ring that watchers wait on."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from attendance_bridge.core.driver import Now

KEPT = 200
"""Events that a watcher who was away can still catch up with."""
AWAY_SECONDS = 5.0


class EventType(str, Enum):
	"""The `type` of an event; beside it stand `number`, `at` and the facts listed here."""

	FACE = "face"
	"""Who is to be seen now. `faces`: see `ports.FaceView`. Of these only the newest is kept."""
	PUNCH = "punch"
	"""A punch is held durably. `punch_id`, `employee`, `name`, `time` (wall time of the agent's zone),
	`log_type` (IN, OUT or empty) with `log_type_reason`: a preview where the site decides (`preview`)."""
	DECIDED = "decided"
	"""What became of a punch. `punch_id`, `name`, `time`, `state` (`core.projection.State`), `state_reason`,
	`log_type`, `log_type_reason`."""
	AGAIN = "again"
	"""Somebody whose pause is not over yet. `employee`, `name`, `time` of the punch that stands."""
	UNKNOWN = "unknown"
	"""Somebody whom nobody knows. No facts."""
	NO_PUNCH = "no_punch"
	"""A known person who cannot punch. `employee`, `name`, `reason`: no_device_id, not_in_roster,
	no_second_factor, blocked, enrolling, not_held (with `sentence`; a PUNCH follows when it can)."""
	LIVENESS_FAILED = "liveness_failed"
	"""What looks like a picture of a face. No facts: it is not told whose."""
	CHALLENGE = "challenge"
	"""`side`: left or right, as the person sees it; `seconds` to do it in."""
	CHALLENGE_FAILED = "challenge_failed"
	"""`reason`: too_late, wrong_side, somebody_else, jumped."""
	SECOND_FACTOR = "second_factor"
	"""A recognised person is asked for more. `ticket`, `kind` (pin or badge), `employee`, `name`,
	`seconds`."""
	SECOND_FACTOR_OVER = "second_factor_over"
	"""`ticket`, `reason`: passed, too_late, too_many."""
	CAMERA = "camera"
	"""`state` (`edge.camera.CameraState`), `since`, `sentence`: empty while all is well."""
	GALLERY = "gallery"
	"""Who can be recognised has changed. `people`, `templates`."""
	ENROLLMENT = "enrollment"
	"""An enrollment moved on; its facts are those of `edge.enrollment`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionEvent:
	"""One thing that happened. `as_json` is what goes out."""

	number: int
	"""Grows by one with every event; the id of a server-sent event."""
	type: EventType
	at: datetime
	"""Aware."""
	facts: Mapping[str, Any]
	"""JSON-able."""

	def as_json(self) -> dict[str, Any]:
		"""`faces` is there in every event, empty where an event is about no faces."""
		head = {"number": self.number, "type": self.type.value, "at": self.at.isoformat()}
		return {**head, "faces": [], **self.facts}


class VisionEvents:
	"""The newest events. Safe to use from any thread."""

	def __init__(self, now: Now, kept: int = KEPT) -> None:
		self._now = now
		self._condition = threading.Condition()
		self._ring: deque[VisionEvent] = deque(maxlen=kept)
		self._faces: VisionEvent | None = None
		self._number = 0
		self._watchers = 0
		self._left_at = float("-inf")
		self._closed = False

	@property
	def last_number(self) -> int:
		"""Where a watcher begins who wants nothing from before."""
		with self._condition:
			return self._number

	@property
	def watched(self) -> bool:
		"""Whether anybody waits, or did a moment ago: a watcher is away while it passes on what it heard.

		Without watchers nobody needs to be told of every moved face.
		"""
		return self._watchers > 0 or time.monotonic() - self._left_at < AWAY_SECONDS

	@property
	def closed(self) -> bool:
		return self._closed

	def publish(self, type: EventType, **facts: Any) -> VisionEvent:
		"""Tell all watchers."""
		with self._condition:
			self._number += 1
			event = VisionEvent(number=self._number, type=type, at=self._now(), facts=facts)
			if type is EventType.FACE:
				self._faces = event  # faces move many times a second: they must not push out what happened
			else:
				self._ring.append(event)
			self._condition.notify_all()
			return event

	def wait(self, seen: int, timeout: float) -> list[VisionEvent]:
		"""The events after number `seen`, in their order; waits up to `timeout` seconds for one.

		Empty when none came, and at once when the agent ends (`closed`).
		"""
		with self._condition:
			self._watchers += 1
			try:
				self._condition.wait_for(lambda: self._number > seen or self._closed, timeout)
			finally:
				self._watchers -= 1
				self._left_at = time.monotonic()
			news = [event for event in self._ring if event.number > seen]
			if self._faces is not None and self._faces.number > seen:
				news.append(self._faces)
		return sorted(news, key=lambda event: event.number)

	def close(self) -> None:
		"""Let every watcher go, now and later."""
		with self._condition:
			self._closed = True
			self._condition.notify_all()
