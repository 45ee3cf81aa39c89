"""What the simulated Hikvision terminal tells by itself: `alertStream` and posts to its HTTP listeners.

Read with clients that this project did not write: `pyhik` and `hikvisionapi` (XML streams), `requests` with a
reader of JSON parts in five lines, and the multipart parser of the standard library's `email`.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.parser import BytesParser
from email.policy import HTTP
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
from defusedxml.ElementTree import fromstring
from hikvisionapi import AsyncClient
from pyhik.hikvision import HikCamera
from requests.auth import HTTPDigestAuth

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.hikvision import FAULTS, HikvisionState, HikvisionTerminal, alerts, verbs
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER
from tests.simulators.listener import Listener, Posted

STREAM = "ISAPI/Event/notification/alertStream"
HOSTS = "ISAPI/Event/notification/httpHosts"
DOOR = [21, 25, 26, 22]
"""What the log says after a pass: unlocked, opened, closed, locked."""


@contextmanager
def a_terminal(*faults: str) -> Iterator[HikvisionTerminal]:
	state = HikvisionState(faults=faults)
	verbs.enroll(state, "31", "Ana Rosa", "12345678")
	verbs.enroll(state, "007", "ليلى")
	with HikvisionTerminal(state) as terminal:
		yield terminal


def call(terminal: HikvisionTerminal, method: str, path: str, **how: Any) -> requests.Response:
	url = f"http://127.0.0.1:{terminal.port}/{path}"
	return requests.request(method, url, auth=HTTPDigestAuth(USER, PASSWORD), timeout=10, **how)


class Stream:
	"""What arrives, gathered by a thread until the terminal ends it; leaving stops the terminal."""

	def __init__(self, terminal: HikvisionTerminal) -> None:
		self._terminal = terminal
		self.response = call(terminal, "GET", STREAM, stream=True)
		assert self.response.status_code == 200, self.response.text
		self.content_type = self.response.headers["Content-Type"]
		self.raw = b""
		self.has_ended = threading.Event()
		self._thread = threading.Thread(target=self._read, daemon=True)
		self._thread.start()

	def __enter__(self) -> Stream:
		return self

	def __exit__(self, *_exc_info: object) -> None:
		self._terminal.stop()
		self._thread.join()
		self.response.close()

	def _read(self) -> None:
		try:
			while piece := self.response.raw.read1(4096):
				self.raw += piece
		except OSError:
			pass  # cut off
		finally:
			self.has_ended.set()

	def documents(self) -> list[dict[str, Any]]:
		"""Every whole JSON part, in order; pictures and halves left out."""
		found = []
		for part in self.raw.split(b"--MIME_boundary\r\n"):
			# A part without headers begins with the empty line that ends them.
			_, _, document = (b"\r\n" + part).partition(b"\r\n\r\n")
			try:
				found.append(json.loads(document))
			except ValueError:
				continue
		return found

	def events(self) -> list[dict[str, Any]]:
		return [one["AccessControllerEvent"] for one in self.documents() if "AccessControllerEvent" in one]

	def wait_until(self, holds: Callable[[Stream], bool], timeout: float = 10.0) -> None:
		end = time.monotonic() + timeout
		while not holds(self):
			assert time.monotonic() < end, self.raw[-2000:]
			time.sleep(0.005)


def minors(events: list[dict[str, Any]], *, live: bool) -> list[int]:
	return [event["subEventType"] for event in events if event["currentEvent"] is live]


# alertStream


def test_a_live_punch_and_what_the_door_does() -> None:
	with a_terminal() as terminal, Stream(terminal) as stream:
		assert stream.content_type == "multipart/mixed; boundary=MIME_boundary"
		stream.wait_until(lambda it: len(it.documents()) == 1)
		(heartbeat,) = stream.documents()
		assert (heartbeat["eventType"], heartbeat["eventState"]) == ("videoloss", "inactive")
		began = time.monotonic()
		event = verbs.punch(terminal.state, "31", VerifyMode.FACE, DeviceKey.CHECK_IN)
		stream.wait_until(lambda it: len(it.events()) == 5)
		assert time.monotonic() - began < 5, "not with the next heartbeat"
		told = stream.documents()[1]
		assert told["eventType"] == "AccessControllerEvent"
		assert told["dateTime"] == f"{event.wall_time.isoformat()}+04:00"
		body = told["AccessControllerEvent"]
		assert {
			name: body[name] for name in ("majorEventType", "subEventType", "employeeNoString", "name")
		} == {
			"majorEventType": 5,
			"subEventType": 75,
			"employeeNoString": "31",
			"name": "Ana Rosa",
		}
		assert (body["serialNo"], body["frontSerialNo"], body["currentEvent"]) == (1, 0, True)
		assert (body["attendanceStatus"], body["picturesNumber"]) == ("checkIn", 1)
		assert minors(stream.events(), live=True) == [75, *DOOR]
		assert all("employeeNoString" not in event for event in stream.events()[1:])
		assert alerts.PICTURE in stream.raw


def test_history_is_told_again_and_marked() -> None:
	with a_terminal() as terminal:
		terminal.state.replay_events = 7
		for _ in range(2):
			verbs.punch(terminal.state, "31", VerifyMode.CARD)
		with Stream(terminal) as stream:
			stream.wait_until(lambda it: len(it.documents()) == 8)
			assert minors(stream.events(), live=False) == [*DOOR[2:], 1, *DOOR]
			verbs.punch(terminal.state, "007")
			stream.wait_until(lambda it: len(minors(it.events(), live=True)) == 5)


def test_heartbeats_while_nothing_happens() -> None:
	with a_terminal() as terminal:
		terminal.state.heartbeat_seconds = 0.05
		with Stream(terminal) as stream:
			stream.wait_until(lambda it: len(it.documents()) > 3)
			assert {one["eventType"] for one in stream.documents()} == {"videoloss"}


def test_two_clients_hear_the_same_and_a_fifth_is_refused() -> None:
	with a_terminal() as terminal, Stream(terminal) as one, Stream(terminal) as two:
		for stream in (one, two):
			stream.wait_until(lambda it: bool(it.documents()))
		verbs.punch(terminal.state, "31")
		for stream in (one, two):
			stream.wait_until(lambda it: len(it.events()) == 5)
		terminal.state.max_streams = 2
		refused = call(terminal, "GET", STREAM)
		assert refused.status_code == 403
		assert "deployExceedMax" in refused.text


def test_a_restart_ends_the_stream() -> None:
	with a_terminal() as terminal, Stream(terminal) as stream:
		stream.wait_until(lambda it: bool(it.documents()))
		verbs.reboot(terminal, 0.05)
		assert stream.has_ended.wait(5)
		assert terminal.wait_until_up()
		with Stream(terminal) as again:
			again.wait_until(lambda it: bool(it.events()))
			assert again.events()[0]["majorEventType"] == 2
	assert terminal.state.open_streams == 0


def test_a_client_without_the_password_hears_nothing() -> None:
	with a_terminal() as terminal:
		url = f"http://127.0.0.1:{terminal.port}/{STREAM}"
		assert requests.get(url, timeout=5).status_code == 401
		assert terminal.state.counters.streams == 0


# its faults


def test_missing_headers() -> None:
	with a_terminal("stream-no-boundary", "bare-parts") as terminal, Stream(terminal) as stream:
		assert stream.content_type == "multipart/mixed"
		verbs.punch(terminal.state, "31", VerifyMode.FINGER)
		stream.wait_until(lambda it: len(it.events()) == 5)
		assert b"Content-Length" not in stream.raw


def test_odd_pieces_lose_nothing() -> None:
	with a_terminal("stream-odd-pieces") as terminal, Stream(terminal) as stream:
		stream.wait_until(lambda it: bool(it.documents()))
		verbs.punch(terminal.state, "31")
		stream.wait_until(lambda it: len(it.events()) == 5)


@pytest.mark.parametrize(("fault", "whole"), [("stream-drops", 5), ("stream-half-part", 4)])
def test_the_stream_breaks_at_the_fifth_event(fault: str, whole: int) -> None:
	with a_terminal(fault) as terminal, Stream(terminal) as stream:
		stream.wait_until(lambda it: bool(it.documents()))
		verbs.punch(terminal.state, "31", VerifyMode.FINGER)
		assert stream.has_ended.wait(5)
		assert len(stream.events()) == whole


def test_a_silent_stream_stays_open() -> None:
	with a_terminal("stream-silent") as terminal, Stream(terminal) as stream:
		terminal.state.heartbeat_seconds = 0.05
		verbs.punch(terminal.state, "31")
		time.sleep(0.3)
		assert stream.raw == b""
		assert not stream.has_ended.is_set()


def test_events_that_are_not_told() -> None:
	with a_terminal("missed-alerts") as terminal, Stream(terminal) as stream:
		stream.wait_until(lambda it: bool(it.documents()))
		for _ in range(3):
			verbs.punch(terminal.state, "31", VerifyMode.FINGER)
		stream.wait_until(lambda it: len(it.events()) == 10)
		serials = [event["serialNo"] for event in stream.events()]
		assert serials == [1, 2, 4, 5, 7, 8, 10, 11, 13, 14]


def test_the_whole_log_may_be_told_again() -> None:
	with a_terminal("replay-all") as terminal:
		terminal.state.replay_events = 1
		for _ in range(20):
			verbs.punch(terminal.state, "31", VerifyMode.FINGER)
		with Stream(terminal) as stream:
			stream.wait_until(lambda it: len(minors(it.events(), live=False)) == 100)


# XML, with public clients


class Reader(HikCamera):  # type: ignore[misc]  # untyped
	"""pyhik as it is, but for writing down each document."""

	def process_stream(self, tree: Any) -> None:
		self.heard.append({element.tag.rpartition("}")[2]: element.text for element in tree.iter()})
		super().process_stream(tree)


@pytest.mark.parametrize("namespace_fault", [(), ("old-namespace",)])
def test_pyhik_reads_the_stream(namespace_fault: tuple[str, ...]) -> None:
	with a_terminal("xml-alerts", *namespace_fault) as terminal:
		terminal.state.heartbeat_seconds = 0.1
		Reader.heard = []
		reader = Reader("http://127.0.0.1", terminal.port, USER, PASSWORD)
		try:
			assert reader.get_name == "Access Terminal"
			reader.start_stream()
			_until(lambda: any(one["eventType"] == "videoloss" for one in Reader.heard))
			assert reader.stream_connected
			verbs.punch(terminal.state, "007", VerifyMode.CARD, DeviceKey.CHECK_OUT)
			_until(lambda: any(one.get("employeeNoString") == "007" for one in Reader.heard))
		finally:
			terminal.stop()
			reader.disconnect()
	# A client that was cut off hears it again as history.
	told = [one for one in Reader.heard if one.get("employeeNoString") == "007"]
	(punch,) = [one for one in told if one["currentEvent"] == "true"]
	assert (punch["majorEventType"], punch["subEventType"]) == ("5", "1")
	assert (punch["name"], punch["attendanceStatus"], punch["currentEvent"]) == ("ليلى", "checkOut", "true")


def test_hikvisionapi_reads_the_stream() -> None:
	async def first_event(port: int) -> Any:
		client = AsyncClient(f"http://127.0.0.1:{port}", USER, PASSWORD, timeout=10)
		stream = client.Event.notification.alertStream(method="get", type="stream", timeout=10)
		async for document in stream:
			alert = document["EventNotificationAlert"]
			if alert["eventType"] == "AccessControllerEvent":
				return alert["AccessControllerEvent"]
		raise AssertionError("the stream ended")

	with a_terminal("xml-alerts") as terminal:
		verbs.punch(terminal.state, "31", VerifyMode.FINGER)
		event = asyncio.run(first_event(terminal.port))
	assert (event["employeeNoString"], event["subEventType"], event["currentEvent"]) == ("31", "38", "false")


# listeners


def set_up(terminal: HikvisionTerminal, listener: Listener, **changed: str) -> requests.Response:
	fields = {
		"id": "1",
		"url": "/hikvision/token-1",
		"protocolType": "HTTP",
		"parameterFormatType": "JSON",
		"addressingFormatType": "ipaddress",
		"ipAddress": "127.0.0.1",
		"portNo": str(listener.port),
		"httpAuthenticationMethod": "none",
	} | changed
	body = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
	document = f'<HttpHostNotification version="2.0">{body}</HttpHostNotification>'
	return call(terminal, "PUT", f"{HOSTS}/1", data=document)


def fields(response: requests.Response) -> dict[str, str]:
	assert response.status_code == 200, response.text
	return {
		element.tag.rpartition("}")[2]: element.text or "" for element in fromstring(response.content).iter()
	}


def form_parts(posted: Posted) -> list[tuple[str, bytes]]:
	"""(name of the field, content) by the standard library's parser."""
	head = f"Content-Type: {posted.content_type}\r\n\r\n".encode()
	message = BytesParser(policy=HTTP).parsebytes(head + posted.body)
	parts: list[Any] = list(message.iter_parts())
	return [
		(str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True))
		for part in parts
	]


