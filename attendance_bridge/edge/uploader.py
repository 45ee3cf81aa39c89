"""Carries what is held to the upstream: people in, decisions made, check-ins out."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from attendance_bridge.core.deliver import DrainReport, drain
from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.person import Directory
from attendance_bridge.core.projection import DevicePolicy, Rules, first_moments, project
from attendance_bridge.core.upstream import Outcome, Upstream
from attendance_bridge.edge.line import Line
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.roster import Roster

logger = logging.getLogger(__name__)

DECIDE_AT_ONCE = 2_000
LOOKS_WHILE_IDLE = 25
LOOK_EVERY_SECONDS = 0.2
"""How long to look away when nothing is due and nobody calls; often enough that a stop is not kept waiting.
Counted in looks, because the clock may be set meanwhile."""


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
		on_drained: Callable[[], None] = lambda: None,
		chance: Callable[[], float] = random.random,
	) -> None:
		"""
		:param policies: the policy of each terminal, by serial number, as known at the moment.
		:param catching_up: whether a terminal is still handing over a backlog. IN and OUT follow from the
			order of a person's punches over all terminals, so nothing is decided meanwhile.
		:param on_drained: called when all that was due has been delivered.
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
		self._on_drained = on_drained
		self._is_draining = False
		# Two lines: a list of people that cannot be read must not hold up check-ins that are decided.
		self._people_line = Line(now, chance)
		self._delivery_line = Line(now, chance)
		self._people_due_at: datetime | None = None
		# At the start, too: a prefix may have been corrected, or the last run have ended too early.
		self._people_are_news = True
		self._ready = False
		self._wake = threading.Event()

	@property
	def last_error(self) -> UpstreamError | None:
		"""What the upstream last failed with; None once it works again."""
		return self._delivery_line.error or self._people_line.error

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
		for _look in range(LOOKS_WHILE_IDLE):
			if stop.is_set() or self._wake.wait(LOOK_EVERY_SECONDS):
				return

	def step(self) -> bool:
		"""One round; True if there may be more to do at once."""
		people_known = self._refresh_people()
		decided = self.decide() if people_known and not self._catching_up() else 0
		report = self._deliver()
		delivered = report is not None and report.claimed > 0 and report.error is None
		if decided or delivered:
			self._pulse.beat()
		if self._is_draining and not delivered:
			self._on_drained()
		self._is_draining = delivered
		return decided > 0 or delivered

	def decide(self) -> int:
		"""Decide a batch of punches that nothing was decided about yet; returns how many.

		An upstream that decides by itself gets them as they are.
		"""
		if self._upstream.spec.decides:
			return self._punches.hand_on(DECIDE_AT_ONCE)
		observations = self._punches.undecided(DECIDE_AT_ONCE)
		if not observations:
			return 0
		directory, policies = self._directory(), self._policies()
		firsts = first_moments(observations, directory, policies)
		standings = self._punches.standings(firsts)
		self._punches.record(project(observations, directory, policies, standings, self._rules), firsts)
		return len(observations)

	def _directory(self) -> Directory:
		return self._roster.directory() if self._everybody is None else self._everybody

	def _refresh_people(self) -> bool:
		"""Fetch the list of people when it is time; True if there is a list to decide by.

		Without any list nothing is decided: a site that cannot be asked yet must not make everybody unmapped.
		Where the upstream decides, the list is for the board alone.
		"""
		if self._everybody is None and self._people_are_due() and self._people_line.is_open():
			self._fetch_people()
		if self._upstream.spec.decides:
			self._take_back_untold()
			return True
		known = self._everybody is not None or self._roster.refreshed_at is not None
		if known and self._people_are_news:
			self._reopen_unmapped()
		return known

	def _people_are_due(self) -> bool:
		if self._people_due_at is None:
			return True
		left = self._people_due_at - self._now()
		# More than the whole interval is left only after our own clock was set back.
		return not timedelta(0) < left <= self._people_every

	def _fetch_people(self) -> None:
		now = self._now()
		try:
			changed = self._roster.replace(self._upstream.people(), now)
		except UpstreamError as error:
			self._people_line.failed(error)
			return
		self._people_line.works()
		self._people_due_at = now + self._people_every
		self._people_are_news = self._people_are_news or changed > 0

	def _reopen_unmapped(self) -> None:
		reopened = self._punches.reopen_mapped(self._directory(), self._policies())
		self._people_are_news = False
		if reopened:
			logger.info("%d punches found their person", reopened)

	def _take_back_untold(self) -> None:
		"""Once: another upstream may have been configured before."""
		if self._people_are_news:
			taken_back = self._punches.take_back_untold()
			if taken_back:
				logger.info("%d punches that were decided here go to the upstream as they are", taken_back)
		self._people_are_news = False

	def _deliver(self) -> DrainReport | None:
		if not self._delivery_line.is_open() or not self._is_ready():
			return None
		report = drain(self._outbox, self._upstream, limit=self._upstream.spec.batch, now=self._now)
		if report.outcomes.keys() - {Outcome.RETRY}:
			# Before the failure, if there was one: over a bad line that does let something through, pauses
			# must not grow.
			self._delivery_line.works()
		if report.error is not None:
			self._delivery_failed(report.error)
		elif report.claimed:
			self._delivery_line.works()
			logger.info("sent %d: %s", report.claimed, _spell(report))
		return report

	def _is_ready(self) -> bool:
		"""Look, before the first check-in and after every refusal, whether they would arrive as they should.

		A wrong time zone or a missing right would otherwise turn a whole backlog into wrong or refused
		check-ins.
		"""
		if not self._ready:
			try:
				info = self._upstream.check()
				if info.problems:
					raise UpstreamError(Code.NOT_READY, retryable=True, problems=info.problems)
			except UpstreamError as error:
				self._delivery_failed(error)
				return False
			self._ready = True
			self._delivery_line.error = None
		return True

	def _delivery_failed(self, error: UpstreamError) -> None:
		# Not after what passes by itself: over a bad line, all the questions of a check would never come
		# through, and so no check-in either.
		self._ready = self._ready and error.retryable
		self._delivery_line.failed(error)


def _spell(report: DrainReport) -> str:
	return ", ".join(f"{count} {outcome.value}" for outcome, count in sorted(report.outcomes.items()))
