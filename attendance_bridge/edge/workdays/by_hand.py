"""Whoever forgot to punch can be helped: a missing punch is entered by hand, and withdrawn again.

Only where check-ins stay in the local ledger. A punch of a terminal is never touched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from attendance_bridge.core.clock import is_repeated, is_skipped
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.driver import Now
from attendance_bridge.core.line import parse_line
from attendance_bridge.core.person import Directory
from attendance_bridge.core.punch import MAX_USER_ID_LENGTH
from attendance_bridge.edge.messages import ENTERING
from attendance_bridge.edge.workdays.book import Workdays
from attendance_bridge.stores import entered
from attendance_bridge.stores.agreements import MAX_WHY, Author
from attendance_bridge.stores.entered import EnteredRefusedError, by_hand

OLDEST = timedelta(days=366)
"""What is longer ago has been paid, and is not changed from a page."""
PATIENCE = timedelta(seconds=2)
"""How long to wait for the agent to decide: it takes some hundredths of a second unless it is catching up."""
_LOOK_EVERY_SECONDS = 0.01


DONE = frozenset({"entered", "waits", "known", "outside", "withdrawn", "withdrawn_before"})
"""What may become of what is taken."""


class Problem(str, Enum):
	"""Why a punch is not entered or withdrawn."""

	WHY = "why"
	TIME = "time"
	NO_SUCH_PERSON = "no_such_person"
	NO_DEVICE_ID = "no_device_id"
	"""The list of people has no id for this person, or the same for several."""
	SKIPPED_HOUR = "skipped_hour"
	REPEATED_HOUR = "repeated_hour"
	"""Which of the two passes is meant has to be said."""
	NOT_REPEATED = "not_repeated"
	"""The second pass is asked for, and there is only one."""
	IN_THE_FUTURE = "in_the_future"
	TOO_OLD = "too_old"
	TOO_NEAR = entered.Refusal.TOO_NEAR.value
	SAME_SECOND = entered.Refusal.SAME_SECOND.value
	NOT_DECIDED_YET = entered.Refusal.NOT_DECIDED_YET.value
	NO_SUCH_PUNCH = entered.Refusal.NO_SUCH_PUNCH.value
	OF_A_TERMINAL = entered.Refusal.OF_A_TERMINAL.value


class EnteringError(Exception):
	def __init__(self, problem: Problem, **facts: object) -> None:
		"""
		:param facts: what its sentence tells besides.
		"""
		super().__init__(problem.value)
		self.problem = problem
		self._facts = facts

	@property
	def words(self) -> str:
		return ENTERING[self.problem.value].format_map(self._facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
	"""What came of it."""

	punch_id: UUID
	is_news: bool
	"""False: the same was asked for before, and nothing has changed."""
	is_counted: bool
	"""Of an entered punch: it counts for the working day by now."""
	said: str
	"""The code of what there is to say of it, among DONE."""


class ByHand:
	"""Safe to use from any thread; every method may raise `StoreError`."""

	def __init__(
		self,
		workdays: Workdays,
		*,
		directory: Callable[[], Directory],
		tolerance: timedelta,
		debounce: timedelta,
		now: Now,
		on_punch: Callable[[], None],
		patience: timedelta = PATIENCE,
	) -> None:
		"""
		:param directory: by which punches find their people.
		:param tolerance: how far ahead of this machine a clock may be that somebody has read.
		:param debounce: within this time two punches of a person are one passage.
		:param on_punch: called when there is something to decide.
		:param patience: how long to wait until it is decided; nothing where nobody decides in this process.
		"""
		self._workdays = workdays
		self._directory = directory
		self._tolerance = tolerance
		self._debounce = debounce
		self._now = now
		self._on_punch = on_punch
		self._patience = patience

	def enter(
		self,
		employee: str,
		wall_time: datetime,
		log_type: LogType,
		why: str,
		by: Author,
		*,
		fold: int | None = None,
	) -> Result:
		"""Enter a punch that somebody has missed; the same again is the same punch.

		:param wall_time: naive, as the clock of the place showed it.
		:param fold: which pass through the repeated hour of a clock change; only asked for in one.
		:raises EnteringError: nothing is kept.
		"""
		why = _reason(why)
		device_user_id = self._device_user_id(employee)
		occurred_at = self._moment(wall_time, fold)
		punch = by_hand(device_user_id, occurred_at, log_type)
		try:
			is_news = self._workdays.entered.enter(employee, punch, log_type, why, by, apart=self._debounce)
		except EnteredRefusedError as error:
			raise self._refused(error) from None
		self._on_punch()
		is_counted = self._is_counted(punch.punch_id)
		is_outside = self._workdays.falls_outside(employee, occurred_at)
		return Result(
			punch_id=punch.punch_id,
			is_news=is_news,
			is_counted=is_counted and not is_outside,
			said=_entered_said(is_news=is_news, is_counted=is_counted, is_outside=is_outside),
		)

	def withdraw(self, punch_id: UUID, why: str, by: Author) -> Result:
		"""Have a punch that was entered by hand count for nothing; it stays on record.

		:raises EnteringError: it is none, or no reason is given.
		"""
		why = _reason(why)
		try:
			is_news = self._workdays.entered.withdraw(punch_id, why, by)
		except EnteredRefusedError as error:
			raise EnteringError(Problem(error.refusal.value)) from None
		self._on_punch()
		said = "withdrawn" if is_news else "withdrawn_before"
		return Result(punch_id=punch_id, is_news=is_news, is_counted=False, said=said)

	def _refused(self, error: EnteredRefusedError) -> EnteringError:
		problem = Problem(error.refusal.value)
		if error.near is None:
			return EnteringError(problem)
		at = error.near.astimezone(self._workdays.zone)
		return EnteringError(problem, at=f"{at:%H:%M:%S}", seconds=f"{self._debounce.total_seconds():g}")

	def _device_user_id(self, employee: str) -> str:
		person = self._workdays.find(employee)
		if person is None:
			raise EnteringError(Problem.NO_SUCH_PERSON)
		found = person.attendance_device_id
		owner = self._directory().find(found) if 0 < len(found) <= MAX_USER_ID_LENGTH else None
		if owner is None or owner.employee != employee:
			raise EnteringError(Problem.NO_DEVICE_ID)
		return found

	def _moment(self, wall_time: datetime, fold: int | None) -> datetime:
		if wall_time.tzinfo is not None or wall_time.microsecond:
			raise EnteringError(Problem.TIME)
		now = self._now()
		today = now.astimezone(self._workdays.zone).replace(tzinfo=None)
		# Before anything is made of it: the calendar has edges over which no zone reaches.
		if wall_time < today - OLDEST:
			raise EnteringError(Problem.TOO_OLD)
		if wall_time > today + timedelta(days=2):
			raise EnteringError(Problem.IN_THE_FUTURE)
		moment = wall_time.replace(tzinfo=self._workdays.zone, fold=0)
		if is_skipped(moment):
			raise EnteringError(Problem.SKIPPED_HOUR)
		if is_repeated(moment):
			if fold is None:
				raise EnteringError(Problem.REPEATED_HOUR)
			moment = moment.replace(fold=fold)
		elif fold:
			raise EnteringError(Problem.NOT_REPEATED)
		if moment.timestamp() > (now + self._tolerance).timestamp():
			raise EnteringError(Problem.IN_THE_FUTURE)
		return moment

	def _is_counted(self, punch_id: UUID) -> bool:
		pause = threading.Event()
		looks = int(self._patience.total_seconds() / _LOOK_EVERY_SECONDS)
		for _look in range(looks + 1):
			found = self._workdays.entered.find(punch_id)
			if found is None or found.is_counted:
				return found is not None
			pause.wait(_LOOK_EVERY_SECONDS if looks else 0)
		return False


def _entered_said(*, is_news: bool, is_counted: bool, is_outside: bool) -> str:
	if is_counted and not is_news:
		return "known"
	if is_outside:
		return "outside"
	return "entered" if is_counted else "waits"


def _reason(text: str) -> str:
	try:
		return parse_line(text, MAX_WHY)
	except ValueError:
		raise EnteringError(Problem.WHY) from None