def test_a_listener_is_set_up_read_back_tested_and_posted_to() -> None:
	with a_terminal() as terminal, Listener() as listener:
		before = fields(call(terminal, "GET", f"{HOSTS}/1"))
		assert (before["url"], before["ipAddress"]) == ("/", "0.0.0.0")
		assert fields(set_up(terminal, listener))["statusString"] == "OK"
		told = fields(call(terminal, "GET", f"{HOSTS}/1"))
		assert (told["url"], told["portNo"]) == ("/hikvision/token-1", str(listener.port))
		assert told["parameterFormatType"] == "JSON"
		assert "127.0.0.1" in call(terminal, "GET", HOSTS).text
		assert fields(call(terminal, "POST", f"{HOSTS}/1/test"))["errorDescription"] == "ok"
		verbs.punch(terminal.state, "31")
		test, punch, *door = listener.wait_for(6)
		assert test.path == "/hikvision/token-1"
		assert b"AccessControllerEvent" not in test.body
		assert punch.content_type == "multipart/form-data; boundary=MIME_boundary"
		(name, document), (picture_name, picture) = form_parts(punch)
		assert (name, picture_name) == ("event_log", "Picture")
		assert picture == alerts.PICTURE
		event = json.loads(document)["AccessControllerEvent"]
		assert (event["employeeNoString"], event["serialNo"]) == ("31", 1)
		assert "currentEvent" not in event
		posted = [json.loads(form_parts(one)[0][1])["AccessControllerEvent"] for one in door]
		assert [event["subEventType"] for event in posted] == DOOR


