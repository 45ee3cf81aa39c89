"""The ZKTeco driver against a simulated terminal: the contract, and what is special to this family."""

from __future__ import annotations

import gc
import logging
import socket
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Driver as DriverPort
from attendance_bridge.core.driver import Window
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.zkteco_tcp import Driver
from attendance_bridge.drivers.zkteco_tcp.config import Config, Transport
from attendance_bridge.simulators.workforce import build
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal, verbs
from tests.contracts.driver_contract import DriverContract, Held, Key, Rig, now

COMM_KEY = 4711
WRONG_COMM_KEY = "471100"
DUBAI = ZoneInfo("Asia/Dubai")


def make_state(*, log_layout: int = 40, comm_key: int = 0, days: int = 6) -> ZktecoState:
	workforce = build(12, days, 20260301, date(2026, 3, 1))
	return ZktecoState.from_workforce(workforce, log_layout=log_layout, comm_key=comm_key)


def make_driver(
	port: int, *, comm_key: str = "", transport: Transport = Transport.AUTO, timeout: float = 1.0
) -> Driver:
	config = Config(
		host="127.0.0.1",
		port=port,
		comm_key=Secret(comm_key) if comm_key else None,
		transport=transport,
		timeout=timeout,
		transfer_timeout=20.0,
	)
	return Driver(config, zone=DUBAI, now=now)


class ZktecoRig(Rig):
	zone = DUBAI

	def __init__(self, state: ZktecoState, terminal: ZktecoTerminal) -> None:
		self.state = state
		self.terminal = terminal

	def driver(self) -> DriverPort:
		return make_driver(self.terminal.port, comm_key=str(COMM_KEY))

	def driver_with_wrong_password(self) -> DriverPort:
		return make_driver(self.terminal.port, comm_key=WRONG_COMM_KEY)

	def driver_to_nowhere(self) -> DriverPort:
		with socket.socket() as unused:
			unused.bind(("127.0.0.1", 0))
			return make_driver(unused.getsockname()[1])

	def refused_attempts(self) -> int:
		return self.state.counters["wrong_comm_key"]

	def expected(self) -> set[Key]:
		return self.state.expected()

	def punch(self, device_user_id: str, wall_time: datetime) -> None:
		if self.state.find_user(device_user_id) is None:
			self.state.add_user(device_user_id)
		self.state.record(device_user_id, wall_time, VerifyMode.FACE, DeviceKey.CHECK_IN)

	def clear(self) -> None:
		verbs.clear_log(self.state)

	def fault(self, name: str) -> None:
		verbs.set_fault(self.state, name)

	def mend(self) -> None:
		self.state.faults.clear()

	def bad_rows(self) -> int:
		return self.state.bad_rows()

	def left_as_found(self) -> bool:
		return self.state.enabled and not self.state.counters["disable_device"]

	def secrets(self) -> tuple[str, ...]:
		return (str(COMM_KEY), WRONG_COMM_KEY)


class TestContract(DriverContract):
	@pytest.fixture(params=[8, 40, 49])
	def rig(self, request: pytest.FixtureRequest) -> Iterator[Rig]:
		state = make_state(log_layout=request.param, comm_key=COMM_KEY)
		with ZktecoTerminal(state) as terminal:
			yield ZktecoRig(state, terminal)


@pytest.fixture
def state() -> ZktecoState:
	return make_state()


@pytest.fixture
def terminal(state: ZktecoState) -> Iterator[ZktecoTerminal]:
	with ZktecoTerminal(state) as running:
		yield running


def read_all(driver: Driver, held: Held) -> None:
	"""Everything from the held cursor on, into `held`."""
	with driver:
		serial = driver.identify().serial
		for page in driver.fetch(held.cursor):
			held.accept(page, serial, None)
			held.save(serial, page.cursor)


# --- who answers


def test_identify(state: ZktecoState, terminal: ZktecoTerminal) -> None:
	with make_driver(terminal.port) as driver:
		info = driver.identify()
	assert info.serial == state.serial
	assert info.model == "SIM-4370"
	assert info.firmware == "Ver 6.60 Nov 13 2019, ZAM180_TFT"
	assert info.punches_held == state.punches_held()
	assert info.punch_capacity == state.log_capacity


def test_it_counts_no_window(terminal: ZktecoTerminal) -> None:
	window = Window(start=now() - timedelta(days=1), end=now())
	assert make_driver(terminal.port).count(window) is None


# --- roads


