"""Several people's check-ins at a time, each person's in order."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from attendance_bridge.core.errors import UpstreamError
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt
from attendance_bridge.upstreams._frappe.client import Client

FIRST_CALM = 50
"""Check-ins without a conflict after which all lanes are used again; doubled by each conflict after that."""
LONGEST_CALM = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
	"""What became of one check-in."""

	receipt: Receipt | None = None
	"""None if it was certainly not entered and the reason is not its own."""
	error: UpstreamError | None = None
	"""The site as a whole does not work: nothing more is to be sent."""


class Width:
	"""How many lanes may be used.

	MariaDB with snapshot isolation (the default from 11.8 on) lets about half of simultaneous inserts fail,
	because all of them draw a name from tabSeries. On the first such conflict one lane remains; after a calm
	stretch all are tried again, less and less often if that keeps ending in conflict.
	"""

	def __init__(self, lanes: int) -> None:
		self._lanes = lanes
		self._allowed = lanes
		self._calm = 0
		self._calm_needed = FIRST_CALM
		self._lock = threading.Lock()

	@property
	def allowed(self) -> int:
		return self._allowed

	def conflicted(self) -> None:
		with self._lock:
			self._allowed, self._calm = 1, 0

	def went_well(self) -> None:
		with self._lock:
			if self._allowed == self._lanes:
				return
			self._calm += 1
			if self._calm >= self._calm_needed:
				self._allowed, self._calm = self._lanes, 0
				self._calm_needed = min(self._calm_needed * 2, LONGEST_CALM)


Send = Callable[[Client, CheckIn], Step]


class Lanes:
	"""One batch on its way. Each lane is a thread with a connection of its own."""

	def __init__(
		self, check_ins: Sequence[CheckIn], send: Send, width: Width, *, stopped: Callable[[], bool]
	) -> None:
		"""
		:param stopped: asked before each check-in; once true, nothing more is sent.
		"""
		self._waiting = deque(_by_person(check_ins))
		self._send = send
		self._width = width
		self._stopped = stopped
		self._halt = threading.Event()
		self._lock = threading.Lock()
		self._open_lanes = 0
		self._steps: queue.SimpleQueue[Step | BaseException | None] = queue.SimpleQueue()

	def run(self, clients: Sequence[Client]) -> Iterator[Receipt]:
		"""Receipts as they come, in the caller's thread. Ends when every lane has ended.

		:param clients: one for each lane.
		:raises UpstreamError: the first that a lane met, after the receipts of all lanes.
		"""
		self._open_lanes = len(clients)
		threads = [
			threading.Thread(target=self._lane, args=(client,), name="check-in lane", daemon=True)
			for client in clients
		]
		try:
			for thread in threads:
				thread.start()
			yield from self._receipts(len(threads))
		finally:
			self._halt.set()
			for thread in threads:
				if thread.ident is not None:
					thread.join()

	def _receipts(self, lanes: int) -> Iterator[Receipt]:
		first_error: BaseException | None = None
		while lanes:
			step = self._steps.get()
			if step is None:
				lanes -= 1
				continue
			error = step if isinstance(step, BaseException) else step.error
			first_error = first_error or error
			if isinstance(step, Step) and step.receipt is not None:
				yield step.receipt
		if first_error is not None:
			raise first_error

	def _lane(self, client: Client) -> None:
		try:
			person = self._next_person()
			while person:
				self._serve(client, person)
				person = self._next_person()
		except BaseException as error:  # handed to the caller's thread, not swallowed
			self._halt.set()
			self._steps.put(error)
		finally:
			self._steps.put(None)

	def _next_person(self) -> deque[CheckIn] | None:
		"""None ends the lane. Counted under the lock, so that of too many lanes one always remains."""
		with self._lock:
			if not self._waiting or self._over() or self._too_many_lanes():
				self._open_lanes -= 1
				return None
			return self._waiting.popleft()

	def _serve(self, client: Client, person: deque[CheckIn]) -> None:
		while person and not self._over():
			if self._left_to_others(person):
				return
			step = self._send(client, person.popleft())
			if step.error is not None:
				self._halt.set()
			self._steps.put(step)
			if step.receipt is None or step.receipt.outcome is Outcome.RETRY:
				return

	def _left_to_others(self, person: deque[CheckIn]) -> bool:
		"""Put the rest of a person back if there are more lanes than allowed."""
		with self._lock:
			if not self._too_many_lanes():
				return False
			self._waiting.appendleft(person)
			return True

	def _too_many_lanes(self) -> bool:
		return self._open_lanes > self._width.allowed

	def _over(self) -> bool:
		return self._halt.is_set() or self._stopped()


def _by_person(check_ins: Sequence[CheckIn]) -> list[deque[CheckIn]]:
	people: dict[str, deque[CheckIn]] = {}
	for check_in in check_ins:
		people.setdefault(check_in.employee, deque()).append(check_in)
	return list(people.values())