def test_a_listener_in_xml_with_a_list_of_events_and_heartbeats() -> None:
	subscribed = (
		"<heartbeat>1</heartbeat><eventMode>list</eventMode><EventList><Event><type>AccessControllerEvent"
		"</type><minorEvent>0x1,0x26,0x4b</minorEvent></Event></EventList>"
	)
	with a_terminal("bare-posts") as terminal, Listener() as listener:
		set_up(terminal, listener, parameterFormatType="XML", SubscribeEvent=subscribed)
		verbs.punch(terminal.state, "31", VerifyMode.FINGER)
		punch, heartbeat = listener.wait_for(2)
		assert punch.content_type == "application/xml"
		root = fromstring(punch.body)
		assert root.tag.endswith("EventNotificationAlert")
		assert b"<subEventType>38</subEventType>" in punch.body
		assert b"<eventType>heartBeat</eventType>" in heartbeat.body
		assert fields(call(terminal, "GET", f"{HOSTS}/1"))["minorEvent"] == "0x1,0x26,0x4b"


def test_hosts_are_refused_what_cannot_be() -> None:
	with a_terminal() as terminal, Listener() as listener:
		for changed in (
			{"portNo": "0"},
			{"portNo": "x"},
			{"url": "/" + "a" * 128},
			{"parameterFormatType": "YAML"},
			{"protocolType": "FTP"},
			{"addressingFormatType": "carrier pigeon"},
			{"ipAddress": ""},
			{"id": "2"},
		):
			refused = set_up(terminal, listener, **changed)
			assert refused.status_code == 400, changed
		assert call(terminal, "PUT", f"{HOSTS}/1", data="<nothing/>").status_code == 400
		assert (
			call(terminal, "PUT", f"{HOSTS}/1", data="<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").status_code
			== 400
		)
		assert call(terminal, "GET", f"{HOSTS}/3").status_code == 404
		assert fields(call(terminal, "GET", f"{HOSTS}/capabilities"))["hostNumber"] == "2"


