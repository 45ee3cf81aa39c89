"""Carries what is held to the upstream: people in, decisions made, check-ins out."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from attendance_bridge.core.deliver import DrainReport, drain
from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.person import Directory
from attendance_bridge.core.projection import DevicePolicy, Observation, Rules, find_person, project
from attendance_bridge.core.redact import redact
from attendance_bridge.core.retry import Backoff, Breaker
from attendance_bridge.core.upstream import Upstream
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.roster import Roster

logger = logging.getLogger(__name__)

DECIDE_AT_ONCE = 2_000
SEND_AT_ONCE = 200
LONGEST_PAUSE = timedelta(minutes=15)
"""How long an upstream is left alone at the most."""
IDLE = timedelta(seconds=5)
"""How long to look away when nothing is due and nobody calls."""


class Uploader:
	"""The one thread that decides and delivers; being one, it keeps each person's punches in order."""

	name = "uploader"

	def __init__(
		self,
		*,
		punches: PunchStore,
		outbox: SqliteOutbox,
		roster: Roster,
		upstream: Upstream,
		rules: Rules,
		policies: Callable[[], Mapping[str, DevicePolicy]],
		catching_up: Callable[[], bool],
		people_every: timedelta,
		now: Now,
		pulse: Pulse,
		everybody: Directory | None = None,
		chance: Callable[[], float] = random.random,
	) -> None:
		"""
		:param policies: the policy of each terminal, by serial number, as known at the moment.
		:param catching_up: whether a terminal is still handing over a backlog. IN and OUT follow from the
			order of a person's punches over all terminals, so nothing is decided meanwhile.
		:param everybody: stands in for the roster where the upstream has no list of people.
		"""
		self._punches = punches
		self._outbox = outbox
		self._roster = roster
		self._upstream = upstream
		self._rules = rules
		self._policies = policies
		self._catching_up = catching_up
		self._people_every = people_every
		self._now = now
		self._pulse = pulse
		self._everybody = everybody
		self._chance = chance
		self._breaker = Breaker(
			threshold=1, backoff=Backoff(base=timedelta(seconds=2), cap=timedelta(minutes=5))
		)
		self._people_due_at: datetime | None = None
		self._ready = False
		self._wake = threading.Event()
		self.last_error: UpstreamError | None = None
		"""What the upstream last failed with; None once it works again."""

	@property
	def open_until(self) -> datetime | None:
		"""Until when the upstream is left alone after failures."""
		return self._breaker.open_until

	def wake(self) -> None:
		"""New punches are there: do not sleep on."""
		self._wake.set()

	def run(self, stop: threading.Event) -> None:
		"""Carry until `stop`; what is not carried stays in the outbox."""
		while not stop.is_set():
			self._wake.clear()
			if not self.step() and not stop.is_set():
				self._sleep(stop)

	def _sleep(self, stop: threading.Event) -> None:
		# Wakes for a call, and often enough that a stop is not kept waiting.
		deadline = self._now() + IDLE
		while not stop.is_set() and self._now() < deadline:
			if self._wake.wait(0.2):
				return

	def step(self) -> bool:
		"""One round; True if there may be more to do at once."""
		people_known = self._refresh_people()
		decided = self.decide() if people_known and not self._catching_up() else 0
		report = self._deliver()
		delivered = report is not None and report.claimed > 0 and report.error is None
		if decided or delivered:
			self._pulse.beat()
		return decided > 0 or delivered

	def decide(self) -> int:
		"""Decide a batch of punches that nothing was decided about yet; returns how many."""
		observations = self._punches.undecided(DECIDE_AT_ONCE)
		if not observations:
			return 0
		directory, policies = self._directory(), self._policies()
		first = min(observation.punch.occurred_at for observation in observations)
		standings = self._punches.standings(_employees(observations, directory, policies), first)
		self._punches.record(project(observations, directory, policies, standings, self._rules))
		return len(observations)

	def _directory(self) -> Directory:
		return self._everybody or self._roster.directory()

	def _refresh_people(self) -> bool:
		"""Fetch the list of people when it is time; True if there is a list to decide by.

		Without any list nothing is decided: a site that cannot be asked yet must not make everybody unmapped.
		"""
		if self._everybody is not None:
			return True
		now = self._now()
		if self._people_due_at is None or now >= self._people_due_at:
			self._people_due_at = now + self._people_every
			self._fetch_people(now)
		return self._roster.refreshed_at is not None

	def _fetch_people(self, now: datetime) -> None:
		if not self._breaker.allows(now):
			self._people_due_at = self._breaker.open_until
			return
		try:
			changed = self._roster.replace(self._upstream.people(), now)
		except UpstreamError as error:
			self._failed(error)
			self._people_due_at = self._breaker.open_until
			return
		self._works()
		if changed:
			reopened = self._punches.reopen_mapped(self._roster.directory(), self._policies())
			logger.info("people: %d changed, %d punches found their person", changed, reopened)

	def _deliver(self) -> DrainReport | None:
		if not self._breaker.allows(self._now()) or not self._is_ready():
			return None
		report = drain(self._outbox, self._upstream, limit=SEND_AT_ONCE, now=self._now)
		if report.error is not None:
			self._failed(report.error)
		elif report.claimed:
			self._works()
			logger.info("sent %d: %s", report.claimed, _spell(report))
		return report

	def _is_ready(self) -> bool:
		"""Look, before the first check-in and after every failure, whether they would arrive as they should.

		A wrong time zone or a missing right would otherwise turn a whole backlog into wrong or refused
		check-ins.
		"""
		if not self._ready:
			try:
				info = self._upstream.check()
				if info.problems:
					raise UpstreamError(Code.NOT_READY, retryable=True, problems=info.problems)
			except UpstreamError as error:
				self._failed(error)
				return False
			self._ready = True
		return True

	def _works(self) -> None:
		self._breaker = self._breaker.succeeded()
		self.last_error = None

	def _failed(self, error: UpstreamError) -> None:
		now = self._now()
		self.last_error = error
		self._ready = False
		self._breaker = self._breaker.failed(now, self._chance(), _left_alone_until(error, now))
		logger.warning("upstream: %s", redact(str(error)))


def _left_alone_until(error: UpstreamError, now: datetime) -> datetime | None:
	"""The upstream's own word on when to come back, or a long pause where only a person can help."""
	seconds = error.details.get("retry_after")
	if isinstance(seconds, (int, float)) and seconds > 0:
		return now + min(timedelta(seconds=seconds), LONGEST_PAUSE)
	return None if error.retryable else now + LONGEST_PAUSE


def _spell(report: DrainReport) -> str:
	return ", ".join(f"{count} {outcome.value}" for outcome, count in sorted(report.outcomes.items()))


def _employees(
	observations: Iterable[Observation], directory: Directory, policies: Mapping[str, DevicePolicy]
) -> set[str]:
	found = (find_person(observation.punch, directory, policies) for observation in observations)
	return {person.employee for person in found if person is not None}
