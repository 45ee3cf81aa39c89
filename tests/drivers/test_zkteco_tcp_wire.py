"""The ZKTeco driver against answers that no healthy terminal gives: a script says what each packet gets."""

from __future__ import annotations

import gc
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zk import ZK, const
from zk.base import make_commkey

from attendance_bridge.core.config import parse
from attendance_bridge.core.cursor import START
from attendance_bridge.core.errors import Code, ConfigError, DeviceError
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.zkteco_tcp import Driver
from attendance_bridge.drivers.zkteco_tcp.config import Config, Transport, check_comm_key

DUBAI = ZoneInfo("Asia/Dubai")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
BERLIN = ZoneInfo("Europe/Berlin")

Script = dict[int, Callable[[bytes], "Iterable[bytes | None]"]]
"""Command word → the pieces that its payload is answered with. No piece is silence, None hangs up."""

OK = const.CMD_ACK_OK
PREPARE = 1503
CHUNK = 1504


def packet(command: int, payload: bytes = b"") -> bytes:
	return struct.pack("<4H", command, 0, 77, 0) + payload


def framed(command: int, payload: bytes = b"") -> bytes:
	body = packet(command, payload)
	return struct.pack("<HHI", 0x5050, 0x7D82, len(body)) + body


def sizes(records: int, users: int = 0, capacity: int = 100_000) -> bytes:
	fields = [0] * 20
	fields[4], fields[8], fields[16] = users, records, capacity
	return struct.pack("<20i", *fields)


def encode(moment: datetime) -> int:
	days = ((moment.year - 2000) * 12 + moment.month - 1) * 31 + moment.day - 1
	return days * 86_400 + moment.hour * 3600 + moment.minute * 60 + moment.second


def log_at(moments: Iterable[datetime]) -> bytes:
	rows = b"".join(struct.pack("<H24sBIB8x", 1, b"1001", 15, encode(moment), 0) for moment in moments)
	return struct.pack("<I", len(rows)) + rows


def log_of(count: int) -> bytes:
	start = datetime(2026, 3, 1, 8)
	return log_at(start + timedelta(minutes=number) for number in range(count))


def terminal_with(log: bytes, *, held: int, make: Callable[..., bytes] = framed) -> Script:
	"""A script that hands out `log` at once, whatever its size."""
	options = {b"~SerialNumber\x00": b"~SerialNumber=T1\x00"}
	return {
		const.CMD_CONNECT: lambda _: [make(OK)],
		const.CMD_EXIT: lambda _: [make(OK)],
		const.CMD_FREE_DATA: lambda _: [make(OK)],
		const.CMD_OPTIONS_RRQ: lambda name: [make(OK, options.get(name, b""))],
		const.CMD_GET_VERSION: lambda _: [make(OK, b"Ver 1\x00")],
		const.CMD_GET_FREE_SIZES: lambda _: [make(OK, sizes(held))],
		PREPARE: lambda _: [make(const.CMD_DATA, log)],
	}


@contextmanager
def serving(script: Script) -> Iterator[SimpleNamespace]:
	"""A TCP terminal on loopback that follows `script` and notes its callers and the commands it hears."""
	heard: list[int] = []
	callers: list[object] = []
	with socket.create_server(("127.0.0.1", 0)) as server:
		server.settimeout(0.02)
		stopping = threading.Event()

		def serve() -> None:
			while True:
				try:
					connection, caller = server.accept()
				except TimeoutError:
					if stopping.is_set():  # asked last: whoever called is counted
						return
					continue
				callers.append(caller)
				with connection:
					connection.settimeout(5)
					_converse(connection, script, heard)

		thread = threading.Thread(target=serve)
		thread.start()
		try:
			yield SimpleNamespace(port=server.getsockname()[1], heard=heard, callers=callers)
		finally:
			stopping.set()
			thread.join()