def test_a_listener_that_is_away_is_not_posted_to_again() -> None:
	with a_terminal() as terminal:
		with Listener() as listener:
			set_up(terminal, listener)
		result = fields(call(terminal, "POST", f"{HOSTS}/1/test"))["errorDescription"]
		assert result == "Connection refused"
		verbs.punch(terminal.state, "31")
		_until(lambda: terminal.state.counters.undelivered == 5)
		assert terminal.state.counters.delivered == 0
		assert terminal.state.punches_held() == 1


def test_a_listener_that_refuses_is_told_of_by_the_test() -> None:
	with a_terminal() as terminal, Listener(status=503) as listener:
		set_up(terminal, listener)
		assert fields(call(terminal, "POST", f"{HOSTS}/1/test"))["errorDescription"] == "HTTP 503"


def test_a_listener_can_be_cleared() -> None:
	with a_terminal() as terminal, Listener() as listener:
		set_up(terminal, listener)
		assert call(terminal, "DELETE", HOSTS).status_code == 200
		verbs.punch(terminal.state, "31")
		time.sleep(0.2)
		assert listener.posted == []


# their faults


def test_firmware_that_never_delivers() -> None:
	with a_terminal("hosts-never-deliver") as terminal, Listener() as listener:
		set_up(terminal, listener)
		assert fields(call(terminal, "POST", f"{HOSTS}/1/test"))["errorDescription"] == "ok"
		verbs.punch(terminal.state, "31")
		time.sleep(0.3)
		assert len(listener.posted) == 1


