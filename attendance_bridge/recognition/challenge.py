"""Active liveness: turn your head to the side that is asked for, and be the same person while you do.

The side is drawn at random when the challenge begins, and the turn is measured from the landmarks. It stops a
print and a still picture on a screen. It does not stop a video made for it, nor a mask.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import Enum

from attendance_bridge.core.config import option
from attendance_bridge.core.template import Pose

SIDES = (Pose.LEFT, Pose.RIGHT)


class ChallengeState(str, Enum):
	LOOK_AHEAD = "look_ahead"
	"""Waits for a face that looks ahead."""
	TURN = "turn"
	"""Waits for the turn."""
	PASSED = "passed"
	TOO_LATE = "too_late"
	WRONG_SIDE = "wrong_side"
	"""Turned, but not to the side that was asked for."""
	SOMEBODY_ELSE = "somebody_else"
	"""Another face came in the middle."""
	JUMPED = "jumped"
	"""From ahead to turned with nothing between: a head does not, a picture that is swapped does."""


ENDED = frozenset(ChallengeState) - {ChallengeState.LOOK_AHEAD, ChallengeState.TURN}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeSettings:
	turned: float = option(0.5, help="least turn to the side, as a ratio", minimum=0.2, maximum=1)
	ahead: float = option(0.2, help="most turn of a face that looks ahead", minimum=0.01, maximum=0.5)
	seconds: float = option(6.0, help="how long it may take", minimum=1, maximum=60)
	steps: int = option(1, help="how many pictures must lie between ahead and turned", minimum=0, maximum=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
	"""One challenge at one moment; `see` gives the next."""

	side: Pose
	"""LEFT or RIGHT, as the person who is asked sees it."""
	deadline: float
	"""Seconds, of the clock of the frames."""
	settings: ChallengeSettings
	state: ChallengeState = ChallengeState.LOOK_AHEAD
	between: int = 0
	"""Pictures seen between ahead and turned."""

	@classmethod
	def begin(cls, settings: ChallengeSettings, chance: random.Random, seconds: float) -> Challenge:
		""":param chance: `random.SystemRandom()`, so that nobody knows the side beforehand."""
		return cls(side=chance.choice(SIDES), deadline=seconds + settings.seconds, settings=settings)

	@property
	def over(self) -> bool:
		return self.state in ENDED

	def see(self, *, yaw: float, same_person: bool, seconds: float) -> Challenge:
		"""What the challenge is after one more picture.

		:param yaw: as `recognition.quality` measures it.
		:param same_person: whether the face is on the same track and still like the person it is taken for.
		"""
		if self.over:
			return self
		if seconds > self.deadline:
			return replace(self, state=ChallengeState.TOO_LATE)
		if not same_person:
			return replace(self, state=ChallengeState.SOMEBODY_ELSE)
		if self.state is ChallengeState.LOOK_AHEAD:
			looks_ahead = abs(yaw) <= self.settings.ahead
			return replace(self, state=ChallengeState.TURN) if looks_ahead else self
		return self._see_turn(yaw if self.side is Pose.LEFT else -yaw)

	def _see_turn(self, towards: float) -> Challenge:
		if towards <= -self.settings.turned:
			return replace(self, state=ChallengeState.WRONG_SIDE)
		if towards >= self.settings.turned:
			enough = self.between >= self.settings.steps
			return replace(self, state=ChallengeState.PASSED if enough else ChallengeState.JUMPED)
		return replace(self, between=self.between + 1) if towards > self.settings.ahead else self
