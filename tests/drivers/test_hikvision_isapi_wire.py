"""The Hikvision driver's conversation, against small servers that misbehave in one way each."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Window
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.hikvision_isapi import Driver
from attendance_bridge.drivers.hikvision_isapi.config import Config
from attendance_bridge.drivers.hikvision_isapi.transport import MAX_BODY, Conversation

USER, PASSWORD = "admin", "geheim-471100"
ZONE = ZoneInfo("Asia/Dubai")
PRESENT = datetime(2026, 6, 1, 8, 0, tzinfo=timezone.utc)
DEVICE_INFO = (
	'<?xml version="1.0" encoding="UTF-8"?><DeviceInfo version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">'
	"<deviceName>Gate</deviceName><model>DS-K1T341</model><serialNumber>DS-K1T341-0001</serialNumber>"
	"<firmwareVersion>V3.3.8</firmwareVersion></DeviceInfo>"
)
LOCKED = "<userCheck><lockStatus>lock</lockStatus><unlockTime>1700</unlockTime></userCheck>"
TRIES_LEFT = "<userCheck><lockStatus>unlock</lockStatus><retryLoginTime>4</retryLoginTime></userCheck>"


class Terminal:
	"""A server that knows digest authentication; `respond` decides on what lies behind it."""

	def __init__(self, respond: Callable[[Handler], None]) -> None:
		self.respond = respond
		self.password = PASSWORD
		self.challenge = 'Digest qop="auth", realm="K1T", nonce="{nonce}", stale={stale}'
		self.refusal = ""
		"""Body of every 401, unless one of the next two stands in."""
		self.answer_to_wrong = ""
		self.user_check = ""
		self.credentialed: list[str] = []
		"""Authorization fields that came."""
		self.refused = 0
		self.requests: list[str] = []
		self.bodies: list[bytes] = []
		self.nonces = 0
		self.forgotten_nonces = 0
		"""Nonces up to this one are refused like a wrong password."""
		self.stale_answers = 0
		"""How many right answers are still called too old."""
		self.server = QuietServer(("127.0.0.1", 0), Handler)
		self.server.daemon_threads = False
		self.server.terminal = self  # type: ignore[attr-defined]
		self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

	@property
	def port(self) -> int:
		return int(self.server.server_address[1])

	def config(self, **options: Any) -> Config:
		wanted = {"host": "127.0.0.1", "port": self.port, "connect_timeout": 1.0, "timeout": 1.0}
		return Config(user=USER, password=Secret(PASSWORD), **(wanted | options))

	def driver(self, **options: Any) -> Driver:
		return Driver(self.config(**options), zone=ZONE, now=lambda: PRESENT)

	def admits(self, proof: str, method: str, uri: str) -> bool:
		given = dict(re.findall(r'(\w+)="?([^",]*)"?', proof))
		first = hashlib.md5(f"{USER}:K1T:{self.password}".encode()).hexdigest()
		second = hashlib.md5(f"{method}:{uri}".encode()).hexdigest()
		if int(given["nonce"]) <= self.forgotten_nonces:
			return False
		middle = f"{given['nonce']}:{given['nc']}:{given['cnonce']}:auth"
		return given["response"] == hashlib.md5(f"{first}:{middle}:{second}".encode()).hexdigest()


class QuietServer(ThreadingHTTPServer):
	def handle_error(self, request: Any, client_address: Any) -> None:
		"""Clients hang up on these servers: that is what is tested."""


class Handler(BaseHTTPRequestHandler):
	protocol_version = "HTTP/1.1"
	timeout = 5
	disable_nagle_algorithm = True

	@property
	def terminal(self) -> Terminal:
		return self.server.terminal  # type: ignore[attr-defined, no-any-return]

	def do_GET(self) -> None:
		terminal = self.terminal
		terminal.requests.append(f"{self.command} {self.path}")
		body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
		proof = self.headers.get("Authorization")
		if proof is None:
			self.ask_for_proof(stale=False)
			return
		terminal.credentialed.append(proof)
		if not terminal.admits(proof, self.command, self.path):
			terminal.refused += 1
			self.ask_for_proof(stale=False)
		elif terminal.stale_answers:
			terminal.stale_answers -= 1
			self.ask_for_proof(stale=True)
		else:
			terminal.bodies.append(body)
			terminal.respond(self)

	do_POST = do_GET  # noqa: N815  # the names that http.server wants
	do_PUT = do_GET  # noqa: N815

	def ask_for_proof(self, *, stale: bool) -> None:
		self.terminal.nonces += 1
		terminal = self.terminal
		challenge = terminal.challenge.format(nonce=terminal.nonces, stale=str(stale).lower())
		body = terminal.refusal
		if "Authorization" in self.headers:
			body = terminal.answer_to_wrong or body
		elif "userCheck" in self.path:
			body = terminal.user_check or body
		self.answer(body, 401, {"WWW-Authenticate": challenge})

	def answer(self, body: str | bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
		payload = body.encode() if isinstance(body, str) else body
		self.send_response(status)
		for name, value in ({"Content-Length": str(len(payload))} | (headers or {})).items():
			self.send_header(name, value)
		self.end_headers()
		self.wfile.write(payload)

	def log_message(self, format: str, *args: Any) -> None:
		pass

	def hang_up(self, *, reset: bool = False) -> None:
		if reset:
			self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
			self.connection.close()
		self.close_connection = True


@contextmanager
def serving(respond: Callable[[Handler], None]) -> Iterator[Terminal]:
	terminal = Terminal(respond)
	terminal.thread.start()
	try:
		yield terminal
	finally:
		terminal.server.shutdown()
		terminal.thread.join()
		terminal.server.server_close()


def fails(driver: Driver) -> DeviceError:
	with driver, pytest.raises(DeviceError) as caught:
		driver.identify()
	return caught.value


def device_info(handler: Handler) -> None:
	if "deviceInfo" in handler.path:
		handler.answer(DEVICE_INFO)
	else:
		handler.answer('{"statusCode":4,"subStatusCode":"notSupport"}', 403)


class TestPassword:
	def test_the_right_one(self) -> None:
		with serving(device_info) as terminal, terminal.driver() as driver:
			info = driver.identify()
		assert (info.serial, info.model, info.firmware, info.name) == (
			"DS-K1T341-0001",
			"DS-K1T341",
			"V3.3.8",
			"Gate",
		)
		assert (info.punches_held, info.punch_capacity) == (None, None)
		assert terminal.refused == 0

	def test_a_wrong_one_is_sent_once_in_a_conversation(self) -> None:
		with serving(device_info) as terminal:
			terminal.password = "another"
			terminal.refusal = TRIES_LEFT
			with terminal.driver() as driver:
				for act in (driver.identify, driver.read_clock, lambda: list(driver.fetch(START))):
					with pytest.raises(DeviceError) as caught:
						act()
					assert (caught.value.code, caught.value.retryable) == (Code.AUTH_FAILED, False)
					assert caught.value.details["attempts_left"] == 4
			asked = Counter(terminal.requests)
		assert len(terminal.credentialed) == 1
		assert asked["GET /ISAPI/System/deviceInfo"] == 2

	def test_the_nonce_is_kept_and_its_uses_are_counted(self) -> None:
		with serving(device_info) as terminal, terminal.driver() as driver:
			for _ in range(3):
				driver.identify()
		proofs = [dict(re.findall(r'(\w+)="?([^",]*)"?', proof)) for proof in terminal.credentialed]
		assert len(proofs) > 3
		assert [int(proof["nc"], 16) for proof in proofs] == list(range(1, len(proofs) + 1))
		assert {(proof["nonce"], proof["cnonce"]) for proof in proofs} == {("1", proofs[0]["cnonce"])}
		assert len(terminal.requests) == len(proofs) + 1

	def test_without_qop_every_request_has_its_own_nonce(self) -> None:
		with serving(device_info) as terminal, terminal.driver() as driver:
			terminal.challenge = 'Digest realm="K1T", nonce="{nonce}", stale={stale}'
			terminal.admits = lambda *given: True  # type: ignore[method-assign]
			driver.identify()
		nonces = [re.search(r'nonce="(\d+)"', proof) for proof in terminal.credentialed]
		assert len({nonce.group(1) for nonce in nonces if nonce}) == len(nonces) > 1

	def test_an_old_nonce_that_is_refused_like_a_wrong_password(self) -> None:
		"""The new challenge is answered, and nonces are kept again: it was good for more than one request."""
		with serving(device_info) as terminal, terminal.driver() as driver:
			driver.identify()
			driver.identify()
			terminal.forgotten_nonces = terminal.nonces
			assert driver.identify().serial == "DS-K1T341-0001"
			driver.identify()
		assert (terminal.refused, terminal.nonces) == (1, 2)

	def test_changed_in_mid_conversation_it_is_sent_twice(self) -> None:
		with serving(device_info) as terminal, terminal.driver() as driver:
			driver.identify()
			terminal.password = "another"
			for _ in range(3):
				with pytest.raises(DeviceError) as caught:
					driver.read_clock()
				assert caught.value.code is Code.AUTH_FAILED
		assert terminal.refused == 2, "with the kept nonce, and with the new one"

	def test_a_kept_nonce_and_its_successor_that_are_too_old_end_it(self) -> None:
		with serving(device_info) as terminal, terminal.driver() as driver:
			driver.identify()
			before, terminal.stale_answers = len(terminal.credentialed), 1000
			for _ in range(3):
				with pytest.raises(DeviceError) as caught:
					driver.identify()
				assert caught.value.code is Code.AUTH_FAILED
		assert len(terminal.credentialed) - before == 2

	def test_a_nonce_that_grew_old_is_no_wrong_password(self) -> None:
		with serving(device_info) as terminal, terminal.driver() as driver:
			terminal.stale_answers = 1
			assert driver.identify().serial == "DS-K1T341-0001"

	def test_nonces_that_are_always_too_old_end_it(self) -> None:
		with serving(device_info) as terminal:
			terminal.stale_answers = 1000
			assert fails(terminal.driver()).code is Code.AUTH_FAILED
		assert len(terminal.credentialed) == 2

	def test_a_lock_that_the_challenge_tells_of_costs_no_attempt(self) -> None:
		with serving(device_info) as terminal:
			terminal.refusal = LOCKED
			error = fails(terminal.driver())
		assert (error.code, error.retryable, error.details["unlock_seconds"]) == (Code.LOCKED_OUT, True, 1700)
		assert terminal.credentialed == []

	@pytest.mark.parametrize("told_by", ["the refusal", "userCheck alone"])
	def test_a_lock_that_follows_the_attempt(self, told_by: str) -> None:
		with serving(device_info) as terminal:
			terminal.password = "another"
			terminal.answer_to_wrong = LOCKED if told_by == "the refusal" else ""
			terminal.user_check = LOCKED
			error = fails(terminal.driver())
		assert (error.code, error.details["unlock_seconds"]) == (Code.LOCKED_OUT, 1700)
		assert len(terminal.credentialed) == 1

	def test_basic_is_never_answered(self) -> None:
		with serving(device_info) as terminal:
			terminal.challenge = 'Basic realm="{nonce}{stale}"'
			error = fails(terminal.driver())
		assert (error.code, error.retryable) == (Code.NOT_SUPPORTED, False)
		assert terminal.credentialed == []

	def test_nothing_of_it_is_shown(self, caplog: pytest.LogCaptureFixture) -> None:
		caplog.set_level(logging.DEBUG)
		with serving(device_info) as terminal:
			terminal.password = "another"
			driver = terminal.driver()
			error = fails(driver)
		shown = [
			repr(driver),
			repr(vars(driver)),
			repr(error),
			str(error),
			repr(error.__context__),
			caplog.text,
		]
		assert PASSWORD not in "".join(shown)
		assert terminal.credentialed[0] not in "".join(shown)


STATUSES: list[tuple[int, str, Code, bool]] = [
	(403, "", Code.FORBIDDEN, False),
	(403, "<html>no</html>", Code.FORBIDDEN, False),
	(503, "", Code.BUSY, True),
	(429, "", Code.BUSY, True),
	(500, "", Code.DEVICE_ERROR, True),
	(502, "<html/>", Code.DEVICE_ERROR, True),
	(200, '{"statusCode":2,"statusString":"Device Busy"}', Code.BUSY, True),
	(200, '{"statusCode":3,"subStatusCode":"deviceError"}', Code.DEVICE_ERROR, True),
	(400, '{"statusCode":6,"subStatusCode":"badParameters"}', Code.DEVICE_ERROR, False),
	(400, "<ResponseStatus><statusCode>4</statusCode></ResponseStatus>", Code.DEVICE_ERROR, False),
	(400, "<html>Bad Request</html>", Code.GARBAGE, False),
	(200, "<html>router</html>", Code.GARBAGE, False),
	(200, "", Code.GARBAGE, False),
	(200, "{}", Code.GARBAGE, False),
	(200, "<DeviceInfo", Code.GARBAGE, True),
	(200, "<DeviceInfo/>", Code.GARBAGE, False),
	(200, f"<DeviceInfo><serialNumber>{'9' * 65}</serialNumber></DeviceInfo>", Code.GARBAGE, False),
	(404, "<html>not here</html>", Code.GARBAGE, False),
	(302, "", Code.GARBAGE, False),
]


class TestAnswers:
	@pytest.mark.parametrize(("status", "body", "code", "retryable"), STATUSES)
	def test_the_code_of_an_answer(self, status: int, body: str, code: Code, retryable: bool) -> None:
		with serving(lambda handler: handler.answer(body, status, {"Location": "/elsewhere"})) as terminal:
			error = fails(terminal.driver())
		assert (error.code, error.retryable) == (code, retryable)
		assert not any("elsewhere" in request for request in terminal.requests)

	def test_an_unknown_call_is_not_supported(self) -> None:
		with serving(lambda handler: handler.answer("", 404)) as terminal:
			conversation = Conversation(terminal.config())
			with pytest.raises(DeviceError) as caught:
				conversation.ask_xml("GET", "/ISAPI/Unknown")
			conversation.close()
		assert caught.value.code is Code.NOT_SUPPORTED

	@pytest.mark.parametrize("length", [{"Content-Length": str(10**9)}, {"Transfer-Encoding": "chunked"}])
	@pytest.mark.parametrize("authenticated", [True, False])
	def test_an_endless_answer(self, length: dict[str, str], authenticated: bool) -> None:
		def pour(handler: Handler) -> None:
			handler.send_response(200)
			for name, value in length.items():
				handler.send_header(name, value)
			handler.end_headers()
			block = b"x" * 65536
			chunk = b"10000\r\n" + block + b"\r\n" if "Transfer-Encoding" in length else block
			try:
				for _ in range(MAX_BODY // 65536 + 100):
					handler.wfile.write(chunk)
			except OSError:
				pass
			handler.hang_up()

		with serving(pour) as terminal:
			if not authenticated:
				terminal.admits = lambda *given: True  # type: ignore[method-assign]
			assert fails(terminal.driver()).code is Code.TOO_LARGE

	def test_an_endless_challenge(self) -> None:
		with serving(device_info) as terminal:
			terminal.refusal = "x" * (2 * MAX_BODY)
			assert fails(terminal.driver()).code is Code.TOO_LARGE

	@pytest.mark.parametrize("reset", [False, True])
	@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<DeviceInfo>"])
	def test_hanging_up(self, sent: bytes, reset: bool) -> None:
		def hang_up(handler: Handler) -> None:
			handler.wfile.write(sent)
			handler.wfile.flush()
			handler.hang_up(reset=reset)

		with serving(hang_up) as terminal:
			error = fails(terminal.driver())
		assert (error.code, error.retryable) == (Code.CONNECTION_LOST, True)

	@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<DeviceInfo>"])
	def test_falling_silent(self, sent: bytes) -> None:
		over = threading.Event()

		def fall_silent(handler: Handler) -> None:
			handler.wfile.write(sent)
			handler.wfile.flush()
			over.wait(10)
			handler.hang_up()

		with serving(fall_silent) as terminal:
			try:
				error = fails(terminal.driver(timeout=0.2))
			finally:
				over.set()
		assert (error.code, error.retryable) == (Code.TIMEOUT, True)

	@pytest.mark.parametrize(
		"sent", [b"SSH-2.0-dropbear\r\n", b"\x16\x03\x01\x00", b"HTTP/1.1 abc OK\r\n\r\n"]
	)
	def test_another_protocol(self, sent: bytes) -> None:
		def say(handler: Handler) -> None:
			handler.wfile.write(sent)
			handler.hang_up()

		with serving(say) as terminal:
			error = fails(terminal.driver())
		assert (error.code, error.retryable) == (Code.GARBAGE, False)

	def test_nobody_there(self) -> None:
		with socket.socket() as free:
			free.bind(("127.0.0.1", 0))
			config = Config(
				host="127.0.0.1", port=free.getsockname()[1], user=USER, password=Secret(PASSWORD)
			)
			error = fails(Driver(config, zone=ZONE, now=lambda: PRESENT))
		assert (error.code, error.retryable) == (Code.UNREACHABLE, True)
		assert error.details["host"] == "127.0.0.1"

	def test_a_name_that_is_none(self) -> None:
		config = Config(host="terminal.invalid", user=USER, password=Secret(PASSWORD))
		assert fails(Driver(config, zone=ZONE, now=lambda: PRESENT)).code is Code.UNREACHABLE

	def test_proxies_of_the_environment_are_not_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
		for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
			monkeypatch.setenv(name, "http://127.0.0.1:9")
		with serving(device_info) as terminal, terminal.driver() as driver:
			assert driver.identify().serial == "DS-K1T341-0001"

	def test_closing_never_raises(self) -> None:
		with serving(device_info) as terminal:
			driver = terminal.driver()
			driver.close()
			driver.close()


class TestTls:
	@pytest.fixture
	def terminal(self, tmp_path: Path) -> Iterator[Terminal]:
		openssl = shutil.which("openssl")
		if openssl is None:
			pytest.skip("no openssl to make a certificate with")
		key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
		request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=terminal -keyout"
		made = [openssl, *request.split(), str(key), "-out", str(certificate)]
		subprocess.run(made, check=True, capture_output=True)
		context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		context.load_cert_chain(certificate, key)
		terminal = Terminal(device_info)
		terminal.server.socket = context.wrap_socket(terminal.server.socket, server_side=True)
		terminal.thread.start()
		yield terminal
		terminal.server.shutdown()
		terminal.thread.join()
		terminal.server.server_close()

	def test_a_certificate_of_nobody_is_refused(self, terminal: Terminal) -> None:
		error = fails(terminal.driver(https=True))
		assert (error.code, error.retryable) == (Code.TLS_UNTRUSTED, False)
		assert terminal.requests == []

	def test_unless_the_administrator_says_so(self, terminal: Terminal) -> None:
		with terminal.driver(https=True, verify_tls=False) as driver:
			assert driver.identify().serial == "DS-K1T341-0001"


class TestClock:
	def _serve(self, local_time: str, zone: str = "CST-8:00:00") -> Callable[[Handler], None]:
		body = (
			'<Time xmlns="http://www.hikvision.com/ver20/XMLSchema"><timeMode>NTP</timeMode>'
			f"<localTime>{local_time}</localTime><timeZone>{zone}</timeZone></Time>"
		)
		done = "<ResponseStatus><statusCode>1</statusCode></ResponseStatus>"
		return lambda handler: handler.answer(done if handler.command == "PUT" else body)

	@pytest.mark.parametrize(
		"text",
		[
			"2026-06-01T12:00:30+04:00",
			"2026-06-01T12:00:30",
			"2026-06-01T12:00:30+08:00",
			"2026-06-01T12:00:30Z",
		],
	)
	def test_the_wall_time_counts(self, text: str) -> None:
		with serving(self._serve(text)) as terminal, terminal.driver() as driver:
			reading = driver.read_clock()
		assert reading.taken_at == PRESENT
		assert reading.offset == timedelta(seconds=30)

	@pytest.mark.parametrize("text", ["", "now", "2026-02-30T00:00:00"])
	def test_no_time(self, text: str) -> None:
		with (
			serving(self._serve(text)) as terminal,
			terminal.driver() as driver,
			pytest.raises(DeviceError) as caught,
		):
			driver.read_clock()
		assert caught.value.code is Code.GARBAGE

	@pytest.mark.parametrize(
		("found", "zone", "written"),
		[
			("2026-06-01T03:00:00+08:00", "CST-8:00:00", "<localTime>2026-06-01T12:00:00+08:00</localTime>"),
			("2026-06-01T03:00:00", "CST-4:00:00&lt;x", "<localTime>2026-06-01T12:00:00</localTime>"),
			("2026-06-01T03:00:00", "", "<timeZone>CST-4:00:00</timeZone>"),
		],
	)
	def test_it_is_set_in_the_terminals_terms(self, found: str, zone: str, written: str) -> None:
		with serving(self._serve(found, zone)) as terminal, terminal.driver() as driver:
			driver.set_clock(PRESENT)
		body = terminal.bodies[-1].decode()
		assert terminal.requests[-1] == "PUT /ISAPI/System/time"
		assert written in body
		assert f"<timeZone>{zone or 'CST-4:00:00'}</timeZone>" in body
		assert 'xmlns="http://www.hikvision.com/ver20/XMLSchema"' in body
		assert "<timeMode>manual</timeMode>" in body

	def test_a_refusal(self) -> None:
		def refuse(handler: Handler) -> None:
			if handler.command == "PUT":
				handler.answer("<ResponseStatus><statusCode>6</statusCode></ResponseStatus>", 400)
			else:
				self._serve("2026-06-01T03:00:00")(handler)

		with serving(refuse) as terminal, terminal.driver() as driver, pytest.raises(DeviceError) as caught:
			driver.set_clock(PRESENT)
		assert caught.value.code is Code.DEVICE_ERROR


class TestCount:
	WINDOW = Window(start=datetime(2026, 6, 1, tzinfo=ZONE), end=datetime(2026, 6, 2, tzinfo=ZONE))

	def _count(
		self, by_minor: dict[int, int], *, opt: str = "1,38,75,104,21", **options: Any
	) -> tuple[Any, Terminal]:
		capabilities = {"AcsEvent": {"AcsEventCond": {"minorEvent": {"@opt": opt}}}}

		def respond(handler: Handler) -> None:
			if "AcsEvent/capabilities" in handler.path:
				handler.answer(json.dumps(capabilities))
			elif "AcsEventTotalNum" in handler.path:
				minor = json.loads(handler.terminal.bodies[-1])["AcsEventTotalNumCond"]["minor"]
				handler.answer(json.dumps({"AcsEventTotalNum": {"totalNum": by_minor.get(minor, 0)}}))
			else:
				device_info(handler)

		with serving(respond) as terminal, terminal.driver(**options) as driver:
			return driver.count(self.WINDOW), terminal

	def test_the_sum_of_what_counts_as_a_punch(self) -> None:
		total, terminal = self._count({0: 500, 1: 4, 38: 20, 75: 100, 104: 7, 21: 300})
		assert total == 124
		asked = [
			json.loads(body)["AcsEventTotalNumCond"] for body in terminal.bodies if b"TotalNumCond" in body
		]
		assert {condition["startTime"] for condition in asked} == {"2026-06-01T00:00:00+04:00"}
		assert {condition["endTime"] for condition in asked} == {"2026-06-01T23:59:59+04:00"}

	def test_only_the_chosen_minor(self) -> None:
		assert self._count({0: 500, 38: 20, 75: 100}, minor=38)[0] == 20

	def test_a_terminal_that_ignores_the_minor_has_no_count(self) -> None:
		assert self._count(dict.fromkeys(range(300), 500))[0] is None

	def test_a_terminal_that_cannot_count(self) -> None:
		with serving(device_info) as terminal, terminal.driver() as driver:
			assert driver.count(self.WINDOW) is None
