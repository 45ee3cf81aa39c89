"""One enrollment at one moment, and what the next picture makes of it. Pure: no camera, no store, no clock.

After the consent the poses are gone through in their order. A pose is captured when several pictures in a row
are good, and show one and the same face, that of the first shot; the best of them is kept. A face that the
gallery knows as somebody else's ends the enrollment: people decide about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

import numpy as np

from attendance_bridge.core.consent import Consent
from attendance_bridge.core.template import Pose
from attendance_bridge.edge.enrollment.advice import Advice, Observation, advise
from attendance_bridge.edge.enrollment.settings import EnrollmentSettings
from attendance_bridge.recognition.face import Floats, Image
from attendance_bridge.recognition.quality import Turn

POSES = (Pose.FRONT, Pose.LEFT, Pose.RIGHT, Pose.UP, Pose.DOWN)
"""All of an enrollment before a camera, in their order."""


class State(str, Enum):
	CONSENT = "consent"
	"""Waits for the person to agree; nothing that is seen is looked at."""
	CAPTURING = "capturing"
	COMPLETE = "complete"
	"""Every shot is there; it is about to be kept."""
	SUBMITTED = "submitted"
	"""It is kept."""
	TAKEN = "taken"
	"""The face belongs to somebody else in the gallery; see `Session.owner`."""
	TOO_LATE = "too_late"
	CANCELLED = "cancelled"
	FAILED = "failed"
	"""It could not be kept."""


OVER = frozenset(State) - {State.CONSENT, State.CAPTURING, State.COMPLETE}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shot:
	"""A captured and validated pose. Its `repr` shows nothing of the face."""

	pose: Pose
	embedding: Floats = field(repr=False)
	quality: float
	"""`recognition.quality.Quality.figure`."""
	turn: Turn
	taken_at: datetime
	crop: Image | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Session:
	"""
	:param threshold: the least cosine of a match; belongs to the model.
	"""

	employee: str
	settings: EnrollmentSettings
	threshold: float
	began: float
	"""Seconds, of the clock of the pictures."""
	poses: tuple[Pose, ...] = POSES
	state: State = State.CONSENT
	consent: Consent | None = None
	shots: tuple[Shot, ...] = ()
	run: tuple[Observation, ...] = ()
	"""The good pictures in a row for the pose that is next."""
	advice: tuple[Advice, ...] = ()
	owner: str = ""
	"""Whose face it is, in the state TAKEN."""
	accepted: frozenset[str] = frozenset()
	"""People whom this one may look like: somebody has decided that they are two."""
	before: Observation | None = None
	seen_at: float | None = None
	"""When a face was seen last; None before the first."""

	@property
	def over(self) -> bool:
		return self.state in OVER

	@property
	def pose(self) -> Pose | None:
		"""Which is next; None when all are captured."""
		return self.poses[len(self.shots)] if len(self.shots) < len(self.poses) else None

	@property
	def progress(self) -> float:
		"""What share of the poses is captured and validated, 0 to 1."""
		return len(self.shots) / len(self.poses)

	@property
	def held(self) -> float:
		"""How far the pose that is next is validated, 0 to 1."""
		return min(1.0, len(self.run) / self.settings.good_frames)

	def agree(self, consent: Consent | None, seconds: float) -> Session:
		"""The person has agreed; what is seen from now on counts.

		:param consent: None only where the law lets the company go without.
		:raises ValueError: it is somebody else's, or was taken back.
		"""
		if consent is not None and (consent.employee != self.employee or not consent.holds):
			raise ValueError("a consent of this person that holds")
		if self.state is not State.CONSENT:
			return self
		return replace(self, state=State.CAPTURING, consent=consent, began=seconds)

	def see(self, seen: Observation) -> Session:
		"""What the session is after one more picture."""
		now = self.at(seen.seconds)
		if now.state is not State.CAPTURING or now.pose is None:
			return now
		front = now.shots[0] if now.shots else None
		advice = advise(seen, now.pose, now.settings, rest=front.turn if front else None, before=now.before)
		if not advice and not now._is_the_same(seen):
			advice = (Advice.OTHER_PERSON,)
		if not advice and seen.seconds - now.began < now.settings.ready_seconds:
			advice = (Advice.LOOK_AHEAD,)
		seen_at = seen.seconds if seen.faces else now.seen_at
		run = () if advice else (*now.run, seen)
		after = replace(now, advice=advice, run=run, before=seen, seen_at=seen_at)
		return after._capture() if after._is_run_complete() else after

	def at(self, seconds: float) -> Session:
		"""What the session is at a moment, if nothing was seen since."""
		if self.over or self.state is State.COMPLETE:
			return self
		idle_since = self.began if self.seen_at is None else self.seen_at
		idle = self.state is State.CAPTURING and seconds - idle_since > self.settings.idle_seconds
		return self.end(State.TOO_LATE) if idle or seconds - self.began > self.settings.seconds else self

	def cancel(self) -> Session:
		return self if self.over else self.end(State.CANCELLED)

	def end(self, state: State) -> Session:
		"""Nothing of what was seen is held any longer."""
		shots = tuple(replace(shot, embedding=_NOTHING, crop=None) for shot in self.shots)
		return replace(self, state=state, shots=shots, run=(), before=None, advice=())

	def _is_run_complete(self) -> bool:
		if len(self.run) < self.settings.good_frames:
			return False
		# A blink too little is not worth another picture.
		return self.run[-1].seconds - self.run[0].seconds >= self.settings.hold_seconds - 1e-3

	def _capture(self) -> Session:
		owners = [seen.owner for seen in self.run if seen.owner and seen.owner not in self.accepted]
		if 2 * len(owners) > len(self.run):
			return replace(self.end(State.TAKEN), owner=max(set(owners), key=owners.count))
		best = max(self.run, key=lambda seen: seen.quality.figure if seen.quality else 0.0)
		if self.pose is None or best.quality is None or best.embedding is None:
			return self
		shot = Shot(
			pose=self.pose,
			embedding=best.embedding,
			quality=best.quality.figure,
			turn=best.quality.turn,
			taken_at=best.taken_at,
			crop=best.crop,
		)
		shots = (*self.shots, shot)
		state = State.COMPLETE if len(shots) == len(self.poses) else State.CAPTURING
		return replace(self, state=state, shots=shots, run=())

	def _is_the_same(self, seen: Observation) -> bool:
		"""Whether this is the person of the shots, and of the pictures of this run."""
		if seen.embedding is None:
			return False
		ahead = [shot.embedding for shot in self.shots[:1]]
		run = [each.embedding for each in self.run if each.embedding is not None]
		wanted = self.settings.same_share * self.threshold
		return all(
			float(seen.embedding @ other) >= wanted
			for other in (*ahead, *run, *_middle([shot.embedding for shot in self.shots]))
		)


_NOTHING: Floats = np.empty(0, np.float32)


def _middle(embeddings: Sequence[Floats]) -> list[Floats]:
	"""The middle of all, at length 1: nothing if they have none."""
	if not embeddings:
		return []
	total: Floats = np.sum(embeddings, axis=0)
	length = float(np.linalg.norm(total))
	return [total / length] if length > 0 else []
