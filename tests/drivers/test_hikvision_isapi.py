"""The Hikvision driver against the simulated terminal: the contract of every driver, and its own faults."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from attendance_bridge.core.config import parse
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Driver as DriverProtocol
from attendance_bridge.core.driver import Window
from attendance_bridge.core.errors import Code, ConfigError, DeviceError
from attendance_bridge.core.pull import PullReport, pull
from attendance_bridge.core.punch import VerifyMode
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.hikvision_isapi import Driver
from attendance_bridge.drivers.hikvision_isapi.config import Config
from attendance_bridge.simulators import workforce
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal, verbs
from attendance_bridge.simulators.hikvision.events import EventLog
from attendance_bridge.simulators.hikvision.rows import DAMAGES
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER
from tests.contracts.driver_contract import SECRET, DriverContract, Held, Key, Rig, now

SEARCH = "/ISAPI/AccessControl/AcsEvent"

READABLE_DAMAGES = ("number-as-id",)
"""An employee number as a JSON number is taken for its text: unusual, but not unreadable."""


class HikvisionRig(Rig):
	"""A factory's second terminal of three, on a loopback port."""

	def __init__(self, *, people: int = 20, days: int = 10) -> None:
		factory = workforce.build(people=people, days=days, seed=7, last_day=date(2026, 10, 30))
		self.state = HikvisionState.from_workforce(factory, number=2, of=3, zone=self.zone)
		self.state.reboot_seconds = 0.2
		self.terminal = HikvisionTerminal(self.state)
		self.terminal.start()

	def close(self) -> None:
		self.terminal.stop()

	def driver(self, **options: object) -> DriverProtocol:
		return self._driver(PASSWORD, self.terminal.port, **options)

	def driver_with_wrong_password(self) -> DriverProtocol:
		return self._driver(SECRET, self.terminal.port)

	def driver_to_nowhere(self) -> DriverProtocol:
		with socket.socket() as free:
			free.bind(("127.0.0.1", 0))
			return self._driver(PASSWORD, free.getsockname()[1])

	def _driver(self, password: str, port: int, **options: object) -> DriverProtocol:
		settings: dict[str, object] = {"connect_timeout": 1.0, "timeout": 1.0} | options
		config = Config(host="127.0.0.1", port=port, user=USER, password=Secret(password), **settings)  # type: ignore[arg-type]
		return Driver(config, zone=self.zone, now=now)

	def refused_attempts(self) -> int:
		return self.state.counters.credentialed_401

	def expected(self) -> set[Key]:
		with self.state.lock:
			numbers = {
				(str(DAMAGES[event.damage]["employeeNoString"]), event.wall_time)
				for event in self.state.log
				if event.damage in READABLE_DAMAGES
			}
		return set(self.state.expected()) | numbers

	def punch(self, device_user_id: str, wall_time: datetime) -> None:
		verbs.punch(self.state, device_user_id, at=wall_time.replace(tzinfo=self.zone))

	def clear(self) -> None:
		with self.state.lock:
			self.state.log = EventLog()

	def fault(self, name: str) -> None:
		verbs.set_fault(self.state, name)

	def mend(self) -> None:
		with self.state.lock:
			self.state.faults.clear()

	def bad_rows(self) -> int:
		with self.state.lock:
			return sum(event.damage not in ("", *READABLE_DAMAGES) for event in self.state.log)

	def left_as_found(self) -> bool:
		return True

	def secrets(self) -> tuple[str, ...]:
		return (PASSWORD, SECRET)


@pytest.fixture
def rig() -> Iterator[HikvisionRig]:
	rig = HikvisionRig(people=12, days=4)
	yield rig
	rig.close()


def read(rig: HikvisionRig, held: Held, *, pages: int | None = None, **options: object) -> PullReport:
	"""One conversation: as much as there is, or `pages` pages."""
	taken = iter(range(1, 10_000))
	with rig.driver(**options) as driver:
		return pull(
			rig.state.serial, driver, held, held, stop=lambda: pages is not None and next(taken) >= pages
		)


