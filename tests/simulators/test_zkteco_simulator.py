"""The simulated ZKTeco terminal, questioned by a client that this project did not write: pyzk from PyPI.

Only what pyzk cannot do (it reads no 49-byte rows, and spins for ever when a connection closes in the middle
of a read) is done by the few lines of `Raw`.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from zk import ZK
from zk.exception import ZKErrorResponse, ZKNetworkError

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators import workforce
from attendance_bridge.simulators.zkteco import FAULTS, ZktecoState, ZktecoTerminal, verbs

TCP_AND_UDP = pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
NOON = datetime(2026, 3, 2, 12, 0, 0)
LOG_READ, USERS_READ, USERS = 13, 9, 5
ACK_OK, ACK_ERROR, ACK_UNAUTH = 2000, 2001, 2005


@contextmanager
def client(
	terminal: ZktecoTerminal, *, udp: bool = False, timeout: float = 5, password: int = 0
) -> Iterator[Any]:
	"""A pyzk client, not yet connected. pyzk opens a socket too many at first and closes none on failure."""
	zk = ZK("127.0.0.1", terminal.port, timeout, password, force_udp=udp, ommit_ping=True)
	zk._ZK__sock.close()
	try:
		yield zk
	finally:
		zk._ZK__sock.close()


@contextmanager
def connected(terminal: ZktecoTerminal, *, udp: bool = False, timeout: float = 5) -> Iterator[Any]:
	with client(terminal, udp=udp, timeout=timeout) as zk:
		zk.connect()
		yield zk
		if zk.is_connect:
			zk.disconnect()


class Raw:
	"""Requests and answers over TCP, as plain as they are."""

	def __init__(self, terminal: ZktecoTerminal) -> None:
		self.socket = socket.create_connection(("127.0.0.1", terminal.port), timeout=5)
		self._file = self.socket.makefile("rb")
		self.session_id = 0
		self._reply_id = -1

	def __enter__(self) -> Raw:
		return self

	def __exit__(self, *exc_info: object) -> None:
		self._file.close()
		self.socket.close()

	def connect(self) -> None:
		self.ask(1000)

	def ask(self, command: int, data: bytes = b"") -> tuple[int, bytes]:
		self._reply_id += 1
		self.socket.sendall(packet(command, self.session_id, self._reply_id, data))
		return self.receive()

	def receive(self) -> tuple[int, bytes]:
		prefix = self._file.read(8)
		if len(prefix) < 8:
			raise EOFError
		length = struct.unpack("<HHI", prefix)[2]
		body = self._file.read(length)
		if len(body) < length:
			raise EOFError
		code, _, self.session_id, _ = struct.unpack("<4H", body[:8])
		return code, body[8:]

	def read_log(self) -> bytes:
		code, data = self.ask(1503, struct.pack("<bhii", 1, LOG_READ, 0, 0))
		assert code == ACK_OK
		size = struct.unpack("<I", data[1:5])[0]
		whole = b""
		while len(whole) < size:
			self.ask(1504, struct.pack("<ii", len(whole), min(0xFFC0, size - len(whole))))
			whole += self.receive()[1]
			assert self.receive()[0] == ACK_OK
		return whole


def packet(command: int, session_id: int, reply_id: int, data: bytes = b"") -> bytes:
	"""The checksum is added up word by word here, as zk-protocol describes it."""
	body = struct.pack("<4H", command, 0, session_id, reply_id) + data
	padded = body + b"\0" * (len(body) % 2)
	total = sum(struct.unpack(f"<{len(padded) // 2}H", padded))
	while total > 0xFFFF:
		total = (total & 0xFFFF) + (total >> 16)
	body = struct.pack("<4H", command, total ^ 0xFFFF, session_id, reply_id) + data
	return struct.pack("<HHI", 0x5050, 0x7D82, len(body)) + body


def a_state(punches: int = 60, users: int = 7, **options: Any) -> ZktecoState:
	"""Users "0101", "102", "103" …, punching a minute apart. The defaults make an answer too long for one
	packet and the users' one short enough."""
	state = ZktecoState(now=lambda: NOON.replace(tzinfo=ZoneInfo("Asia/Dubai")), **options)
	ids = [f"{101 + number}" for number in range(users)]
	ids[0] = "0101"
	for number, user_id in enumerate(ids):
		state.add_user(user_id, name=f"محمد {number}", card=5000 + number)
	keys = list(DeviceKey)
	for number in range(punches):
		moment = datetime(2026, 1, 1) + timedelta(minutes=number)
		state.record(ids[number % users], moment, VerifyMode.FACE, keys[number % len(keys)])
	return state


