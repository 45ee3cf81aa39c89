"""The alert stream: live and replayed events, one punch that is told as four, drops, silence."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendance_bridge.core.driver import LiveDriver, Page
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.hikvision_isapi import Driver, alert_stream
from attendance_bridge.drivers.hikvision_isapi.config import Config
from attendance_bridge.drivers.hikvision_isapi.events import RowReader
from attendance_bridge.drivers.hikvision_isapi.http_answer import Answer, BadAnswerError
from attendance_bridge.drivers.hikvision_isapi.notifications import MAX_POST, NotificationReader
from attendance_bridge.drivers.hikvision_isapi.parts import Part
from tests.drivers.stream_server import CHALLENGE, DEVICE_INFO, StreamServer, answer

DUBAI = ZoneInfo("Asia/Dubai")
NOW = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=MIME_boundary\r\n"
HEARTBEAT = {"eventType": "videoloss", "eventState": "inactive", "dateTime": "2026-11-26T12:00:00+04:00"}


def event(
	user: str | None = "31",
	at: str = "2026-11-26T12:00:00+04:00",
	*,
	minor: int = 75,
	current: bool | None = True,
	**more: Any,
) -> dict[str, Any]:
	inner: dict[str, Any] = {"majorEventType": 5, "subEventType": minor, "serialNo": 7, **more}
	if user is not None:
		inner["employeeNoString"] = user
	if current is not None:
		inner["currentEvent"] = current
	return {
		"eventType": "AccessControllerEvent",
		"eventState": "active",
		"dateTime": at,
		"AccessControllerEvent": inner,
	}


def xml(alert: dict[str, Any]) -> bytes:
	def element(name: str, value: Any) -> str:
		if isinstance(value, dict):
			value = "".join(element(key, member) for key, member in value.items())
		return f"<{name}>{str(value).lower() if isinstance(value, bool) else value}</{name}>"

	members = "".join(element(name, value) for name, value in alert.items())
	return (
		'<EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">'
		f"{members}</EventNotificationAlert>"
	).encode()


def reader(minor: int = 0, zone: ZoneInfo = DUBAI) -> NotificationReader:
	return NotificationReader(device_serial="HIK-1", zone=zone, minor=minor, now=lambda: NOW)


def pages(*alerts: dict[str, Any], zone: ZoneInfo = DUBAI) -> list[Page]:
	return reader(zone=zone).read([Part(json.dumps(alert).encode()) for alert in alerts])


# --- what is told


def test_one_punch_told_as_four_events_is_one_punch() -> None:
	told = [event(), event(None, minor=21), event(None, minor=25), event(), event(None, minor=26)]
	(page,) = pages(*told)
	assert page.live
	assert [(punch.device_user_id, punch.verify_mode) for punch in page.punches] == [("31", VerifyMode.FACE)]


def test_replayed_history_is_not_live() -> None:
	old = event("7", "2026-11-20T08:00:00+04:00", current=False)
	stored, live = pages(old, event())
	assert [(page.live, len(page.punches)) for page in (stored, live)] == [(False, 1), (True, 1)]


def test_without_a_word_on_it_only_what_is_recent_is_live() -> None:
	assert [page.live for page in pages(event(current=None))] == [True]
	assert [page.live for page in pages(event(at="2026-11-26T11:00:00+04:00", current=None))] == [False]


def test_a_heartbeat_is_an_empty_page() -> None:
	(page,) = pages(HEARTBEAT)
	assert (page.punches, page.gap, page.live) == ((), False, False)


@pytest.mark.parametrize(
	"told",
	[
		event("\0"),
		event("x" * 65),
		event(at="2026-02-30T08:00:00+04:00"),
		event(at="yesterday"),
	],
)
def test_what_cannot_be_read_is_for_the_pull_to_bring(told: dict[str, Any]) -> None:
	*_before, last = pages(told, event())
	assert (last.gap, last.unreadable) == (True, ())
	assert reader().receive("", json.dumps(told).encode()).unreadable


def test_in_a_repeated_hour_nothing_is_guessed() -> None:
	berlin = ZoneInfo("Europe/Berlin")
	(page,) = pages(event(at="2026-10-25T02:30:00", current=True), zone=berlin)
	assert (page.punches, page.gap) == ((), True)
	(stated,) = pages(event(at="2026-10-25T02:30:00+01:00"), zone=berlin)
	assert [punch.occurred_at.fold for punch in stated.punches] == [1]


@pytest.mark.parametrize("minor", [6, 9, 39, 76, 104, 21, 25])
def test_a_refusal_or_a_door_is_no_punch(minor: int) -> None:
	(page,) = pages(event(minor=minor))
	assert page.punches == ()


def test_it_is_the_same_punch_as_in_the_log() -> None:
	row = {
		"major": 5,
		"minor": 38,
		"time": "2026-11-26T12:00:00+04:00",
		"employeeNoString": "0031",
		"attendanceStatus": "checkIn",
		"serialNo": 99,
	}
	logged = RowReader(device_serial="HIK-1", zone=DUBAI, minor=0).read(row).punch
	assert logged is not None
	told = event("0031", minor=38, attendanceStatus="checkIn")
	for body in (json.dumps(told).encode(), json.dumps({"EventNotificationAlert": told}).encode(), xml(told)):
		(punch,) = reader().receive("", body).punches
		assert punch.punch_id == logged.punch_id
		assert (punch.verify_mode, punch.device_key) == (VerifyMode.FINGER, DeviceKey.CHECK_IN)


# --- what is posted


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data; boundary=wrong"])
def test_a_post_is_read_whatever_its_header_says(content_type: str) -> None:
	bodies = [
		json.dumps(event()).encode(),
		xml(event()),
		b'--MIME\r\nContent-Disposition: form-data; name="event_log"\r\n\r\n'
		+ json.dumps(event()).encode()
		+ b'\r\n--MIME\r\nContent-Disposition: form-data; name="Picture"; filename="p.jpg"\r\n'
		b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\xff{\xd9\r\n--MIME--\r\n",
	]
	for body in bodies:
		page = reader().receive(content_type, body)
		assert ([punch.device_user_id for punch in page.punches], page.live, page.gap) == (
			["31"],
			True,
			False,
		)


def test_a_post_of_stored_history_is_not_live() -> None:
	page = reader().receive("", json.dumps(event(current=False)).encode())
	assert (len(page.punches), page.live) == (1, False)


@pytest.mark.parametrize("body", [b"", b"hello", b"\xff\xd8\xff", b"--x\r\n\r\n"])
def test_a_post_without_a_document_is_refused(body: bytes) -> None:
	with pytest.raises(DeviceError) as caught:
		reader().receive("", body)
	assert caught.value.code is Code.GARBAGE


def test_a_post_is_bounded() -> None:
	with pytest.raises(DeviceError) as caught:
		reader().receive("", b"x" * (MAX_POST + 1))
	assert caught.value.code is Code.TOO_LARGE


@pytest.mark.parametrize("body", [b"[1]", b"{}", b'{"AccessControllerEvent": 3}', b"<a>" * 30 + b"</a>" * 30])
def test_another_document_is_no_event(body: bytes) -> None:
	try:
		assert reader().receive("", body).punches == ()
	except DeviceError as error:
		assert error.code is Code.GARBAGE


JSON_VALUES = st.recursive(
	st.one_of(
		st.none(), st.booleans(), st.integers(), st.text(max_size=30), st.sampled_from(["31", "5", "75"])
	),
	lambda inner: st.one_of(
		st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
	),
	max_leaves=6,
)
FIELDS = ["majorEventType", "subEventType", "employeeNoString", "employeeNo", "currentEvent", "time", "major"]


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES), JSON_VALUES, st.text(max_size=30))
def test_whatever_an_event_holds(fields: dict[str, Any], moment: Any, content_type: str) -> None:
	told = {"dateTime": moment, "AccessControllerEvent": {**event()["AccessControllerEvent"], **fields}}
	page = reader().receive(content_type, json.dumps(told).encode())
	assert len(page.punches) + len(page.unreadable) <= 1


# --- the stream


class Terminal:
	"""Answers deviceInfo, and on the stream what a test sends."""

	def __init__(self, head: bytes = HEAD + b"\r\n", *, password: bool = False) -> None:
		self._head = head
		self._password = password
		self.stream: socket.socket | None = None
		self.streaming = threading.Event()

	def __call__(self, request: str, _body: bytes, connection: socket.socket) -> None:
		if self._password and "Authorization" not in request:
			connection.sendall(CHALLENGE)
		elif "deviceInfo" in request:
			connection.sendall(answer(DEVICE_INFO))
		else:
			connection.sendall(self._head)
			self.stream = connection
			self.streaming.set()

	def tell(self, data: bytes) -> None:
		assert self.streaming.wait(5)
		assert self.stream is not None
		self.stream.sendall(data)


def part(alert: dict[str, Any]) -> bytes:
	body = json.dumps(alert).encode()
	return b"--MIME_boundary\r\nContent-Type: application/json\r\n\r\n" + body + b"\r\n"


def driver(port: int) -> LiveDriver:
	config = Config(
		host="127.0.0.1",
		port=port,
		user="u",
		password=Secret("hunter2-471100"),
		timeout=1.0,
		connect_timeout=1.0,
	)
	made = Driver(config, zone=DUBAI, now=lambda: NOW)
	assert isinstance(made, LiveDriver)
	return made


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(alert_stream, "LOOK_SECONDS", 0.02)


def listening(port: int) -> Iterator[Page]:
	with driver(port) as made:
		yield from made.listen(lambda: False)


@pytest.mark.parametrize("password", [True, False])
@pytest.mark.parametrize("size", [1, 5, 4096])
def test_punches_come_as_they_happen(password: bool, size: int) -> None:
	terminal = Terminal(password=password)
	with StreamServer(terminal) as server, closing(listening(server.port)) as heard:
		first = next(heard)
		assert (first.punches, first.live) == ((), False)
		told = part(HEARTBEAT) + part(event("1")) + part(event(None, minor=21)) + part(event("2"))
		for start in range(0, len(told), size):
			terminal.tell(told[start : start + size])
		users: list[str] = []
		while len(users) < 2:
			page = next(heard)
			users += [punch.device_user_id for punch in page.punches]
			assert page.live or not page.punches
		assert users == ["1", "2"]


def test_what_comes_with_the_head_is_heard() -> None:
	with (
		StreamServer(Terminal(HEAD + b"\r\n" + part(event()) + part(event("7"))[:30])) as server,
		closing(listening(server.port)) as heard,
	):
		assert next(heard).punches == ()
		assert [punch.device_user_id for punch in next(heard).punches] == ["31"]


def test_a_chunked_stream() -> None:
	terminal = Terminal(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
	with StreamServer(terminal) as server, closing(listening(server.port)) as heard:
		next(heard)
		told = part(event())
		for piece in (told[:10], told[10:]):
			terminal.tell(f"{len(piece):x};x=y\r\n".encode() + piece + b"\r\n")
		assert [punch.device_user_id for punch in next(heard).punches] == ["31"]
		terminal.tell(b"0\r\n\r\n")
		with pytest.raises(DeviceError) as caught:
			next(heard)
		assert caught.value.code is Code.CONNECTION_LOST


def test_it_ends_when_asked_to() -> None:
	with StreamServer(Terminal()) as server, driver(server.port) as made:
		asked_at = time.monotonic()
		assert len(list(made.listen(lambda: time.monotonic() > asked_at + 0.2))) == 1


def test_a_lost_connection_is_told() -> None:
	terminal = Terminal()
	with StreamServer(terminal) as server, closing(listening(server.port)) as heard:
		next(heard)
		server.hang_up()
		with pytest.raises(DeviceError) as caught:
			next(heard)
	assert (caught.value.code, caught.value.retryable) == (Code.CONNECTION_LOST, True)


def test_silence_is_a_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(alert_stream, "SILENCE_SECONDS", 0.2)
	terminal = Terminal()
	with StreamServer(terminal) as server, closing(listening(server.port)) as heard:
		next(heard)
		terminal.tell(b"\r\n")
		with pytest.raises(DeviceError) as caught:
			next(heard)
	assert (caught.value.code, caught.value.details["silent_seconds"]) == (Code.CONNECTION_LOST, 0.2)


def test_a_flood_of_nothing_is_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(alert_stream, "MAX_PASSED_OVER", 10_000)
	terminal = Terminal()
	with StreamServer(terminal) as server, closing(listening(server.port)) as heard:
		next(heard)
		terminal.tell(b"noise\n" * 10_000)
		with pytest.raises(DeviceError) as caught:
			next(heard)
	assert caught.value.code is Code.GARBAGE


def test_a_wrong_password_is_tried_once() -> None:
	def refuse(request: str, _body: bytes, connection: socket.socket) -> None:
		if "deviceInfo" in request:
			connection.sendall(answer(DEVICE_INFO))
		else:
			connection.sendall(CHALLENGE)

	with StreamServer(refuse) as server, driver(server.port) as made:
		with pytest.raises(DeviceError) as caught:
			list(made.listen(lambda: False))
		assert caught.value.code is Code.AUTH_FAILED
		tried = [head for head in server.asked if "Authorization" in head and "alertStream" in head]
	assert len(tried) == 1


REFUSED = (
	b"<ResponseStatus><statusCode>4</statusCode><subStatusCode>notSupport</subStatusCode></ResponseStatus>"
)


@pytest.mark.parametrize(
	("said", "code"),
	[
		(answer(REFUSED, "403 Forbidden"), Code.NOT_SUPPORTED),
		(answer(b"", "404 Not Found"), Code.NOT_SUPPORTED),
		(answer(b"", "503 Busy"), Code.BUSY),
		(answer(b"", "302 Found", Location="http://192.0.2.1/"), Code.GARBAGE),
		(b"SSH-2.0-x\r\n\r\n\r\n", Code.GARBAGE),
		(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000, Code.GARBAGE),
	],
)
def test_another_answer_than_a_stream(said: bytes, code: Code) -> None:
	def respond(request: str, _body: bytes, connection: socket.socket) -> None:
		connection.sendall(answer(DEVICE_INFO) if "deviceInfo" in request else said)

	with StreamServer(respond) as server, driver(server.port) as made, pytest.raises(DeviceError) as caught:
		list(made.listen(lambda: False))
	assert caught.value.code is code


def test_no_answer() -> None:
	def respond(request: str, _body: bytes, connection: socket.socket) -> None:
		if "deviceInfo" in request:
			connection.sendall(answer(DEVICE_INFO))

	with StreamServer(respond) as server, driver(server.port) as made, pytest.raises(DeviceError) as caught:
		list(made.listen(lambda: False))
	assert caught.value.code is Code.TIMEOUT


def test_a_day_on_the_wall_is_the_terminals() -> None:
	(page,) = pages(event(at="2026-11-26T12:00:00+09:00"))
	assert page.punches[0].occurred_at.utcoffset() == timedelta(hours=4)


# --- the answer


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=30)), st.booleans())
def test_an_answer_takes_anything(pieces: list[bytes], chunked: bool) -> None:
	head = b"HTTP/1.1 200 OK\r\n" + (b"Transfer-Encoding: chunked\r\n" if chunked else b"") + b"\r\n"

	def read(fed: list[bytes]) -> bytes | None:
		made = Answer()
		try:
			return b"".join(made.feed(piece) for piece in fed)
		except BadAnswerError:
			return None

	assert read([head, *pieces]) == read([head + b"".join(pieces)])
