"""The pipeline: a frame comes in, what was seen and what happened goes out.

motion gate → detector → tracker → aligner → quality → liveness → embedder → matcher → decision

It holds no camera, no store and no clock: frames carry their time. One pipeline is used by one thread; the
matcher it searches may be changed by others meanwhile.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from attendance_bridge.core.config import option
from attendance_bridge.recognition.aligner import align
from attendance_bridge.recognition.challenge import Challenge, ChallengeSettings, ChallengeState
from attendance_bridge.recognition.decision import EARLY, Decision, DecisionSettings, Pauses, Verdict
from attendance_bridge.recognition.engine import Engine, LivenessModel
from attendance_bridge.recognition.events import NOTHING, Event, EventKind, SeenFace, Sight
from attendance_bridge.recognition.face import Face, Frame, Image
from attendance_bridge.recognition.liveness import LivenessSettings, LivenessVote
from attendance_bridge.recognition.matcher import Matcher
from attendance_bridge.recognition.motion import MotionGate, MotionSettings
from attendance_bridge.recognition.quality import RECOGNITION, Flaw, Limits, measure, measure_turn
from attendance_bridge.recognition.tracker import Track, Tracker, TrackerSettings

KEPT_SHARE = 0.6
"""What share of the threshold a turned head must still reach to count as the same person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
	"""How closely and how often is looked."""

	look_seconds: float = option(
		2.0, help="without motion, the detector looks this often all the same", minimum=0.1, maximum=3_600
	)
	steady_seconds: float = option(
		0.4, help="while everybody in view is decided, the detector looks this often", minimum=0, maximum=60
	)
	max_faces: int = option(4, help="how many faces are followed, the largest first", minimum=1, maximum=20)
	challenged: bool = option(False, help="whether everybody must turn their head to the side asked for")
	motion: MotionSettings = field(default_factory=MotionSettings)
	tracker: TrackerSettings = field(default_factory=TrackerSettings)
	quality: Limits = RECOGNITION
	decision: DecisionSettings = field(default_factory=DecisionSettings)
	liveness: LivenessSettings = field(default_factory=LivenessSettings)
	challenge: ChallengeSettings = field(default_factory=ChallengeSettings)


_WELCOMED = (EventKind.RECOGNISED, EventKind.SEEN_AGAIN)


@dataclass(slots=True)
class _Visitor:
	"""What is known about the face on one track."""

	decision: Decision
	vote: LivenessVote
	flaws: tuple[Flaw, ...] = ()
	told: EventKind | None = None
	"""The last thing that was told about this visitor; nothing is told twice in a row."""
	challenge: Challenge | None = None

	@property
	def settled(self) -> bool:
		"""Whether everything is known and told."""
		return self.told in (EventKind.RECOGNISED, EventKind.SEEN_AGAIN, EventKind.UNKNOWN)