def wait_until(condition: Callable[[], bool]) -> None:
	deadline = time.monotonic() + 10
	while not condition():
		assert time.monotonic() < deadline, "it never happened"
		time.sleep(0.005)


def seen_by(attendances: Any) -> set[tuple[str, datetime]]:
	return {(one.user_id, one.timestamp) for one in attendances}


# what pyzk can ask


@TCP_AND_UDP
def test_it_says_who_it_is(udp: bool) -> None:
	state = a_state(serial="ABC1234567890", device_name="SpeedGate", firmware="Ver 6.60 Jan 1 2020")
	with ZktecoTerminal(state) as terminal, connected(terminal, udp=udp) as zk:
		assert zk.get_serialnumber() == "ABC1234567890"
		assert zk.get_device_name() == "SpeedGate"
		assert zk.get_firmware_version() == "Ver 6.60 Jan 1 2020"
		assert zk.get_platform() == "ZAM180_TFT"
		assert zk.get_mac() == "00:17:61:00:43:70"
		assert zk.get_fp_version() == 10
		assert zk.get_face_version() == 7
		assert zk.get_pin_width() == 14
		assert zk.get_network_params() == {
			"ip": "192.0.2.70",
			"mask": "255.255.255.0",
			"gateway": "192.0.2.1",
		}
		assert zk.get_extend_fmt() is None, "an option that it does not have"
		assert zk.set_sdk_build_1()
		assert zk.test_voice(0)
		assert zk.refresh_data()
	assert state.counters["reply_id_out_of_order"] == 0
	assert state.counters["malformed"] == 0
	assert state.counters["test_voice"] == 1


@TCP_AND_UDP
def test_it_tells_its_sizes(udp: bool) -> None:
	with ZktecoTerminal(a_state(punches=25, users=3)) as terminal, connected(terminal, udp=udp) as zk:
		zk.read_sizes()
		assert (zk.users, zk.records, zk.fingers) == (3, 25, 0)
		assert (zk.users_cap, zk.rec_cap) == (10_000, 200_000)
		assert (zk.users_av, zk.rec_av) == (9_997, 199_975)


@TCP_AND_UDP
@pytest.mark.parametrize("users", [3, 400], ids=["one packet", "chunks"])
@pytest.mark.parametrize("size", [28, 72])
def test_users_in_both_sizes(udp: bool, size: int, users: int) -> None:
	state = a_state(users=users, user_record_size=size)
	with ZktecoTerminal(state) as terminal, connected(terminal, udp=udp) as zk:
		got = zk.get_users()
	assert [one.uid for one in got] == list(range(1, users + 1))
	assert got[0].user_id == ("0101" if size == 72 else "101"), "28 bytes have no room for a leading zero"
	assert [one.card for one in got] == [5000 + number for number in range(users)]
	assert got[2].name == ("محمد 2" if size == 72 else "محمد"), "eight bytes"


@TCP_AND_UDP
@pytest.mark.parametrize("punches", [20, 5_000], ids=["short", "chunks"])
@pytest.mark.parametrize("layout", [8, 40])
def test_the_log_in_layouts_that_keep_leading_zeros(udp: bool, layout: int, punches: int) -> None:
	state = a_state(punches=punches, log_layout=layout)
	with ZktecoTerminal(state) as terminal, connected(terminal, udp=udp) as zk:
		got = zk.get_attendance()
	assert len(got) == punches == state.punches_held()
	assert seen_by(got) == state.expected()
	assert ("0101", datetime(2026, 1, 1)) in seen_by(got)
	assert [one.punch for one in got[:7]] == [255, 0, 1, 2, 3, 4, 5]
	assert {one.status for one in got} == {15}


