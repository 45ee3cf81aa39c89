"""Serves the pages, with TLS where they are to be reached from the network, as one of the agent's workers.

cheroot with two habits changed, because a thread is worth something here: a connection gets one only when it
has said something (browsers open some in advance), and shaking hands is done by that thread, not by the one
that accepts everybody else. See docs/adr/0013-web-server.md.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

from cheroot.connections import ConnectionManager
from cheroot.server import HTTPConnection
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server
from flask import Flask

from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.web.streams import MAX_STREAMS

logger = logging.getLogger(__name__)

THREADS = MAX_STREAMS + 6
"""Streams hold a thread each; the rest answers everything else."""
MAX_CONNECTIONS = 200
"""Open at the same time, idle ones included."""
LOOK_UP_SECONDS = 0.5
"""How long the loop may wait before it looks whether it should end."""
PATIENCE_SECONDS = 10
"""How long a connection may be silent in the middle of something, or be kept without a request."""
MAX_HEADERS = 32 * 1024
MAX_BODY = 16 * 1024 * 1024
"""Bytes; the app asks for less."""


class WebServer:
	name = "web"

	def __init__(
		self,
		app: Flask,
		*,
		host: str,
		port: int,
		pulse: Pulse,
		certificate: Path | None = None,
		key: Path | None = None,
	) -> None:
		"""Binds at once, so that a taken port is a clear error before anything else starts.

		:param certificate: PEM, with the chain; with its key it makes the server speak TLS.
		:raises OSError: the port cannot be had, or (`ssl.SSLError`) certificate and key are no pair.
		"""
		self._pulse = pulse
		self._host = host
		adapter = None
		if certificate is not None:
			adapter = _TlsAdapter(str(certificate), str(key))
			adapter.context.minimum_version = ssl.TLSVersion.TLSv1_2
		self._server = _Server((host, port), app, adapter)
		try:
			self._server.prepare()
		except OSError as error:
			raise self._server.refused or error from None
		self.port: int = self._server.bind_addr[1]

	@property
	def address(self) -> str:
		"""Where the pages are; all addresses of the machine are named by the one that always works here."""
		host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104  # compared
		host = f"[{host}]" if ":" in host else host
		return f"{'https' if self._server.ssl_adapter else 'http'}://{host}:{self.port}/"

	def run(self, stop: threading.Event) -> None:
		if not self._server.ready:  # started again after a failure
			self._server.prepare()
		ended = threading.Event()
		watcher = threading.Thread(target=self._close_at, args=(stop, ended), name="web stop")
		watcher.start()
		try:
			self._server.serve()
		finally:
			ended.set()
			watcher.join()
			self._server.stop()

	def _close_at(self, stop: threading.Event, ended: threading.Event) -> None:
		while not ended.is_set():
			if stop.wait(LOOK_UP_SECONDS):
				self.close()
				return

	def close(self) -> None:
		"""Let go of streams, threads and the port."""
		self._pulse.close()
		self._server.stop()


class _Connection(HTTPConnection):
	def communicate(self) -> bool:
		if isinstance(self.socket, ssl.SSLSocket) and not self.is_shaken:
			try:
				self.socket.do_handshake()
			except OSError as error:
				# Somebody who does not trust the certificate, or speaks no TLS.
				logger.debug("no TLS with %s: %s", self.remote_addr, error)
				return False
			self.is_shaken = True
		return bool(super().communicate())  # type: ignore[no-untyped-call]  # of cheroot

	is_shaken = False
	is_fresh = True


class _TlsAdapter(BuiltinSSLAdapter):
	def wrap(self, sock: socket.socket) -> tuple[Any, dict[str, Any]]:
		wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
		return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}


class _Server(Server):
	ConnectionClass = _Connection
	max_request_header_size = MAX_HEADERS
	max_request_body_size = MAX_BODY
	keep_alive_conn_limit = MAX_CONNECTIONS
	_connections: ConnectionManager

	def __init__(self, address: tuple[str, int], app: Flask, adapter: _TlsAdapter | None) -> None:
		super().__init__(
			address,
			app,
			numthreads=THREADS,
			max=THREADS,
			# Its name goes out with every answer; it says nothing of the version.
			server_name="agent",
			request_queue_size=64,
			timeout=PATIENCE_SECONDS,
			shutdown_timeout=1,
		)
		self.ssl_adapter = adapter
		self.expiration_interval = LOOK_UP_SECONDS
		self.refused: OSError | None = None
		"""Why there is no port."""

	def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:
		"""Its own leaves a socket behind when the port is taken."""
		try:
			listener = socket.create_server(self.bind_addr, family=family, backlog=self.request_queue_size)
		except OSError as error:
			self.refused = error
			raise
		# What is accepted inherits it: events are small and must not wait for each other.
		listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		self.socket = listener
		self.bind_addr = listener.getsockname()[:2]
		return listener

	def process_conn(self, conn: _Connection) -> None:
		"""Give a connection to a thread, once there is something to read."""
		if not conn.is_fresh:
			super().process_conn(conn)
			return
		conn.is_fresh = False
		if self.can_add_keepalive_connection:
			self.put_conn(conn)
		else:
			conn.close()

	def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
		logger.log(min(level, logging.WARNING), "%s", msg, exc_info=traceback)
