"""The clock of a terminal that pushes, measured by what it sends; no wire, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import Page
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.watermark import PUSH_PROMPT
from attendance_bridge.drivers.zkteco_adms.clock_watch import MAX_TEXT, ClockWatch
from attendance_bridge.drivers.zkteco_adms.desk import Contact, Order, Stamp, Terminal
from attendance_bridge.drivers.zkteco_adms.receiver import Receiver
from attendance_bridge.drivers.zkteco_adms.wire import Request
from tests.fuzz.adms_desk import MemoryDesk

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 26, 11, 0, tzinfo=timezone.utc)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class WatchedDesk(MemoryDesk):
	"""Keeps what a desk keeps of a terminal, and under which look each punch was held."""

	def __init__(self) -> None:
		super().__init__()
		self.offsets: list[timedelta | None] = []
		self.contacts: list[Contact] = []
		self._since: datetime | None = None
		self._last: datetime | None = None
		self.now = NOON

	def find(self, serial: str) -> Terminal | None:
		terminal = super().find(serial)
		is_there = self._last is not None and self.now - self._last <= PUSH_PROMPT
		return terminal and replace(terminal, in_contact_since=self._since if is_there else None)

	def orders(self, serial: str, limit: int) -> Sequence[Order]:
		return []

	def hold(
		self, terminal: Terminal, page: Page, reading: ClockReading | None, stamp: Stamp | None
	) -> Accepted:
		self.offsets += [reading.offset if reading else None] * len(page.punches)
		return super().hold(terminal, page, reading, stamp)

	def note(self, terminal: Terminal, contact: Contact) -> None:
		assert len(contact.clock) <= MAX_TEXT
		if self._last is None or contact.at - self._last > PUSH_PROMPT:
			self._since = contact.at
		self._last = contact.at
		self.contacts.append(contact)
		self.terminal = replace(self.terminal, clock=contact.clock, sightings=contact.sightings)


class Scene:
	"""A terminal that calls every ten seconds, and whose clock is ahead by so much."""

	def __init__(self, ahead: timedelta) -> None:
		self.desk = WatchedDesk()
		self.ahead = ahead
		self._receiver = Receiver(self.desk, now=lambda: self.desk.now)
		self._made = 0

	def call(self, method: str, target: str, body: str = "", peer: str = "192.0.2.7") -> None:
		path, _mark, query = target.partition("?")
		request = Request(method=method, path=path, query=query, body=body.encode())
		assert self._receiver.answer(request, peer).status == 200

	def poll(self, duration: timedelta) -> None:
		until = self.desk.now + duration
		while self.desk.now < until:
			self.desk.now += 10 * SECOND
			self.call("GET", "/iclock/getrequest?SN=A1")

	def row(self, made_at: datetime) -> str:
		self._made += 1
		wall = (made_at + self.ahead).astimezone(BERLIN)
		return f"{self._made}\t{wall:%Y-%m-%d %H:%M:%S}\t0\t1"

	def send(self, *made_at: datetime, query: str = "", peer: str = "192.0.2.7") -> None:
		body = "\n".join(self.row(each) for each in made_at)
		self.call("POST", f"/iclock/cdata?SN=A1&table=ATTLOG&Stamp=9{query}", body, peer)

	def punch_now(self, times: int, every: timedelta = 2 * MINUTE) -> None:
		for _time in range(times):
			self.poll(every)
			self.send(self.desk.now - 3 * SECOND)

	@property
	def readings(self) -> list[int]:
		told = (contact.reading for contact in self.desk.contacts)
		return [round(reading.offset.total_seconds()) for reading in told if reading is not None]


@pytest.mark.parametrize("ahead", [-HOUR, HOUR, -9 * MINUTE, timedelta(days=-9_000)])
def test_a_wrong_clock_is_measured_by_five_punches(ahead: timedelta) -> None:
	scene = Scene(ahead)
	scene.poll(5 * MINUTE)
	scene.punch_now(4)
	assert scene.readings == []
	scene.punch_now(2)
	expected = round(ahead.total_seconds()) - 3
	assert scene.readings == [expected, expected]
	assert [offset is not None for offset in scene.desk.offsets[-2:]] == [True, True]


def test_a_right_clock_is_told_and_its_punches_are_held_without_a_look() -> None:
	scene = Scene(timedelta(0))
	scene.poll(5 * MINUTE)
	scene.punch_now(8)
	assert scene.readings == [-3] * 4
	assert scene.desk.offsets == [None] * 8


def test_a_clock_that_was_set_right_is_believed_at_once_and_told_after_five_punches() -> None:
	scene = Scene(-HOUR)
	scene.poll(5 * MINUTE)
	scene.punch_now(6)
	scene.ahead = timedelta(0)
	told = len(scene.readings)
	scene.punch_now(5)
	assert scene.desk.offsets[-5:] == [None] * 5
	assert scene.readings[told:] == [-3]


def test_five_in_one_minute_are_one() -> None:
	scene = Scene(-HOUR)
	scene.poll(5 * MINUTE)
	scene.punch_now(5, every=10 * SECOND)
	assert scene.readings == []


def test_what_was_kept_while_the_line_was_down_is_no_measure() -> None:
	"""Five people in five minutes, an hour ago; sent one a call, and in one call."""
	for in_one_call in (True, False):
		scene = Scene(timedelta(0))
		scene.poll(5 * MINUTE)
		made = [scene.desk.now + number * MINUTE for number in range(1, 9)]
		scene.desk.now += HOUR
		if in_one_call:
			scene.send(*made)
		else:
			for each in made:
				scene.desk.now += SECOND
				scene.send(each)
		assert scene.readings == []
		assert set(scene.desk.offsets) == {None}


def test_what_trickles_in_late_after_a_break_is_no_measure() -> None:
	"""Each minute one that was made an hour ago, but not in the rhythm of their making."""
	scene = Scene(timedelta(0))
	scene.poll(5 * MINUTE)
	made = [scene.desk.now + number * 7 * MINUTE for number in range(1, 9)]
	scene.desk.now += 2 * HOUR
	scene.poll(3 * MINUTE)
	for each in made:
		scene.poll(MINUTE)
		scene.send(each)
	assert scene.readings == []


def test_what_was_asked_for_and_what_comes_in_numbers_is_no_measure() -> None:
	scene = Scene(-HOUR)
	scene.poll(5 * MINUTE)
	for _time in range(6):
		scene.poll(2 * MINUTE)
		scene.send(scene.desk.now, query="&cmdid=7")
		scene.send(*[scene.desk.now] * 11)
	assert scene.readings == []


@pytest.mark.parametrize("interruption", ["hello", "break"])
def test_a_handshake_or_a_break_begins_anew(interruption: str) -> None:
	scene = Scene(-HOUR)
	scene.poll(5 * MINUTE)
	scene.punch_now(4)
	if interruption == "hello":
		scene.call("GET", "/iclock/cdata?SN=A1&options=all&pushver=2.4.1")
	else:
		scene.desk.now += 6 * MINUTE
	scene.punch_now(4)
	assert scene.readings == []
	scene.punch_now(2)
	assert scene.readings


def test_of_two_boxes_with_one_serial_number_none_is_measured() -> None:
	scene = Scene(-HOUR)
	scene.poll(5 * MINUTE)
	for number in range(30):
		scene.poll(MINUTE)
		scene.send(scene.desk.now, peer=f"192.0.2.{8 + number % 2}")
	assert scene.readings == []


def test_the_hour_that_comes_twice_is_no_measure() -> None:
	"""Nobody punched in its first pass: nothing tells that this is the second."""
	scene = Scene(timedelta(0))
	scene.desk.now = datetime(2026, 10, 25, 1, 5, tzinfo=timezone.utc)
	scene.poll(5 * MINUTE)
	scene.punch_now(8)
	assert scene.readings == []


def test_what_is_shown_counts_for_a_while() -> None:
	scene = Scene(timedelta(0))
	shown = (scene.desk.now + HOUR).astimezone(BERLIN)
	scene.call("POST", "/iclock/cdata?SN=A1&table=rtstate", f"time={shown:%Y-%m-%d %H:%M:%S}\tsensor=00")
	assert scene.readings == [3600]
	scene.desk.now += 9 * MINUTE
	scene.send(scene.desk.now)
	scene.desk.now += 2 * MINUTE
	scene.send(scene.desk.now)
	assert scene.desk.offsets == [HOUR, None]


@pytest.mark.parametrize(
	"text", ["null", "[]", "{}", "[[],0]", '[[["a",1]],0,0]', "[[],0,1e400]", "[[[1,1e11]],0,0]", "[" * 600]
)
def test_a_text_that_is_none_tells_nothing(text: str) -> None:
	assert ClockWatch.from_text(text) == ClockWatch()


def test_it_is_kept_as_text() -> None:
	full: Sequence[tuple[int, int]] = [(29_000_000 + number, -3_000_000_000) for number in range(5)]
	watch = ClockWatch(tuple(full), 1_800_000_000, -3_000_000_000)
	assert ClockWatch.from_text(watch.to_text()) == watch
	assert len(watch.to_text()) <= MAX_TEXT