def _converse(connection: socket.socket, script: Script, heard: list[int]) -> None:
	stream = connection.makefile("rb")
	with stream:
		try:
			while top := stream.read(8):
				body = stream.read(struct.unpack("<4xI", top)[0])
				command = int.from_bytes(body[:2], "little")
				heard.append(command)
				for piece in script.get(command, lambda _: [])(body[8:]):
					if piece is None:
						return
					connection.sendall(piece)
		except OSError:
			return  # the driver hung up


def driver_at(port: int, **options: Any) -> Driver:
	given: dict[str, Any] = {"timeout": 0.5, "transfer_timeout": 5.0, **options}
	return Driver(Config(host="127.0.0.1", port=port, **given), zone=DUBAI, now=lambda: NOW)


def fetch(script: Script, **options: Any) -> list[Any]:
	with serving(script) as terminal, driver_at(terminal.port, **options) as driver:
		return list(driver.fetch(START))


def failure(script: Script, act: Callable[[Driver], Any], **options: Any) -> DeviceError:
	with (
		serving(script) as terminal,
		driver_at(terminal.port, **options) as driver,
		pytest.raises(DeviceError) as caught,
	):
		act(driver)
	assert const.CMD_DISABLEDEVICE not in terminal.heard
	return caught.value


def everything(driver: Driver) -> list[Any]:
	return list(driver.fetch(START))


# --- packets and the stream


def test_a_conversation_is_one_connection() -> None:
	"""pyzk alone makes a second one, to see whether the port is open."""
	with serving(terminal_with(log_of(3), held=3)) as terminal, driver_at(terminal.port) as driver:
		driver.identify()
		everything(driver)
	assert len(terminal.callers) == 1
	assert terminal.heard[0] == const.CMD_CONNECT
	assert terminal.heard[-1] == const.CMD_EXIT


def test_a_log_that_arrives_byte_by_byte() -> None:
	script = terminal_with(b"", held=20)
	script[PREPARE] = lambda _: [bytes([byte]) for byte in framed(const.CMD_DATA, log_of(20))]
	(page,) = fetch(script)
	assert len(page.punches) == 20


def test_what_follows_a_bare_acknowledgement_is_not_the_next_answer() -> None:
	script = terminal_with(log_of(3), held=3)
	script[const.CMD_CONNECT] = lambda _: [framed(OK, b"x" * 40)]
	(page,) = fetch(script)
	assert len(page.punches) == 3


def test_a_log_in_chunks_of_many_packets() -> None:
	log = log_of(2500)

	def chunk(payload: bytes) -> Iterator[bytes]:
		start, size = struct.unpack("<ii", payload)
		yield framed(const.CMD_PREPARE_DATA, struct.pack("<II", size, 0x1000))
		for at in range(start, start + size, 1024):
			yield framed(const.CMD_DATA, log[at : min(at + 1024, start + size)])
		yield framed(OK)

	script = terminal_with(b"", held=2500)
	script[PREPARE] = lambda _: [framed(OK, struct.pack("<BIII", 0, len(log), len(log), 0))]
	script[CHUNK] = chunk
	pages = fetch(script)
	assert sum(page.read for page in pages) == 2500
	assert sum(len(page.punches) for page in pages) == 2500


@pytest.mark.parametrize(
	"answer",
	[
		b"HTTP/1.1 400 Bad Request\r\n\r\n",
		struct.pack("<HHI", 0x5050, 0x7D82, 3) + b"abc",
		struct.pack("<HHI", 0x5050, 0x7D82, 0),
	],
)
def test_another_protocol_is_garbage(answer: bytes) -> None:
	error = failure({const.CMD_CONNECT: lambda _: [answer]}, Driver.identify)
	assert (error.code, error.retryable) == (Code.GARBAGE, True)


@pytest.mark.parametrize("sent", [0, 4, 12, 30, 100])
def test_a_connection_closed_in_the_middle(sent: int) -> None:
	"""pyzk alone would spin for ever here."""
	script = terminal_with(b"", held=50)
	script[PREPARE] = lambda _: [framed(const.CMD_DATA, log_of(50))[:sent], None]
	error = failure(script, everything)
	assert (error.code, error.retryable) == (Code.CONNECTION_LOST, True)


