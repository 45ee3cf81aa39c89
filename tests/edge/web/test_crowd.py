"""Nobody takes all of the server: not by many connections, nor by saying little slowly, nor by streams."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from attendance_bridge.edge.web import crowd, server, streams
from attendance_bridge.edge.web.access.scopes import Caller
from attendance_bridge.edge.web.crowd import MOST_BUSY, MOST_CONNECTIONS, Crowd
from attendance_bridge.edge.web.server import THREADS, WebServer
from attendance_bridge.edge.web.streams import MAX_STREAMS, MOST_ELSEWHERE, MOST_OF_ONE, Streams
from tests.edge.rig import PATIENCE, Edge, Running, eventually
from tests.edge.web.rig import Office
from tests.edge.web.test_server import QUICK, Served

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
"""Another address of this machine passes for another machine: see `strangers`."""


@pytest.fixture
def plain(edge: Edge) -> Iterator[WebServer]:
	"""Without TLS, so that a test decides about every byte."""
	office = Office(edge)
	made = WebServer(office.app, host=HERE, port=0, pulse=office.services.pulse)
	running = Running(made)
	running.start()
	yield made
	assert running.stop() < QUICK


@pytest.fixture
def served(edge: Edge, tmp_path: Path) -> Iterator[Served]:
	made = Served(edge, tmp_path)
	yield made
	assert made.running.stop() < QUICK


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(crowd, "is_of_this_machine", lambda address: address == HERE)


def connect(port: int, address: str = HERE) -> socket.socket:
	return socket.create_connection((HERE, port), PATIENCE, source_address=(address, 0))


def ask(port: int, address: str = HERE, path: str = "/healthz") -> tuple[int, float]:
	"""The status, and the seconds that it took."""
	began = time.monotonic()
	connection = http.client.HTTPConnection(HERE, port, timeout=PATIENCE, source_address=(address, 0))
	try:
		connection.request("GET", path)
		answer = connection.getresponse()
		answer.read()
		return answer.status, time.monotonic() - began
	finally:
		connection.close()


def is_ended(client: socket.socket) -> bool:
	"""Whether the other side lets go within QUICK."""
	client.settimeout(QUICK)
	try:
		while client.recv(4096):
			pass
	except ConnectionError:
		return True
	except TimeoutError:
		return False
	return True


# slowly


def trickle(client: socket.socket, stop: threading.Event) -> None:
	"""A byte now and then, often enough never to be taken for silent."""
	while not stop.wait(0.1):
		try:
			client.sendall(b"x")
		except OSError:
			return


@pytest.mark.parametrize(
	"begins",
	[
		pytest.param(b"GET /healthz?", id="head"),
		pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ", id="header"),
		pytest.param(
			b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n"
			b"Content-Type: application/x-www-form-urlencoded\r\n\r\n",
			id="body",
		),
		pytest.param(
			b"POST /api/v1/punches HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n",
			id="a-body-that-nobody-wants",
		),
	],
)
def test_who_says_a_byte_now_and_then_is_not_listened_to_for_ever(
	plain: WebServer, monkeypatch: pytest.MonkeyPatch, begins: bytes
) -> None:
	monkeypatch.setattr(server, "HEAD_SECONDS", 1.0)
	monkeypatch.setattr(server, "BODY_SECONDS", 1.0)
	stop = threading.Event()
	with ExitStack() as stack:
		stack.callback(stop.set)
		slow = [stack.enter_context(connect(plain.port)) for _ in range(2 * THREADS)]
		for client in slow:
			client.sendall(begins)
			threading.Thread(target=trickle, args=(client, stop), daemon=True).start()
		time.sleep(0.5)
		status, seconds = ask(plain.port)
		assert status == 200
		assert seconds < 2 * QUICK
		assert all(is_ended(client) for client in slow)


def test_a_handshake_that_never_ends_is_ended(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(server, "HEAD_SECONDS", 1.0)
	stop = threading.Event()
	with ExitStack() as stack:
		stack.callback(stop.set)
		slow = [stack.enter_context(connect(served.server.port)) for _ in range(THREADS)]
		for client in slow:
			client.sendall(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03")  # a hello of 16 KB begins
			threading.Thread(target=trickle, args=(client, stop), daemon=True).start()
		time.sleep(0.5)
		status, seconds = served.ask("/healthz")
		assert status == 200
		assert seconds < 2 * QUICK


def test_an_answer_may_take_longer_than_a_question(plain: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
	monkeypatch.setattr(server, "BODY_SECONDS", 0.3)
	connection = http.client.HTTPConnection(HERE, plain.port, timeout=PATIENCE)
	connection.request("GET", "/events")
	answer = connection.getresponse()
	assert answer.readline().startswith(b"retry")
	time.sleep(2.0)  # the server has looked several times by now
	plain._pulse.beat()
	while (line := answer.readline()) and not line.startswith(b"event"):
		pass
	assert line == b"event: board\n"
	connection.close()


def test_a_body_without_a_length_is_refused(plain: WebServer) -> None:
	with connect(plain.port) as client:
		head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
		client.sendall(head + b"1" * 10_000)
		assert client.recv(4096).startswith(b"HTTP/1.1 411")
		assert is_ended(client)


@pytest.mark.parametrize("length", ["-5", "5, 50", "x", "", "٣"])
def test_a_length_that_is_none_is_refused_in_a_line(
	plain: WebServer, length: str, caplog: pytest.LogCaptureFixture
) -> None:
	with connect(plain.port) as client:
		head = f"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\nhello"
		client.sendall(head.encode())
		assert client.recv(4096).startswith(b"HTTP/1.1 400")
		assert is_ended(client)
	assert "Traceback" not in caplog.text


def test_who_sends_too_much_is_told_so(plain: WebServer) -> None:
	connection = http.client.HTTPConnection(HERE, plain.port, timeout=PATIENCE)
	head = {"Content-Type": "application/x-www-form-urlencoded"}
	connection.request("POST", "/login", b"x" * 15_000_000, head)
	answer = connection.getresponse()
	assert (answer.status, json.loads(answer.read())) == (413, {"error": "too_large"})
	connection.close()


@pytest.mark.parametrize("size", [1_000_000, 15_000_000])
def test_a_body_that_nobody_wants_is_answered_all_the_same(plain: WebServer, size: int) -> None:
	connection = http.client.HTTPConnection(HERE, plain.port, timeout=PATIENCE)
	for _ in range(2):
		connection.request("POST", "/api/v1/punches", b"x" * size)
		answer = connection.getresponse()
		answer.read()
		assert answer.status == 405
	connection.close()


def test_a_body_that_is_too_large_is_refused_before_it_comes(plain: WebServer) -> None:
	with connect(plain.port) as client:
		client.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n")
		assert client.recv(4096).startswith(b"HTTP/1.1 413")


# many


def test_connections_of_one_address_are_limited(plain: WebServer, strangers: None) -> None:
	with ExitStack() as stack:
		many = [stack.enter_context(connect(plain.port, ELSEWHERE)) for _ in range(2 * MOST_CONNECTIONS)]
		eventually(lambda: sum(_is_closed(client) for client in many) == MOST_CONNECTIONS)
		assert ask(plain.port, "127.0.0.3")[0] == 200
		assert ask(plain.port)[0] == 200
	eventually(lambda: _answers(plain.port, ELSEWHERE))


def _is_closed(client: socket.socket) -> bool:
	client.setblocking(False)
	try:
		return client.recv(1) == b""
	except BlockingIOError:
		return False
	except ConnectionError:
		return True


def _answers(port: int, address: str) -> bool:
	try:
		return ask(port, address)[0] == 200
	except (ConnectionError, http.client.HTTPException):
		return False


def test_threads_of_one_address_are_limited(plain: WebServer, strangers: None) -> None:
	with ExitStack() as stack:
		for _ in range(MOST_CONNECTIONS):
			stack.enter_context(connect(plain.port, ELSEWHERE)).sendall(b"GET /healthz?")
		time.sleep(0.5)
		for address in ("127.0.0.3", HERE):
			status, seconds = ask(plain.port, address)
			assert status == 200
			assert seconds < QUICK
	eventually(lambda: _answers(plain.port, ELSEWHERE))


def test_a_crowd_is_counted_down_again() -> None:
	counted = Crowd(threads=18)
	assert [counted.begin("192.0.2.1") for _ in range(MOST_BUSY + 1)] == [True] * MOST_BUSY + [False]
	assert [counted.begin("192.0.2.2") for _ in range(5)] == [True] * 4 + [False]
	assert all(counted.begin(HERE) for _ in range(99))
	counted.end("192.0.2.1")
	assert counted.begin("192.0.2.2")
	for _ in range(99):
		counted.end("192.0.2.1")
	assert counted.begin("192.0.2.1")


# streams


def test_streams_keep_room_for_this_machine_and_for_others() -> None:
	shared, here = Streams(), Caller(address=HERE, is_here=True)
	one, other = (Caller(who=name, address="192.0.2.1") for name in ("one", "other"))
	assert [shared.take(one) for _ in range(MOST_OF_ONE + 1)] == [True] * MOST_OF_ONE + [False]
	left = MOST_ELSEWHERE - MOST_OF_ONE
	assert [shared.take(other) for _ in range(left + 1)] == [True] * left + [False]
	left = MAX_STREAMS - MOST_ELSEWHERE
	assert [shared.take(here) for _ in range(left + 1)] == [True] * left + [False]
	shared.release(one)
	assert shared.take(here)
	assert not shared.take(one)
	shared.release(here)
	assert shared.take(other)


def test_a_machine_that_is_gone_holds_its_stream_not_for_long(plain: WebServer) -> None:
	with connect(plain.port) as client:
		client.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		client.recv(1)
		accepted = next(iter(plain._server.watched)).socket
		assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == server.GONE_MS
	assert streams.MAX_STREAMS < THREADS