def test_firmware_that_drops_the_url() -> None:
	with a_terminal("hosts-drop-url") as terminal, Listener() as listener:
		assert set_up(terminal, listener).status_code == 200
		assert fields(call(terminal, "GET", f"{HOSTS}/1"))["url"] == "/"
		verbs.punch(terminal.state, "31")
		assert listener.wait_for(5)[0].path == "/"


def test_firmware_that_knows_no_host_names() -> None:
	named = {"addressingFormatType": "hostname", "hostName": "localhost"}
	with a_terminal() as terminal, Listener() as listener:
		assert set_up(terminal, listener, **named).status_code == 200
		verbs.punch(terminal.state, "31")
		listener.wait_for(5)
		verbs.set_fault(terminal.state, "hosts-no-hostname")
		assert set_up(terminal, listener, **named).status_code == 400
		assert "hostname" not in call(terminal, "GET", f"{HOSTS}/capabilities").text


def test_firmware_that_knows_no_test() -> None:
	with a_terminal("hosts-no-test") as terminal, Listener() as listener:
		set_up(terminal, listener)
		refused = call(terminal, "POST", f"{HOSTS}/1/test")
		assert refused.status_code == 404
		assert "notSupport" in refused.text


@pytest.mark.parametrize("forgets", [False, True])
def test_a_listener_after_a_restart(forgets: bool) -> None:
	with a_terminal(*(["hosts-forget"] if forgets else [])) as terminal, Listener() as listener:
		set_up(terminal, listener)
		verbs.reboot(terminal, 0.05)
		time.sleep(0.1)
		assert terminal.wait_until_up()
		verbs.punch(terminal.state, "31")
		if forgets:
			time.sleep(0.3)
			assert listener.posted == []
			set_up(terminal, listener)
			verbs.punch(terminal.state, "31")
		listener.wait_for(5)