def test_silence_is_a_timeout() -> None:
	script = terminal_with(b"", held=50)
	del script[PREPARE]
	error = failure(script, everything, timeout=0.1)
	assert (error.code, error.retryable) == (Code.TIMEOUT, True)


def test_a_drip_is_not_progress_for_ever() -> None:
	def drip(_payload: bytes) -> Iterator[bytes]:
		for byte in framed(const.CMD_DATA, log_of(50)):
			time.sleep(0.02)
			yield bytes([byte])

	script = terminal_with(b"", held=50)
	script[PREPARE] = drip
	began = time.monotonic()
	error = failure(script, everything, transfer_timeout=0.3)
	assert (error.code, error.retryable) == (Code.TIMEOUT, True)
	assert time.monotonic() - began < 5


def test_an_error_is_its_own_and_not_the_one_before() -> None:
	"""A question put while another error is being handled."""
	script = terminal_with(b"", held=5)
	script[const.CMD_GET_TIME] = lambda _: [framed(OK, b"??")]
	del script[PREPARE]
	with serving(script) as terminal, driver_at(terminal.port, timeout=0.5) as driver:
		try:
			everything(driver)
		except DeviceError as first:
			assert first.code is Code.TIMEOUT  # the second question must be put in here
			with pytest.raises(DeviceError) as second:
				driver.read_clock()
	assert second.value.code is Code.GARBAGE


# --- hostile sizes

_BOUND = 100_000


def test_a_packet_of_four_gigabytes() -> None:
	script = terminal_with(b"", held=50)
	top = struct.pack("<HHI", 0x5050, 0x7D82, 0xFFFFFFFF) + packet(const.CMD_DATA)
	script[PREPARE] = lambda _: itertools.chain([top], itertools.repeat(bytes(65_536), 100))
	error = failure(script, everything, max_log_bytes=_BOUND)
	assert (error.code, error.retryable) == (Code.TOO_LARGE, False)


def test_a_log_of_four_gigabytes() -> None:
	def chunk(payload: bytes) -> list[bytes]:
		return [framed(const.CMD_DATA, bytes(struct.unpack("<ii", payload)[1]))]

	script = terminal_with(b"", held=50)
	script[PREPARE] = lambda _: [framed(OK, struct.pack("<BIII", 0, 0xFFFFFFFF, 0xFFFFFFFF, 0))]
	script[CHUNK] = chunk
	with serving(script) as terminal, driver_at(terminal.port, max_log_bytes=_BOUND) as driver:
		with pytest.raises(DeviceError) as caught:
			everything(driver)
		assert caught.value.code is Code.TOO_LARGE
	assert terminal.heard.count(CHUNK) < 5


def test_an_answer_to_a_small_question_has_a_small_bound() -> None:
	script = terminal_with(b"", held=0)
	script[const.CMD_GET_VERSION] = lambda _: [framed(OK, bytes(1_000_000))]
	error = failure(script, lambda driver: [driver.identify(), driver.identify()])
	assert error.code is Code.TOO_LARGE


def test_a_chunk_of_thousands_of_packets_does_not_exhaust_the_stack() -> None:
	def chunk(payload: bytes) -> Iterator[bytes]:
		size = struct.unpack("<ii", payload)[1]
		yield framed(const.CMD_PREPARE_DATA, struct.pack("<II", size, 0))
		yield b"".join(framed(const.CMD_DATA, b"\x00") for _ in range(size))

	script = terminal_with(b"", held=50)
	script[PREPARE] = lambda _: [framed(OK, struct.pack("<BIII", 0, 5000, 5000, 0))]
	script[CHUNK] = chunk
	assert failure(script, everything).code in (Code.GARBAGE, Code.TOO_LARGE)


# --- who answers


