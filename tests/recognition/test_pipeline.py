"""Scenes through the whole pipeline, with drawn faces and the networks that find them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from attendance_bridge.core.template import Pose, Template
from attendance_bridge.recognition.aligner import align
from attendance_bridge.recognition.challenge import ChallengeState
from attendance_bridge.recognition.decision import DecisionSettings, Verdict
from attendance_bridge.recognition.engine import Engine
from attendance_bridge.recognition.engines import EngineKind, open_engine
from attendance_bridge.recognition.events import Event, EventKind
from attendance_bridge.recognition.face import Face, Floats, Frame, Image
from attendance_bridge.recognition.liveness import LivenessSettings, PassiveLiveness
from attendance_bridge.recognition.matcher import Matcher
from attendance_bridge.recognition.pack import open_pack
from attendance_bridge.recognition.pipeline import Pipeline, PipelineSettings
from attendance_bridge.recognition.quality import Flaw
from attendance_bridge.recognition.runtime import load_cv2
from attendance_bridge.recognition.tiny import THRESHOLD
from tests.recognition.conftest import lay_out
from tests.recognition.drawing import blank, draw

NOON = datetime(2026, 11, 2, 12, tzinfo=timezone.utc)
STEP = 0.2
ENROLLED = {"HR-EMP-00001": 11, "HR-EMP-00002": 42}

Draw = Callable[[int], Image]
"""The frame with a number."""


class Counting:
	"""An engine that counts what is asked of it."""

	def __init__(self, engine: Engine) -> None:
		self._engine = engine
		self.model, self.dimension = engine.model, engine.dimension
		self.detections = self.embeddings = 0

	def detect(self, image: Image) -> list[Face]:
		self.detections += 1
		return list(self._engine.detect(image))

	def embed(self, aligned: Image) -> Floats:
		self.embeddings += 1
		return self._engine.embed(aligned)


class Door:
	"""A pipeline with two enrolled people, and a clock of its own."""

	def __init__(
		self,
		engine: Engine,
		pack: Path,
		*,
		liveness: bool = False,
		liveness_settings: LivenessSettings | None = None,
		**settings: object,
	) -> None:
		settings["liveness"] = liveness_settings or LivenessSettings()
		self.engine = Counting(engine)
		self.matcher = Matcher(engine.model, engine.dimension)
		self.matcher.add(make_template(engine, *each) for each in ENROLLED.items())
		self.pipeline = Pipeline(
			engine=self.engine,
			matcher=self.matcher,
			threshold=THRESHOLD,
			settings=PipelineSettings(**settings),  # type: ignore[arg-type]
			liveness=PassiveLiveness(open_pack(pack), 1) if liveness else None,
			chance=random.Random(1),
		)
		self.seconds = 0.0
		self.events: list[Event] = []

	def show(self, image: Image, frames: int = 1) -> None:
		self.play(lambda _number: image, frames)

	def play(self, drawn: Draw, frames: int) -> None:
		for number in range(frames):
			taken_at = NOON + timedelta(seconds=self.seconds)
			self.sight = self.pipeline.process(
				Frame(pixels=drawn(number), seconds=self.seconds, taken_at=taken_at)
			)
			self.events += self.sight.events
			self.seconds += STEP

	def told(self) -> list[tuple[str, str]]:
		return [(event.kind.value, event.match.employee if event.match else "") for event in self.events]


def make_template(engine: Engine, employee: str, person: int) -> Template:
	image = draw(blank(), person, 100, 60, scale=1.6)
	vector = engine.embed(align(image, engine.detect(image)[0].landmarks))
	return Template(
		template_id=UUID(int=person),
		employee=employee,
		model=engine.model,
		vector=vector.astype("<f4").tobytes(),
		captured_at=NOON,
	)


@pytest.fixture
def door(tiny_engine: Engine, tiny_pack: Path) -> Callable[..., Door]:
	return lambda **settings: Door(tiny_engine, tiny_pack, **settings)


def kinds(events: Iterable[Event]) -> list[EventKind]:
	return [event.kind for event in events]


def test_a_person_who_comes_and_stays_is_told_once(door: Callable[..., Door]) -> None:
	here = door()
	here.show(blank(), 10)
	assert here.engine.detections == 1
	here.play(lambda number: draw(blank(), 11, 150 + 3 * number, 80), 50)
	assert here.told() == [("recognised", "HR-EMP-00001")]
	event = here.events[0]
	assert event.probes == 3
	assert event.threshold == THRESHOLD
	assert event.match is not None
	assert event.match.cosine > 0.95
	assert event.match.margin > 0.5
	assert event.taken_at == NOON + timedelta(seconds=12 * STEP)  # ten empty frames, then the third probe
	# Three probes, and one every four seconds; while all is known, not every frame is looked at.
	assert here.engine.embeddings <= 6
	assert here.engine.detections <= 32
	seen = here.sight.faces[0]
	assert (seen.employee, seen.verdict) == ("HR-EMP-00001", Verdict.RECOGNISED)


def test_two_people_at_once(door: Callable[..., Door]) -> None:
	here = door()
	both = draw(draw(blank(), 11, 60, 100), 42, 360, 140)
	here.show(both, 20)
	assert sorted(here.told()) == [("recognised", "HR-EMP-00001"), ("recognised", "HR-EMP-00002")]


def test_somebody_unknown_is_an_event_and_no_guess(door: Callable[..., Door]) -> None:
	here = door()
	here.show(draw(blank(), 500, 150, 80), 40)
	assert here.told() == [("unknown", "")]
	assert here.sight.faces[0].employee == ""


def test_nobody_is_enrolled(door: Callable[..., Door]) -> None:
	here = door()
	for employee in ENROLLED:
		here.matcher.remove(employee)
	here.show(draw(blank(), 11, 150, 80), 40)
	assert here.told() == [("unknown", "")]


def test_who_comes_back_within_the_pause_is_greeted_and_not_told_again(door: Callable[..., Door]) -> None:
	here = door(decision=DecisionSettings(pause_seconds=30))
	image = draw(blank(), 11, 150, 80)
	for empty in (20, 120, 10):
		here.show(image, 10)
		here.show(blank(), empty)
	assert kinds(here.events) == [EventKind.RECOGNISED, EventKind.SEEN_AGAIN, EventKind.RECOGNISED]


def test_a_punch_that_was_refused_lets_the_person_try_again(door: Callable[..., Door]) -> None:
	here = door()
	here.show(draw(blank(), 11, 150, 80), 10)
	here.pipeline.let_again("HR-EMP-00001")
	here.show(blank(), 10)
	here.show(draw(blank(), 11, 150, 80), 10)
	assert kinds(here.events) == [EventKind.RECOGNISED, EventKind.RECOGNISED]


def test_another_person_in_the_same_place_is_not_taken_for_the_first(door: Callable[..., Door]) -> None:
	here = door()
	here.show(draw(blank(), 11, 150, 80), 10)
	here.show(draw(blank(), 42, 150, 80), 40)
	assert here.told() == [("recognised", "HR-EMP-00001"), ("recognised", "HR-EMP-00002")]


def test_who_is_erased_is_known_no_longer(door: Callable[..., Door]) -> None:
	here = door()
	here.show(draw(blank(), 11, 150, 80), 10)
	here.matcher.remove("HR-EMP-00001")
	here.show(draw(blank(), 11, 150, 80), 60)
	assert here.told() == [("recognised", "HR-EMP-00001"), ("unknown", "")]


def test_a_face_that_is_too_small_is_shown_and_not_guessed(door: Callable[..., Door]) -> None:
	here = door()
	here.show(draw(blank(), 11, 150, 80, scale=0.6), 30)
	assert here.events == []
	assert Flaw.TOO_SMALL in here.sight.faces[0].flaws
	assert here.engine.embeddings == 0


def test_a_face_that_does_not_move_is_found_without_motion(door: Callable[..., Door]) -> None:
	here = door()
	image = draw(blank(), 11, 150, 80)
	here.show(image, 2)  # the gate knows no other place than this
	here.show(blank(), 1)
	here.show(image, 20)
	assert kinds(here.events) == [EventKind.RECOGNISED]


def test_an_empty_place_is_looked_at_now_and_then(door: Callable[..., Door]) -> None:
	here = door()
	here.show(blank(), 101)
	assert here.engine.detections == 11  # every two seconds
	assert not here.sight.looked or here.sight.faces == ()


def test_a_photograph_is_told_as_one(door: Callable[..., Door]) -> None:
	here = door(liveness=True)
	here.show(draw(blank(), 11, 200, 120, photograph=True), 30)
	assert here.told() == [("liveness_failed", "HR-EMP-00001")]
	here.show(draw(blank(), 11, 200, 120), 30)
	assert here.told()[1:] == [("recognised", "HR-EMP-00001")]


def test_a_living_stranger_does_not_vouch_for_the_picture_that_is_held_up(door: Callable[..., Door]) -> None:
	here = door(liveness=True, liveness_settings=LivenessSettings(frames=4, least=0.3))
	here.show(draw(blank(), 500, 200, 120), 20)
	assert here.told() == [("unknown", "")]
	here.show(draw(blank(), 11, 200, 120, photograph=True), 60)
	assert ("recognised", "HR-EMP-00001") not in here.told()
	assert here.told()[-1] == ("liveness_failed", "HR-EMP-00001")


def test_an_event_that_nothing_came_of_is_told_again(door: Callable[..., Door]) -> None:
	here = door()
	here.show(draw(blank(), 11, 200, 120), 10)
	assert here.told() == [("recognised", "HR-EMP-00001")]
	here.pipeline.take_back(here.events[0])
	here.show(draw(blank(), 11, 200, 120), 10)
	assert here.told() == [("recognised", "HR-EMP-00001")] * 2


def test_a_living_face_passes_the_liveness_network(door: Callable[..., Door]) -> None:
	here = door(liveness=True)
	here.show(draw(blank(), 11, 200, 120), 30)
	assert here.told() == [("recognised", "HR-EMP-00001")]


def side_asked(here: Door) -> float:
	"""1 when the challenge asks for the left, -1 for the right."""
	(begun,) = [event for event in here.events if event.kind is EventKind.CHALLENGE_BEGUN]
	return 1.0 if begun.side is Pose.LEFT else -1.0


def begin_challenge(door: Callable[..., Door]) -> tuple[Door, float]:
	here = door(challenged=True)
	here.show(draw(blank(), 11, 150, 80), 5)
	assert kinds(here.events) == [EventKind.CHALLENGE_BEGUN]
	assert here.sight.faces[0].side is here.events[0].side
	return here, side_asked(here)


def test_who_turns_as_asked_is_recognised(door: Callable[..., Door]) -> None:
	here, side = begin_challenge(door)
	here.play(lambda number: draw(blank(), 11, 150, 80, yaw=side * 0.15 * number), 5)
	assert kinds(here.events)[1:] == [EventKind.RECOGNISED]


@pytest.mark.parametrize(
	("attack", "state"),
	[
		(lambda _number, _side: draw(blank(), 11, 150, 80), ChallengeState.TOO_LATE),
		(
			lambda number, side: draw(blank(), 11, 150, 80, yaw=-side * 0.15 * number),
			ChallengeState.WRONG_SIDE,
		),
		(
			lambda number, side: draw(blank(), 11, 150, 80, yaw=side * 0.6 * (number > 1)),
			ChallengeState.JUMPED,
		),
		# Somebody else turns their head in the place of the person.
		(
			lambda number, side: draw(blank(), 500, 150, 80, yaw=side * 0.15 * number),
			ChallengeState.SOMEBODY_ELSE,
		),
	],
)
def test_who_does_not_is_not(
	door: Callable[..., Door], attack: Callable[[int, float], Image], state: ChallengeState
) -> None:
	here, side = begin_challenge(door)
	while len(here.events) == 1 and here.seconds < 20:
		start = round(here.seconds / STEP) - 5
		here.play(lambda number, start=start: attack(start + number, side), 1)  # type: ignore[misc]
	assert here.events[1].kind is EventKind.CHALLENGE_FAILED
	assert here.events[1].challenge is state
	assert EventKind.RECOGNISED not in kinds(here.events)


def test_whatever_a_camera_gives_is_looked_at(door: Callable[..., Door]) -> None:
	here = door(liveness=True)
	for size in ((1, 1), (5000, 2), (64, 48), (1920, 1080)):
		here.show(blank(*size), 2)
	assert here.events == []


def test_a_real_person_and_a_stranger(faces: Path, tmp_path: Path) -> None:
	pack = lay_out("scrfd_mobilefacenet", tmp_path)
	engine = open_engine(EngineKind.ONNX, pack, 1)
	embedder = open_pack(pack).manifest.embedder
	assert embedder is not None
	cv2 = load_cv2()
	known, stranger = (
		[cv2.resize(cv2.imread(str(path)), (480, 480)) for path in sorted((faces / name).iterdir())[:4]]
		for name in ("Colin_Powell", "Hugo_Chavez")
	)
	face = max(engine.detect(known[0]), key=lambda each: each.width)
	matcher = Matcher(engine.model, engine.dimension)
	matcher.add(
		[
			Template(
				template_id=UUID(int=1),
				employee="HR-EMP-00001",
				model=engine.model,
				vector=engine.embed(align(known[0], face.landmarks)).astype("<f4").tobytes(),
				captured_at=NOON,
			)
		]
	)
	for pictures, expected in ((known[1:], EventKind.RECOGNISED), (stranger, EventKind.UNKNOWN)):
		pipeline = Pipeline(
			engine=engine, matcher=matcher, threshold=embedder.threshold(1e-5), settings=PipelineSettings()
		)
		events: list[Event] = []
		for number in range(24):
			frame = Frame(pixels=pictures[number // 4 % len(pictures)], seconds=number * STEP, taken_at=NOON)
			events += pipeline.process(frame).events
		assert kinds(events)[0] is expected
