"""What a driver with `Capability.LIVE` must be able to do besides: inherit `LiveContract`, supply a rig."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Capability, LiveDriver, Page
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.pull import pull
from tests.contracts.driver_contract import Held, Key, Rig

PATIENCE = 10.0
"""Seconds."""


class LiveRig(Rig):
	@abstractmethod
	def drop(self) -> None:
		"""Every connection breaks, once; a new one is taken soon."""


class Listening:
	"""A driver that listens, in a thread of its own."""

	def __init__(self, driver: LiveDriver) -> None:
		self._driver = driver
		self._stop = threading.Event()
		self._thread = threading.Thread(target=self._run)
		self.began = threading.Event()
		self.pages: list[Page] = []
		self.error: DeviceError | None = None

	def start(self) -> None:
		self._thread.start()

	def _run(self) -> None:
		try:
			with self._driver as driver:
				assert isinstance(driver, LiveDriver)
				for page in driver.listen(self._stop.is_set):
					self.pages.append(page)
					self.began.set()
		except DeviceError as error:
			self.error = error

	def stop(self) -> float:
		"""Ask for the end; returns the seconds that it took."""
		asked_at = time.monotonic()
		self._stop.set()
		self._thread.join(PATIENCE)
		assert not self._thread.is_alive()
		return time.monotonic() - asked_at

	def has_ended(self) -> bool:
		return not self._thread.is_alive()

	def heard(self, *, live: bool = True) -> set[Key]:
		return {
			(punch.device_user_id, punch.wall_time)
			for page in list(self.pages)
			for punch in page.punches
			if page.live is live
		}


def eventually(condition: Callable[[], object]) -> None:
	deadline = time.monotonic() + PATIENCE
	while not condition():
		assert time.monotonic() < deadline, "never"
		time.sleep(0.01)


class LiveContract(ABC):
	@pytest.fixture
	@abstractmethod
	def rig(self) -> Iterator[LiveRig]: ...

	@contextmanager
	def listening(self, rig: LiveRig) -> Iterator[Listening]:
		driver = rig.driver()
		assert isinstance(driver, LiveDriver)
		assert Capability.LIVE in driver.spec.capabilities
		ear = Listening(driver)
		ear.start()
		try:
			eventually(lambda: ear.began.is_set() or ear.has_ended())
			yield ear
		finally:
			ear.stop()

	def moment(self, rig: LiveRig, number: int = 0) -> datetime:
		now = datetime.now(rig.zone).replace(tzinfo=None, microsecond=0)
		return now - timedelta(seconds=100 - number)

	def test_it_begins_without_punches(self, rig: LiveRig) -> None:
		with self.listening(rig) as ear:
			first = ear.pages[0]
		assert (first.punches, first.live, first.cursor) == ((), False, START)

	def test_punches_are_heard_as_they_happen(self, rig: LiveRig) -> None:
		with self.listening(rig) as ear:
			told = {("5", self.moment(rig, number)) for number in range(20)}
			for user_id, wall_time in sorted(told):
				rig.punch(user_id, wall_time)
			eventually(lambda: ear.heard() == told)
			assert all(page.cursor == START for page in ear.pages)
		assert rig.left_as_found()

	def test_what_is_heard_is_what_a_pull_brings(self, rig: LiveRig) -> None:
		held = Held()
		with self.listening(rig) as ear:
			for number in range(5):
				rig.punch("5", self.moment(rig, number))
			eventually(lambda: len(ear.heard()) == 5)
			with rig.driver() as driver:
				serial = driver.identify().serial
				assert pull(serial, driver, held, held).complete
			for page in list(ear.pages):
				assert held.accept(page, serial, None).new == 0
		assert held.recorded() == rig.expected()

	def test_pulls_go_on_while_it_listens(self, rig: LiveRig) -> None:
		with self.listening(rig) as ear:
			for number in range(4):
				held = Held()
				rig.punch("5", self.moment(rig, number))
				with rig.driver() as driver:
					assert pull(driver.identify().serial, driver, held, held).complete
				assert held.recorded() == rig.expected()
			eventually(lambda: len(ear.heard()) == 4)
			assert ear.error is None

	def test_it_stops_soon(self, rig: LiveRig) -> None:
		with self.listening(rig) as ear:
			assert ear.stop() < 3
		assert ear.error is None
		assert rig.left_as_found()

	def test_a_drop_is_told_and_listening_can_begin_again(self, rig: LiveRig) -> None:
		with self.listening(rig) as ear:
			rig.drop()
			eventually(ear.has_ended)
			assert ear.error is not None
			assert ear.error.code in (Code.CONNECTION_LOST, Code.TIMEOUT, Code.GARBAGE)
			assert ear.error.retryable
		deadline = time.monotonic() + PATIENCE
		while time.monotonic() < deadline:
			with self.listening(rig) as again:
				if again.began.is_set():
					rig.punch("5", self.moment(rig))
					eventually(again.heard)
					return
			time.sleep(0.1)
		raise AssertionError("the terminal is not heard again")

	def test_a_wrong_password_is_tried_once(self, rig: LiveRig) -> None:
		with rig.driver_with_wrong_password() as driver:
			assert isinstance(driver, LiveDriver)
			for _ in range(3):
				with pytest.raises(DeviceError) as caught:
					list(driver.listen(lambda: False))
				assert caught.value.code in (Code.AUTH_FAILED, Code.LOCKED_OUT)
		assert rig.refused_attempts() == 1

	def test_nobody_there(self, rig: LiveRig) -> None:
		with rig.driver_to_nowhere() as driver:
			assert isinstance(driver, LiveDriver)
			with pytest.raises(DeviceError) as caught:
				list(driver.listen(lambda: False))
		assert caught.value.code is Code.UNREACHABLE