def with_options(options: dict[bytes, bytes]) -> Script:
	script = terminal_with(b"", held=0)
	script[const.CMD_OPTIONS_RRQ] = lambda name: [
		framed(OK, options[name]) if name in options else framed(const.CMD_ACK_ERROR)
	]
	return script


def test_a_terminal_without_a_serial_number_goes_by_its_mac_address() -> None:
	script = with_options(
		{b"~SerialNumber\x00": b"~SerialNumber=\x00", b"MAC\x00": b"MAC=00:17:61:aa:0b:01\x00"}
	)
	with serving(script) as terminal, driver_at(terminal.port) as driver:
		assert driver.identify().serial == "MAC-00:17:61:AA:0B:01"


@pytest.mark.parametrize("mac", [b"MAC=\x00", b"MAC=00:00:00:00:00:00\x00", b"MAC=\xff\xff\x00"])
def test_a_terminal_without_any_name(mac: bytes) -> None:
	script = with_options({b"~SerialNumber\x00": b"~SerialNumber=\x00", b"MAC\x00": mac})
	error = failure(script, Driver.identify)
	assert (error.code, error.details["what"]) == (Code.NOT_SUPPORTED, "serial number")


def test_a_failure_does_not_rename_a_terminal() -> None:
	"""The MAC address is no answer to an error: the terminal would change its name for a day."""
	script = with_options({b"MAC\x00": b"MAC=00:17:61:aa:0b:01\x00"})
	error = failure(script, Driver.identify)
	assert (error.code, error.retryable) == (Code.DEVICE_ERROR, True)


def test_a_name_in_another_encoding_is_left_out() -> None:
	options = {b"~SerialNumber\x00": b"~SerialNumber=T1\x00", b"~DeviceName\x00": b"~DeviceName=\xc3\xc5\x00"}
	with serving(with_options(options)) as terminal, driver_at(terminal.port) as driver:
		info = driver.identify()
	assert (info.serial, info.model, info.firmware) == ("T1", "", "Ver 1")


def test_a_firmware_that_states_no_sizes() -> None:
	"""pyzk#76: one word instead of twenty."""
	script = terminal_with(log_of(7), held=7)
	script[const.CMD_GET_FREE_SIZES] = lambda _: [framed(OK, bytes(4))]
	with serving(script) as terminal, driver_at(terminal.port) as driver:
		info = driver.identify()
		assert (info.punches_held, info.punch_capacity) == (None, None)
		(page,) = driver.fetch(START)
	assert len(page.punches) == 7


def test_a_terminal_that_refuses_to_talk() -> None:
	error = failure({const.CMD_CONNECT: lambda _: [framed(const.CMD_ACK_ERROR)]}, Driver.identify)
	assert (error.code, error.retryable, error.details["response"]) == (Code.DEVICE_ERROR, True, 2001)


def test_a_refused_comm_key_is_sent_once() -> None:
	script: Script = {
		const.CMD_CONNECT: lambda _: [framed(const.CMD_ACK_UNAUTH)],
		const.CMD_AUTH: lambda _: [framed(const.CMD_ACK_UNAUTH)],
	}
	with serving(script) as terminal, driver_at(terminal.port, comm_key=Secret("123456")) as driver:
		for _ in range(3):
			with pytest.raises(DeviceError) as caught:
				driver.identify()
			assert (caught.value.code, caught.value.retryable) == (Code.AUTH_FAILED, False)
			assert "123456" not in str(caught.value) + repr(caught.value)
	assert terminal.heard == [const.CMD_CONNECT, const.CMD_AUTH]


# --- the log


def test_an_unknown_layout_is_reported_with_its_size() -> None:
	body = b"".join(
		struct.pack("<HI", n, encode(datetime(2026, 1, 1)) + n).ljust(44, b"\xaa") for n in range(9)
	)
	error = failure(terminal_with(struct.pack("<I", len(body)) + body, held=9), everything)
	assert error.code is Code.NOT_SUPPORTED
	assert (error.details["size"], error.details["records"]) == (4 + 9 * 44, 9)