@TCP_AND_UDP
def test_the_log_with_numbers_for_ids(udp: bool) -> None:
	state = a_state(punches=5_000, log_layout=16)
	with ZktecoTerminal(state) as terminal, connected(terminal, udp=udp) as zk:
		got = zk.get_attendance()
	assert len(got) == 5_000
	# pyzk compares text and misses that 101 is the user "0101"; the terminal's truth knows it.
	assert seen_by(got) == {(str(int(user_id)), moment) for user_id, moment in state.expected()}
	assert ("0101", datetime(2026, 1, 1)) in state.expected()


def test_an_id_in_numbers_is_only_as_good_as_the_user_list() -> None:
	state = a_state(punches=1, log_layout=16, user_record_size=28)
	assert state.expected() == {("101", datetime(2026, 1, 1))}
	state = a_state(punches=1, log_layout=16)
	assert state.expected() == {("0101", datetime(2026, 1, 1))}
	verbs.remove_user(state, "0101")
	assert state.expected() == {("101", datetime(2026, 1, 1))}


def test_rows_of_49_bytes_begin_as_rows_of_40() -> None:
	wide, narrow = a_state(punches=30, log_layout=49), a_state(punches=30, log_layout=40)
	with ZktecoTerminal(wide) as terminal, connected(terminal) as zk:
		data, _ = zk.read_with_buffer(LOG_READ)
		first, *others = zk.get_attendance()
	assert struct.unpack("<I", data[:4])[0] == len(data) - 4 == 49 * 30 == 49 * zk.records
	rows = b"".join(data[start : start + 40] for start in range(4, len(data), 49))
	assert rows == narrow.log_dump()[4:]
	# pyzk steps by 40.
	assert seen_by([first]) < wide.expected()
	assert not seen_by(others) & wide.expected()


@TCP_AND_UDP
def test_the_first_and_the_last_moment_that_a_terminal_can_hold(udp: bool) -> None:
	state = a_state(punches=0)
	moments = [datetime(2000, 1, 1), datetime(2099, 12, 31, 23, 59, 59)]
	for moment in moments:
		state.record("102", moment, VerifyMode.UNKNOWN, DeviceKey.UNDEFINED)
	with ZktecoTerminal(state) as terminal, connected(terminal, udp=udp) as zk:
		got = zk.get_attendance()
	assert [one.timestamp for one in got] == moments
	assert [(one.status, one.punch) for one in got] == [(255, 255), (255, 255)]
	for impossible in (
		datetime(1999, 12, 31),
		datetime(2100, 1, 1),
		datetime(2026, 1, 1, tzinfo=timezone.utc),
	):
		with pytest.raises(ValueError, match="2000 to 2099"):
			state.record("102", impossible, VerifyMode.FACE, DeviceKey.CHECK_IN)


def test_verify_modes_have_their_codes() -> None:
	state = a_state(punches=0)
	modes = {
		VerifyMode.PASSWORD: 0,
		VerifyMode.FINGER: 1,
		VerifyMode.CARD: 4,
		VerifyMode.FACE: 15,
		VerifyMode.PALM: 25,
		VerifyMode.QR: 255,
	}
	for mode in modes:
		state.record("102", NOON, mode, DeviceKey.CHECK_IN)
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk:
		assert [one.status for one in zk.get_attendance()] == list(modes.values())


@TCP_AND_UDP
def test_its_clock_can_be_read_and_set(udp: bool) -> None:
	with ZktecoTerminal(a_state()) as terminal, connected(terminal, udp=udp) as zk:
		assert zk.get_time() == NOON
		zk.set_time(datetime(2031, 12, 31, 23, 59, 58))
		assert zk.get_time() == datetime(2031, 12, 31, 23, 59, 58)
		verbs.jump_clock(terminal.state, timedelta(hours=-2))
		assert zk.get_time() == datetime(2031, 12, 31, 21, 59, 58)


def test_its_clock_shows_the_time_of_its_zone() -> None:
	state = ZktecoState(
		zone=ZoneInfo("America/New_York"), now=lambda: datetime(2026, 7, 1, 3, tzinfo=timezone.utc)
	)
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk:
		assert zk.get_time() == datetime(2026, 6, 30, 23)


