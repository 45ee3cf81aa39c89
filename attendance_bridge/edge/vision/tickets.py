"""Recognised people who have still to show a PIN or a badge, and those who have tried too often."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from attendance_bridge.core.person import Person
from attendance_bridge.core.punch import Punch
from attendance_bridge.edge.vision.ports import Answer
from attendance_bridge.stores.second_factors import SecondFactors

MOST = 20
"""Tickets that are open at a time; more than that is nobody's door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
	"""One recognised person's punch, held back."""

	ticket: str
	person: Person
	punch: Punch
	deadline: float


class Tickets:
	"""Not safe to use from several threads; the door sees to that."""

	def __init__(
		self,
		factors: SecondFactors,
		kind: str,
		*,
		seconds: float,
		tries: int,
		blocked_seconds: float,
		monotonic: Callable[[], float] = time.monotonic,
	) -> None:
		"""
		:param kind: pin or badge.
		:param seconds: for how long an answer is waited for.
		:param tries: after so many wrong answers in a row, over all tickets, the person has to wait …
		:param blocked_seconds: … for so long.
		"""
		self.kind = kind
		self._factors = factors
		self._seconds = seconds
		self._tries = tries
		self._blocked_seconds = blocked_seconds
		self._monotonic = monotonic
		self._open: dict[str, Ticket] = {}
		self._wrong: dict[str, int] = {}
		self._blocked: dict[str, float] = {}

	def is_blocked(self, employee: str) -> bool:
		return self._blocked.get(employee, 0.0) > self._monotonic()

	def has_factor(self, employee: str) -> bool:
		return self.kind in self._factors.kinds().get(employee, frozenset())

	def issue(self, person: Person, punch: Punch) -> Ticket:
		"""Open a ticket; an earlier one of the same person is worth nothing any more."""
		self._open = {
			key: held for key, held in self._open.items() if held.person.employee != person.employee
		}
		for oldest in list(self._open)[: max(0, len(self._open) - MOST + 1)]:
			del self._open[oldest]
		made = Ticket(
			ticket=secrets.token_urlsafe(16),
			person=person,
			punch=punch,
			deadline=self._monotonic() + self._seconds,
		)
		self._open[made.ticket] = made
		return made

	def answer(self, ticket: str, secret: str) -> tuple[Answer, Ticket | None]:
		"""Take an answer; the ticket is closed after any but a WRONG one.

		:returns: with the ticket, if there was one.
		"""
		held = self._open.get(ticket)
		if held is None:
			return Answer.NO_SUCH_TICKET, None
		if self._monotonic() > held.deadline:
			del self._open[ticket]
			return Answer.TOO_LATE, held
		employee = held.person.employee
		if self._factors.matches(employee, self.kind, secret):
			del self._open[ticket]
			self._wrong.pop(employee, None)
			return Answer.PASSED, held
		self._wrong[employee] = self._wrong.get(employee, 0) + 1
		if self._wrong[employee] < self._tries:
			return Answer.WRONG, held
		del self._open[ticket], self._wrong[employee]
		self._blocked[employee] = self._monotonic() + self._blocked_seconds
		return Answer.TOO_MANY, held

	def expired(self) -> list[Ticket]:
		"""Tickets whose time is over; they are closed."""
		now = self._monotonic()
		gone = [held for held in self._open.values() if now > held.deadline]
		for held in gone:
			del self._open[held.ticket]
		return gone


def _is_of(ticket: Ticket, person: Person) -> bool:
	"""By the key alone: a name may have changed since."""
	return ticket.person.employee == person.employee
