"""Listens to terminals, as one of the agent's workers.

cheroot like the pages (docs/adr/0013-web-server.md), on a port of its own and with other bounds: terminals
are many, call all at once when the power comes back, and say little. A connection gets a thread only when it
has said something, and keeps it for two minutes at the most, however busily it trickles in; from a network
that no terminal calls from it gets none.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cheroot.connections import ConnectionManager
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.wsgi import Server

from attendance_bridge.edge.tls import TlsAdapter, hang_up, shake_hands

if TYPE_CHECKING:
	from _typeshed.wsgi import WSGIApplication

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 2_000
BACKLOG = 1_024
LOOK_UP_SECONDS = 0.5
FLUSH_SECONDS = 5.0
PATIENCE_SECONDS = 20
"""How long a connection may be silent, in the middle of something or between two calls."""
MAX_HEADERS = 16 * 1024
CALL_SECONDS = 120.0
"""For one call, from its first byte to the last of the answer."""

Admits = Callable[[str], bool]
"""Whether anybody may call from this address."""


class ReceiverServer:
	name = "receiver"

	def __init__(
		self,
		app: WSGIApplication,
		*,
		host: str,
		port: int,
		threads: int,
		flush: Callable[[], None] = lambda: None,
		admits: Admits = lambda address: True,
		tls: TlsAdapter | None = None,
	) -> None:
		"""Binds at once, so that a taken port is a clear error before anything else starts.

		:param flush: called every few seconds, and at the end; what it raises ends the worker.
		:param tls: makes the port speak TLS, and nothing else.
		:raises OSError: the port cannot be had.
		"""
		self._flush = flush
		self._server = _Server((host, port), app, threads, admits, tls)
		try:
			self._server.prepare()
		except OSError as error:
			raise self._server.refused or error from None
		self.port: int = self._server.bind_addr[1]

	def run(self, stop: threading.Event) -> None:
		if not self._server.ready:  # started again after a failure
			self._server.prepare()
		serving = threading.Thread(target=self._serve, name="receiver accept")
		serving.start()
		try:
			waited = 0.0
			while not stop.wait(LOOK_UP_SECONDS):
				if not serving.is_alive():
					raise RuntimeError("the server has ended by itself")
				self._server.end_slow(time.monotonic() - CALL_SECONDS)
				waited += LOOK_UP_SECONDS
				if waited >= FLUSH_SECONDS:
					waited = 0.0
					self._flush()
		finally:
			self._server.stop()
			serving.join()
		self._flush()

	def _serve(self) -> None:
		try:
			self._server.serve()
		except Exception as error:  # `run` finds this thread gone
			logger.error("the server for terminals failed", exc_info=error)

	def close(self) -> None:
		"""Let go of threads and of the port."""
		self._server.stop()


class _Request(HTTPRequest):
	def __init__(self, server: Any, conn: Any) -> None:
		# Terminals are seen to send the whole address in the first line, as if to a proxy.
		super().__init__(server, conn, proxy_mode=False, strict_mode=False)

	def respond(self) -> None:
		if self.chunked_read:
			# No terminal is known to; its parser takes lines of any length.
			self.close_connection = True
			self.simple_response("411 Length Required")
			return
		if not self.inheaders.get(b"Content-Length", b"0").isdigit():
			# cheroot stumbles over a negative one.
			self.close_connection = True
			self.simple_response("400 Bad Request")
			return
		super().respond()


class _Connection(HTTPConnection):
	RequestHandlerClass = _Request
	is_fresh = True
	is_shaken = False

	def communicate(self) -> bool:
		server: _Server = self.server
		server.under_way[self] = time.monotonic()
		try:
			return self._shake_hands() and bool(super().communicate())  # type: ignore[no-untyped-call]
		finally:
			server.under_way.pop(self, None)

	def _shake_hands(self) -> bool:
		if self.is_shaken:
			return True
		try:
			shake_hands(self.socket)
		except OSError as error:
			logger.warning("%s: no TLS with it: %s", self.remote_addr, error)
			return False
		self.is_shaken = True
		return True


class _Server(Server):
	ConnectionClass = _Connection
	max_request_header_size = MAX_HEADERS
	keep_alive_conn_limit = MAX_CONNECTIONS
	_connections: ConnectionManager

	def __init__(
		self,
		address: tuple[str, int],
		app: WSGIApplication,
		threads: int,
		admits: Admits,
		adapter: TlsAdapter | None,
	) -> None:
		super().__init__(
			address,
			app,
			numthreads=threads,
			max=threads,
			server_name="agent",
			request_queue_size=BACKLOG,
			timeout=PATIENCE_SECONDS,
			shutdown_timeout=2,
		)
		self.ssl_adapter = adapter
		self.expiration_interval = LOOK_UP_SECONDS
		self._admits = admits
		self.under_way: dict[_Connection, float] = {}
		"""Calls that have a thread, and since when."""
		self.refused: OSError | None = None
		"""Why there is no port."""

	def end_slow(self, before: float) -> None:
		"""End calls that began before a moment of the monotonic clock; their threads find the line broken."""
		for connection, began in tuple(self.under_way.items()):
			if began < before:
				logger.warning("a call from %s took too long", connection.remote_addr)
				with contextlib.suppress(OSError):
					hang_up(connection.socket)

	def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:
		"""Its own leaves a socket behind when the port is taken."""
		try:
			listener = socket.create_server(self.bind_addr, family=family, backlog=self.request_queue_size)
		except OSError as error:
			self.refused = error
			raise
		listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		self.socket = listener
		self.bind_addr = listener.getsockname()[:2]
		return listener

	def put_conn(self, conn: _Connection) -> None:
		"""Keep a connection for its next request."""
		try:
			super().put_conn(conn)
		except (KeyError, ValueError):  # the server has ended since it was asked whether it goes on
			conn.close()

	def process_conn(self, conn: _Connection) -> None:
		"""Give a connection to a thread, once there is something to read."""
		if not conn.is_fresh:
			super().process_conn(conn)
			return
		conn.is_fresh = False
		if self.can_add_keepalive_connection and self._admits(conn.remote_addr or ""):
			self.put_conn(conn)
		else:
			conn.close()

	def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
		logger.log(min(level, logging.WARNING), "%s", msg, exc_info=traceback)
