"""What becomes of a person who is recognised: a punch, a question, or a reason why not."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from attendance_bridge.core.clock import localise
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Page
from attendance_bridge.core.errors import StoreError
from attendance_bridge.core.person import Person
from attendance_bridge.core.projection import Decision, State
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.vision.events import EventType, VisionEvents
from attendance_bridge.edge.vision.figures import Figures
from attendance_bridge.edge.vision.ports import Answer, Choice
from attendance_bridge.edge.vision.preview import Preview
from attendance_bridge.edge.vision.settings import KioskSettings
from attendance_bridge.edge.vision.staff import Staff
from attendance_bridge.edge.vision.terminal import CameraTerminal
from attendance_bridge.edge.vision.tickets import Tickets
from attendance_bridge.recognition.events import Event
from attendance_bridge.stores.held import HeldPunch
from attendance_bridge.stores.punches import PunchStore

logger = logging.getLogger(__name__)

UNHELD = 500
"""Punches that wait in memory for a database that is busy; in as many minutes it is mended, or nobody's."""
WAIT_SECONDS = 0.25
AGAIN_SECONDS = 1.0
"""Between two tries to write down."""
REMEMBERED = 500
"""Punches of this camera that a new start begins with: who has a pause, who stands where."""

_KEYS = {
	Choice.NONE: DeviceKey.UNDEFINED,
	Choice.IN: DeviceKey.CHECK_IN,
	Choice.OUT: DeviceKey.CHECK_OUT,
}


@dataclass(slots=True, eq=False)
class _Waiting:
	"""A punch that is to be written down."""

	person: Person
	punch: Punch
	is_told: bool = False
	"""Whether its person has heard that it takes longer."""