def test_a_log_cut_short_is_used_and_reported() -> None:
	script = terminal_with(log_of(1500)[:-60], held=1500)
	pages = []
	with serving(script) as terminal, driver_at(terminal.port) as driver:
		with pytest.raises(DeviceError) as caught:  # noqa: PT012  # the pages before the error count
			for page in driver.fetch(START):
				pages.append(page)  # noqa: PERF402  # what came before the error must be kept
		script[PREPARE] = lambda _: [framed(const.CMD_DATA, log_of(1501))]
		(rest,) = driver.fetch(pages[-1].cursor)
	assert sum(page.read for page in pages) == 1498
	assert (caught.value.code, caught.value.retryable) == (Code.GARBAGE, True)
	assert rest.read == 3


def test_reading_resumes_in_the_second_pass_of_the_repeated_hour() -> None:
	"""The record behind the cursor follows one that lies before it: together they tell the pass."""
	moments = [datetime(2026, 10, 25, 2, minute) for minute in (50, 5, 20)]
	script = terminal_with(log_at(moments[:2]), held=2)
	with serving(script) as terminal:
		config = Config(host="127.0.0.1", port=terminal.port)
		with Driver(config, zone=BERLIN, now=lambda: NOW) as driver:
			(before,) = driver.fetch(START)
			script[PREPARE] = lambda _: [framed(const.CMD_DATA, log_at(moments))]
			(page,) = driver.fetch(before.cursor)
	assert [punch.occurred_at.fold for punch in (*before.punches, *page.punches)] == [0, 1, 1]


def test_a_log_that_should_not_be_empty() -> None:
	error = failure(terminal_with(bytes(4), held=12), everything)
	assert (error.code, error.retryable) == (Code.GARBAGE, True)


@pytest.mark.parametrize("answer", [const.CMD_ACK_ERROR, const.CMD_ACK_UNKNOWN, const.CMD_ACK_ERROR_CMD])
def test_some_firmwares_refuse_to_hand_out_an_empty_log(answer: int) -> None:
	script = terminal_with(b"", held=0)
	script[PREPARE] = lambda _: [framed(answer)]
	(page,) = fetch(script)
	assert (page.read, page.expected) == (0, 0)


@pytest.mark.parametrize(
	("answer", "code"),
	[(const.CMD_ACK_ERROR, Code.DEVICE_ERROR), (const.CMD_ACK_UNKNOWN, Code.NOT_SUPPORTED)],
)
def test_a_log_that_is_refused(answer: int, code: Code) -> None:
	script = terminal_with(b"", held=5)
	script[PREPARE] = lambda _: [framed(answer)]
	assert failure(script, everything).code is code


def test_numbers_without_a_user_list_are_nobody() -> None:
	"""Without it, internal number 5 would be paid to whoever has the id 5."""
	moment = encode(datetime(2026, 3, 1, 8))
	rows = b"".join(struct.pack("<HBIB", 5, 1, moment + 60 * minute + 1, 0) for minute in range(10))
	answers = iter([framed(const.CMD_DATA, struct.pack("<I", len(rows)) + rows), framed(const.CMD_ACK_ERROR)])
	script = terminal_with(b"", held=10)
	script[const.CMD_GET_FREE_SIZES] = lambda _: [framed(OK, sizes(10, users=3))]
	script[PREPARE] = lambda _: [next(answers)]
	assert failure(script, everything).code is Code.DEVICE_ERROR


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 0xFFFF), st.binary(max_size=120), st.integers(0, 50))
def test_any_answer_is_pages_or_a_device_error(response: int, payload: bytes, held: int) -> None:
	script = terminal_with(b"", held=held)
	script[PREPARE] = lambda _: [framed(response, payload)]
	with serving(script) as terminal, driver_at(terminal.port, timeout=0.05) as driver:
		try:
			assert list(driver.fetch(START))
		except DeviceError as error:
			assert error.details["port"] == terminal.port