@TCP_AND_UDP
def test_a_disabled_terminal_turns_people_away_until_it_is_enabled(udp: bool) -> None:
	state = a_state()
	with ZktecoTerminal(state) as terminal:
		with connected(terminal, udp=udp) as zk:
			zk.disable_device()
			assert not state.enabled
			assert verbs.punch_now(state, "102") is None
		assert not state.enabled, "whoever disables it and leaves, leaves it disabled"
		with connected(terminal, udp=udp) as zk:
			zk.enable_device()
		assert state.enabled
		assert verbs.punch_now(state, "102") is not None
	assert state.counters["disable_device"] == 1
	assert state.counters["turned_away"] == 1
	assert state.punches_held() == 61


@TCP_AND_UDP
def test_users_can_be_written_and_deleted(udp: bool) -> None:
	state = a_state(users=2)
	with ZktecoTerminal(state) as terminal, connected(terminal, udp=udp) as zk:
		zk.get_users()
		zk.set_user(name="Neu", user_id="0900", card=77)
		zk.set_user(uid=2, name="Renamed", user_id="102")
		with pytest.raises(ZKErrorResponse):
			zk.set_user(uid=9, name="Thief", user_id="102")
		zk.delete_user(uid=1)
		got = {one.user_id: (one.uid, one.name, one.card) for one in zk.get_users()}
	assert got == {"102": (2, "Renamed", 0), "0900": (3, "Neu", 77)}


@TCP_AND_UDP
def test_clearing_the_log(udp: bool) -> None:
	state = a_state()
	with ZktecoTerminal(state) as terminal, connected(terminal, udp=udp) as zk:
		assert len(zk.get_attendance()) == 60
		zk.clear_attendance()
		assert zk.get_attendance() == []
		verbs.punch_now(state, "0101", device_key=DeviceKey.CHECK_OUT)
		assert seen_by(zk.get_attendance()) == {("0101", NOON)}
	assert state.counters["log_clear"] == 1
	assert state.punches_held() == 1


def test_the_log_grows_between_two_readings() -> None:
	state = a_state(punches=150)
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk:
		before = zk.get_attendance()
		for _ in range(3):
			verbs.jump_clock(state, timedelta(minutes=1))
			verbs.punch_now(state, "104")
		after = zk.get_attendance()
	assert seen_by(after[:150]) == seen_by(before)
	assert [(one.user_id, one.timestamp) for one in after[150:]] == [
		("104", NOON + timedelta(minutes=minute)) for minute in (1, 2, 3)
	]


@TCP_AND_UDP
@pytest.mark.parametrize("size", [28, 72], ids=["numbers", "text"])
def test_punches_are_pushed_to_a_client_that_listens(udp: bool, size: int) -> None:
	state = a_state(user_record_size=size)
	with ZktecoTerminal(state) as terminal, connected(terminal, udp=udp) as zk:

		def punch() -> None:
			wait_until(lambda: state.counters["event_register"] == 1)
			verbs.punch_now(state, "103", verify_mode=VerifyMode.CARD, device_key=DeviceKey.BREAK_IN)

		somebody = threading.Thread(target=punch)
		somebody.start()
		events = zk.live_capture(new_timeout=5)
		event = next(events)
		somebody.join()
		assert (event.user_id, event.timestamp, event.status, event.punch) == ("103", NOON, 4, 3)
		zk.end_live_capture = True
		assert next(events, None) is None
		assert zk.get_serialnumber() == state.serial
	assert state.counters["event_lost"] == 0


# who is let in


@TCP_AND_UDP
@pytest.mark.parametrize("key", [1, 123456, 999999])
def test_the_right_comm_key_opens(udp: bool, key: int) -> None:
	state = a_state(comm_key=key)
	with ZktecoTerminal(state) as terminal, client(terminal, udp=udp, password=key) as zk:
		zk.connect()
		assert len(zk.get_attendance()) == 60
		zk.disconnect()
	assert state.counters["wrong_comm_key"] == 0


