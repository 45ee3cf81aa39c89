"""What the pipeline tells: about every face that it sees, and about what has happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from attendance_bridge.core.template import Pose
from attendance_bridge.recognition.challenge import ChallengeState
from attendance_bridge.recognition.decision import Verdict
from attendance_bridge.recognition.matcher import Match
from attendance_bridge.recognition.quality import Flaw


class EventKind(str, Enum):
	RECOGNISED = "recognised"
	"""A person is there, after everything that is asked of them. The one event that makes a punch."""
	SEEN_AGAIN = "seen_again"
	"""As RECOGNISED, but their pause is not over."""
	UNKNOWN = "unknown"
	"""A person is there whom nobody knows."""
	LIVENESS_FAILED = "liveness_failed"
	"""The face of a known person that looks like a picture of it."""
	CHALLENGE_BEGUN = "challenge_begun"
	CHALLENGE_FAILED = "challenge_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
	"""Something that happened once, and why it was decided so."""

	kind: EventKind
	track: int
	taken_at: datetime
	"""Of the frame; aware."""
	match: Match | None = None
	"""The best match with the person; None for UNKNOWN."""
	probes: int = 0
	"""On how many the decision rests."""
	threshold: float = 0.0
	"""The cosine that a match had to reach."""
	side: Pose | None = None
	"""Where a person is asked to turn to."""
	challenge: ChallengeState | None = None
	"""How a challenge ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFace:
	"""A face in the newest frame, for a page that draws it."""

	track: int
	box: tuple[float, float, float, float]
	"""Left, top, right, bottom in pixels of the frame."""
	verdict: Verdict
	employee: str = ""
	"""Of a face that is recognised."""
	flaws: tuple[Flaw, ...] = ()
	"""Why it is not looked at more closely."""
	side: Pose | None = None
	"""Where the person is asked to turn to at the moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
	"""What came of one frame."""

	looked: bool
	"""Whether the detector looked at this frame; otherwise `faces` are those of the last one that it did."""
	faces: tuple[SeenFace, ...] = ()
	events: tuple[Event, ...] = ()


NOTHING = Sight(looked=False)