def punch_now(rig: HikvisionRig, user_id: str) -> Key:
	wall_time = datetime.now(rig.zone).replace(tzinfo=None, microsecond=0)
	rig.punch(user_id, wall_time)
	return user_id, wall_time


class TestContract(DriverContract):
	@pytest.fixture
	def rig(self) -> Iterator[Rig]:
		rig = HikvisionRig()
		yield rig
		rig.close()


HARMLESS = (
	"few-rows",
	"gap-page",
	"more-empty",
	"no-serial-window",
	"no-total",
	"old-namespace",
	"one-row-object",
	"one-time-nonce",
	"replayed-history",
)


class TestQuirks:
	"""What firmware does that is odd, and must cost nothing."""

	@pytest.mark.parametrize("fault", HARMLESS)
	def test_the_whole_log_and_what_comes_after(self, rig: HikvisionRig, fault: str) -> None:
		rig.fault(fault)
		held = Held()
		assert read(rig, held).complete
		assert held.recorded() == rig.expected()
		key = punch_now(rig, "00042")
		report = read(rig, held)
		assert (report.complete, report.new) == (True, 1)
		assert key in held.recorded()

	@pytest.mark.parametrize("fault", ["few-rows", "gap-page", "no-serial-window", "replayed-history"])
	def test_broken_off_after_every_page(self, rig: HikvisionRig, fault: str) -> None:
		rig.fault(fault)
		held = Held()
		for _ in range(300):
			read(rig, held, pages=1)
			if held.recorded() == rig.expected():
				break
		assert held.recorded() == rig.expected()

	@pytest.mark.parametrize("size", [1, 2, 29])
	def test_small_pages(self, rig: HikvisionRig, size: int) -> None:
		held = Held()
		assert read(rig, held, page_size=size).complete
		assert held.recorded() == rig.expected()

	def test_a_poll_without_news_is_two_questions_about_events(self, rig: HikvisionRig) -> None:
		"""One from the anchor on, one for numbers that were begun anew."""
		held = Held()
		read(rig, held)
		before = rig.state.counters.answered[SEARCH]
		assert read(rig, held).read == 0
		assert rig.state.counters.answered[SEARCH] - before == 2

	def test_a_reboot_in_mid_reading_loses_nothing(self, rig: HikvisionRig) -> None:
		held = Held()
		rig.fault("reboot")
		report = read(rig, held)
		assert report.error is not None
		assert report.error.retryable
		assert rig.terminal.wait_until_up()
		assert read(rig, held).complete
		assert held.recorded() == rig.expected()

	def test_every_kind_of_event_brings_the_same_punches(self, rig: HikvisionRig) -> None:
		held = Held()
		assert read(rig, held, major=0).complete
		assert held.recorded() == rig.expected()

	def test_a_major_type_without_identifications_is_refused(self, rig: HikvisionRig) -> None:
		with pytest.raises(ConfigError) as caught:
			parse(
				Config,
				{"host": "h", "user": "u", "password": Secret("p"), "major": 2},
				secrets=lambda kind, name: "",
			)
		assert caught.value.details["path"] == "major"

	def test_only_faces(self, rig: HikvisionRig) -> None:
		held = Held()
		assert read(rig, held, minor=75).complete
		modes = {punch.verify_mode for punch in held.punches.values()}
		assert modes == {VerifyMode.FACE}
		assert held.recorded() < rig.expected()