@TCP_AND_UDP
def test_a_wrong_comm_key_does_not(udp: bool) -> None:
	state = a_state(comm_key=123456)
	with ZktecoTerminal(state) as terminal, client(terminal, udp=udp, password=123457) as zk:
		with pytest.raises(ZKErrorResponse, match="Unauthenticated"):
			zk.connect()
		zk.is_connect = True
		for forbidden in (zk.get_users, zk.clear_attendance, zk.disable_device, zk.get_serialnumber):
			with pytest.raises(ZKErrorResponse):
				forbidden()
	assert state.counters["wrong_comm_key"] == 1
	assert state.punches_held() == 60
	assert state.enabled


def test_a_foreign_session_id_is_refused() -> None:
	state = a_state()
	with ZktecoTerminal(state) as terminal, Raw(terminal) as raw:
		raw.connect()
		raw.session_id += 1
		assert raw.ask(1100)[0] == ACK_UNAUTH
		assert raw.ask(1100)[0] == ACK_OK, "the refusal carried the right one"
	assert state.counters["bad_session"] == 1


def test_a_reply_id_out_of_order_is_noticed() -> None:
	state = a_state()
	with ZktecoTerminal(state) as terminal, Raw(terminal) as raw:
		raw.connect()
		raw._reply_id = 40
		assert raw.ask(1100)[0] == ACK_OK
	assert state.counters["reply_id_out_of_order"] == 1


def test_reading_outside_of_the_buffer_is_an_error() -> None:
	with ZktecoTerminal(a_state()) as terminal, Raw(terminal) as raw:
		raw.connect()
		assert raw.ask(1504, struct.pack("<ii", 0, 8))[0] == ACK_ERROR, "nothing was prepared"
		raw.ask(1503, struct.pack("<bhii", 1, LOG_READ, 0, 0))
		for start, size in ((-1, 8), (0, 0), (0, -8), (0, 60 * 40 + 5), (0, 0x10000), (2**31 - 1, 8)):
			assert raw.ask(1504, struct.pack("<ii", start, size))[0] == ACK_ERROR
		assert raw.ask(1504, b"short")[0] == ACK_ERROR


BROKEN = {
	"bad checksum": packet(1000, 0, 0)[:-1] + b"\x7f",
	"no magic": b"GET / HTTP/1.0\r\n\r\n",
	"endless length": struct.pack("<HHI", 0x5050, 0x7D82, 0xFFFFFFFF),
	"no room for a header": struct.pack("<HHI", 0x5050, 0x7D82, 7) + b"1234567",
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN.keys())
def test_a_malformed_packet_closes_its_connection_and_no_other(sent: bytes) -> None:
	state = a_state()
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk:
		with Raw(terminal) as raw:
			raw.socket.sendall(sent)
			assert is_closed(raw.socket)
		assert len(zk.get_attendance()) == 60
	assert state.counters["malformed"] == 1


def is_closed(sock: socket.socket) -> bool:
	try:
		return sock.recv(100) == b""
	except ConnectionResetError:
		return True


def test_noise_does_no_harm() -> None:
	state = a_state()
	noise = random.Random(7)
	# Not those that end the conversation, clear the log, disable the terminal or answer with several packets.
	commands = [*set(range(1, 40)) - {9, 13, 15}, 69, 201, 202, 500, 1100, 1102, 1503, 1504, 5, 4711, 0xFFFF]
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk:
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
			for _ in range(200):
				datagrams.sendto(noise.randbytes(noise.randrange(60)), ("127.0.0.1", terminal.port))
		with Raw(terminal) as raw:
			raw.connect()
			for _ in range(500):
				raw.ask(noise.choice(commands), noise.randbytes(noise.choice([0, 2, 4, 8, 11, 28, 72])))
		wait_until(lambda: terminal.open_sessions == 1)
		assert zk.get_serialnumber() == state.serial
	assert state.punches_held() == 60


# faults


def test_every_fault_is_described_and_no_other_is_taken() -> None:
	assert all(FAULTS.values())
	with pytest.raises(ValueError, match="no such fault"):
		ZktecoState(faults=["gremlins"])
	with pytest.raises(KeyError):
		verbs.set_fault(ZktecoState(), "gremlins")