# --- the clock


def test_a_clock_that_shows_no_day() -> None:
	script = terminal_with(b"", held=0)
	february_31 = ((26 * 12 + 1) * 31 + 30) * 86_400
	script[const.CMD_GET_TIME] = lambda _: [framed(OK, struct.pack("<I", february_31))]
	assert failure(script, Driver.read_clock).code is Code.GARBAGE


@pytest.mark.parametrize(("utc_hour", "fold"), [(0, 0), (1, 1)])
def test_the_clock_in_the_repeated_hour(utc_hour: int, fold: int) -> None:
	"""02:30 in Berlin on 25 October 2026 is 00:30 or 01:30 UTC; the terminal is taken to be in our pass."""
	moment = datetime(2026, 10, 25, utc_hour, 30, tzinfo=timezone.utc)
	script = terminal_with(b"", held=0)
	script[const.CMD_GET_TIME] = lambda _: [
		framed(OK, struct.pack("<I", encode(datetime(2026, 10, 25, 2, 30))))
	]
	with serving(script) as terminal:
		config = Config(host="127.0.0.1", port=terminal.port)
		with Driver(config, zone=BERLIN, now=lambda: moment) as driver:
			reading = driver.read_clock()
	assert reading.device_time.fold == fold
	assert reading.offset == timedelta(0)


def test_the_clock_is_set_to_wall_time() -> None:
	given: list[bytes] = []

	def take(payload: bytes) -> list[bytes]:
		given.append(payload)
		return [framed(OK)]

	script = terminal_with(b"", held=0)
	script[const.CMD_SET_TIME] = take
	with serving(script) as terminal, driver_at(terminal.port) as driver:
		driver.set_clock(NOW)
	assert given == [struct.pack("<I", encode(datetime(2026, 3, 2, 13, 0)))]


# --- UDP


@contextmanager
def serving_udp(script: Script) -> Iterator[int]:
	with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
		server.bind(("127.0.0.1", 0))
		server.settimeout(0.05)
		stopping = threading.Event()

		def serve() -> None:
			while not stopping.is_set():
				try:
					datagram, peer = server.recvfrom(65_536)
				except TimeoutError:
					continue
				command = int.from_bytes(datagram[:2], "little")
				for piece in script.get(command, lambda _: [])(datagram[8:]):
					server.sendto(piece, peer)

		thread = threading.Thread(target=serve)
		thread.start()
		try:
			yield server.getsockname()[1]
		finally:
			stopping.set()
			thread.join()


def udp_chunks(log: bytes, *, lost: int = -1) -> Script:
	def chunk(payload: bytes) -> Iterator[bytes]:
		start, size = struct.unpack("<ii", payload)
		yield packet(const.CMD_PREPARE_DATA, struct.pack("<II", size, 0))
		for number, at in enumerate(range(start, start + size, 1024)):
			if number != lost:
				yield packet(const.CMD_DATA, log[at : min(at + 1024, start + size)])
		yield packet(OK)

	script = terminal_with(b"", held=100, make=packet)
	script[PREPARE] = lambda _: [packet(OK, struct.pack("<BIII", 0, len(log), len(log), 0))]
	script[CHUNK] = chunk
	return script


def udp_outcome(script: Script, **options: Any) -> list[Any] | DeviceError:
	with (
		serving_udp(script) as port,
		driver_at(port, transport=Transport.UDP, **options) as driver,
	):
		try:
			return everything(driver)
		except DeviceError as error:
			return error


def test_udp() -> None:
	outcome = udp_outcome(udp_chunks(log_of(100)))
	assert isinstance(outcome, list)
	assert [len(page.punches) for page in outcome] == [100]


def test_a_lost_datagram_is_noticed() -> None:
	"""pyzk closes the hole without a word, and half the log would be read with its fields shifted."""
	outcome = udp_outcome(udp_chunks(log_of(100), lost=1))
	assert isinstance(outcome, DeviceError)
	assert (outcome.code, outcome.retryable) == (Code.GARBAGE, True)
	assert outcome.details["missing_bytes"] == 1024


