"""Claims, answers, releases, crashes and late punches in any order: nothing lost, nothing doubled, in order.

The receiver here is as bad as a real one may be: it takes whatever it is sent, twice if it is sent twice, and
a request that was cut off may still take effect until it has settled. Only looking first helps.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from attendance_bridge.core.projection import State
from attendance_bridge.core.retry import Backoff
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore
from tests.stores.samples import NOW, pending, punch

SETTLE = timedelta(seconds=120)
BACKOFF = Backoff(base=timedelta(seconds=30), cap=timedelta(seconds=240))
CERTAIN = st.sampled_from([Outcome.RETRY, Outcome.REJECTED, Outcome.UNMAPPED])


class OutboxInAnyOrder(RuleBasedStateMachine):
	def __init__(self) -> None:
		super().__init__()
		self.folder = Path(tempfile.mkdtemp())
		self.now = NOW
		self.site: list[CheckIn] = []
		self.cut_off: list[tuple[datetime, CheckIn]] = []  # may still take effect before that moment
		self.batch: list[CheckIn] = []
		self.held: set[UUID] = set()
		self.refused: set[str] = set()  # people whose later check-ins went on without a refused one
		self.minutes = {"7": 0, "8": 0, "9": 0}
		self._open()

	def _open(self) -> None:
		self.db = Database.open(self.folder / "bridge.db", check=False)
		self.store = PunchStore(self.db)
		self.outbox = SqliteOutbox(self.db, settle=SETTLE, backoff=BACKOFF, max_attempts=1000)

	def teardown(self) -> None:
		self._bring_everything_home()
		self.db.close()
		shutil.rmtree(self.folder)

	@rule(who=st.sampled_from("789"), count=st.integers(1, 4))
	def punches_arrive(self, who: str, count: int) -> None:
		for _number in range(count):
			self.minutes[who] += 1
			minute = self.minutes[who]
			one = punch(f"{minute // 60}:{minute % 60}", who)
			pending(self.store, one)
			self.held.add(one.punch_id)

	@precondition(lambda self: not self.batch)
	@rule(limit=st.integers(1, 8))
	def claim(self, limit: int) -> None:
		self.batch = self.outbox.claim(limit, self.now)

	@precondition(lambda self: self.batch)
	@rule(answered=st.integers(0, 8))
	def deliver_and_mark(self, answered: int) -> None:
		"""The whole of a drain; whatever is not reached is released."""
		receipts = [self._send(each) for each in self.batch[:answered]]
		self.outbox.mark(receipts, self.now)
		self.outbox.release(each.punch.punch_id for each in self.batch[answered:])
		self.batch = []

	@precondition(lambda self: self.batch)
	@rule(outcome=CERTAIN)
	def the_first_is_refused(self, outcome: Outcome) -> None:
		first = self.batch[0]
		if not (first.in_doubt and self._is_there(first)):
			self.outbox.mark([Receipt(punch_id=first.punch.punch_id, outcome=outcome, code="x")], self.now)
			if outcome is not Outcome.RETRY:
				self.refused.add(first.employee)
			self.outbox.release(each.punch.punch_id for each in self.batch[1:])
			self.batch = []

	@precondition(lambda self: self.batch)
	@rule(takes_effect=st.booleans())
	def no_answer_for_the_first(self, takes_effect: bool) -> None:
		first = self.batch[0]
		if takes_effect:
			self._cut_off(first)
		doubtful = Receipt(punch_id=first.punch.punch_id, outcome=Outcome.RETRY, in_doubt=True)
		self.outbox.mark([doubtful], self.now)
		self.outbox.release(each.punch.punch_id for each in self.batch[1:])
		self.batch = []

	@rule(sent=st.integers(0, 8), takes_effect=st.booleans())
	def crash(self, sent: int, takes_effect: bool) -> None:
		"""The process dies after sending some, before it wrote any receipt down; the last was under way."""
		reached = self.batch[:sent]
		for each in reached[:-1]:
			self._send(each)
		if reached and takes_effect:
			self._cut_off(reached[-1])
		self.batch = []
		self.db.close()
		self._open()

	@precondition(lambda self: not self.batch)
	@rule(seconds=st.sampled_from([1, 20, 60, 119, 120, 300]))
	def time_passes(self, seconds: int) -> None:
		self.now += timedelta(seconds=seconds)
		self._let_take_effect()

	@rule()
	def a_request_takes_effect_late(self) -> None:
		if self.cut_off:
			self.site.append(self.cut_off.pop(0)[1])

	@rule()
	def refused_ones_are_reopened(self) -> None:
		for state in (State.REJECTED, State.UNMAPPED):
			self.store.reopen(state)
		pending(self.store, *(each.punch for each in self.store.undecided(1000)))

	def _send(self, check_in: CheckIn) -> Receipt:
		if check_in.in_doubt and self._is_there(check_in):
			return Receipt(punch_id=check_in.punch.punch_id, outcome=Outcome.DUPLICATE)
		self.site.append(check_in)
		return Receipt(punch_id=check_in.punch.punch_id, outcome=Outcome.ACCEPTED)

	def _is_there(self, check_in: CheckIn) -> bool:
		return any(each.punch == check_in.punch for each in self.site)

	def _cut_off(self, check_in: CheckIn) -> None:
		if not (check_in.in_doubt and self._is_there(check_in)):
			self.cut_off.append((self.now + SETTLE, check_in))

	def _let_take_effect(self) -> None:
		for until, check_in in list(self.cut_off):
			if until <= self.now:
				self.cut_off.remove((until, check_in))
				self.site.append(check_in)

	def _bring_everything_home(self) -> None:
		self.crash(0, takes_effect=False)
		for _round in range(200):
			self.time_passes(300)
			self.refused_ones_are_reopened()
			self.claim(100)
			if not self.batch and not self.store.held(state=State.PENDING):
				break
			self.deliver_and_mark(100)
		self.nothing_is_doubled_and_everybodys_order_is_kept()
		assert {each.punch.punch_id for each in self.site} == self.held, "lost"
		assert {held.state for held in self.store.each()} <= {State.CHECKED_IN}

	@invariant()
	def nothing_is_doubled_and_everybodys_order_is_kept(self) -> None:
		for who in self.minutes:
			sent = [each.punch.occurred_at for each in self.site if each.employee == who]
			assert len(sent) == len(set(sent)), "doubled"
			assert sent == sorted(sent) or who in self.refused, "out of order"

	@invariant()
	def nothing_is_lost(self) -> None:
		assert {each.punch.punch_id for each in self.store.each()} == self.held
		assert sum(self.store.counts().values()) == len(self.held)


OutboxInAnyOrder.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestOutboxInAnyOrder = OutboxInAnyOrder.TestCase
