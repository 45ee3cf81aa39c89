"""Plays a recording to the real driver: it stands where the socket or the HTTP connection would be.

The driver has to ask what it asked when it was recorded, in that order; what differs every time (search ids,
proofs of passwords) is not compared. A time-out comes at once.
"""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn
from unittest import mock
from zoneinfo import ZoneInfo

import urllib3

from attendance_bridge import drivers
from attendance_bridge.core import config as configuration
from attendance_bridge.core.driver import Driver
from attendance_bridge.core.recording import STOPPED, Recording, Step, Tape, interview
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.hikvision_isapi.transport import MAX_BODY
from attendance_bridge.drivers.zkteco_tcp import session
from attendance_bridge.drivers.zkteco_tcp.channel import TcpChannel, UdpChannel, unreachable

_CONNECT_AUTH, _EXIT = "AUTH", "EXIT"


class Script:
	"""What is still to come, and the first thing that went otherwise."""

	def __init__(self, exchanges: tuple[dict[str, Any], ...]) -> None:
		self._exchanges = exchanges
		self._place = 0
		self.complaint = ""

	@property
	def at_end(self) -> bool:
		rest = self._exchanges[self._place :]
		return not rest or rest[0].get("command") == _EXIT

	@property
	def following(self) -> Mapping[str, Any]:
		return self._exchanges[self._place] if self._place < len(self._exchanges) else {}

	def take(self) -> Mapping[str, Any]:
		exchange = self.following
		self._place += 1
		return exchange

	def complain(self, about: str) -> NoReturn:
		"""Drivers catch what libraries raise, so it is kept too."""
		self.complaint = self.complaint or f"exchange {self._place}: {about}"
		raise AssertionError(self.complaint)


def replay(recording: Recording) -> list[Step]:
	"""What the driver makes of a recording today.

	:raises AssertionError: the driver asked something else than when it was recorded.
	"""
	script = Script(recording.exchanges)
	is_stopped = recording.expected[-1:] == ({"ask": STOPPED},)
	with _driver(recording, script) as driver:
		steps = interview(
			driver,
			recording.asked_window(),
			recording.limits,
			stop=(lambda: script.at_end) if is_stopped else (lambda: False),
		)
	assert not script.complaint
	return json.loads(json.dumps(steps))  # as they stand in a file


@contextmanager
def _driver(recording: Recording, script: Script) -> Iterator[Driver]:
	driver_class: Any = drivers.load(recording.driver)
	options: dict[str, Any] = {**recording.options}
	options |= {name: Secret("1") for name in recording.secrets}
	config = configuration.parse(driver_class.spec.config, options, secrets=lambda kind, name: "")
	present = datetime.fromisoformat(recording.recorded_at)
	driver = driver_class(config, zone=ZoneInfo(recording.time_zone), now=lambda: present)
	driver.overhear(Tape(recording.limits))
	with _STAND_INS[recording.driver](driver, script), driver:
		yield driver


# --- HTTP


class _Terminal:
	"""Stands where the connection pools of the conversation are."""

	def __init__(self, script: Script) -> None:
		self._script = script

	def connection_from_url(self, _url: str) -> _Terminal:
		return self

	def clear(self) -> None:
		pass

	def urlopen(
		self, method: str, path: str, *, body: bytes | None, headers: Mapping[str, str], **_options: Any
	) -> urllib3.HTTPResponse:
		exchange = self._script.take()
		asked = (method, path, "Authorization" in headers, _plain(body))
		if not exchange:
			self._script.complain(f"{asked[:2]} is not in the recording")
		recorded = exchange["path"] + ("?" + exchange["query"] if exchange["query"] else "")
		told = (exchange["method"], recorded, exchange["with_credentials"], _plain(exchange.get("question")))
		if asked != told:
			self._script.complain(f"asked {asked}, recorded {told}")
		if "error" in exchange:
			return self._fail(exchange["error"])
		answer = (
			exchange["answer"].encode() if "answer" in exchange else bytes.fromhex(exchange["answer_hex"])
		)
		return self._answer(exchange["status"], exchange["headers"], answer)

	def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> urllib3.HTTPResponse:
		return urllib3.HTTPResponse(
			body=io.BytesIO(body), status=status, headers=dict(headers), preload_content=False
		)

	def _fail(self, code: str) -> urllib3.HTTPResponse:
		if code == "too_large":
			return self._answer(200, {}, b" " * (MAX_BODY + 1))
		raise {
			"timeout": TimeoutError(),
			"unreachable": urllib3.exceptions.ConnectTimeoutError(),
			"tls_untrusted": urllib3.exceptions.SSLError(),
			"connection_lost": ConnectionResetError(),
		}.get(code, urllib3.exceptions.DecodeError())


