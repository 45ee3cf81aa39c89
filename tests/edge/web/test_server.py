"""The server over real sockets: TLS, connections that say nothing, streams that last."""

from __future__ import annotations

import functools
import http.client
import itertools
import logging
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.edge import settings
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.certificates import make_certificate, read_certificate
from attendance_bridge.edge.moments import utc_now
from attendance_bridge.edge.receiver.server import ReceiverServer
from attendance_bridge.edge.web import server as web_server
from attendance_bridge.edge.web.server import THREADS, WebServer
from attendance_bridge.edge.web.streams import MAX_STREAMS
from tests.edge.rig import MORNING, PATIENCE, Edge, Running, eventually, running
from tests.edge.web.rig import Office
from tests.steps import at_step

QUICK = 3.0
"""Seconds within which somebody is answered although others keep the server busy."""


class Served:
	def __init__(self, edge: Edge, folder: Path) -> None:
		self.certificate, key = folder / "cert.pem", folder / "key.pem"
		# The clock of the connection is the machine's own.
		make_certificate(self.certificate, key, ["edge.local", "192.0.2.1"], now=utc_now())
		office = Office(edge)
		self.server = WebServer(
			office.app,
			host="127.0.0.1",
			port=0,
			pulse=office.services.pulse,
			certificate=self.certificate,
			key=key,
		)
		self.context = ssl.create_default_context(cafile=str(self.certificate))
		self.running = Running(self.server)
		self.running.start()

	def connect(self, path: str) -> http.client.HTTPSConnection:
		connection = http.client.HTTPSConnection(
			"localhost", self.server.port, timeout=PATIENCE, context=self.context
		)
		connection.request("GET", path)
		return connection

	def ask(self, path: str) -> tuple[int, float]:
		"""The status, and the seconds that it took."""
		began = time.monotonic()
		connection = self.connect(path)
		try:
			answer = connection.getresponse()
			answer.read()
			return answer.status, time.monotonic() - began
		finally:
			connection.close()


@pytest.fixture
def served(edge: Edge, tmp_path: Path) -> Iterator[Served]:
	made = Served(edge, tmp_path)
	yield made
	assert made.running.stop() < QUICK


def test_it_speaks_tls_with_the_certificate_that_was_made(served: Served) -> None:
	assert served.server.address == f"https://127.0.0.1:{served.server.port}/"
	assert served.ask("/healthz")[0] == 200
	with pytest.raises(ssl.SSLCertVerificationError):
		http.client.HTTPSConnection("127.0.0.1", served.server.port, timeout=PATIENCE).request("GET", "/")


def test_old_tls_is_refused(served: Served) -> None:
	old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
	old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
	with pytest.warns(DeprecationWarning, match="TLS"):
		old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
	with (
		socket.create_connection(("127.0.0.1", served.server.port), PATIENCE) as plain,
		pytest.raises(ssl.SSLError),
	):
		old.wrap_socket(plain)


def test_who_connects_and_says_nothing_keeps_nobody_waiting(served: Served) -> None:
	with ExitStack() as stack:
		for _ in range(3 * THREADS):
			stack.enter_context(socket.create_connection(("127.0.0.1", served.server.port), PATIENCE))
		status, seconds = served.ask("/healthz")
	assert status == 200
	assert seconds < QUICK


def test_who_speaks_no_tls_keeps_nobody_waiting(served: Served) -> None:
	with ExitStack() as stack:
		for _ in range(3 * THREADS):
			client = stack.enter_context(
				socket.create_connection(("127.0.0.1", served.server.port), PATIENCE)
			)
			client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		status, seconds = served.ask("/healthz")
	assert status == 200
	assert seconds < QUICK


def test_streams_leave_room_for_the_rest(served: Served) -> None:
	streams = [served.connect("/events") for _ in range(MAX_STREAMS)]
	try:
		assert [stream.getresponse().status for stream in streams] == [200] * MAX_STREAMS
		assert served.ask("/events")[0] == 503
		for path in ("/healthz", "/", "/api/v1/board", "/static/app.css"):
			status, seconds = served.ask(path)
			assert status == 200
			assert seconds < QUICK
	finally:
		for stream in streams:
			stream.close()


@pytest.mark.parametrize("politely", [True, False])
def test_who_leaves_in_the_middle_leaves_nothing_in_the_log(
	served: Served, caplog: pytest.LogCaptureFixture, politely: bool
) -> None:
	for _ in range(3):
		with socket.create_connection(("127.0.0.1", served.server.port), PATIENCE) as plain:
			client = served.context.wrap_socket(plain, server_hostname="localhost")
			client.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
			assert client.recv(4096).startswith(b"HTTP/1.1 200")
			if politely:
				client.settimeout(0.2)
				with suppress(OSError):
					client.unwrap()
			client.close()
		for _beat in range(4):
			served.server._pulse.beat()
			time.sleep(0.3)
	assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
	assert served.ask("/healthz")[0] == 200