@pytest.mark.parametrize("log_layout", [8, 16, 40, 49])
@pytest.mark.parametrize("transport", list(Transport))
def test_every_layout_on_every_road(log_layout: int, transport: Transport) -> None:
	state = make_state(log_layout=log_layout, days=20)
	held = Held()
	with ZktecoTerminal(state) as terminal:
		read_all(make_driver(terminal.port, transport=transport), held)
	assert held.recorded() == state.expected()


def test_auto_falls_back_to_udp(state: ZktecoState) -> None:
	state.faults.add("udp-only")
	held = Held()
	with ZktecoTerminal(state) as terminal:
		read_all(make_driver(terminal.port), held)
	assert held.recorded() == state.expected()


def test_tcp_alone_does_not_fall_back(state: ZktecoState) -> None:
	state.faults.add("udp-only")
	with (
		ZktecoTerminal(state) as terminal,
		make_driver(terminal.port, transport=Transport.TCP) as driver,
		pytest.raises(DeviceError) as caught,
	):
		driver.identify()
	assert (caught.value.code, caught.value.retryable) == (Code.UNREACHABLE, True)


def test_a_wrong_comm_key_is_not_tried_again_by_udp(state: ZktecoState, terminal: ZktecoTerminal) -> None:
	state.comm_key = COMM_KEY
	with make_driver(terminal.port, comm_key="99") as driver, pytest.raises(DeviceError) as caught:
		driver.identify()
	assert caught.value.code is Code.AUTH_FAILED
	assert state.counters["wrong_comm_key"] == 1
	assert state.counters["connect"] == 1


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
@pytest.mark.parametrize("comm_key", [1, COMM_KEY, 65535, 999_999, 4_294_967_294])
def test_comm_keys(state: ZktecoState, terminal: ZktecoTerminal, comm_key: int, transport: Transport) -> None:
	state.comm_key = comm_key
	with make_driver(terminal.port, comm_key=str(comm_key), transport=transport) as driver:
		assert driver.identify().serial == state.serial


def test_tiny_segments(state: ZktecoState, terminal: ZktecoTerminal) -> None:
	state.faults.add("short-read")
	held = Held()
	read_all(make_driver(terminal.port), held)
	assert held.recorded() == state.expected()


# --- the log


def test_punches_land_while_it_is_read(state: ZktecoState, terminal: ZktecoTerminal) -> None:
	"""The count taken before the transfer no longer divides the size of the log."""
	state.faults.add("growing")
	held = Held()
	for _ in range(5):
		read_all(make_driver(terminal.port), held)
	state.faults.clear()
	read_all(make_driver(terminal.port), held)
	assert held.recorded() == state.expected()


@pytest.mark.parametrize("log_layout", [8, 16, 40, 49])
def test_resuming_at_every_page_boundary(log_layout: int) -> None:
	state = make_state(log_layout=log_layout, days=60)
	assert state.punches_held() > 2000
	with ZktecoTerminal(state) as terminal, make_driver(terminal.port) as driver:
		pages = list(driver.fetch(START))
		assert [page.expected for page in pages] == [state.punches_held()] * len(pages)
		assert sum(page.read for page in pages) == state.punches_held()
		for position, page in enumerate(pages):
			rest = list(driver.fetch(page.cursor))
			later = [punch for each in pages[position + 1 :] for punch in each.punches]
			assert [punch for each in rest for punch in each.punches] == later
			assert rest[0].expected == sum(each.read for each in pages[position + 1 :])
			assert rest[-1].cursor == pages[-1].cursor


def test_a_log_refilled_to_the_same_count_is_read_whole(state: ZktecoState, terminal: ZktecoTerminal) -> None:
	held = Held()
	read_all(make_driver(terminal.port), held)
	before, count = held.recorded(), state.punches_held()
	state.clear_log()
	worker = state.users()[0].user_id
	for second in range(count):
		moment = datetime(2026, 3, 2, 8) + timedelta(seconds=second)  # wall time
		state.record(worker, moment, VerifyMode.FACE, DeviceKey.CHECK_IN)
	assert state.punches_held() == count
	read_all(make_driver(terminal.port), held)
	assert held.recorded() == before | state.expected()


def test_keys_that_were_never_pressed(state: ZktecoState, terminal: ZktecoTerminal) -> None:
	state.faults.add("punch-255")
	with make_driver(terminal.port) as driver:
		keys = {punch.device_key for page in driver.fetch(START) for punch in page.punches}
	assert keys == {DeviceKey.UNDEFINED}