def _plain(body: bytes | str | None) -> object:
	if body is None:
		return None
	text = body.decode() if isinstance(body, bytes) else body
	try:
		question = json.loads(text)
	except ValueError:
		return text
	for condition in question.values():
		condition.pop("searchID", None)
	return question


@contextmanager
def _http(driver: Any, script: Script) -> Iterator[None]:
	driver._conversation._pools = _Terminal(script)
	yield


# --- sockets


class _Socket:
	def __init__(self, script: Script, *, datagrams: bool) -> None:
		self._script = script
		self._datagrams = datagrams
		self._left = b""

	def settimeout(self, _seconds: float) -> None:
		pass

	def close(self) -> None:
		pass

	def sendall(self, packet: bytes) -> None:
		exchange = self._script.take()
		self._raise_if_failed(exchange)
		if exchange.get("way") != "sent":
			self._script.complain(f"sent {packet.hex()}, recorded {exchange.get('way')}")
		if exchange["command"] == _CONNECT_AUTH:
			return
		start = 0 if self._datagrams else 8
		asked, told = packet[start:], bytes.fromhex(exchange["hex"])[start:]
		if asked[:2] + asked[8:] != told[:2] + told[8:]:
			self._script.complain(f"sent {asked.hex()}, recorded {told.hex()}")

	def recv(self, size: int) -> bytes:
		if not self._left:
			if self._script.following.get("way") not in ("received", "failed"):
				self._script.complain("more is awaited than was recorded")
			exchange = self._script.take()
			self._raise_if_failed(exchange)
			self._left = bytes.fromhex(exchange["hex"])
		received, self._left = self._left[:size], b"" if self._datagrams else self._left[size:]
		return received

	def _raise_if_failed(self, exchange: Mapping[str, Any]) -> None:
		if exchange.get("way") == "failed":
			raise TimeoutError if exchange["error"] == "timeout" else ConnectionResetError


@contextmanager
def _sockets(_driver: Any, script: Script) -> Iterator[None]:
	def opened(transport: str, host: str, port: int) -> Any:
		exchange = script.take()
		if exchange.get("way") != "opened" or exchange["transport"] != transport:
			script.complain(f"opened {transport}, recorded {exchange}")
		if exchange.get("error") == "refused":
			raise ConnectionRefusedError
		if exchange.get("error"):
			raise unreachable(host, port)
		return _Socket(script, datagrams=transport == "udp")

	def open_tcp(host: str, port: int, timeout: float) -> TcpChannel:
		return TcpChannel(opened("tcp", host, port), host, port, timeout)

	def open_udp(host: str, port: int, timeout: float) -> UdpChannel:
		return UdpChannel(opened("udp", host, port), host, port, timeout)

	def no_socket(*_args: object, **_options: object) -> socket.socket:
		raise AssertionError("a replay opens no socket")

	with (
		mock.patch.object(session, "open_tcp", open_tcp),
		mock.patch.object(session, "open_udp", open_udp),
		mock.patch("socket.create_connection", no_socket),
	):
		yield


_STAND_INS = {"hikvision_isapi": _http, "zkteco_tcp": _sockets}