@pytest.mark.parametrize("layout", [8, 16, 40, 49])
def test_bad_date_rows_break_a_naive_client_and_are_counted(layout: int) -> None:
	state = a_state(punches=250, log_layout=layout, faults=["bad-date-row"])
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk:
		with pytest.raises(ValueError, match="day is out of range for month"):
			zk.get_attendance()
		assert zk.records == 250 + state.bad_rows() == 253
		data, _ = zk.read_with_buffer(LOG_READ)
		assert struct.unpack("<I", data[:4])[0] == len(data) - 4 == 253 * layout
	assert state.punches_held() == 250


def test_bad_user_rows_have_no_text_for_an_id() -> None:
	state = a_state(punches=120, faults=["bad-user-row"])
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk:
		got = zk.get_attendance()
		users = zk.get_users()
		data, _ = zk.read_with_buffer(LOG_READ)
	assert len(got) == 120 + state.bad_rows() == 122
	assert state.expected() < seen_by(got)
	with pytest.raises(UnicodeDecodeError):
		data[6:30].rstrip(b"\0").decode()
	assert len(users) == 7 + 2
	assert "" in {one.user_id for one in users}


def test_bad_rows_stay_where_they_are_when_the_log_grows() -> None:
	state = a_state(punches=99, faults=["bad-date-row", "bad-user-row"])
	before = state.log_dump()[4:]
	for _ in range(3):
		verbs.punch_now(state, "102")
	after = state.log_dump()[4:]
	assert after.startswith(before)
	assert len(after) == 40 * (102 + state.bad_rows()) == 40 * (102 + 4)
	fresh = a_state(punches=99, faults=["bad-date-row", "bad-user-row"])
	for _ in range(3):
		verbs.punch_now(fresh, "102")
	assert fresh.log_dump()[4:] == after, "continued is the same as built at once"
	verbs.clear_fault(state, "bad-date-row")
	verbs.clear_fault(state, "bad-user-row")
	assert len(state.log_dump()) == 4 + 40 * 102


def test_short_read_delivers_everything_in_pieces() -> None:
	state = a_state(punches=3_000, faults=["short-read"])
	with ZktecoTerminal(state) as terminal:
		with client(terminal) as zk, pytest.raises(ZKNetworkError):
			read_everything(zk)
		with Raw(terminal) as raw:
			raw.connect()
			assert raw.read_log() == state.log_dump()


def read_everything(zk: Any) -> None:
	"""pyzk wants a whole header at the first look. The scheduler may hand it one now and then."""
	zk.connect()
	zk.get_users()
	zk.get_attendance()


def test_half_closed_over_tcp_ends_in_the_middle_of_a_big_read() -> None:
	state = a_state(faults=["half-closed"])
	with ZktecoTerminal(state) as terminal, Raw(terminal) as raw:
		raw.connect()
		assert raw.ask(1100)[0] == ACK_OK, "small answers arrive"
		with pytest.raises(EOFError):
			raw.read_log()


def test_half_closed_over_udp_falls_silent_in_the_middle_of_a_big_read() -> None:
	state = a_state(punches=500, faults=["half-closed"])
	with ZktecoTerminal(state) as terminal, connected(terminal, udp=True, timeout=1.0) as zk:
		assert len(zk.get_users()) == 7, "small answers arrive"
		with pytest.raises(TimeoutError):
			zk.get_attendance()
		# What was still on its way is the answer to nothing any more.
		zk.is_connect = False


@pytest.mark.parametrize("by_command", [True, False], ids=["command", "plug"])
def test_a_reboot_drops_everybody_and_ends(by_command: bool) -> None:
	state = a_state(reboot_seconds=0.3)
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk, Raw(terminal) as other:
		zk.disable_device()
		if by_command:
			assert zk.restart()
		else:
			verbs.reboot(state)
			zk.is_connect = False
		assert is_closed(other.socket)
		wait_until(lambda: terminal.open_sessions == 0)
		with client(terminal) as during, pytest.raises(ZKNetworkError):
			during.connect()
		wait_until(lambda: "reboot" not in state.faults)
		wait_until(lambda: can_connect(terminal))
		assert state.enabled
		with connected(terminal) as after:
			assert len(after.get_attendance()) == 60
	assert state.counters["reboots"] == 1