def test_rows_without_a_user_lose_no_other(state: ZktecoState, terminal: ZktecoTerminal) -> None:
	state.faults.add("bad-user-row")
	with make_driver(terminal.port) as driver:
		pages = list(driver.fetch(START))
	punches = {(punch.device_user_id, punch.wall_time) for page in pages for punch in page.punches}
	assert punches == state.expected()
	assert {row.reason for page in pages for row in page.unreadable} == {"bad_user_id"}
	assert sum(len(page.unreadable) for page in pages) == state.bad_rows()


def test_a_firmware_that_shows_no_log_is_mentioned_once(
	state: ZktecoState, terminal: ZktecoTerminal, caplog: pytest.LogCaptureFixture
) -> None:
	state.faults.add("access-mode")
	with caplog.at_level(logging.WARNING), make_driver(terminal.port) as driver:
		for _ in range(2):
			(page,) = driver.fetch(START)
			assert (page.punches, page.expected, page.read) == ((), 0, 0)
	assert sum("zkteco_empty_log" in record.getMessage() for record in caplog.records) == 1


def test_a_firmware_without_buffered_reading(state: ZktecoState, terminal: ZktecoTerminal) -> None:
	state.faults.add("no-rwb")
	with make_driver(terminal.port) as driver:
		with pytest.raises(DeviceError) as caught:
			next(driver.fetch(START))
		assert caught.value.code in (Code.NOT_SUPPORTED, Code.DEVICE_ERROR)
		state.faults.clear()
		assert driver.identify().serial == state.serial
	assert state.counters["connect"] == 1


def test_a_reboot_in_the_middle_of_a_conversation(state: ZktecoState, terminal: ZktecoTerminal) -> None:
	state.reboot_seconds = 0.1
	held = Held()
	with make_driver(terminal.port) as driver:
		driver.identify()
		verbs.reboot(state)
		back = threading.Event()
		for _ in range(200):
			try:
				driver.read_clock()
			except DeviceError as error:
				assert error.retryable
				back.wait(0.02)
				continue
			if state.counters["reboots"]:
				break
		for page in driver.fetch(START):
			held.accept(page, state.serial, None)
	assert state.counters["reboots"] == 1
	assert held.recorded() == state.expected()


# --- one client at a time, and nothing left behind


def test_two_conversations_do_not_meet(terminal: ZktecoTerminal) -> None:
	with make_driver(terminal.port) as first, make_driver(terminal.port, timeout=0.5) as second:
		first.identify()
		with pytest.raises(DeviceError) as caught:
			second.identify()
		assert (caught.value.code, caught.value.retryable) == (Code.BUSY, True)
		second.close()
		assert first.read_clock()
		first.close()
		assert second.identify()


def test_threads_take_turns(state: ZktecoState, terminal: ZktecoTerminal) -> None:
	talking: list[int] = []
	overlaps: list[int] = []
	results: list[Held] = []

	def work(number: int) -> None:
		held = Held()
		with make_driver(terminal.port, timeout=20.0) as driver:
			for page in driver.fetch(START):
				talking.append(number)
				overlaps.extend(other for other in talking if other != number)
				held.accept(page, state.serial, None)
			driver.read_clock()
			talking[:] = [other for other in talking if other != number]
		results.append(held)

	threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	assert overlaps == []
	assert [held.recorded() for held in results] == [state.expected()] * 4


@pytest.mark.parametrize("fault", ["", "half-closed", "garbage", "udp-only", "no-rwb"])
def test_no_socket_is_left_behind(state: ZktecoState, terminal: ZktecoTerminal, fault: str) -> None:
	if fault:
		state.faults.add(fault)

	def converse() -> None:
		with make_driver(terminal.port) as driver:
			try:
				list(driver.fetch(START))
			except DeviceError:
				assert fault

	ours = _sockets_to(terminal.port)
	converse()
	gc.collect()  # a forgotten socket would warn here, and a warning is an error
	assert _sockets_to(terminal.port) <= ours


def _sockets_to(port: int) -> int:
	"""Established client connections of this machine to `port`."""
	lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
	return sum(line.split()[2].endswith(f":{port:04X}") and line.split()[3] == "01" for line in lines)


def test_closing_twice_and_unopened(terminal: ZktecoTerminal) -> None:
	driver = make_driver(terminal.port)
	driver.close()
	driver.identify()
	driver.close()
	driver.close()


def test_it_prints_nothing(
	state: ZktecoState, terminal: ZktecoTerminal, capfd: pytest.CaptureFixture[str]
) -> None:
	for faults in (set[str](), {"access-mode"}, {"half-closed"}, {"bad-user-row"}):
		state.faults = faults
		with make_driver(terminal.port) as driver:
			try:
				list(driver.fetch(START))
			except DeviceError:
				assert "half-closed" in faults
	assert capfd.readouterr() == ("", "")
