from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.core.retry import Backoff
from attendance_bridge.edge.supervisor import Supervisor, WorkerState
from tests.edge.rig import eventually

QUICK = Backoff(base=timedelta(milliseconds=2), cap=timedelta(milliseconds=5))


class Duty:
	"""A worker that does what a test says, at each start anew, and else waits for the stop."""

	def __init__(self, name: str, act: Callable[[int], None] = lambda start: None) -> None:
		self.name = name
		self.starts = 0
		self._act = act

	def run(self, stop: threading.Event) -> None:
		self.starts += 1
		self._act(self.starts)
		stop.wait()


def fail(error: Exception, times: int) -> Callable[[int], None]:
	def act(start: int) -> None:
		if start <= times:
			raise error

	return act


@pytest.fixture(autouse=True)
def no_thread_is_left() -> object:
	before = set(threading.enumerate())
	yield
	# Some of those from before may end meanwhile.
	assert set(threading.enumerate()) <= before


def test_every_worker_runs_until_all_end_together() -> None:
	duties = [Duty("a"), Duty("b")]
	supervisor = Supervisor(duties)
	assert supervisor.states == {"a": WorkerState.STARTING, "b": WorkerState.STARTING}
	supervisor.start()
	eventually(lambda: supervisor.states == {"a": WorkerState.RUNNING, "b": WorkerState.RUNNING})
	supervisor.request_stop()
	supervisor.wait()
	assert supervisor.states == {"a": WorkerState.STOPPED, "b": WorkerState.STOPPED}
	assert supervisor.fatal is None


def test_a_worker_that_fails_is_started_again_and_the_others_do_not_notice(
	caplog: pytest.LogCaptureFixture,
) -> None:
	bad, good = Duty("bad", fail(ValueError("password=hunter2"), times=3)), Duty("good")
	supervisor = Supervisor([bad, good], backoff=QUICK)
	supervisor.start()
	eventually(lambda: bad.starts == 4 and supervisor.states["bad"] is WorkerState.RUNNING)
	assert good.starts == 1
	supervisor.request_stop()
	supervisor.wait()
	assert "hunter2" not in " ".join(record.getMessage() for record in caplog.records)


def test_pauses_between_starts_grow() -> None:
	attempts: list[int] = []

	class Counting(Backoff):
		def delay(self, attempt: int, chance: float) -> timedelta:
			attempts.append(attempt)
			return timedelta(0)

	bad = Duty("bad", fail(ValueError("no"), times=3))
	supervisor = Supervisor([bad], backoff=Counting())
	supervisor.start()
	eventually(lambda: bad.starts == 4)
	supervisor.request_stop()
	supervisor.wait()
	assert attempts == [1, 2, 3]


def test_while_it_waits_to_be_started_again_it_says_so_and_still_stops_at_once() -> None:
	supervisor = Supervisor(
		[Duty("bad", fail(ValueError("no"), times=1))], backoff=Backoff(base=timedelta(hours=1))
	)
	supervisor.start()
	eventually(lambda: supervisor.states["bad"] is WorkerState.RESTARTING)
	supervisor.request_stop()
	supervisor.wait()
	assert supervisor.states["bad"] is WorkerState.STOPPED


def test_a_worker_that_just_returns_is_started_again() -> None:
	class Brief:
		name = "brief"
		starts = 0

		def run(self, stop: threading.Event) -> None:
			self.starts += 1

	brief = Brief()
	supervisor = Supervisor([brief], backoff=QUICK)
	supervisor.start()
	eventually(lambda: brief.starts > 2)
	supervisor.request_stop()
	supervisor.wait()


def test_a_database_that_is_locked_for_a_while_is_no_end() -> None:
	locked = StoreError(Code.DATABASE_LOCKED, retryable=True)
	duty = Duty("poller", fail(locked, times=2))
	supervisor = Supervisor([duty], backoff=QUICK)
	supervisor.start()
	eventually(lambda: duty.starts == 3)
	assert supervisor.fatal is None
	supervisor.request_stop()
	supervisor.wait()


def test_a_database_that_is_damaged_ends_everything() -> None:
	damaged = StoreError(Code.DATABASE_DAMAGED, path="edge.db")
	bad, good = Duty("bad", fail(damaged, times=1)), Duty("good")
	supervisor = Supervisor([good, bad], backoff=QUICK)
	supervisor.start()
	supervisor.wait_for_stop()
	supervisor.wait()
	assert supervisor.fatal is damaged
	assert (bad.starts, good.starts) == (1, 1)
	assert set(supervisor.states.values()) == {WorkerState.STOPPED}
