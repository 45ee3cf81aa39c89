"""The pages over a real socket, as a browser, a scraper and an attacker's page would ask for them."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.web import board
from attendance_bridge.edge.web.app import make_app
from attendance_bridge.edge.web.server import WebServer
from attendance_bridge.edge.web.streams import MAX_STREAMS
from attendance_bridge.stores.database import Database
from tests.edge.rig import PATIENCE, Edge, Running, eventually
from tests.edge.web.rig import make_services

HOSTILE = '<script>alert("1")</script>'


class Site:
	"""A served board whose facts a test makes up."""

	def __init__(self, database: Database, host: str = "127.0.0.1") -> None:
		self.facts: dict[str, Any] = {"count": 0}
		self.health: dict[str, Any] = {"ok": True}
		self.pulse = Pulse()
		self.host = host
		app = make_app(
			make_services(
				database,
				agent_name=HOSTILE,
				board=lambda: self.facts,
				health=lambda: self.health,
				pulse=self.pulse,
				trusted_hosts=[host, "localhost", "127.0.0.1"],
			)
		)
		self.server = WebServer(app, host=host, port=0, pulse=self.pulse)
		self.running = Running(self.server)
		self.running.start()

	def ask(
		self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None
	) -> tuple[int, Mapping[str, str], bytes]:
		connection = http.client.HTTPConnection(self.host, self.server.port, timeout=PATIENCE)
		try:
			connection.request(method, path, headers=dict(headers or {}))
			answer = connection.getresponse()
			return answer.status, dict(answer.headers), answer.read()
		finally:
			connection.close()


class Stream:
	"""A browser that watches."""

	def __init__(self, site: Site) -> None:
		self._connection = http.client.HTTPConnection(site.host, site.server.port, timeout=PATIENCE)
		self._connection.request("GET", "/events")
		self.answer = self._connection.getresponse()

	def __enter__(self) -> Stream:
		return self

	def __exit__(self, *exc_info: object) -> None:
		self.answer.close()
		self._connection.close()

	def next(self) -> list[str]:
		"""The lines of the next event; none once the stream has ended."""
		lines = []
		while (line := self.answer.readline().decode()) not in ("\n", ""):
			lines.append(line.rstrip("\n"))
		return lines

	def facts(self) -> Any:
		(data,) = [line for line in self.next() if line.startswith("data: ")]
		return json.loads(data.removeprefix("data: "))


@pytest.fixture
def site(edge: Edge) -> Iterator[Site]:
	before = set(threading.enumerate())
	served = Site(edge.database)
	yield served
	served.running.stop()
	eventually(lambda: set(threading.enumerate()) <= before, "no thread is left")


# pages


def test_the_page(site: Site) -> None:
	status, headers, body = site.ask("/")
	assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
	assert HOSTILE not in body.decode()
	assert "&lt;script&gt;alert" in body.decode()


@pytest.mark.parametrize(
	("name", "kind"),
	[("board.js", "text/javascript"), ("board.css", "text/css"), ("icon.svg", "image/svg+xml")],
)
def test_what_the_page_is_made_of(site: Site, name: str, kind: str) -> None:
	status, headers, body = site.ask(f"/static/{name}")
	assert (status, bool(body)) == (200, True)
	assert headers["Content-Type"].startswith(kind)
	assert f"/static/{name}" in site.ask("/")[2].decode()


def test_the_board_as_json(site: Site) -> None:
	# An id out of a damaged record is no Unicode.
	site.facts = {"name": HOSTILE, "id": "7\udcff", "person": "محمد"}
	status, headers, body = site.ask("/api/v1/board")
	assert (status, headers["Content-Type"]) == (200, "application/json")
	assert json.loads(body) == site.facts


def test_health(site: Site) -> None:
	assert site.ask("/healthz")[0] == 200
	site.health = {"ok": False, "workers": {"poller": "restarting"}}
	status, _headers, body = site.ask("/healthz")
	assert (status, json.loads(body)) == (503, site.health)


def test_metrics(site: Site) -> None:
	status, headers, _body = site.ask("/metrics")
	assert status == 200
	assert headers["Content-Type"].startswith("text/plain")


def test_what_is_not_there(site: Site) -> None:
	status, headers, body = site.ask(f"/{'x' * 500}")
	assert (status, headers["Content-Type"]) == (404, "application/json")
	assert json.loads(body) == {"error": "not_found", "path": f"/{'x' * 199}"}
	assert site.ask("/static/../pages.py")[0] == 404
	assert site.ask("/static/%2e%2e/pages.py")[0] == 404


@pytest.mark.parametrize("path", ["/", "/api/v1/board", "/events", "/healthz", "/metrics"])
def test_nothing_can_be_changed(site: Site, path: str) -> None:
	methods = ("POST", "PUT", "PATCH", "DELETE")
	assert {method: site.ask(path, method)[0] for method in methods} == dict.fromkeys(methods, 405)


@pytest.mark.parametrize(
	"path", ["/", "/api/v1/board", "/healthz", "/metrics", "/nowhere", "/static/board.js"]
)
def test_every_answer_is_fenced_in(site: Site, path: str) -> None:
	_status, headers, _body = site.ask(path)
	policy = headers["Content-Security-Policy"]
	assert "default-src 'self'" in policy
	assert "frame-ancestors 'none'" in policy
	assert "unsafe" not in policy
	assert headers["X-Content-Type-Options"] == "nosniff"
	assert headers["Referrer-Policy"] == "same-origin"
	assert headers["Cache-Control"] in ("no-store", "no-cache")
	assert headers["Server"] == "agent"
	assert "Set-Cookie" not in headers
	assert "Access-Control-Allow-Origin" not in headers


# whose page it is


@pytest.mark.parametrize(
	"host",
	[
		"evil.example",
		"evil.example:8377",
		"127.0.0.1.evil.example",
		"localhost.evil.example",
		"evil@127.0.0.1",
		"127.0.0.1@evil.example",
		"127.0.0.1:80:80",
		"[127.0.0.1]x",
		"127.0.0.1 evil.example",
		"[::1",
		"",
	],
)
def test_a_name_of_elsewhere_that_points_here_gets_nothing(site: Site, host: str) -> None:
	for path in ("/", "/api/v1/board", "/events", "/metrics", "/static/board.js", "/nowhere"):
		status, _headers, body = site.ask(path, headers={"Host": host})
		assert status == 400, path
		assert b"count" not in body, path


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "localhost", "LOCALHOST:8377"])
def test_its_own_names(site: Site, host: str) -> None:
	assert site.ask("/api/v1/board", headers={"Host": host})[0] == 200


def test_an_ipv6_address_is_a_name_too(edge: Edge) -> None:
	try:
		served = Site(edge.database, "::1")
	except OSError:
		pytest.skip("this machine has no IPv6")
	try:
		assert served.server.address == f"http://[::1]:{served.server.port}/"
		assert served.ask("/")[0] == 200
		assert served.ask("/", headers={"Host": "[::2]"})[0] == 400
	finally:
		served.running.stop()


# streams


def test_a_stream_shows_the_board_at_once_and_after_every_change(site: Site) -> None:
	with Stream(site) as stream:
		assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
		assert stream.next() == ["retry: 2000", "event: board", 'data: {"count": 0}']
		for count in (1, 2, 3):
			site.facts = {"count": count}
			site.pulse.beat()
			assert stream.next() == ["event: board", f'data: {{"count": {count}}}']


def test_beats_close_together_are_drawn_together(site: Site) -> None:
	with Stream(site) as stream:
		stream.facts()
		for count in range(1, 50):
			site.facts = {"count": count}
			site.pulse.beat()
		drawn = [stream.facts()["count"]]
		while drawn[-1] != 49:
			drawn.append(stream.facts()["count"])
	assert len(drawn) < 10, "two or three, as long as it takes to beat so often"


def test_a_line_break_in_a_name_does_not_end_an_event(site: Site) -> None:
	site.facts = {"name": "a\n\ndata: b\r\u2028"}
	with Stream(site) as stream:
		assert stream.facts() == site.facts


def test_a_quiet_stream_is_kept_alive(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(board, "HEARTBEAT_SECONDS", 0.05)
	with Stream(site) as stream:
		stream.facts()
		assert stream.next() == [": quiet"]


def test_a_stream_ends_with_the_agent(site: Site) -> None:
	with Stream(site) as stream:
		stream.facts()
		assert site.running.stop() < 3
		while stream.next():
			pass
		assert stream.answer.readline() == b""


def test_streams_are_limited_and_the_rest_is_served_all_the_same(
	site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(board, "HEARTBEAT_SECONDS", 0.05)
	with ExitStack() as stack:
		for _ in range(MAX_STREAMS):
			stack.enter_context(Stream(site)).facts()
		status, headers, body = site.ask("/events")
		assert (status, headers["Retry-After"], body) == (503, "5", b"too many open pages\n")
		assert site.ask("/api/v1/board")[0] == 200
	# They have gone: there is room again.
	eventually(lambda: _gets_a_stream(site))


def _gets_a_stream(site: Site) -> bool:
	with Stream(site) as stream:
		return stream.answer.status == 200


def test_asking_only_for_the_head_of_a_stream_takes_no_place(site: Site) -> None:
	for _ in range(MAX_STREAMS + 3):
		assert site.ask("/events", "HEAD")[0] == 200


# the server


def test_a_taken_port_is_an_error_at_once(site: Site, edge: Edge) -> None:
	app = make_app(make_services(edge.database))
	with pytest.raises(OSError, match=r"in use"):
		WebServer(app, host="127.0.0.1", port=site.server.port, pulse=Pulse())


def test_closing_twice_is_harmless(site: Site) -> None:
	assert site.running.stop() < 3
	site.server.close()