def can_connect(terminal: ZktecoTerminal) -> bool:
	try:
		socket.create_connection(("127.0.0.1", terminal.port), timeout=5).close()
	except ConnectionError:  # refused, or reset because it was on its way in
		return False
	return True


@TCP_AND_UDP
def test_slow_never_answers(udp: bool) -> None:
	state = a_state(faults=["slow"])
	with ZktecoTerminal(state) as terminal:
		with client(terminal, udp=udp, timeout=0.2) as zk, pytest.raises(ZKNetworkError, match="timed out"):
			zk.connect()
		verbs.clear_fault(state, "slow")
		with connected(terminal, udp=udp) as zk:
			assert len(zk.get_users()) == 7


@TCP_AND_UDP
def test_garbage_is_no_answer(udp: bool) -> None:
	no_sense = pytest.raises((ZKNetworkError, ZKErrorResponse), match=r"TCP packet invalid|Can't connect")
	with ZktecoTerminal(a_state(faults=["garbage"])) as terminal, client(terminal, udp=udp) as zk, no_sense:
		zk.connect()


@TCP_AND_UDP
def test_a_wrong_clock_is_an_hour_fast_until_it_is_set(udp: bool) -> None:
	state = a_state(faults=["wrong-clock"])
	with ZktecoTerminal(state) as terminal, connected(terminal, udp=udp) as zk:
		assert zk.get_time() == NOON + timedelta(hours=1)
		verbs.punch_now(state, "102")
		assert ("102", NOON + timedelta(hours=1)) in state.expected(), "punches carry the wrong time"
		zk.set_time(NOON)
		assert zk.get_time() == NOON
	assert "wrong-clock" not in state.faults


def test_punch_255_hides_the_keys() -> None:
	state = a_state(faults=["punch-255"])
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk:
		assert {one.punch for one in zk.get_attendance()} == {255}
		verbs.clear_fault(state, "punch-255")
		assert {one.punch for one in zk.get_attendance()} == {0, 1, 2, 3, 4, 5, 255}


def test_growing_spoils_the_division_by_the_number_of_records() -> None:
	state = a_state(faults=["growing"])
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk:
		zk.read_sizes()
		data, _ = zk.read_with_buffer(LOG_READ)
		assert struct.unpack("<I", data[:4])[0] == 40 * (zk.records + 1)
		got = zk.get_attendance()
	assert len(got) == state.punches_held() == 62
	assert seen_by(got) == state.expected()
	assert len(state.expected()) == 62


@TCP_AND_UDP
def test_access_mode_shows_users_and_no_log(udp: bool) -> None:
	state = a_state(faults=["access-mode"])
	with ZktecoTerminal(state) as terminal, connected(terminal, udp=udp) as zk:
		assert zk.get_attendance() == []
		assert zk.read_with_buffer(LOG_READ) == (bytes(4), 4)
		assert len(zk.get_users()) == 7
	assert state.punches_held() == 60


def test_udp_only_refuses_tcp() -> None:
	state = a_state(faults=["udp-only"])
	with ZktecoTerminal(state) as terminal:
		with client(terminal) as zk, pytest.raises(ZKNetworkError):
			zk.connect()
		with connected(terminal, udp=True) as zk:
			assert len(zk.get_attendance()) == 60
			verbs.clear_fault(state, "udp-only")
			wait_until(lambda: can_connect(terminal))
			verbs.set_fault(state, "udp-only")
			wait_until(lambda: not can_connect(terminal))
			assert len(zk.get_attendance()) == 60, "the UDP conversation went on"


@TCP_AND_UDP
def test_no_rwb_refuses_buffered_reading(udp: bool) -> None:
	refused = pytest.raises(ZKErrorResponse, match="RWB Not supported")
	with ZktecoTerminal(a_state(faults=["no-rwb"])) as terminal, connected(terminal, udp=udp) as zk, refused:
		zk.get_attendance()


