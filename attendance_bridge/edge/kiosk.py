"""What the kiosk shows, as facts without words: how things stand, and what has just happened.

The kiosk hangs where everybody sees it. So nothing here goes out but what its page needs: no employee keys,
no sentences with addresses in them, and no box of a face that was not recognised.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from attendance_bridge.core.driver import Now
from attendance_bridge.core.projection import State
from attendance_bridge.edge.kiosk_settings import KioskPageSettings, called
from attendance_bridge.edge.vision.events import EventType, VisionEvent
from attendance_bridge.edge.vision.ports import FaceState, Vision
from attendance_bridge.edge.vision.staff import Staff
from attendance_bridge.stores.held import HeldPunch
from attendance_bridge.stores.punches import PunchStore

FRESH_SECONDS = 1.0
"""For how long all streams share one reading of the stores."""

_WAITS = frozenset({State.RECEIVED, State.PENDING})
_TO_LOOK_AT = frozenset({State.UNMAPPED, State.QUARANTINED, State.REJECTED})
_NOT_LISTED = frozenset({State.DUPLICATE, State.IGNORED})
_FACTS: Mapping[EventType, tuple[str, ...]] = {
	EventType.PUNCH: ("punch_id", "name", "time", "log_type", "preview"),
	EventType.DECIDED: ("punch_id", "name", "time", "state", "log_type"),
	EventType.AGAIN: ("name", "time"),
	EventType.UNKNOWN: (),
	EventType.NO_PUNCH: ("name", "reason"),
	EventType.LIVENESS_FAILED: (),
	EventType.CHALLENGE: ("side", "seconds"),
	EventType.CHALLENGE_FAILED: ("reason",),
	EventType.SECOND_FACTOR: ("ticket", "kind", "name", "seconds"),
	EventType.SECOND_FACTOR_OVER: ("ticket", "reason"),
	EventType.CAMERA: ("state", "since"),
	EventType.GALLERY: ("people",),
}
"""What goes out of each type of event; a type that is not here does not go out at all."""


class KioskView:
	"""Reads on demand, at most once a second however many screens there are. Safe from any thread."""

	def __init__(
		self,
		*,
		vision: Vision,
		settings: KioskPageSettings,
		choice_seconds: float,
		zone: ZoneInfo,
		punches: PunchStore,
		staff: Staff,
		waiting: Callable[[], int],
		offline: Callable[[], bool],
		now: Now,
		monotonic: Callable[[], float] = time.monotonic,
	) -> None:
		"""
		:param choice_seconds: for how long a choice of IN or OUT waits for its punch.
		:param zone: of the wall that the kiosk hangs on.
		:param waiting: how many punches wait for the upstream.
		:param offline: whether the upstream cannot be reached.
		"""
		self.vision = vision
		self.settings = settings
		self.choice_seconds = choice_seconds
		self.zone = zone
		self._punches = punches
		self._staff = staff
		self._waiting = waiting
		self._offline = offline
		self._now = now
		self._monotonic = monotonic
		self._lock = threading.Lock()
		self._status: dict[str, Any] = {}
		self._read_at = float("-inf")

	def now(self) -> str:
		return self._now().isoformat()

	def status(self, *, news: bool = False) -> Mapping[str, Any]:
		"""How things stand, as JSON-able data.

		:param news: something has happened; what was read before it does not do.
		"""
		with self._lock:
			if news or self._monotonic() - self._read_at >= FRESH_SECONDS:
				self._status = self._read()
				self._read_at = self._monotonic()
			return self._status

	def _read(self) -> dict[str, Any]:
		state = self.vision.live.state
		return {
			"type": "status",
			"faces": [],
			"camera": state.camera_state,
			"camera_since": state.camera_since.isoformat(),
			"model": bool(state.model),
			"generated": state.generated,
			"people": state.people,
			"offline": self._offline(),
			"waiting": self._waiting(),
			"choice": self.vision.kiosk.choice.value,
			"punches": self._listed(state.serial),
		}

	def _listed(self, serial: str) -> list[dict[str, str]]:
		most = self.settings.last_punches
		if not most:
			return []
		today = self._now().astimezone(self.zone).date()
		# Twice as many: those that are not listed must not crowd out those that are.
		held = self._punches.held(device_serial=serial, limit=2 * most)
		return [self._row(each) for each in held if _is_listed(each, today)][:most]

	def _row(self, held: HeldPunch) -> dict[str, str]:
		punch = held.punch
		return {
			"punch_id": str(punch.punch_id),
			"time": punch.wall_time.isoformat(),
			"name": called(self._name(held), self.settings.names),
			"log_type": held.log_type.value if held.log_type else "",
			"state": "waits" if held.state in _WAITS else "problem" if held.state in _TO_LOOK_AT else "done",
		}

	def _name(self, held: HeldPunch) -> str:
		if held.employee:
			return self._staff.name_of(held.employee)
		# Nothing is decided about it yet, or it is the site that decides.
		person = self._staff.directory().find(held.punch.device_user_id)
		return (person.full_name or person.employee) if person else ""

	def show(self, event: VisionEvent) -> dict[str, Any] | None:
		"""An event as the kiosk may know it, JSON-able; None for one that is not for it."""
		head: dict[str, Any] = {"type": event.type.value, "at": event.at.isoformat(), "faces": []}
		if event.type is EventType.FACE:
			return {**head, **self._show_faces(event.facts.get("faces", ()))}
		if event.type not in _FACTS:
			return None
		facts = {name: event.facts[name] for name in _FACTS[event.type] if name in event.facts}
		if "name" in facts:
			facts["name"] = called(str(facts["name"]), self.settings.names)
		return {**head, **facts}

	def _show_faces(self, faces: Any) -> dict[str, Any]:
		"""The boxes of those who are recognised; of others only that they are there, and what would help.

		:param faces: JSON of `FaceView`.
		"""
		recognised = (FaceState.KNOWN, FaceState.CHALLENGED)
		shown = []
		for face in faces:
			if face["state"] in recognised:
				# Somebody who is still to turn their head may be a picture of whose name they have.
				name = called(face["name"], self.settings.names) if face["state"] == FaceState.KNOWN else ""
				shown.append({"box": face["box"], "state": FaceState(face["state"]).value, "name": name})
		hints = [face["hint"] for face in faces if face["state"] == FaceState.LOOKING and face["hint"]]
		return {"faces": shown, "seen": len(faces), "hint": hints[0] if hints and not shown else ""}


def _is_listed(held: HeldPunch, today: date) -> bool:
	return held.punch.wall_time.date() == today and held.state not in _NOT_LISTED