class TestDevice:
	def test_who_it_is(self, rig: HikvisionRig) -> None:
		with rig.driver() as driver:
			info = driver.identify()
		assert (info.serial, info.name) == (rig.state.serial, rig.state.name)
		assert info.punches_held == len(rig.state.log)

	def test_its_count_is_what_a_reading_of_the_window_gives(self, rig: HikvisionRig) -> None:
		day = datetime(2026, 10, 28, tzinfo=rig.zone)
		window = Window(start=day, end=day + timedelta(days=1))
		with rig.driver() as driver:
			counted = driver.count(window)
			punches = {punch.punch_id for page in driver.fetch(START, window) for punch in page.punches}
		assert counted is not None
		assert 0 < len(punches) <= counted <= len(punches) + 3

	def test_no_count_where_there_is_none(self, rig: HikvisionRig) -> None:
		rig.fault("no-total")
		day = datetime(2026, 10, 28, tzinfo=rig.zone)
		with rig.driver() as driver:
			assert driver.count(Window(start=day, end=day + timedelta(days=1))) is None
			assert driver.identify().punches_held is None


class TestAccount:
	def test_a_locked_account_is_left_alone(self, rig: HikvisionRig) -> None:
		verbs.lock_out(rig.state, 900)
		with rig.driver() as driver:
			for _ in range(3):
				with pytest.raises(DeviceError) as caught:
					driver.identify()
				assert caught.value.code is Code.LOCKED_OUT
				unlock_seconds = caught.value.details["unlock_seconds"]
				assert isinstance(unlock_seconds, int)
				assert 800 < unlock_seconds <= 900
		assert rig.refused_attempts() <= 1

	def test_a_password_that_changes_in_mid_conversation(self, rig: HikvisionRig) -> None:
		with rig.driver() as driver:
			driver.identify()
			verbs.change_password(rig.state, "Changed-1")
			for _ in range(3):
				with pytest.raises(DeviceError) as caught:
					driver.read_clock()
				assert caught.value.code is Code.AUTH_FAILED
		assert rig.refused_attempts() == 2, "with the kept nonce, and with the new one"

	def test_a_lock_in_mid_conversation_is_told_by_one_refusal(self, rig: HikvisionRig) -> None:
		with rig.driver() as driver:
			driver.identify()
			verbs.lock_out(rig.state, 900)
			for _ in range(3):
				with pytest.raises(DeviceError) as caught:
					driver.read_clock()
				assert caught.value.code is Code.LOCKED_OUT
		assert rig.refused_attempts() == 1

	def test_one_challenge_a_conversation(self, rig: HikvisionRig) -> None:
		held = Held()
		assert read(rig, held).complete
		counters = rig.state.counters
		assert counters.requests.total() == counters.answered.total() + 1
		assert counters.answered.total() > 5
		assert (counters.stale_nonces, counters.credentialed_401) == (0, 0)

	def test_a_terminal_that_takes_a_nonce_once_refuses_once_a_conversation(self, rig: HikvisionRig) -> None:
		rig.fault("one-time-nonce")
		held = Held()
		for conversation in (1, 2):
			assert read(rig, held).complete
			assert rig.refused_attempts() == conversation
			assert rig.state.lockout.tries_left == rig.state.lockout.max_wrong_passwords
		assert held.recorded() == rig.expected()

	def test_nonces_that_expire_cost_no_attempt(self, rig: HikvisionRig) -> None:
		held = Held()
		with rig.driver() as driver:
			for page in driver.fetch(START):
				held.accept(page, rig.state.serial, None)
				verbs.expire_nonces(rig.state)
		assert held.recorded() == rig.expected()
		assert rig.refused_attempts() == 0

	def test_nonces_that_time_out_cost_no_attempt(self, rig: HikvisionRig) -> None:
		seconds = 0.0
		rig.state.guard._monotonic = lambda: seconds
		held = Held()
		with rig.driver() as driver:
			for page in driver.fetch(START):
				held.accept(page, rig.state.serial, None)
				seconds += rig.state.guard.nonce_seconds + 1
		assert held.recorded() == rig.expected()
		assert rig.state.counters.stale_nonces > 1
		assert rig.refused_attempts() == 0
