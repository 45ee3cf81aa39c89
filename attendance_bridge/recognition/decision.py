"""The decision: when several probes of a face are enough to say who it is, or that nobody knows it.

An unknown person is a decision like any other, never a guess at the nearest one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from attendance_bridge.core.config import option
from attendance_bridge.recognition.matcher import Match


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSettings:
	margin: float = option(
		0.05, help="by how much the nearest person must be nearer than the next", minimum=0, maximum=1
	)
	agree: int = option(3, help="how many probes must name the same person", minimum=1, maximum=20)
	unknown_after: int = option(6, help="after how many probes without a person", minimum=1, maximum=100)
	probe_seconds: float = option(0.15, help="least time between two probes", minimum=0, maximum=10)
	recheck_seconds: float = option(
		4.0, help="how often a decided face is looked at again", minimum=0.1, maximum=600
	)
	pause_seconds: float = option(
		60.0, help="for how long a person is not reported again", minimum=0, maximum=86_400
	)


class Verdict(str, Enum):
	UNDECIDED = "undecided"
	RECOGNISED = "recognised"
	UNKNOWN = "unknown"


EARLY = 1e-3
"""Seconds. A frame that comes a blink too early is not put off to the one after."""
DOUBTS_UNTIL_NEW = 2
"""How many probes in a row must contradict a decision before the face is decided anew."""


@dataclass(slots=True)
class Decision:
	"""What is known about the face on one track.

	:param threshold: the least cosine of a match; belongs to the model.
	"""

	settings: DecisionSettings
	threshold: float
	verdict: Verdict = Verdict.UNDECIDED
	match: Match | None = None
	"""The best match with the person who was recognised."""
	probes: int = 0
	"""Taken since the face was undecided last."""
	convinced: bool = False
	"""Whether the last probe named somebody well enough to count, and nobody else than was recognised."""
	beginnings: int = 0
	"""Grows whenever what was gathered is thrown away: other evidence of before does not count any more."""
	_votes: list[Match] = field(default_factory=list)
	_doubts: int = 0
	_last_probe: float | None = None

	def due(self, seconds: float, *, urgent: bool = False) -> bool:
		"""Whether the face is worth another probe.

		:param urgent: whether a decided face still waits for something else, such as proof that it is alive.
		"""
		soon = urgent or self.verdict is Verdict.UNDECIDED or self._doubts > 0
		wait = self.settings.probe_seconds if soon else self.settings.recheck_seconds
		return self._last_probe is None or seconds - self._last_probe >= wait - EARLY

	def add(self, match: Match | None, seconds: float) -> Verdict:
		"""Take one more probe into account.

		:param match: what the search found; None with an empty gallery.
		:returns: the verdict after it.
		"""
		self._last_probe = seconds
		vote = match if match is not None and self._convinces(match) else None
		if self.verdict is Verdict.UNDECIDED:
			self._decide(vote)
		else:
			self._doubt(vote)
		self.convinced = self._confirms(vote) or (vote is not None and self.match is None)
		return self.verdict

	def _convinces(self, match: Match) -> bool:
		return match.cosine >= self.threshold and match.margin >= self.settings.margin

	def _decide(self, vote: Match | None) -> None:
		self.probes += 1
		if vote is not None:
			if self._votes and self._votes[-1].employee != vote.employee:
				self._votes.clear()  # two names for one face: neither is believed so far
				self.beginnings += 1
			self._votes.append(vote)
		if len(self._votes) >= self.settings.agree:
			self.verdict = Verdict.RECOGNISED
			self.match = max(self._votes, key=lambda each: each.cosine)
		elif self.probes >= self.settings.unknown_after and not self._could_still_agree():
			self.verdict = Verdict.UNKNOWN

	def _could_still_agree(self) -> bool:
		"""Whether somebody is about to be recognised; but not for ever."""
		return bool(self._votes) and self.probes < 3 * self.settings.unknown_after

	def _doubt(self, vote: Match | None) -> None:
		confirmed = self._confirms(vote) if self.verdict is Verdict.RECOGNISED else vote is None
		self._doubts = 0 if confirmed else self._doubts + 1
		if self._doubts >= DOUBTS_UNTIL_NEW:
			self.start_anew()

	def _confirms(self, vote: Match | None) -> bool:
		return vote is not None and self.match is not None and vote.employee == self.match.employee

	def start_anew(self) -> None:
		"""Forget what was decided, as when another face has come onto the track."""
		self.verdict, self.match, self.probes, self._doubts = Verdict.UNDECIDED, None, 0, 0
		self._votes.clear()
		self.beginnings += 1


class Pauses:
	"""Who was reported lately, and is not reported again so soon."""

	def __init__(self, seconds: float) -> None:
		self._pause = seconds
		self._last: dict[str, float] = {}

	def begin(self, employee: str, seconds: float) -> bool:
		"""Whether this person is to be reported now; if so, their pause begins."""
		self._last = {who: when for who, when in self._last.items() if seconds - when < self._pause}
		if employee in self._last:
			return False
		self._last[employee] = seconds
		return True

	def end(self, employee: str) -> None:
		"""Let this person be reported again at once, as when their punch was refused."""
		self._last.pop(employee, None)
