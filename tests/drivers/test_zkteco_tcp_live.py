"""Live capture: events in every shape and in any pieces, the line shared with pulls, drops, gaps."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import LiveDriver, Page
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.zkteco_tcp import Driver, live, session
from attendance_bridge.drivers.zkteco_tcp.channel import UdpChannel
from attendance_bridge.drivers.zkteco_tcp.config import Config
from attendance_bridge.drivers.zkteco_tcp.line import line_to
from attendance_bridge.drivers.zkteco_tcp.live_events import EventReader
from attendance_bridge.drivers.zkteco_tcp.users import NumberedIds, Users
from tests.drivers.zk_wire_terminal import (
	ACK_ERROR,
	ACK_OK,
	ACK_UNKNOWN,
	CONNECT,
	DISABLE,
	EXIT,
	REG_EVENT,
	SIZES,
	WireTerminal,
	event,
	packet,
	text_record,
)

DUBAI = ZoneInfo("Asia/Dubai")
NOW = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)
AT = (26, 11, 26, 12, 0, 5)
PEOPLE = Users(((1, "1"), (2, "007"), (3, "3000"), (40, "41"), (41, "40")))


def encoded(at: tuple[int, ...]) -> int:
	year, month, day, hour, minute, second = at
	return ((year * 12 + month - 1) * 31 + day - 1) * 86_400 + (hour * 60 + minute) * 60 + second


def short(number: int, at: tuple[int, ...] = AT, rest: int = 0) -> bytes:
	return struct.pack("<HBB6s", number, 1, 0, bytes(at)) + bytes(rest)


def long(number: int, at: tuple[int, ...] = AT) -> bytes:
	return struct.pack("<IBB6s", number, 15, 1, bytes(at))


def reader(zone: ZoneInfo = DUBAI, encoding: str = "utf-8") -> EventReader:
	return EventReader(
		serial="ZK1",
		zone=zone,
		id_encoding=encoding,
		latest_year=2027,
		id_of_number=NumberedIds(lambda: PEOPLE).id_of,
	)


def read(*data: bytes, zone: ZoneInfo = DUBAI, code: int = 1) -> Page:
	return reader(zone).page([event(each, code)[8:] for each in data])


# --- shapes of records


@pytest.mark.parametrize(
	("data", "user_id", "mode", "key"),
	[
		(text_record("0031", AT), "0031", VerifyMode.FINGER, DeviceKey.CHECK_IN),
		(text_record("0031", AT, verify=15, key=1, rest=4), "0031", VerifyMode.FACE, DeviceKey.CHECK_OUT),
		(text_record("0031", AT, verify=4, key=255, rest=5), "0031", VerifyMode.CARD, DeviceKey.UNDEFINED),
		(text_record("0031", AT, verify=255, rest=20), "0031", VerifyMode.UNKNOWN, DeviceKey.CHECK_IN),
		(long(7), "007", VerifyMode.FACE, DeviceKey.CHECK_OUT),
		(short(1), "1", VerifyMode.FINGER, DeviceKey.CHECK_IN),
		(short(2), "007", VerifyMode.FINGER, DeviceKey.CHECK_IN),
		(short(2, rest=4), "007", VerifyMode.FINGER, DeviceKey.CHECK_IN),
		(struct.pack("<HBIB", 2, 1, encoded(AT), 4), "007", VerifyMode.FINGER, DeviceKey.OVERTIME_IN),
	],
)
def test_every_shape(data: bytes, user_id: str, mode: VerifyMode, key: DeviceKey) -> None:
	page = read(data)
	assert (page.live, page.gap) == (True, False)
	(punch,) = page.punches
	assert (punch.device_user_id, punch.verify_mode, punch.device_key) == (user_id, mode, key)
	pulled = Punch(
		device_serial="ZK1",
		device_user_id=user_id,
		occurred_at=datetime(2026, 11, 26, 12, 0, 5, tzinfo=DUBAI),
	)
	assert punch.punch_id == pulled.punch_id


@pytest.mark.parametrize(
	"data",
	[b"".join(text_record(str(user), AT, rest=rest) for user in (1, 2, 3)) for rest in (0, 4, 5, 20)]
	+ [
		long(1) + long(7) + long(3000),
		short(1) + short(2) + short(3),
		short(1, rest=4) + short(2, rest=4) + short(3, rest=4),
	],
)
def test_several_records_in_one_packet(data: bytes) -> None:
	page = read(data)
	assert (page.gap, len(page.punches)) == (False, 3)


def test_the_same_event_twice_is_one_punch() -> None:
	assert len(read(text_record("1", AT), text_record("1", AT, rest=4)).punches) == 1


@pytest.mark.parametrize(
	"data",
	[
		b"x",
		bytes(12),
		bytes(32),
		text_record("31", (26, 2, 30, 12, 0, 0)),
		text_record("3\x01", AT),
		text_record("", AT),
		long(999),
		long(0),
		short(40),
		short(999),
		text_record("1", AT)[:31],
		text_record("1", AT, rest=700),
		b"\xff" * 52,
	],
)
def test_what_is_not_certain_is_left_to_the_pull(data: bytes) -> None:
	page = read(data)
	assert (page.punches, page.gap) == ((), True)


def test_another_event_is_none_of_ours() -> None:
	for code in (2, 4, 8, 16, 32, 128, 256, 512):
		assert read(bytes(12), code=code) == Page(punches=(), cursor=START, live=True)


def test_in_a_repeated_hour_nothing_is_guessed() -> None:
	page = read(text_record("31", (26, 10, 25, 2, 30, 0)), zone=ZoneInfo("Europe/Berlin"))
	assert (page.punches, page.gap) == ((), True)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.binary(max_size=120), max_size=4), st.integers(0, 65535))
def test_any_event(data: list[bytes], code: int) -> None:
	page = read(*data, code=code)
	assert len(page.punches) <= sum(len(each) // 8 for each in data)


def test_the_list_of_users_is_fetched_again_for_a_newcomer_but_not_all_the_time() -> None:
	fetched: list[int] = []
	clock = [0.0]

	def fetch() -> Users:
		fetched.append(1)
		return Users(((5, "500"),)) if len(fetched) > 1 else Users()

	ids = NumberedIds(fetch, clock=lambda: clock[0])
	assert [ids.id_of(500, False) for _ in range(3)] == [None] * 3
	clock[0] = 61.0
	assert ids.id_of(500, False) == "500"
	assert len(fetched) == 2


# --- on the wire


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(live, "LOOK_SECONDS", 0.02)


@pytest.fixture
def terminal() -> Iterator[WireTerminal]:
	with WireTerminal() as running:
		yield running


def driver(port: int, *, timeout: float = 1.0, comm_key: str = "") -> Driver:
	config = Config(
		host="127.0.0.1", port=port, timeout=timeout, comm_key=Secret(comm_key) if comm_key else None
	)
	return Driver(config, zone=DUBAI, now=lambda: NOW)


def listening(terminal: WireTerminal, timeout: float = 1.0) -> Iterator[Page]:
	with driver(terminal.port, timeout=timeout) as made:
		assert isinstance(made, LiveDriver)
		yield from made.listen(lambda: False)


def users_of(heard: Iterator[Page], count: int) -> list[str]:
	users: list[str] = []
	while len(users) < count:
		users += [punch.device_user_id for punch in next(heard).punches]
	return users


@pytest.mark.parametrize("size", [1, 7, 40, 4096])
def test_events_come_in_any_pieces(terminal: WireTerminal, size: int) -> None:
	with closing(listening(terminal)) as heard:
		assert next(heard) == Page(punches=(), cursor=START)
		told = b"".join(event(text_record(str(user), AT)) for user in range(1, 6))
		for start in range(0, len(told), size):
			terminal.tell(told[start : start + size])
		assert users_of(heard, 5) == ["1", "2", "3", "4", "5"]


def test_an_event_waits_for_nothing(terminal: WireTerminal, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(live, "LOOK_SECONDS", 5.0)
	with closing(listening(terminal)) as heard:
		next(heard)
		for user in range(3):
			told_at = time.monotonic()
			terminal.tell(event(text_record(str(user + 1), AT)))
			assert users_of(heard, 1) == [str(user + 1)]
			assert time.monotonic() - told_at < 2


def test_an_event_is_acknowledged_when_it_is_durable(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
		terminal.tell(event(text_record("1", AT)))
		assert users_of(heard, 1) == ["1"]
		time.sleep(0.1)
		assert terminal.acknowledged == 0, "the caller has not asked for more: it may not hold it yet"
		terminal.tell(event(text_record("2", AT)))
		assert users_of(heard, 1) == ["2"]
		deadline = time.monotonic() + 5
		while not terminal.acknowledged and time.monotonic() < deadline:
			time.sleep(0.01)
		assert terminal.acknowledged == 1


def test_the_terminal_is_left_as_it_was_found(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
	deadline = time.monotonic() + 5
	while not terminal.asked[EXIT] and time.monotonic() < deadline:
		time.sleep(0.01)
	assert (terminal.asked[REG_EVENT], terminal.asked[EXIT]) == (2, 1)
	assert not terminal.registered.is_set()
	assert terminal.asked[DISABLE] == 0


def test_it_ends_when_asked_to(terminal: WireTerminal) -> None:
	begun_at = time.monotonic()
	with driver(terminal.port) as made:
		assert len(list(made.listen(lambda: time.monotonic() > begun_at + 0.2))) == 1
	assert time.monotonic() - begun_at < 3


@pytest.mark.parametrize(
	("refusal", "code"), [(ACK_UNKNOWN, Code.NOT_SUPPORTED), (ACK_ERROR, Code.DEVICE_ERROR)]
)
def test_a_terminal_that_tells_nothing(terminal: WireTerminal, refusal: int, code: Code) -> None:
	terminal.refuses_events = refusal
	with pytest.raises(DeviceError) as caught:
		next(listening(terminal))
	assert caught.value.code is code


def test_a_drop_is_told(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
		terminal.hang_up()
		with pytest.raises(DeviceError) as caught:
			next(heard)
	assert (caught.value.code, caught.value.retryable) == (Code.CONNECTION_LOST, True)
	with closing(listening(terminal)) as heard:
		next(heard)


def test_what_came_before_a_drop_is_good(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
		terminal.tell(
			event(text_record("1", AT)) + event(text_record("2", AT)) + event(text_record("3", AT))[:9]
		)
		terminal.hang_up()
		assert users_of(heard, 2) == ["1", "2"]
		with pytest.raises(DeviceError):
			next(heard)


def test_half_an_event_and_then_nothing(terminal: WireTerminal) -> None:
	with closing(listening(terminal, timeout=0.6)) as heard:
		next(heard)
		terminal.tell(event(text_record("1", AT))[:20])
		with pytest.raises(DeviceError) as caught:
			next(heard)
	assert (caught.value.code, caught.value.retryable) == (Code.TIMEOUT, True)


def test_garbage_is_told(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
		terminal.tell(b"GET / HTTP/1.1\r\n\r\n")
		with pytest.raises(DeviceError) as caught:
			next(heard)
	assert caught.value.code is Code.GARBAGE


@pytest.fixture
def asks_often(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(live, "ASK_SECONDS", 0.05)


@pytest.mark.usefixtures("asks_often")
def test_in_silence_the_terminal_is_asked_whether_it_is_there(terminal: WireTerminal) -> None:
	with closing(listening(terminal, timeout=1.0)) as heard:
		assert not any(next(heard).gap for _ in range(4))
		assert terminal.asked[SIZES] >= 4
		terminal.is_mute = True
		with pytest.raises(DeviceError) as caught:
			for _ in heard:
				pass
	assert caught.value.code is Code.TIMEOUT


@pytest.mark.usefixtures("asks_often")
def test_a_terminal_that_holds_more_than_it_told(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
		terminal.held += 1
		terminal.tell(event(text_record("1", AT)))
		users_of(heard, 1)
		assert not any(next(heard).gap for _ in range(3))
		terminal.held += 1
		assert any(next(heard).gap for _ in range(3))
		assert not any(next(heard).gap for _ in range(3))


@pytest.mark.usefixtures("asks_often")
def test_another_event_does_not_stand_for_a_punch_that_was_not_told(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
		terminal.tell(event(bytes(12), code=2))
		terminal.held += 1
		assert any(next(heard).gap for _ in range(4))


@pytest.mark.usefixtures("asks_often")
def test_every_record_of_a_packet_counts(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
		terminal.tell(event(text_record("1", AT) + text_record("2", AT)))
		terminal.held += 2
		users_of(heard, 2)
		assert not any(next(heard).gap for _ in range(3))


@pytest.mark.usefixtures("asks_often")
def test_an_event_in_the_middle_of_the_count_is_in_it(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
		terminal.before_sizes = event(text_record("1", AT))
		pages = [next(heard) for _ in range(4)]
		assert terminal.acknowledged == 1
	assert [punch.device_user_id for page in pages for punch in page.punches] == ["1"]
	assert not any(page.gap for page in pages)


def test_an_event_before_an_answer_by_udp_is_set_aside() -> None:
	ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
	told, answer = event(text_record("1", AT))[8:], packet(ACK_OK)[8:]
	with theirs, closing(UdpChannel(ours, "127.0.0.1", 4370, 1.0)) as channel:
		for datagram in (told, answer, told):
			theirs.send(datagram)
		assert channel.recv(1024) == answer
		channel.read_events()
		assert channel.take_events() == [told, told]


# --- one line for all


def log_of(users: range) -> bytes:
	record = struct.Struct("<H24sBIB8x")
	return b"".join(record.pack(user, str(user).encode(), 1, encoded(AT), 0) for user in users)


def test_a_pull_goes_over_the_same_connection() -> None:
	with WireTerminal(records=log_of(range(1, 6))) as terminal, closing(listening(terminal)) as heard:
		next(heard)
		with driver(terminal.port) as pulling:
			assert pulling.identify().serial == "ZK1"
			(page,) = pulling.fetch(START)
		terminal.tell(event(text_record("1", AT)))
		(live_punch,) = next(heard).punches
		assert live_punch.punch_id in {punch.punch_id for punch in page.punches}
		assert (terminal.connections, terminal.asked[CONNECT]) == (1, 1)


def test_events_in_the_middle_of_a_pull_are_not_lost() -> None:
	told = b"".join(event(text_record(str(user), AT)) for user in (7, 8))
	with WireTerminal(records=log_of(range(1, 6))) as terminal, closing(listening(terminal)) as heard:
		next(heard)
		terminal.before_log = told
		with driver(terminal.port) as pulling:
			(page,) = pulling.fetch(START)
		assert len(page.punches) == 5
		assert users_of(heard, 2) == ["7", "8"]


def test_events_are_handed_out_while_a_slow_pull_goes_on() -> None:
	with WireTerminal(records=log_of(range(1, 6))) as terminal, closing(listening(terminal)) as heard:
		next(heard)
		terminal.answer_delay = 0.5
		with driver(terminal.port, timeout=2) as pulling:
			thread = threading.Thread(target=lambda: list(pulling.fetch(START)))
			thread.start()
			time.sleep(0.1)
			terminal.tell(event(text_record("7", AT)))
			assert users_of(heard, 1) == ["7"]
			assert thread.is_alive(), "the event did not wait for the pull"
			terminal.answer_delay = 0.0
			thread.join(10)
		assert not thread.is_alive()


def test_two_cannot_listen_at_once(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
		with pytest.raises(DeviceError) as caught:
			next(listening(terminal))
		assert caught.value.code is Code.BUSY
		terminal.tell(event(text_record("7", AT)))
		assert users_of(heard, 1) == ["7"]


def test_another_comm_key_does_not_get_in_by_the_open_line(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
		with driver(terminal.port, comm_key="4711") as other, pytest.raises(DeviceError) as caught:
			other.identify()
		assert caught.value.code is Code.BUSY
		terminal.tell(event(text_record("7", AT)))
		assert users_of(heard, 1) == ["7"]


def test_a_question_that_ends_the_connection_is_noticed_by_who_listens(terminal: WireTerminal) -> None:
	with closing(listening(terminal)) as heard:
		next(heard)
		terminal.is_mute = True
		with driver(terminal.port, timeout=0.2) as other, pytest.raises(DeviceError):
			other.identify()
		terminal.is_mute = False
		with pytest.raises(DeviceError) as caught:
			next(heard)
		assert caught.value.code is Code.CONNECTION_LOST
		with driver(terminal.port) as other:
			assert other.identify().serial == "ZK1"


def test_who_stops_listening_during_a_pull_leaves_the_line_to_it() -> None:
	with WireTerminal(records=log_of(range(1, 6))) as terminal:
		heard = listening(terminal)
		next(heard)
		terminal.answer_delay = 3.0
		pages: list[Page] = []
		with driver(terminal.port, timeout=10) as pulling:
			thread = threading.Thread(target=lambda: pages.extend(pulling.fetch(START)))
			asked = terminal.asked.total()
			thread.start()
			while terminal.asked.total() == asked:  # until the pull has its turn
				time.sleep(0.01)
			heard.close()
			terminal.answer_delay = 0.0
			thread.join(20)
		assert sum(len(page.punches) for page in pages) == 5
		assert terminal.asked[EXIT] >= 1, "the last to speak hung up"
		with driver(terminal.port) as other:
			assert other.identify().serial == "ZK1"


class TakenUntilNow:
	"""A turn that is free again just after somebody gave up waiting for it."""

	def __init__(self) -> None:
		self._lock = threading.Lock()
		self.release = self._lock.release

	def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
		return timeout != session._GOODBYE_SECONDS and self._lock.acquire(blocking, timeout)


def test_who_stops_listening_when_a_pull_has_just_ended_hangs_up(terminal: WireTerminal) -> None:
	line = line_to("127.0.0.1", terminal.port)
	heard = listening(terminal)
	next(heard)
	line.turn = TakenUntilNow()  # type: ignore[assignment]  # with the verbs of a lock
	heard.close()
	assert line.shared is None
	assert terminal.asked[EXIT] == 1


def test_many_ask_while_one_listens() -> None:
	with WireTerminal(records=log_of(range(1, 50))) as terminal, closing(listening(terminal)) as heard:
		next(heard)
		failures: list[BaseException] = []

		def ask() -> None:
			try:
				for _ in range(10):
					with driver(terminal.port, timeout=5) as pulling:
						assert pulling.identify().serial == "ZK1"
						assert sum(len(page.punches) for page in pulling.fetch(START)) == 49
			except BaseException as error:  # whatever it was, the test tells
				failures.append(error)

		threads = [threading.Thread(target=ask) for _ in range(4)]
		for thread in threads:
			thread.start()
		for user in range(100):
			terminal.tell(event(text_record(str(1000 + user), AT)))
			time.sleep(0.005)
		assert users_of(heard, 100) == [str(1000 + user) for user in range(100)]
		for thread in threads:
			thread.join(30)
		assert failures == []
		assert terminal.connections == 1