def test_no_rwb_leaves_the_older_way_to_read() -> None:
	state = a_state(punches=4_000, faults=["no-rwb"])
	with ZktecoTerminal(state) as terminal, Raw(terminal) as raw:
		raw.connect()
		code, data = raw.ask(LOG_READ)
		assert (code, struct.unpack("<I", data[:4])[0]) == (1500, 4 + 4_000 * 40)
		whole = b""
		while (answer := raw.receive())[0] == 1501:
			whole += answer[1]
		assert answer[0] == ACK_OK
	assert whole == state.log_dump()


@pytest.mark.parametrize("size", [28, 72])
def test_half_user_cuts_names_inside_of_a_character(size: int) -> None:
	state = a_state(user_record_size=size, faults=["half-user"])
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk:
		data, _ = zk.read_with_buffer(USERS_READ, USERS)
		assert [one.name[:3] for one in zk.get_users()] == ["محم"] * 7
	start = 4 + (8 if size == 28 else 11)
	name = data[start : start + (8 if size == 28 else 24)]
	with pytest.raises(UnicodeDecodeError, match="unexpected end of data"):
		name.decode()


# the terminal as a whole


@pytest.mark.parametrize("layout", [8, 16, 40])
def test_it_serves_a_whole_factory(layout: int) -> None:
	factory = workforce.build(people=60, days=10, seed=3, last_day=date(2026, 3, 1))
	state = ZktecoState.from_workforce(factory, number=1, of=2, log_layout=layout)
	made = {(one.device_user_id, one.wall_time) for one in factory.at_terminal(1, 2)}
	if layout == 16:
		# Of "7" and "007", and of "1012" and "0001012", a terminal that counts in numbers knows one.
		assert state.expected() < made
		assert {user_id for user_id, _ in made - state.expected()} <= {"007", "1012"}
	else:
		assert state.expected() == made
	assert {worker.device_user_id for worker in factory.workers} - {one.user_id for one in state.users()} <= {
		"007"
	}
	with ZktecoTerminal(state) as terminal, connected(terminal) as zk:
		got = zk.get_attendance()
	assert len(got) == state.punches_held() == len(state.expected())
	as_pyzk_reads = str if layout != 16 else lambda user_id: str(int(user_id))
	assert seen_by(got) == {(as_pyzk_reads(user_id), moment) for user_id, moment in state.expected()}


def test_several_clients_at_once_and_a_stuck_one() -> None:
	state = a_state(punches=3_000)
	results: list[set[tuple[str, datetime]]] = []

	def read(udp: bool) -> None:
		with connected(terminal, udp=udp) as zk:
			results.append(seen_by(zk.get_attendance()))

	with ZktecoTerminal(state) as terminal, Raw(terminal) as stuck:
		stuck.connect()
		for _ in range(400):  # asks and asks, and never reads
			stuck.socket.sendall(packet(LOG_READ, stuck.session_id, 1))
		readers = [threading.Thread(target=read, args=(number % 2 == 1,)) for number in range(6)]
		for reader in readers:
			reader.start()
		for reader in readers:
			reader.join()
	assert results == [state.expected()] * 6


def test_nothing_is_left_behind() -> None:
	threads = set(threading.enumerate())
	terminal = ZktecoTerminal(a_state())
	with terminal:
		for udp in (False, True):
			with connected(terminal, udp=udp):
				# pyzk looks first whether anybody listens, by a connection of its own.
				wait_until(lambda: terminal.open_sessions == 1)
			wait_until(lambda: terminal.open_sessions == 0)
		with Raw(terminal) as raw:  # still there when it stops
			raw.connect()
			began = time.monotonic()
			terminal.stop()
			assert time.monotonic() - began < 2
			assert is_closed(raw.socket)
	# Some of those from before may have ended meanwhile.
	assert set(threading.enumerate()) <= threads
	assert terminal.state.watchers == []
	with ZktecoTerminal(terminal.state, port=terminal.port) as again, connected(again) as zk:
		assert again.port == terminal.port
		assert len(zk.get_attendance()) == 60


def test_a_taken_port_is_said_and_leaves_nothing_behind() -> None:
	with ZktecoTerminal(a_state()) as first:
		second = ZktecoTerminal(a_state(), port=first.port)
		with pytest.raises(OSError, match="in use"):
			second.start()
		second.stop()
