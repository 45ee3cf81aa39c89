"""Keeps the agent's few threads alive, and ends them together."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import Enum
from typing import Protocol

from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.core.redact import redact
from attendance_bridge.core.retry import Backoff
from attendance_bridge.edge.latch import Latch

logger = logging.getLogger(__name__)

OF_ONE_DUTY = frozenset({Code.GALLERY_KEY_WRONG, Code.GALLERY_KEY_MISSING, Code.TEMPLATE_DAMAGED})
"""Troubles of the face templates: they say nothing about the punches that the same database holds."""


class WorkerState(str, Enum):
	STARTING = "starting"
	RUNNING = "running"
	RESTARTING = "restarting"
	"""It failed unexpectedly and waits to be started again."""
	STOPPED = "stopped"


class Worker(Protocol):
	"""One long-running duty. `run` returns when `stop` is set; an exception means: start me again."""

	name: str

	def run(self, stop: threading.Event) -> None: ...


class Supervisor:
	"""Runs each worker in a thread of its own.

	A worker that fails is started again with growing delays, for ever: an agent at a door has nobody beside
	it. Only a database that cannot be trusted any more ends the whole agent, because going on would mean
	acknowledging punches that are not held.
	"""

	def __init__(
		self,
		workers: Sequence[Worker],
		*,
		backoff: Backoff | None = None,
		chance: Callable[[], float] = random.random,
	) -> None:
		self._workers = tuple(workers)
		self._backoff = backoff or Backoff(base=timedelta(seconds=1), cap=timedelta(minutes=1))
		self._chance = chance
		self._asked = Latch()
		self._stop = threading.Event()
		self._threads: list[threading.Thread] = []
		self._states = {worker.name: WorkerState.STARTING for worker in self._workers}
		self.fatal: StoreError | None = None
		"""Why the agent ended itself, if it did."""

	@property
	def states(self) -> dict[str, WorkerState]:
		return dict(self._states)

	def start(self) -> None:
		for worker in self._workers:
			thread = threading.Thread(target=self._watch, args=(worker,), name=worker.name)
			self._threads.append(thread)
			thread.start()

	def request_stop(self) -> None:
		"""Let `wait_for_stop` go on; returns at once. Safe in a signal handler."""
		self._asked.set()

	def wait_for_stop(self) -> None:
		"""Tell every worker to end when that was asked for, or became necessary."""
		self._asked.wait()
		self._stop.set()

	def wait(self) -> None:
		"""The same, and every worker has ended."""
		self.wait_for_stop()
		for thread in self._threads:
			thread.join()

	def _watch(self, worker: Worker) -> None:
		failures = 0
		while not self._stop.is_set():
			self._states[worker.name] = WorkerState.RUNNING
			try:
				worker.run(self._stop)
			except StoreError as error:
				if not error.retryable and error.code not in OF_ONE_DUTY:
					self._end_all(worker, error)
					break
				logger.warning("%s: %s; starting it again", worker.name, error)
			except Exception as error:  # whatever it was, the other duties go on and this one comes back
				logger.error("%s failed: %s", worker.name, redact(repr(error)), exc_info=error)
			if self._stop.is_set():
				break
			failures += 1
			self._states[worker.name] = WorkerState.RESTARTING
			self._stop.wait(self._backoff.delay(failures, self._chance()).total_seconds())
		self._states[worker.name] = WorkerState.STOPPED

	def _end_all(self, worker: Worker, error: StoreError) -> None:
		logger.critical("%s: the database cannot be used any more (%s); the agent ends", worker.name, error)
		self.fatal = error
		self._stop.set()
		self._asked.set()