class Door:
	"""`edge.vision.ports.Kiosk`, and where the worker brings whom it has recognised. Safe from any thread.

	It is a worker of its own too: the one that writes punches down. A database that somebody else holds must
	not keep the camera from looking at whoever comes next.
	"""

	name = "door"

	def __init__(
		self,
		*,
		terminal: CameraTerminal,
		settings: KioskSettings,
		model: str,
		punches: PunchStore,
		staff: Staff,
		preview: Preview,
		tickets: Tickets | None,
		events: VisionEvents,
		figures: Figures,
		on_punch: Callable[[], None],
		monotonic: Callable[[], float] = time.monotonic,
	) -> None:
		"""
		:param model: of the templates, for the record of each punch.
		:param tickets: None where no second factor is asked for.
		:param on_punch: called after a punch is held: the uploader may carry it on.
		:raises StoreError: the log cannot be read.
		"""
		self.let_again: Callable[[str], None] = lambda employee: None
		"""Called for whoever was recognised and has no punch, so that they can be recognised again."""
		self._terminal = terminal
		self._settings = settings
		self._model = model
		self._punches = punches
		self._staff = staff
		self._preview = preview
		self._tickets = tickets
		self._events = events
		self._figures = figures
		self._on_punch = on_punch
		self._monotonic = monotonic
		self._turn = threading.RLock()
		self._choice = Choice.NONE
		self._choice_until = 0.0
		self._enrollments = 0
		self._last: dict[str, datetime] = {}
		"""device_user_id → when their last punch here was."""
		self._latest: deque[UUID] = deque(maxlen=REMEMBERED)
		self._waiting: deque[_Waiting] = deque()
		"""Not held yet, the oldest first."""
		self._wanted = threading.Condition(self._turn)
		self._holding = threading.Lock()
		self._remember()

	def _remember(self) -> None:
		held = self._punches.held(device_serial=self._terminal.serial, limit=REMEMBERED)
		held.sort(key=lambda each: each.punch.occurred_utc)
		for each in held:
			self._note(each.punch)
		self._preview.resume(held)

	def _note(self, punch: Punch) -> None:
		self._last[punch.device_user_id] = punch.occurred_utc
		self._latest.appendleft(punch.punch_id)

	# what hands do

	def choose(self, choice: Choice) -> None:
		"""For the next punch, if it comes soon; nothing where the company does not offer a choice."""
		if self._settings.choose_direction:
			with self._turn:
				self._choice = choice
				self._choice_until = self._monotonic() + self._settings.choice_seconds

	@property
	def choice(self) -> Choice:
		with self._turn:
			return self._choice if self._monotonic() <= self._choice_until else Choice.NONE

	def answer(self, ticket: str, secret: str) -> Answer:
		"""What was typed or read after a SECOND_FACTOR event; a PASSED one has made the punch.

		:raises StoreError: the secrets cannot be read; the ticket stays.
		"""
		if self._tickets is None:
			return Answer.NO_SUCH_TICKET
		with self._turn:
			answer, held = self._tickets.answer(ticket, secret)
			self._figures.second_factors.labels(answer.value).inc()
			if held is None or answer is Answer.WRONG:
				return answer
			self._events.publish(EventType.SECOND_FACTOR_OVER, ticket=ticket, reason=answer.value)
			if answer is Answer.PASSED:
				self._hold(held.person, held.punch)
			else:
				self.let_again(held.person.employee)
			return answer

	# what the worker brings

	@contextmanager
	def enrolling(self) -> Iterator[None]:
		"""While it is entered, nobody who is recognised gets a punch."""
		with self._turn:
			self._enrollments += 1
		try:
			yield
		finally:
			with self._turn:
				self._enrollments -= 1

	@property
	def is_enrolling(self) -> bool:
		return self._enrollments > 0

	def recognised(self, event: Event) -> None:
		"""Somebody is at the door.

		:raises StoreError: the people cannot be read, and nothing has come of the event.
		"""
		if event.match is None:
			return
		with self._turn:
			employee = event.match.employee
			person = self._staff.find(employee)
			if self.is_enrolling:
				self._no_punch(employee, "enrolling")
			elif person is None:
				self._no_punch(employee, "not_in_roster")
			elif not person.attendance_device_id:
				self._no_punch(employee, "no_device_id")
			elif (last := self._pausing(person, event.taken_at)) is not None:
				self._again(person, last)
			else:
				self._ask_or_hold(person, self._punch(person, event))

	def seen_again(self, event: Event) -> None:
		"""Somebody who punched a moment ago is still, or once more, at the door."""
		if event.match is None:
			return
		with self._turn:
			person = self._staff.find(event.match.employee)
			last = self._last.get(person.attendance_device_id) if person else None
			if person is not None and last is not None:
				self._again(person, last)

	def tick(self) -> None:
		"""Close what has waited too long."""
		if self._tickets is None:
			return
		with self._turn:
			for held in self._tickets.expired():
				self._figures.second_factors.labels(Answer.TOO_LATE.value).inc()
				self._events.publish(
					EventType.SECOND_FACTOR_OVER, ticket=held.ticket, reason=Answer.TOO_LATE.value
				)
				self.let_again(held.person.employee)

	def follow_up(self) -> None:
		"""Tell what has become of the punches that were made here."""
		with self._turn:
			settled = self._preview.settled()
		for held in settled:
			self._events.publish(EventType.DECIDED, **self._outcome(held))

	@property
	def latest(self) -> Sequence[UUID]:
		"""The punches made here lately, the newest first."""
		with self._turn:
			return tuple(self._latest)

	def _pausing(self, person: Person, at: datetime) -> datetime | None:
		"""The last punch of a person whose pause is not over. Also after a new start of the agent."""
		last = self._last.get(person.attendance_device_id)
		if last is None:
			return None
		# Also when our own clock was set back a little; not for ever when it was set back by much.
		pause = timedelta(seconds=self._settings.pause_seconds)
		return last if abs(at - last) < pause else None

	def _again(self, person: Person, last: datetime) -> None:
		self._figures.outcomes.labels("again").inc()
		local = last.astimezone(self._terminal.zone).replace(tzinfo=None)
		self._events.publish(
			EventType.AGAIN,
			employee=person.employee,
			name=person.full_name or person.employee,
			time=local.isoformat(),
		)

	def _no_punch(self, employee: str, reason: str, **facts: str) -> None:
		self._figures.outcomes.labels(reason).inc()
		name = self._staff.name_of(employee)
		self._events.publish(EventType.NO_PUNCH, employee=employee, name=name, reason=reason, **facts)
		self.let_again(employee)

	def _punch(self, person: Person, event: Event) -> Punch:
		match = event.match
		at = event.taken_at.astimezone(self._terminal.zone)
		facts = {
			"camera": self._terminal.name,
			"cosine": round(match.cosine, 4) if match else None,
			"margin": round(match.margin, 4) if match else None,
			"model": self._model,
			"probes": event.probes,
			"second_factor": self._tickets.kind if self._tickets else "",
			"template": str(match.template_id) if match else "",
			"threshold": round(event.threshold, 4),
		}
		return Punch(
			device_serial=self._terminal.serial,
			device_user_id=person.attendance_device_id,
			# The offset of the moment tells the two passes of a repeated hour apart.
			occurred_at=localise(at.replace(tzinfo=None), self._terminal.zone, utc_offset=at.utcoffset()),
			verify_mode=VerifyMode.MULTIPLE if self._tickets else VerifyMode.FACE,
			device_key=self._take_choice(),
			raw=json.dumps(facts, sort_keys=True),
		)

	def _take_choice(self) -> DeviceKey:
		choice, self._choice = self.choice, Choice.NONE
		return _KEYS[choice]

	def _ask_or_hold(self, person: Person, punch: Punch) -> None:
		tickets = self._tickets
		if tickets is None:
			self._hold(person, punch)
		elif tickets.is_blocked(person.employee):
			self._no_punch(person.employee, "blocked")
		elif not tickets.has_factor(person.employee):
			self._no_punch(person.employee, "no_second_factor")
		else:
			ticket = tickets.issue(person, punch)
			self._events.publish(
				EventType.SECOND_FACTOR,
				ticket=ticket.ticket,
				kind=tickets.kind,
				employee=person.employee,
				name=person.full_name or person.employee,
				seconds=self._settings.second_factor_seconds,
			)

	def _hold(self, person: Person, punch: Punch) -> None:
		"""Have it written down by `run`. From now on the person's pause counts: they need not come again."""
		if len(self._waiting) >= UNHELD:
			lost = self._waiting.popleft()
			logger.error("the punch %s is lost: too many wait for the database", lost.punch.punch_id)
		self._waiting.append(_Waiting(person, punch))
		self._last[punch.device_user_id] = punch.occurred_utc
		self._wanted.notify()

	def run(self, stop: threading.Event) -> None:
		"""Write down punches until `stop`, and what waits then.

		:raises StoreError: the database cannot be trusted any more.
		"""
		while not stop.is_set():
			with self._wanted:
				self._wanted.wait_for(lambda: bool(self._waiting), WAIT_SECONDS)
			if not self.write_down():
				stop.wait(AGAIN_SECONDS)
		self.write_down()

	def write_down(self) -> bool:
		"""Hold every punch that waits. False if it is to be tried again: the database is busy.

		:raises StoreError: the database cannot be trusted any more.
		"""
		with self._holding:
			while True:
				with self._turn:
					if not self._waiting:
						return True
					waiting = self._waiting[0]
				error = self._write(waiting)
				if error is None:
					continue
				with self._turn:
					self._tell_not_held(error)
				if not error.retryable:
					raise error
				return False

	def _write(self, waiting: _Waiting) -> StoreError | None:
		"""Durable first; only then is anybody told that it is recorded."""
		punch = waiting.punch
		page = Page(punches=(punch,), cursor=START, read=1)
		try:
			# Not in the turn: it may take seconds, and somebody may come meanwhile.
			accepted = self._punches.accept(page, punch.device_serial, self._terminal.reading())
		except StoreError as error:
			return error
		with self._turn:
			if self._waiting and self._waiting[0] is waiting:
				self._waiting.popleft()
			if accepted.new:
				self._held(waiting.person, punch)
			else:
				self._again(waiting.person, punch.occurred_utc)
		return None

	def _tell_not_held(self, error: StoreError) -> None:
		for waiting in self._waiting:
			if waiting.is_told:
				continue
			waiting.is_told = True
			logger.warning("a punch cannot be held at present (%s); it is tried again", error)
			self._figures.outcomes.labels("not_held").inc()
			self._events.publish(
				EventType.NO_PUNCH,
				employee=waiting.person.employee,
				name=waiting.person.full_name or waiting.person.employee,
				reason="not_held",
				sentence=sentence(error),
			)

	def _held(self, person: Person, punch: Punch) -> None:
		self._note(punch)
		self._figures.outcomes.labels("punch").inc()
		self._on_punch()
		decision = self._foresee(punch)
		self._events.publish(
			EventType.PUNCH,
			punch_id=str(punch.punch_id),
			employee=person.employee,
			name=person.full_name or person.employee,
			time=punch.wall_time.isoformat(),
			state=decision.state.value if decision else State.RECEIVED.value,
			state_reason=decision.state_reason if decision else "",
			log_type=decision.log_type.value if decision and decision.log_type else "",
			log_type_reason=decision.log_type_reason.value if decision and decision.log_type_reason else "",
			preview=True,
		)

	def _foresee(self, punch: Punch) -> Decision | None:
		"""None where the store does not answer: the punch is held, and its person is to be told so."""
		try:
			return self._preview.decide(punch)
		except StoreError as error:
			logger.warning("what will become of a punch cannot be told: %s", error)
			return None

	def _outcome(self, held: HeldPunch) -> dict[str, object]:
		return {
			"punch_id": str(held.punch.punch_id),
			"name": self._staff.name_of(held.employee) if held.employee else "",
			"time": held.punch.wall_time.isoformat(),
			"state": held.state.value,
			"state_reason": held.error_code or held.state_reason,
			"log_type": held.log_type.value if held.log_type else "",
			"log_type_reason": held.log_type_reason,
		}
