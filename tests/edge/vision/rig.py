"""What tests of the seeing agent are put together from: a scene that is played live, people, a whole agent."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from attendance_bridge.core.consent import Consent
from attendance_bridge.core.template import Pose
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.vision.events import EventType, VisionEvent
from attendance_bridge.edge.vision.portraits import look_at
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.face import Image
from attendance_bridge.simulators.camera import CameraState, verbs
from attendance_bridge.simulators.camera.face import Image as Picture
from attendance_bridge.simulators.camera.plays import PLAYS
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.gallery import Gallery
from attendance_bridge.stores.held import HeldPunch
from attendance_bridge.stores.sealed import GalleryKey
from tests.edge.rig import eventually

ZONE = "Asia/Dubai"
KEY_VARIABLE = "TEST_GALLERY_KEY"
LIVE = "test-live"
FOREVER = float("inf")

PEOPLE = (("HR-EMP-1", "31", "First Person"), ("HR-EMP-2", "32", "Second Person"))
"""Employee, id on the terminals, name. Person n wears the drawn face n."""


class Scene:
	"""The one scene before the simulated camera; whoever opens the camera again finds it as far on as it is."""

	def __init__(self) -> None:
		self.state = CameraState(fps=15)

	@contextmanager
	def playing(self) -> Iterator[Scene]:
		"""While it is entered, the play LIVE is this scene."""

		def play(state: CameraState) -> float:
			# The camera makes a state of its own; what it shows is what stands in ours.
			state.visitors, state.spells, state.lock = (
				self.state.visitors,
				self.state.spells,
				self.state.lock,
			)
			state.clock = self.state.clock
			return FOREVER

		PLAYS[LIVE] = play
		try:
			yield self
		finally:
			del PLAYS[LIVE]


def portrait_of(face: int | Picture, *, scale: float = 2.0) -> Image:
	"""A still picture of somebody before the wall."""
	state = CameraState()
	verbs.come(state, face, at=-10.0, scale=scale)
	return state.frame(0)


def enrol(gallery: Gallery, consents: Consents, engine: Engine, employee: str, picture: Image) -> None:
	"""Hold one template of somebody who has agreed."""
	now = datetime.now(timezone.utc)
	consents.give([Consent(employee=employee, given_at=now, text_version="1", text_sha256="0" * 64)])
	portrait = look_at(picture, engine)[0]
	gallery.add(
		[portrait.template(employee, engine.model, pose=Pose.FRONT, captured_at=now, captured_by="test")]
	)


def people_file(folder: Path, people: Sequence[tuple[str, str, str]] = PEOPLE) -> Path:
	path = folder / "people.csv"
	with path.open("w", encoding="utf-8", newline="") as file:
		writer = csv.writer(file)
		writer.writerow(("employee", "attendance_device_id", "full_name"))
		writer.writerows(people)
	return path


def new_key() -> str:
	return GalleryKey.new().text()


def configuration(folder: Path, **tables: Mapping[str, Any]) -> dict[str, Any]:
	"""The mapping of an agent's file: a ledger, the live scene, tiny networks. `tables` add to it."""
	base: dict[str, dict[str, Any]] = {
		"agent": {"database": str(folder / "edge.db"), "timezone": ZONE},
		"web": {"enabled": False},
		"upstream": {"kind": "local_ledger", "people_file": str(people_file(folder))},
		"camera": {"kind": "simulated", "play": LIVE, "name": "Front door"},
		"recognition": {"engine": "tiny", "frames_per_second": 10, "threads": 1},
		"gallery": {"key_env": KEY_VARIABLE},
		"kiosk": {},
	}
	for name, table in tables.items():
		base[name] = dict(table) if name == "upstream" else {**base.get(name, {}), **table}
	return base


class Sight:
	"""A running agent that sees, and what it has told."""

	def __init__(self, mapping: Mapping[str, Any]) -> None:
		self.agent = Agent(edge_settings.from_mapping(mapping))
		assert self.agent.vision is not None
		self.vision = self.agent.vision
		self.consents = Consents(self.agent.database)
		self._seen = 0

	def enrol(self, employee: str, face: int | Picture) -> None:
		enrol(self.vision.gallery, self.consents, self.vision.engine, employee, portrait_of(face))

	def events(self, *types: EventType) -> list[VisionEvent]:
		"""Everything of these types since the agent began."""
		return [event for event in self.vision.events.wait(0, 0) if not types or event.type in types]

	def wait_for(self, type: EventType, number: int = 1) -> VisionEvent:
		"""The n-th event of a type."""
		eventually(lambda: len(self.events(type)) >= number, f"{type} {number}: {self.told()}")
		return self.events(type)[number - 1]

	def told(self) -> list[str]:
		return [event.type.value for event in self.events() if event.type is not EventType.FACE]

	def held(self) -> list[HeldPunch]:
		return list(self.agent.punches.each())


@contextmanager
def seeing(mapping: Mapping[str, Any], *, enrolled: Mapping[str, int | Picture] | None = None) -> Iterator[Sight]:
	"""An agent for the length of the block; by default both of PEOPLE are enrolled."""
	sight = Sight(mapping)
	try:
		for employee, face in ({"HR-EMP-1": 1, "HR-EMP-2": 2} if enrolled is None else enrolled).items():
			sight.enrol(employee, face)
		sight.agent.start()
		yield sight
		sight.agent.request_stop()
		sight.agent.wait()
	finally:
		sight.agent.close()
