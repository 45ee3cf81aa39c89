"""The kiosk over a real socket: its stream, its video, and who may see them."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.edge.web import kiosk
from attendance_bridge.edge.web.access.access import Access
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.streams import MAX_STREAMS
from attendance_bridge.simulators.camera import verbs
from attendance_bridge.stores.accounts import Accounts
from attendance_bridge.stores.audit import AuditLog
from tests.edge.rig import PATIENCE, eventually
from tests.edge.vision.rig import Scene, Sight, configuration, seeing

EVENTS, CHOICE, ANSWER = (f"/api/v1/kiosk/{name}" for name in ("events", "choice", "answer"))
ELSEWHERE = {"X-Forwarded-For": "192.0.2.9"}
"""As a proxy on this machine tells of somebody who is not on it."""


class Visitor:
	"""A program that reads a stream."""

	def __init__(self, sight: Sight, path: str, headers: dict[str, str] | None = None) -> None:
		assert sight.agent.web is not None
		self._connection = http.client.HTTPConnection("127.0.0.1", sight.agent.web.port, timeout=PATIENCE)
		self._connection.request("GET", path, headers=headers or {})
		self.answer = self._connection.getresponse()
		self.last_id = ""

	def __enter__(self) -> Visitor:
		return self

	def __exit__(self, *exc_info: object) -> None:
		self.answer.close()
		self._connection.close()

	def next(self) -> dict[str, Any]:
		"""The next event."""
		data = ""
		while (line := self.answer.readline().decode()) != "\n" or not data:
			assert line, "the stream has ended"
			if line.startswith("id: "):
				self.last_id = line[4:].strip()
			if line.startswith("data: "):
				data = line[6:]
		found: dict[str, Any] = json.loads(data)
		assert isinstance(found["faces"], list)
		return found

	def until(self, type: str) -> dict[str, Any]:
		while (found := self.next())["type"] != type:
			pass
		return found


def ask(
	sight: Sight, path: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
	assert sight.agent.web is not None
	connection = http.client.HTTPConnection("127.0.0.1", sight.agent.web.port, timeout=PATIENCE)
	try:
		sent = None if body is None else json.dumps(body)
		kind = {"Content-Type": "application/json"} if sent else {}
		connection.request(method, path, sent, {**kind, **(headers or {})})
		answer = connection.getresponse()
		return answer.status, answer.headers, answer.read()
	finally:
		connection.close()


@pytest.fixture
def sight(scene: Scene, tmp_path: Path) -> Iterator[Sight]:
	before = set(threading.enumerate())
	mapping = configuration(
		tmp_path, web={"enabled": True, "port": 0}, kiosk={"names": "short", "choose_direction": True}
	)
	with seeing(mapping) as running:
		yield running
	eventually(lambda: set(threading.enumerate()) <= before, "no thread is left")


def test_a_stream_tells_how_things_stand_and_what_happens(sight: Sight, scene: Scene) -> None:
	eventually(lambda: sight.vision.live.state.camera_state == "open" and sight.vision.live.state.people)
	with Visitor(sight, EVENTS) as stream:
		assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
		assert stream.next()["type"] == "hello"
		status = stream.next()
		assert (status["type"], status["camera"], status["punches"]) == ("status", "open", [])
		verbs.come(scene.state, 1)
		while not (face := stream.until("face"))["seen"]:
			pass
		assert (face["faces"], face["seen"]) == ([], 1)
		punch = stream.until("punch")
		assert (punch["name"], punch["log_type"]) == ("First P.", "IN")
		assert "employee" not in punch
		listed = stream.until("status")["punches"]
		assert [row["punch_id"] for row in listed] == [punch["punch_id"]]
		while not (face := stream.until("face"))["faces"]:
			pass
		assert [each["name"] for each in face["faces"]] == ["First P."]


def test_a_stranger_has_no_box(sight: Sight, scene: Scene) -> None:
	with Visitor(sight, EVENTS) as stream:
		verbs.come(scene.state, 9)
		told = []
		while not told or told[-1]["type"] != "unknown":
			told.append(stream.next())
		assert any(event["type"] == "face" and event["seen"] for event in told)
		assert all(event["faces"] == [] for event in told)


def test_a_stream_goes_on_where_it_broke_off(sight: Sight, scene: Scene) -> None:
	with Visitor(sight, EVENTS) as stream:
		stream.next()
		broke_off = stream.last_id
	verbs.come(scene.state, 1, place=0.3, scale=1.0)
	sight.wait_for(EventType.PUNCH)
	with Visitor(sight, EVENTS, {"Last-Event-ID": broke_off}) as stream:
		assert stream.until("punch")["name"] == "First P."
		broke_off = stream.last_id
	verbs.come(scene.state, 2, place=0.7, scale=1.0)
	sight.wait_for(EventType.PUNCH, 2)
	with Visitor(sight, EVENTS, {"Last-Event-ID": broke_off}) as stream:
		assert stream.until("punch")["name"] == "Second P."


def test_a_new_stream_tells_nothing_from_before(sight: Sight, scene: Scene) -> None:
	verbs.come(scene.state, 1, place=0.3, scale=1.0)
	sight.wait_for(EventType.DECIDED)
	with Visitor(sight, EVENTS) as stream:
		verbs.come(scene.state, 2, place=0.7, scale=1.0)
		assert stream.until("punch")["name"] == "Second P."


@pytest.mark.parametrize(
	("told", "begins_at"),
	[
		("", 40),
		("run-17", 17),
		("run-99", 40),
		("run--3", 40),
		("run-²", 40),
		("run-" + "9" * 50, 40),
		("run-", 40),
		("another-39", 0),
		("\ud800", 0),
	],
)
def test_where_a_stream_begins(monkeypatch: pytest.MonkeyPatch, told: str, begins_at: int) -> None:
	monkeypatch.setattr(kiosk, "_RUN", "run")
	assert kiosk._seen(told, 40) == begins_at


def test_a_quiet_stream_is_kept_alive(sight: Sight, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(kiosk, "HEARTBEAT_SECONDS", 0.05)
	monkeypatch.setattr(kiosk, "TICK_SECONDS", 0.1)
	with Visitor(sight, EVENTS) as stream:
		assert stream.until("alive")["now"]


def test_streams_are_limited(sight: Sight, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(kiosk, "HEARTBEAT_SECONDS", 0.05)
	monkeypatch.setattr(kiosk, "TICK_SECONDS", 0.1)
	with ExitStack() as stack:
		for _ in range(MAX_STREAMS):
			stack.enter_context(Visitor(sight, EVENTS)).next()
		status, headers, _body = ask(sight, EVENTS)
		assert (status, headers["Retry-After"]) == (503, "5")
		assert ask(sight, "/kiosk/video")[0] == 503
		assert ask(sight, "/api/v1/kiosk/status")[0] == 200

	def has_room() -> bool:
		with Visitor(sight, EVENTS) as stream:
			return stream.answer.status == 200

	eventually(has_room)


def pictures(video: Visitor, number: int) -> list[bytes]:
	"""The first parts of a video."""
	boundary = video.answer.headers["Content-Type"].split("boundary=")[1]
	found: list[bytes] = []
	assert video.answer.readline() == f"--{boundary}\r\n".encode()
	while len(found) < number:
		assert video.answer.readline() == b"Content-Type: image/jpeg\r\n"
		length = int(video.answer.readline().decode().removeprefix("Content-Length: "))
		assert video.answer.readline() == b"\r\n"
		found.append(video.answer.read(length))
		# The next boundary comes at once: a browser shows a picture only when it sees it.
		assert video.answer.read(len(boundary) + 6) == f"\r\n--{boundary}\r\n".encode()
	return found


def test_the_video(sight: Sight, tmp_path: Path) -> None:
	with Visitor(sight, "/kiosk/video") as video:
		assert video.answer.headers["Content-Type"].startswith("multipart/x-mixed-replace")
		assert video.answer.headers["Cache-Control"] == "no-store"
		seen = pictures(video, 3)
	assert len(set(seen)) == 3
	for jpeg in seen:
		assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (480, 640, 3)
	kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
	assert not any(b"\xff\xd8\xff" in content for content in kept)


def test_a_video_without_pictures_ends(
	sight: Sight,
	scene: Scene,
	monkeypatch: pytest.MonkeyPatch,
) -> None:
	monkeypatch.setattr(kiosk, "DARK_SECONDS", 0.3)
	monkeypatch.setattr(kiosk, "TICK_SECONDS", 0.1)
	with Visitor(sight, "/kiosk/video") as video:
		pictures(video, 1)
		verbs.trouble(scene.state, verbs.Trouble.UNPLUGGED)
		while video.answer.read1(65536):
			pass


SEEN = ["/kiosk", "/kiosk/video", EVENTS, "/api/v1/kiosk/status"]


@pytest.mark.parametrize("path", SEEN)
def test_from_elsewhere_it_takes_a_key_or_a_login(sight: Sight, path: str) -> None:
	assert ask(sight, path, headers=ELSEWHERE)[0] == 401
	access = Access(Accounts(sight.agent.database), AuditLog(sight.agent.database), now=sight.agent._now)
	for scope, status in ((Scope.KIOSK, 200), (Scope.VIEW, 403)):
		key = access.add_key(scope.value, {scope}, by="test")
		with Visitor(sight, path, {**ELSEWHERE, "Authorization": f"Bearer {key}"}) as visitor:
			assert visitor.answer.status == status


@pytest.mark.parametrize("path", [CHOICE, ANSWER])
def test_hands_need_the_page(sight: Sight, path: str) -> None:
	body = {"choice": "IN", "ticket": "1", "secret": "1"}
	status, _headers, answer = ask(sight, path, "POST", body)
	assert (status, json.loads(answer)) == (400, {"error": "csrf"})
	assert ask(sight, path, "POST", body, ELSEWHERE)[0] == 401


class Hands:
	"""What the page sends along."""

	def __init__(self, sight: Sight) -> None:
		_status, headers, page = ask(sight, "/kiosk")
		token = page.decode().split('name="csrf-token" content="')[1].split('"')[0]
		self._sight = sight
		self._headers = {"X-CSRF-Token": token, "Cookie": headers["Set-Cookie"].split(";")[0]}

	def post(self, path: str, body: Any) -> tuple[int, Any]:
		status, _headers, answer = ask(self._sight, path, "POST", body, self._headers)
		return status, json.loads(answer)


def test_a_choice(sight: Sight) -> None:
	hands = Hands(sight)
	assert hands.post(CHOICE, {"choice": "OUT"}) == (200, {"choice": "OUT", "seconds": 20.0})
	eventually(lambda: json.loads(ask(sight, "/api/v1/kiosk/status")[2])["choice"] == "OUT")
	assert hands.post(CHOICE, {"choice": ""})[0] == 200
	eventually(lambda: json.loads(ask(sight, "/api/v1/kiosk/status")[2])["choice"] == "")


@pytest.mark.parametrize("body", [{}, {"choice": "UP"}, {"choice": 7}, {"choice": "x" * 500}, [], "IN", None])
def test_what_is_no_choice(sight: Sight, body: Any) -> None:
	status, answer = Hands(sight).post(CHOICE, body)
	assert (status, answer["error"]) == ((415, "not_json") if body is None else (422, "bad_value"))


@pytest.mark.parametrize(
	"body", [{}, {"ticket": "1"}, {"ticket": 1, "secret": "1"}, {"ticket": "1", "secret": "1" * 65}, []]
)
def test_what_is_no_answer(sight: Sight, body: Any) -> None:
	status, answer = Hands(sight).post(ANSWER, body)
	assert (status, answer["error"]) == (422, "bad_value")


def test_an_answer_to_nothing(sight: Sight) -> None:
	answered = Hands(sight).post(ANSWER, {"ticket": "1", "secret": "1234"})
	assert answered == (200, {"answer": "no_such_ticket"})


def test_the_page_in_each_language(sight: Sight) -> None:
	for accepted, begins in (("de-AT,en;q=0.5", 'lang="de" dir="ltr"'), ("ar", 'lang="ar" dir="rtl"')):
		page = ask(sight, "/kiosk", headers={"Accept-Language": accepted})[2].decode()
		assert begins in page


def test_an_agent_without_a_camera_has_no_kiosk(tmp_path: Path) -> None:
	mapping = configuration(tmp_path, web={"enabled": True, "port": 0})
	without = {name: table for name, table in mapping.items() if name in ("agent", "web", "upstream")}
	from attendance_bridge.edge.agent import Agent
	from attendance_bridge.edge.settings import from_mapping

	agent = Agent(from_mapping(without))
	agent.start()
	try:
		assert agent.web is not None
		connection = http.client.HTTPConnection("127.0.0.1", agent.web.port, timeout=PATIENCE)
		connection.request("GET", "/kiosk")
		assert connection.getresponse().status == 404
		connection.close()
	finally:
		agent.close()
