"""The terminal on the network: HTTP/1.1 with keep-alive and Digest authentication on a real socket."""

from __future__ import annotations

import contextlib
import logging
import socket
import socketserver
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attendance_bridge.simulators.hikvision import alerts, endpoints, stream
from attendance_bridge.simulators.hikvision.answers import JSON, Answer, RefusedError, refusal
from attendance_bridge.simulators.hikvision.delivery import Delivery, post
from attendance_bridge.simulators.hikvision.endpoints import Request
from attendance_bridge.simulators.hikvision.state import HikvisionState

logger = logging.getLogger(__name__)

MAX_BODY = 64 * 1024
MAX_CONNECTIONS = 64
_IDLE_SECONDS = 30
_POLL_SECONDS = 0.02
_GARBAGE = (
	Answer(content_type="text/html", body=b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>"),
	Answer(content_type=JSON, body=bytes(range(256)) * 4),
	Answer(content_type=JSON, body=b'{"AcsEvent":{"searchID":"1","responseStatusStrg":"MO'),
)


class HikvisionTerminal:
	"""Serves a state on `host`:`port` (0: any free one) between `start` and `stop`."""

	def __init__(self, state: HikvisionState, *, host: str = "127.0.0.1", port: int = 0) -> None:
		self.state = state
		self.port = port
		"""The real one after `start`; it stays the same over a reboot."""
		self._host = host
		self._off = threading.Event()
		self._interrupted = threading.Event()
		"""Set while it is off or restarting; whoever waits wakes up."""
		self._is_up = threading.Event()
		self._dark_seconds = 0.0
		self._thread: threading.Thread | None = None
		self._delivery: Delivery | None = None

	def start(self) -> None:
		"""
		:raises OSError: the port cannot be had.
		"""
		server = _Server(self, self._host, self.port)
		self.port = int(server.server_address[1])
		self._off.clear()
		self._interrupted.clear()
		self._thread = threading.Thread(
			target=self._run, args=(server,), name=f"hikvision-{self.port}", daemon=True
		)
		self._thread.start()
		self._delivery = Delivery(self.state, self.is_dark)
		self._delivery.start()
		self._is_up.set()

	def stop(self) -> None:
		"""Go dark at once; every connection and thread is gone when this returns."""
		self._off.set()
		self._interrupted.set()
		self._is_up.clear()
		delivery, self._delivery = self._delivery, None
		if delivery is not None:
			delivery.stop()
		thread, self._thread = self._thread, None
		if thread is not None:
			thread.join()

	def reboot(self, seconds: float | None = None) -> None:
		"""Drop every connection, refuse new ones for `seconds`, and come back. Returns at once."""
		self._dark_seconds = self.state.reboot_seconds if seconds is None else seconds
		self._is_up.clear()
		self._interrupted.set()

	def wait_until_up(self, timeout: float = 10.0) -> bool:
		"""Whether it answers, at the latest after `timeout` seconds."""
		return self._is_up.wait(timeout)

	def is_dark(self) -> bool:
		"""Whether it is off, or restarting."""
		return self._interrupted.is_set()

	def dawdle(self, seconds: float) -> None:
		"""Wait, but no longer than until it goes dark."""
		self._interrupted.wait(seconds)

	def __enter__(self) -> HikvisionTerminal:
		self.start()
		return self

	def __exit__(self, *_exc_info: object) -> None:
		self.stop()

	def _run(self, server: _Server | None) -> None:
		while server is not None:
			while not self._interrupted.is_set():
				server.handle_request()
			server.go_dark()
			server = self._come_back()

	def _come_back(self) -> _Server | None:
		"""After a restart: the listener on the same port; None if it was switched off instead."""
		wait = self._dark_seconds
		while not self._off.wait(wait):
			try:
				server = _Server(self, self._host, self.port)
			except OSError:
				logger.debug("port %d is not free yet", self.port)
				wait = _POLL_SECONDS
				continue
			self.state.power_on()
			self._interrupted.clear()
			if self._off.is_set():  # switched off just before that line
				self._interrupted.set()
			else:
				self._is_up.set()
			return server
		return None


class _Server(ThreadingHTTPServer):
	"""A listener that knows its connections, so that it can cut them."""

	request_queue_size = 32

	def __init__(self, terminal: HikvisionTerminal, host: str, port: int) -> None:
		self.terminal = terminal
		self.timeout = _POLL_SECONDS
		self._connections: dict[threading.Thread, socket.socket] = {}
		self._connections_lock = threading.Lock()
		super().__init__((host, port), _Handler)

	def server_bind(self) -> None:
		# HTTPServer would ask the name service who it is, which can take seconds.
		socketserver.TCPServer.server_bind(self)
		self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

	def process_request(self, request: Any, client_address: Any) -> None:
		thread = threading.Thread(
			target=self.process_request_thread, args=(request, client_address), daemon=True
		)
		with self._connections_lock:
			is_full = len(self._connections) >= MAX_CONNECTIONS
			if not is_full:
				self._connections[thread] = request
		if is_full:
			self.shutdown_request(request)
			return
		thread.start()

	def process_request_thread(self, request: Any, client_address: Any) -> None:
		try:
			super().process_request_thread(request, client_address)
		finally:
			with self._connections_lock:
				self._connections.pop(threading.current_thread(), None)

	def go_dark(self) -> None:
		"""Close the listener and every connection, and wait for their threads."""
		self.server_close()
		with self._connections_lock:
			connections = dict(self._connections)
		for connection in connections.values():
			with contextlib.suppress(OSError):
				connection.shutdown(socket.SHUT_RDWR)
		for thread in connections:
			thread.join()

	def handle_error(self, _request: Any, client_address: Any) -> None:
		error = sys.exc_info()[1]
		# Clients come and go; anything else is a mistake of this simulator.
		level = logging.DEBUG if isinstance(error, OSError) else logging.ERROR
		logger.log(level, "connection from %s broke", client_address, exc_info=error)


class _Handler(BaseHTTPRequestHandler):
	protocol_version = "HTTP/1.1"
	server_version = "webserver"
	sys_version = ""
	timeout = _IDLE_SECONDS
	# Head and body leave in one piece: two would wait for each other's acknowledgement.
	wbufsize = -1
	disable_nagle_algorithm = True
	server: _Server

	def do_GET(self) -> None:
		self._handle()

	do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

	def log_message(self, format: str, *args: Any) -> None:
		logger.debug("%s " + format, self.address_string(), *args)  # noqa: G003  # the format is the library's

	def _handle(self) -> None:
		body = self._read_body()
		if body is None:
			return
		request = Request(method=self.command, target=self.path, body=body)
		state = self.server.terminal.state
		with state.lock:
			challenge = state.admit(
				self.headers.get("Authorization"), request.method, request.target, request.path
			)
			granted = challenge is None
			answer = (
				endpoints.answer(state, request) if granted else endpoints.user_check(state, granted=False)
			)
		if not granted:
			self._send(answer, challenge)
		elif request.path == endpoints.STREAM_PATH and request.method == "GET":
			self._stream()
		elif request.path in endpoints.TEST_PATHS:
			self._send_faulty(self._test_host(request))
		elif "reboot" in state.faults and request.path == endpoints.EVENTS_PATH:
			state.faults.discard("reboot")
			self.close_connection = True
			self.server.terminal.reboot()
		else:
			self._send_faulty(answer)

	def _test_host(self, request: Request) -> Answer:
		"""Without the lock: the listener may ask this terminal something before it answers."""
		state = self.server.terminal.state
		try:
			with state.lock:
				host = endpoints.host_to_test(state, request)
				alert = alerts.post_heartbeat(state.time().isoformat())
		except RefusedError as error:
			return refusal(error, request.path, as_json=request.wants_json, namespace=state.namespace)
		return endpoints.host_test_result(state, post(state, host, alert, with_picture=False))

	def _stream(self) -> None:
		terminal = self.server.terminal
		state = terminal.state
		self.close_connection = True
		with state.lock:
			is_full = state.open_streams >= state.max_streams
			state.open_streams += not is_full
			state.counters.streams += not is_full
		if is_full:
			error = RefusedError("deployExceedMax")
			self._send(refusal(error, endpoints.STREAM_PATH, as_json=False, namespace=state.namespace))
			return
		try:
			pieces = stream.pieces(state, terminal.is_dark)
			self.send_response(HTTPStatus.OK)
			self.send_header("Content-Type", stream.content_type(state))
			self.send_header("Connection", "close")
			self.end_headers()
			self.wfile.flush()
			for piece in pieces:
				self.wfile.write(piece)
				self.wfile.flush()
		finally:
			with state.lock:
				state.open_streams -= 1

	def _read_body(self) -> bytes | None:
		"""The request's body; None if it cannot be had, and then the refusal has been sent."""
		length = self.headers.get("Content-Length", "0")
		if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
			self.close_connection = True
			self.send_error(HTTPStatus.LENGTH_REQUIRED)
			return None
		if len(length) > 9 or int(length) > MAX_BODY:
			self.close_connection = True
			self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
			return None
		body = self.rfile.read(int(length))
		if len(body) < int(length):
			self.close_connection = True
			return None
		return body

	def _send_faulty(self, answer: Answer) -> None:
		"""Send it, or what the active faults make of it."""
		state = self.server.terminal.state
		answered = state.counters.answered.total()
		if "slow" in state.faults:
			self.server.terminal.dawdle(state.slow_seconds)
		if "garbage" in state.faults:
			answer = _GARBAGE[answered % len(_GARBAGE)]
		if "half-closed" in state.faults and answered % state.half_close_every == 0:
			self.close_connection = True
			self._send(answer, cut_at=len(answer.body) // 2)
		else:
			self._send(answer)

	def _send(self, answer: Answer, challenge: str | None = None, *, cut_at: int | None = None) -> None:
		self.send_response(answer.status)
		if challenge is not None:
			self.send_header("WWW-Authenticate", challenge)
		self.send_header("Content-Type", answer.content_type)
		self.send_header("Content-Length", str(len(answer.body)))
		self.end_headers()
		self.wfile.write(answer.body[:cut_at])