def test_a_listener_may_be_posted_the_whole_log_first() -> None:
	with a_terminal("hosts-replay") as terminal, Listener() as listener:
		verbs.punch(terminal.state, "31", VerifyMode.FINGER)
		set_up(terminal, listener)
		listener.wait_for(5)
		verbs.punch(terminal.state, "007", VerifyMode.FINGER)
		posted = listener.wait_for(10)
		current = [
			json.loads(form_parts(one)[0][1])["AccessControllerEvent"].get("currentEvent") for one in posted
		]
		assert current == [False] * 5 + [None] * 5


def test_posts_without_a_boundary() -> None:
	with a_terminal("hosts-no-boundary") as terminal, Listener() as listener:
		set_up(terminal, listener)
		verbs.punch(terminal.state, "31")
		punch = listener.wait_for(5)[0]
		assert punch.content_type == "multipart/form-data"
		assert punch.body.startswith(b"--MIME_boundary\r\n")


def test_every_fault_of_the_live_roads_is_tried_here() -> None:
	source = Path(__file__).read_text(encoding="utf-8")
	live = {
		name
		for name in FAULTS
		if name.startswith(("stream-", "hosts-", "bare-", "missed", "xml-", "replay-"))
	}
	assert len(live) == 17
	assert [name for name in live if f'"{name}"' not in source] == []


def test_a_full_log_overwrites_its_oldest_entries_and_goes_on_telling() -> None:
	with a_terminal() as terminal, Stream(terminal) as stream:
		stream.wait_until(lambda it: bool(it.documents()))
		terminal.state.log_capacity = 8
		for count in (5, 10, 15):
			verbs.punch(terminal.state, "31", VerifyMode.FINGER)
			stream.wait_until(lambda it, count=count: len(it.events()) == count)  # type: ignore[misc]
		assert [event["serialNo"] for event in stream.events()] == list(range(1, 16))
		assert [event.serial_no for event in terminal.state.overwritten] == list(range(1, 8))
		asked = {"searchID": "1", "searchResultPosition": 0, "maxResults": 30, "major": 5, "minor": 0}
		path = "ISAPI/AccessControl/AcsEvent?format=json"
		page = call(terminal, "POST", path, json={"AcsEventCond": asked}).json()["AcsEvent"]
		assert [row["serialNo"] for row in page["InfoList"]] == list(range(8, 16))
		assert terminal.state.punches_held() == 1


def test_the_clock_of_a_live_event_is_the_terminals() -> None:
	with a_terminal() as terminal, Stream(terminal) as stream:
		stream.wait_until(lambda it: bool(it.documents()))
		verbs.jump_clock(terminal.state, timedelta(hours=1))
		verbs.punch(terminal.state, "31", VerifyMode.FINGER)
		stream.wait_until(lambda it: len(it.events()) == 5)
		heartbeat, punch = (stream.documents()[place]["dateTime"] for place in (0, 1))
		assert punch > heartbeat
		assert punch[11:13] != heartbeat[11:13]


def test_serial_numbers_of_the_stream_have_no_gaps() -> None:
	with a_terminal() as terminal, Stream(terminal) as stream:
		stream.wait_until(lambda it: bool(it.documents()))
		for user in ("31", "007") * 10:
			verbs.punch(terminal.state, user)
		stream.wait_until(lambda it: len(it.events()) == 100)
		assert all(
			second["frontSerialNo"] == first["serialNo"] for first, second in pairwise(stream.events())
		)


def _until(condition: Callable[[], bool], timeout: float = 10.0) -> None:
	end = time.monotonic() + timeout
	while not condition():
		assert time.monotonic() < end
		time.sleep(0.01)