class Pipeline:
	"""Turns frames into sights.

	:param threshold: the least cosine of a match, from the pack and the false-match rate that is asked for.
	:param liveness: None leaves passive liveness out.
	:param chance: where the side of a challenge is drawn from; tests hand in their own.
	"""

	def __init__(
		self,
		*,
		engine: Engine,
		matcher: Matcher,
		threshold: float,
		settings: PipelineSettings,
		liveness: LivenessModel | None = None,
		chance: random.Random | None = None,
	) -> None:
		self.matcher = matcher
		self._engine = engine
		self._threshold = threshold
		self._settings = settings
		self._liveness = liveness
		self._chance = chance or random.SystemRandom()
		self._gate = MotionGate(settings.motion)
		self._tracker = Tracker(settings.tracker)
		self._pauses = Pauses(settings.decision.pause_seconds)
		self._visitors: dict[int, _Visitor] = {}
		self._last_look: float | None = None
		self._last_sight = NOTHING

	def process(self, frame: Frame) -> Sight:
		"""Look at one frame. Frames come in the order of their time; any may be left out."""
		moved = self._gate.moved(frame.pixels)
		self._forget(frame.seconds)
		if not self._worth_a_look(moved, frame.seconds):
			faces = self._last_sight.faces if self._tracker.alive else ()
			return Sight(looked=False, faces=faces)
		self._last_look = frame.seconds
		found = self._largest(self._engine.detect(frame.pixels))
		events: list[Event] = []
		seen = [self._look(frame, track, events) for track in self._tracker.update(found, frame.seconds)]
		self._last_sight = Sight(looked=True, faces=tuple(seen), events=tuple(events))
		return self._last_sight

	def let_again(self, employee: str) -> None:
		"""End the pause of a person, as when their punch was refused or taken back."""
		self._pauses.end(employee)

	def take_back(self, event: Event) -> None:
		"""Nothing has come of an event, because something else failed: it is told again at the next probe."""
		if event.match is not None:
			self._pauses.end(event.match.employee)
		visitor = self._visitors.get(event.track)
		if visitor is not None and visitor.told is event.kind:
			visitor.told = None

	def _worth_a_look(self, moved: bool, seconds: float) -> bool:
		if self._last_look is None:
			return True
		since = seconds - self._last_look
		if not self._tracker.alive:
			return moved or since >= self._settings.look_seconds - EARLY
		steady = all(visitor.settled for visitor in self._visitors.values())
		return not steady or since >= self._settings.steady_seconds - EARLY

	def _forget(self, seconds: float) -> None:
		self._tracker.forget(seconds)
		alive = {track.number for track in self._tracker.alive}
		self._visitors = {number: each for number, each in self._visitors.items() if number in alive}

	def _largest(self, faces: Sequence[Face]) -> list[Face]:
		return sorted(faces, key=lambda face: -face.width * face.height)[: self._settings.max_faces]

	def _look(self, frame: Frame, track: Track, events: list[Event]) -> SeenFace:
		visitor = self._visitors.get(track.number)
		if visitor is None:
			visitor = self._visitors[track.number] = _Visitor(
				Decision(self._settings.decision, self._threshold), LivenessVote(self._settings.liveness)
			)
		if visitor.challenge is not None:
			self._see_challenge(frame, track, visitor, events)
		elif visitor.decision.due(frame.seconds, urgent=not visitor.settled):
			self._probe(frame, track, visitor, events)
		return _seen(track, visitor)

	def _probe(self, frame: Frame, track: Track, visitor: _Visitor, events: list[Event]) -> None:
		aligned = _aligned(frame, track.face)
		if aligned is None:
			visitor.flaws = (Flaw.UNSURE,)
			return
		visitor.flaws = measure(track.face, aligned).flaws(self._settings.quality)
		if visitor.flaws:
			return
		before, beginnings = visitor.decision.match, visitor.decision.beginnings
		match = self.matcher.search(self._engine.embed(aligned))
		verdict = visitor.decision.add(match, frame.seconds)
		self._vote(frame, track, visitor, beginnings)
		if before is not None and visitor.decision.match is None:
			visitor.told = None  # somebody else has come onto the track
		if verdict is Verdict.UNKNOWN:
			self._tell(EventKind.UNKNOWN, frame, track, visitor, events)
		elif verdict is Verdict.RECOGNISED:
			self._admit(frame, track, visitor, events)

	def _vote(self, frame: Frame, track: Track, visitor: _Visitor, beginnings: int) -> None:
		"""Only frames that show the person who is recognised speak for that person being alive: a living
		stranger does not vouch for the picture that is held up next."""
		if self._liveness is None:
			return
		if visitor.decision.beginnings != beginnings:
			visitor.vote.start_anew()
		if visitor.decision.convinced:
			visitor.vote.add(self._liveness.live_probability(frame.pixels, track.face))

	def _admit(self, frame: Frame, track: Track, visitor: _Visitor, events: list[Event]) -> None:
		"""A face is that of a known person: is it the person?"""
		alive = self._liveness is None or visitor.vote.alive
		if alive is None:
			return
		if not alive:
			self._tell(EventKind.LIVENESS_FAILED, frame, track, visitor, events)
			return
		if visitor.told in _WELCOMED:
			return
		if self._settings.challenged:
			visitor.challenge = Challenge.begin(self._settings.challenge, self._chance, frame.seconds)
			visitor.told = None
			self._tell(EventKind.CHALLENGE_BEGUN, frame, track, visitor, events)
			return
		self._welcome(frame, track, visitor, events)

	def _welcome(self, frame: Frame, track: Track, visitor: _Visitor, events: list[Event]) -> None:
		match = visitor.decision.match
		if match is not None:
			new = self._pauses.begin(match.employee, frame.seconds)
			kind = EventKind.RECOGNISED if new else EventKind.SEEN_AGAIN
			self._tell(kind, frame, track, visitor, events)

	def _see_challenge(self, frame: Frame, track: Track, visitor: _Visitor, events: list[Event]) -> None:
		challenge = visitor.challenge
		if challenge is None:
			return
		visitor.challenge = challenge.see(
			yaw=measure_turn(track.face.landmarks).yaw,
			same_person=self._same_person(frame, track, visitor),
			seconds=frame.seconds,
		)
		if not visitor.challenge.over:
			return
		if visitor.challenge.state is ChallengeState.PASSED:
			self._welcome(frame, track, visitor, events)
			visitor.challenge = None
		else:
			self._tell(EventKind.CHALLENGE_FAILED, frame, track, visitor, events)
			visitor.challenge = None
			visitor.decision.start_anew()

	def _same_person(self, frame: Frame, track: Track, visitor: _Visitor) -> bool:
		match, aligned = visitor.decision.match, _aligned(frame, track.face)
		if match is None or aligned is None:
			return False
		cosine = self.matcher.cosine_with(match.employee, self._engine.embed(aligned))
		return cosine >= KEPT_SHARE * self._threshold

	def _tell(
		self, kind: EventKind, frame: Frame, track: Track, visitor: _Visitor, events: list[Event]
	) -> None:
		if visitor.told is kind:
			return
		visitor.told = kind
		challenge = visitor.challenge
		events.append(
			Event(
				kind=kind,
				track=track.number,
				taken_at=frame.taken_at,
				match=visitor.decision.match,
				probes=visitor.decision.probes,
				threshold=self._threshold,
				side=challenge.side if challenge else None,
				challenge=challenge.state if challenge and challenge.over else None,
			)
		)


def _aligned(frame: Frame, face: Face) -> Image | None:
	"""None for landmarks that are no face."""
	if not np.isfinite(face.landmarks).all():
		return None
	try:
		return align(frame.pixels, face.landmarks)
	except ValueError:
		return None


def _seen(track: Track, visitor: _Visitor) -> SeenFace:
	left, top, right, bottom = (float(side) for side in track.face.box)
	verdict, match = visitor.decision.verdict, visitor.decision.match
	if verdict is Verdict.RECOGNISED and visitor.told not in (*_WELCOMED, EventKind.CHALLENGE_BEGUN):
		# It may be a picture of whom it looks like, which nobody is told.
		verdict, match = Verdict.UNDECIDED, None
	return SeenFace(
		track=track.number,
		box=(left, top, right, bottom),
		verdict=verdict,
		employee=match.employee if match else "",
		flaws=visitor.flaws,
		side=visitor.challenge.side if visitor.challenge else None,
	)