def test_datagrams_without_end() -> None:
	script = udp_chunks(log_of(100))
	script[CHUNK] = lambda _: itertools.chain(
		[packet(const.CMD_PREPARE_DATA, struct.pack("<II", 4000, 0))],
		itertools.repeat(packet(const.CMD_DATA, bytes(1024)), 40),  # loopback holds about 90
	)
	outcome = udp_outcome(script, max_log_bytes=20_000)
	assert isinstance(outcome, DeviceError)
	assert outcome.code is Code.TOO_LARGE


def test_a_short_datagram_is_garbage() -> None:
	outcome = udp_outcome({const.CMD_CONNECT: lambda _: [b"short"]})
	assert isinstance(outcome, DeviceError)
	assert outcome.code is Code.GARBAGE


def test_nobody_on_udp() -> None:
	outcome = udp_outcome({}, timeout=0.1)
	assert isinstance(outcome, DeviceError)
	assert (outcome.code, outcome.retryable) == (Code.UNREACHABLE, True)


# --- the lock of a terminal


def test_a_forgotten_conversation_does_not_lock_its_terminal_for_ever() -> None:
	with serving(terminal_with(b"", held=0)) as terminal:
		with pytest.warns(ResourceWarning):  # noqa: PT031  # the driver is forgotten, not closed
			driver = driver_at(terminal.port)
			driver.identify()
			del driver
			gc.collect()
		with driver_at(terminal.port) as another:
			assert another.identify().serial == "T1"


# --- what we lean on in pyzk, and its limits


@pytest.mark.parametrize(
	"name",
	[
		"_ZK__ack_ok",
		"_ZK__create_socket",
		"_ZK__read_chunk",
		"_ZK__send_command",
		"read_with_buffer",
		"reg_event",
	],
)
def test_pyzk_still_has_what_we_override_or_use(name: str) -> None:
	assert callable(getattr(ZK, name))


@pytest.mark.parametrize("key", ["0", "1", "65535", "000123", "999999", "4294967294"])
def test_comm_keys_that_can_be_sent_in_every_session(key: str) -> None:
	for session_id in (0, 1, 0x7FFF, 0xFFFF):
		assert len(make_commkey(check_comm_key(key), session_id)) == 4


@pytest.mark.parametrize("key", ["131071", "4294967295"])
def test_comm_keys_that_pyzk_cannot_always_send(key: str) -> None:
	with pytest.raises(struct.error):
		make_commkey(int(key), 0xFFFF)
	with pytest.raises(ValueError, match="another comm key"):
		check_comm_key(key)


# --- options


def read_config(**table: Any) -> Config:
	return parse(Config, {"host": "192.0.2.9", **table}, secrets=lambda _kind, name: name)


def test_options_that_are_left_out() -> None:
	config = read_config()
	assert (config.port, config.comm_key, config.transport) == (4370, None, Transport.AUTO)


@pytest.mark.parametrize(
	"table",
	[
		{"host": "10.0.0.1; reboot"},
		{"host": "$(id)"},
		{"port": 0},
		{"port": 65_536},
		{"transport": "ping"},
		{"timeout": 0.0},
		{"max_log_bytes": 10},
		{"id_encoding": "no-such"},
		{"id_encoding": "hex"},
		{"id_encoding": "utf-16"},
		{"comm_key_env": "password"},
		{"comm_key_env": "4294967296"},
		{"comm_key_env": "-1"},
		{"comm_key_env": "٣"},
		{"comm_key_env": "131071"},
	],
)
def test_options_that_are_refused(table: dict[str, Any]) -> None:
	with pytest.raises(ConfigError) as caught:
		read_config(**table)
	assert caught.value.code is Code.BAD_VALUE
	if "comm_key_env" in table:
		assert table["comm_key_env"] not in str(caught.value).replace("4294967295", "")
