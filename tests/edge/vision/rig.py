"""What tests of the seeing agent are put together from: a scene played live, people, a whole agent."""

from __future__ import annotations

import csv
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from attendance_bridge.core.consent import Consent
from attendance_bridge.core.template import Pose
from attendance_bridge.edge import settings as edge_settings
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.vision.events import EventType, VisionEvent
from attendance_bridge.edge.vision.portraits import look_at
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.face import Image
from attendance_bridge.simulators.camera import CameraState, verbs, video
from attendance_bridge.simulators.camera.face import Image as Picture
from attendance_bridge.simulators.camera.plays import PLAYS
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.gallery import Gallery
from attendance_bridge.stores.held import HeldPunch
from attendance_bridge.stores.sealed import GalleryKey

ZONE = "Asia/Dubai"
KEY_VARIABLE = "TEST_GALLERY_KEY"
LIVE = "test-live"
FOREVER = float("inf")
PATIENCE = 60.0
"""Seconds that anything here may take at the most, on a machine that is busy with other things."""

_SEEDS = itertools.count(1)
"""The camera goes on with a scene that it has begun: each configuration is another one."""


def eventually(condition: Callable[[], object], what: Callable[[], str] = lambda: "") -> None:
	"""Return as soon as `condition` holds.

	:raises AssertionError: it does not within PATIENCE.
	"""
	deadline = time.monotonic() + PATIENCE
	while not condition():
		assert time.monotonic() < deadline, f"never: {what()}"
		time.sleep(0.02)


PEOPLE = (("HR-EMP-1", "31", "First Person"), ("HR-EMP-2", "32", "Second Person"))
"""Employee, id on the terminals, name. Person n wears the drawn face n."""


class Scene:
	"""The one scene before the simulated camera; opened again, the camera finds it as far on as it is."""

	def __init__(self) -> None:
		self.state = CameraState(fps=10)

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


def write_video(path: Path, *comings: tuple[int | Picture, float, float], seconds: float) -> Path:
	"""A recording of people who come one after the other.

	:param comings: who comes, at which second, and for how long they stay.
	"""
	state = CameraState(fps=10)
	for who, at, stay in comings:
		verbs.come(state, who, at=at, stay=stay, scale=1.5 if isinstance(who, int) else 3.2)
	video.write(state, path, seconds)
	return path


def new_key() -> str:
	return GalleryKey.new().text()


def configuration(folder: Path, **tables: Mapping[str, Any]) -> dict[str, Any]:
	"""The mapping of an agent's file: a ledger, the live scene, tiny networks. `tables` add to it."""
	base: dict[str, dict[str, Any]] = {
		"agent": {"database": str(folder / "edge.db"), "timezone": ZONE},
		"web": {"enabled": False},
		"upstream": {"kind": "local_ledger", "people_file": str(people_file(folder))},
		"camera": {"kind": "simulated", "play": LIVE, "name": "Front door", "fps": 10, "seed": next(_SEEDS)},
		"recognition": {"engine": "tiny", "frames_per_second": 10, "threads": 1},
		"gallery": {"key_env": KEY_VARIABLE},
		"kiosk": {"pause_seconds": 600},
	}
	for name, table in tables.items():
		base[name] = dict(table) if name == "upstream" else {**base.get(name, {}), **table}
	return base


class Sight:
	"""A running agent that sees, and what it has told."""

	def __init__(self, mapping: Mapping[str, Any], now: Callable[[], datetime] = utc_now) -> None:
		self.agent = Agent(edge_settings.from_mapping(mapping), now=now)
		assert self.agent.vision is not None
		self.vision = self.agent.vision
		self.consents = Consents(self.agent.database)
		self._seen = 0

	def enrol(self, employee: str, *faces: int | Picture) -> None:
		for face in faces:
			enrol(self.vision.gallery, self.consents, self.vision.engine, employee, portrait_of(face))

	def events(self, *types: EventType) -> list[VisionEvent]:
		"""Everything of these types since the agent began."""
		return [event for event in self.vision.events.wait(0, 0) if not types or event.type in types]

	def wait_for(self, type: EventType, number: int = 1) -> VisionEvent:
		"""The n-th event of a type."""
		eventually(lambda: len(self.events(type)) >= number, lambda: f"{type} {number}: {self.told()}")
		return self.events(type)[number - 1]

	def let_it_look(self, times: int = 3) -> None:
		"""Wait until the detector has looked so often again: the first picture may be one from before."""
		wanted = self.vision.engine.detections + times
		eventually(lambda: self.vision.engine.detections >= wanted, lambda: f"{times} looks: {self.told()}")

	def told(self) -> list[str]:
		return [event.type.value for event in self.events() if event.type is not EventType.FACE]

	def held(self) -> list[HeldPunch]:
		return list(self.agent.punches.each())


@contextmanager
def seeing(
	mapping: Mapping[str, Any],
	*,
	enrolled: Mapping[str, Sequence[int | Picture]] | None = None,
	now: Callable[[], datetime] = utc_now,
) -> Iterator[Sight]:
	"""An agent for the length of the block; by default both of PEOPLE are enrolled."""
	sight = Sight(mapping, now)
	try:
		for employee, faces in ({"HR-EMP-1": [1], "HR-EMP-2": [2]} if enrolled is None else enrolled).items():
			sight.enrol(employee, *faces)
		sight.agent.start()
		yield sight
		sight.agent.request_stop()
		sight.agent.wait()
	finally:
		sight.agent.close()
