"""What was sent and what was not; answers that trickle, swell, break off or never come."""

from __future__ import annotations

import contextlib
import gc
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.errors import Code, ConfigError, UpstreamError
from attendance_bridge.core.redact import Secret
from attendance_bridge.upstreams._frappe import client as client_module
from attendance_bridge.upstreams._frappe.client import AnswerLostError, Client, tls_context
from attendance_bridge.upstreams._frappe.pace import Pace
from attendance_bridge.upstreams.erpnext_rest.config import Config

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Wire:
	"""A server that says exactly the given bytes to each request, one script a connection."""

	def __init__(self, *scripts: Callable[[socket.socket], None]) -> None:
		self._listener = socket.create_server(("127.0.0.1", 0))
		self.port: int = self._listener.getsockname()[1]
		self.requests: list[bytes] = []
		self.ended = threading.Event()
		self._thread = threading.Thread(target=self._serve, args=(scripts,), daemon=True)
		self._thread.start()

	def _serve(self, scripts: tuple[Callable[[socket.socket], None], ...]) -> None:
		for script in scripts:
			with contextlib.suppress(OSError):
				connection, _address = self._listener.accept()
				with connection:
					connection.settimeout(10)
					script(connection)

	def answer(self, *replies: bytes) -> Callable[[socket.socket], None]:
		"""Read a request and send a reply, for each reply; then close."""

		def script(connection: socket.socket) -> None:
			for reply in replies:
				self.requests.append(read_request(connection))
				connection.sendall(reply)

		return script

	def close(self) -> None:
		self.ended.set()
		# Wakes a thread that still waits for a connection.
		with contextlib.suppress(OSError):
			socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
		self._thread.join(10)
		self._listener.close()


def read_request(connection: socket.socket) -> bytes:
	request = b""
	while b"\r\n\r\n" not in request:
		received = connection.recv(65536)
		if not received:
			return request
		request += received
	head, _, body = request.partition(b"\r\n\r\n")
	length = 0
	for line in head.split(b"\r\n"):
		if line.lower().startswith(b"content-length:"):
			length = int(line.split(b":")[1])
	while len(body) < length:
		body += connection.recv(65536)
	return head + b"\r\n\r\n" + body


def config(port: int, **changes: Any) -> Config:
	options: dict[str, Any] = {
		"url": f"http://127.0.0.1:{port}",
		"api_key": Secret("key"),
		"api_secret": Secret("secret"),
		"timezone": ZoneInfo("Asia/Dubai"),
		"timeout": 0.5,
		"connect_timeout": 5.0,
	}
	return Config(**{**options, **changes})


@contextlib.contextmanager
def connected(port: int, timer: Callable[[], float] = time.monotonic, **changes: Any) -> Iterator[Client]:
	options = config(port, **changes)
	client = Client(
		options,
		tls=tls_context(options),
		timer=timer,
		pace=Pace(0, timer=time.monotonic, sleep=time.sleep),
	)
	try:
		yield client
	finally:
		client.close()


@contextlib.contextmanager
def wire(*replies: bytes) -> Iterator[Wire]:
	"""One connection that gives these replies."""
	server = Wire.__new__(Wire)
	script = Wire.answer(server, *replies)
	Wire.__init__(server, script)
	try:
		yield server
	finally:
		server.close()


def lost_with(reply: bytes) -> UpstreamError:
	with wire(reply) as server, connected(server.port) as client, pytest.raises(AnswerLostError) as caught:
		client.post("/x", {})
	assert caught.value.retryable
	return caught.value