# what several threads do at a time


def test_whoever_has_said_what_they_want_may_be_looked_at_in_that_moment() -> None:
	spoken = 0
	for step in itertools.count(1):
		request = object.__new__(web_server._Request)
		request.rfile = SimpleNamespace(remaining=1)
		connection = object.__new__(web_server._Connection)
		connection.listen_until(-1.0, request)
		before = sys.gettrace()
		sys.settrace(at_step(step, functools.partial(connection.listen_until, None)))
		try:
			assert connection.is_slow in (True, False)
		finally:
			sys.settrace(before)
		if connection.listened_until is not None:
			break  # it was through before that step
		spoken += 1
	assert spoken > 10


@pytest.mark.parametrize("kind", ["pages", "terminals"])
def test_a_connection_that_is_put_back_when_the_server_has_just_ended_is_ended(edge: Edge, kind: str) -> None:
	office = Office(edge)
	made = (
		WebServer(office.app, host="127.0.0.1", port=0, pulse=office.services.pulse)
		if kind == "pages"
		else ReceiverServer(office.app, host="127.0.0.1", port=0, threads=1)
	)
	inner: Any = made._server
	ours, theirs = socket.socketpair()
	with theirs:
		connection = inner.ConnectionClass(inner, ours)
		inner._connections.close()
		assert inner.ready  # as a thread has just been told
		inner.put_conn(connection)
		assert theirs.recv(1) == b""
	made.close()


def test_a_server_that_fails_lets_go_of_its_streams_and_serves_again(
	served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
	stream = served.connect("/events")
	assert stream.getresponse().status == 200

	def fails() -> None:
		raise RuntimeError("as never seen before")

	monkeypatch.setattr(served.server._server, "end_slow", fails)

	def has_ended() -> bool:
		served.server._pulse.beat()  # a stream finds out when it has something to say
		return served.running.has_ended()

	eventually(has_ended)
	assert isinstance(served.running.error, RuntimeError)
	monkeypatch.undo()
	stream.close()

	def answers() -> bool:
		with suppress(ConnectionRefusedError):  # it has not come to its port yet
			return served.ask("/healthz")[0] == 200
		return False

	with running(served.server):
		eventually(answers)


# certificates


def test_a_certificate_is_good_for_its_names_and_its_key_is_the_owners(tmp_path: Path) -> None:
	made = make_certificate(tmp_path / "c.pem", tmp_path / "k.pem", ["edge.local", "192.0.2.1"], now=MORNING)
	assert made == read_certificate(tmp_path / "c.pem")
	assert made.names[:1] == ("edge.local",)
	assert {"192.0.2.1", "localhost", "127.0.0.1"} <= set(made.names)
	assert (tmp_path / "k.pem").stat().st_mode & 0o777 == 0o600
	with pytest.raises(ConfigError) as caught:
		make_certificate(tmp_path / "c2.pem", tmp_path / "k.pem", ["x"], now=MORNING)
	assert caught.value.code is Code.UNREADABLE_FILE
	assert not (tmp_path / "c2.pem").exists()


# what may be configured


def configured(folder: Path, **web: object) -> settings.Settings:
	return settings.from_mapping({"agent": {"database": str(folder / "a.db")}, "web": {"port": 0, **web}})


@pytest.mark.parametrize(
	("web", "path"),
	[
		({"host": "0.0.0.0"}, "web.host"),
		({"host": "edge.example.com"}, "web.host"),
		({"tls_cert": "c.pem"}, "web.tls_key"),
		({"tls_key": "k.pem"}, "web.tls_cert"),
		({"names": "a/b"}, "web.names"),
	],
)
def test_pages_for_others_need_tls(tmp_path: Path, web: dict[str, object], path: str) -> None:
	with pytest.raises(ConfigError) as caught:
		configured(tmp_path, **web)
	assert caught.value.details["path"] == path


def test_pages_for_others_need_an_account(tmp_path: Path) -> None:
	certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
	make_certificate(certificate, key, ["edge.local"], now=utc_now())
	chosen = configured(tmp_path, host="0.0.0.0", tls_cert=str(certificate), tls_key=str(key))
	with pytest.raises(ConfigError) as caught:
		Agent(chosen)
	assert caught.value.details["path"] == "web.host"
	assert "user add" in str(caught.value.details["expected"])


def test_key_and_certificate_that_are_no_pair(tmp_path: Path) -> None:
	make_certificate(tmp_path / "c.pem", tmp_path / "k.pem", ["a"], now=MORNING)
	make_certificate(tmp_path / "c2.pem", tmp_path / "k2.pem", ["a"], now=MORNING)
	chosen = configured(tmp_path, tls_cert=str(tmp_path / "c.pem"), tls_key=str(tmp_path / "k2.pem"))
	with pytest.raises(ConfigError) as caught:
		Agent(chosen)
	assert caught.value.details["path"] == "web.tls_cert"