@pytest.mark.parametrize(
	("reply", "code"),
	[
		(b"", Code.CONNECTION_LOST),
		(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", Code.CONNECTION_LOST),
		(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", Code.CONNECTION_LOST),
		(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{", Code.CONNECTION_LOST),
		(b"SSH-2.0-OpenSSH_9.2\r\n", Code.GARBAGE),
		(b"\x00\x01\x02\r\n\r\n", Code.GARBAGE),
		(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", Code.GARBAGE),
		(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, Code.GARBAGE),
		(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n{}", Code.TOO_LARGE),
	],
)
def test_a_broken_answer_leaves_the_post_in_doubt(reply: bytes, code: Code) -> None:
	assert lost_with(reply).code is code


def test_a_swelling_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(client_module, "MAX_ANSWER_BYTES", 1000)
	chunk = b"3e8\r\n" + b"x" * 1000 + b"\r\n"
	endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 3
	assert lost_with(endless).code is Code.TOO_LARGE
	until_closed = b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 3000
	assert lost_with(until_closed).code is Code.TOO_LARGE


def test_a_chunk_that_announces_terabytes_takes_no_memory() -> None:
	assert (
		lost_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\nxx").code
		is Code.CONNECTION_LOST
	)


def test_an_answer_that_trickles_ends_at_the_deadline() -> None:
	def trickle(connection: socket.socket) -> None:
		read_request(connection)
		connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
		while not server.ended.wait(0.05):
			connection.sendall(b"x")

	server = Wire(trickle)
	try:
		began = time.monotonic()
		with connected(server.port) as client, pytest.raises(AnswerLostError) as caught:
			client.post("/x", {})
		assert caught.value.code is Code.TIMEOUT
		assert 0.4 < time.monotonic() - began < 3
	finally:
		server.close()


def test_a_deadline_that_passes_while_sending_is_a_time_out() -> None:
	moments = iter([0.0, 1000.0])
	with (
		wire(OK) as server,
		connected(server.port, timer=lambda: next(moments)) as client,
		pytest.raises(AnswerLostError) as caught,
	):
		client.post("/x", {})
	assert caught.value.code is Code.TIMEOUT


def test_a_refused_connection_was_not_sent() -> None:
	with socket.create_server(("127.0.0.1", 0)) as listener:
		port = listener.getsockname()[1]
	with connected(port) as client, pytest.raises(UpstreamError) as caught:
		client.post("/x", {})
	assert not isinstance(caught.value, AnswerLostError)
	assert caught.value.code is Code.UNREACHABLE


def test_a_failed_handshake_was_not_sent() -> None:
	server = Wire(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
	try:
		with (
			connected(server.port, url=f"https://127.0.0.1:{server.port}") as client,
			pytest.raises(UpstreamError) as caught,
		):
			client.post("/x", {})
		assert not isinstance(caught.value, AnswerLostError)
		assert (caught.value.code, caught.value.details["reason"]) == (Code.TLS_UNTRUSTED, "tls")
	finally:
		server.close()


def test_a_name_that_does_not_exist_was_not_sent() -> None:
	with connected(1, url="https://no-such-host.invalid") as client, pytest.raises(UpstreamError) as caught:
		client.post("/x", {})
	assert (caught.value.code, caught.value.details["reason"]) == (Code.UNREACHABLE, "name")


def test_a_connection_that_was_closed_while_idle_is_replaced_before_sending() -> None:
	server = Wire.__new__(Wire)
	closed = threading.Event()

	def answer_and_close(connection: socket.socket) -> None:
		Wire.answer(server, OK)(connection)
		connection.shutdown(socket.SHUT_RDWR)
		closed.set()

	Wire.__init__(server, answer_and_close, Wire.answer(server, OK))
	try:
		with connected(server.port) as client:
			assert client.post("/x", {"n": 1}).status == 200
			assert closed.wait(5)
			assert client.post("/x", {"n": 2}).status == 200
		assert len(server.requests) == 2
	finally:
		server.close()


def test_a_post_is_never_repeated_by_itself() -> None:
	server = Wire.__new__(Wire)

	def answer_one_and_drop_the_next(connection: socket.socket) -> None:
		Wire.answer(server, OK, b"")(connection)

	Wire.__init__(server, answer_one_and_drop_the_next, Wire.answer(server, OK))
	try:
		with connected(server.port) as client:
			client.post("/x", {"n": 1})
			with pytest.raises(AnswerLostError):
				client.post("/x", {"n": 2})
			assert client.post("/x", {"n": 3}).status == 200
		bodies = [request.partition(b"\r\n\r\n")[2] for request in server.requests]
		assert bodies == [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']
	finally:
		server.close()


def test_what_the_request_looks_like() -> None:
	with wire(OK) as server, connected(server.port, url=f"http://127.0.0.1:{server.port}/erp/") as client:
		client.get("/api/resource/Employee Checkin", {"filters": '[["a","=","ü&"]]'})
	head = server.requests[0].decode("ascii").split("\r\n")
	assert head[0] == (
		"GET /erp/api/resource/Employee%20Checkin?filters=%5B%5B%22a%22%2C%22%3D%22%2C%22%C3%BC%26%22%5D%5D"
		" HTTP/1.1"
	)
	assert "Authorization: token key:secret" in head
	assert "Accept: application/json" in head


def test_environment_variables_do_not_redirect_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
	monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
	with wire(OK) as server, connected(server.port) as client:
		assert client.get("/x", {}).status == 200


# Python 3.10 leaves the refused proxy's answer, and with it the socket, to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_proxy_is_asked_for_a_tunnel_and_sees_no_token() -> None:
	with wire(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as server:
		proxy = f"http://127.0.0.1:{server.port}"
		with (
			connected(1, url="https://erp.example.com", proxy=proxy) as client,
			pytest.raises(UpstreamError) as caught,
		):
			client.post("/x", {})
	assert caught.value.code is Code.UNREACHABLE
	assert server.requests[0].startswith(b"CONNECT erp.example.com:443 ")
	assert b"token" not in server.requests[0]
	del caught
	gc.collect()


def test_a_missing_file_of_authorities_is_a_configuration_error() -> None:
	with pytest.raises(ConfigError) as caught:
		tls_context(config(443, url="https://erp.example.com", ca_file="/no/such/file.pem"))
	assert caught.value.code is Code.UNREADABLE_FILE


def test_certificates_are_checked_unless_switched_off() -> None:
	checked = tls_context(config(443, url="https://erp.example.com"))
	assert checked is not None
	assert checked.check_hostname
	assert checked.verify_mode is ssl.CERT_REQUIRED
	unchecked = tls_context(config(443, url="https://erp.example.com", verify_tls=False))
	assert unchecked is not None
	assert unchecked.verify_mode is ssl.CERT_NONE
