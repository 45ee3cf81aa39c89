"""Serves the pages, with TLS where they are to be reached from the network, as one of the agent's workers.

cheroot with some habits changed, because a thread is worth something here: a connection gets one only when it
has said something (browsers open some in advance), shaking hands is done by that thread, not by the one that
accepts everybody else, whoever says a byte now and then is not listened to for ever, and nobody gets all the
threads (`crowd`). See docs/adr/0013-web-server.md.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import sys
import threading
import time
from pathlib import Path

from cheroot.connections import ConnectionManager
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.wsgi import Server
from flask import Flask

from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.tls import TlsAdapter, hang_up, shake_hands, tls_adapter
from attendance_bridge.edge.web.crowd import Crowd
from attendance_bridge.edge.web.streams import MAX_STREAMS
from attendance_bridge.edge.web_settings import WebSettings

logger = logging.getLogger(__name__)

THREADS = MAX_STREAMS + 6
"""Streams hold a thread each; the rest answers everything else."""
MAX_CONNECTIONS = 200
"""Open at the same time, idle ones included."""
LOOK_UP_SECONDS = 0.5
"""How long the loop may wait before it looks whether it should end."""
PATIENCE_SECONDS = 10
"""How long a connection may be silent in the middle of something, or be kept without a request."""
HEAD_SECONDS = 15.0
"""For a handshake and the head of a request, however busily it trickles in."""
BODY_SECONDS = 60.0
"""For its body: a large photo over a poor radio."""
GONE_MS = 30_000
"""After so long without a sign of life of the other machine a stream to it ends."""
MAX_HEADERS = 32 * 1024
MAX_BODY = 16 * 1024 * 1024
"""Bytes; the app asks for less."""
PIECE = 64 * 1024
"""Of a body that nobody wants, so much is held at a time."""


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
		self._server = _Server((host, port), app, tls_adapter(certificate, key))
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
		serving = threading.Thread(target=self._serve, name="web accept")
		serving.start()
		try:
			while not stop.wait(LOOK_UP_SECONDS):
				if not serving.is_alive():
					raise RuntimeError("the server has ended by itself")
				self._server.end_slow()
			self.close()
		finally:
			# After a failure: whoever reads a stream would keep its thread, and so this from ending.
			self._server.end_all()
			self._server.stop()
			serving.join()

	def _serve(self) -> None:
		try:
			self._server.serve()
		except Exception as error:  # `run` finds this thread gone
			logger.error("the server of the pages failed", exc_info=error)

	def close(self) -> None:
		"""Let go of streams, threads and the port."""
		self._pulse.close()
		self._server.stop()


def make_server(app: Flask, settings: WebSettings, pulse: Pulse) -> WebServer:
	"""Listens from now on; answers when it runs.

	:raises ConfigError: the port cannot be had, or certificate and key are no pair.
	"""
	try:
		return WebServer(
			app,
			host=settings.host,
			port=settings.port,
			pulse=pulse,
			certificate=settings.tls_cert,
			key=settings.tls_key,
		)
	except ssl.SSLError:
		raise ConfigError(
			Code.BAD_VALUE, path="web.tls_cert", expected="a PEM certificate, and tls_key its key"
		) from None
	except OSError as error:
		raise ConfigError(
			Code.BAD_VALUE, path="web.port", expected=f"a free port ({settings.port}: {error.strerror})"
		) from None


class _Request(HTTPRequest):
	conn: _Connection

	def respond(self) -> None:
		if self.chunked_read:
			# Nothing of ours sends any, and its parser takes lines of any length.
			self.close_connection = True
			self.simple_response("411 Length Required")
			return
		if not self.inheaders.get(b"Content-Length", b"0").isdigit():
			# cheroot stumbles over a negative one, with a page in the log.
			self.close_connection = True
			self.simple_response("400 Bad Request")
			return
		self.conn.listen_until(BODY_SECONDS, self)
		super().respond()

	def send_headers(self) -> None:
		if not self.close_connection:
			# cheroot would read the rest of the body, too, but hold all of it. Who sends too large a photo is
			# told so only when all of it has been taken.
			while left := self.unread:
				if not self.rfile.read(min(left, PIECE)):
					self.close_connection = True
					break
		self.conn.listen_until(None)
		super().send_headers()

	@property
	def unread(self) -> int:
		"""Bytes of the body."""
		return int(getattr(self.rfile, "remaining", 0))


class _Connection(HTTPConnection):
	RequestHandlerClass = _Request
	server: _Server
	asking: _Request | None = None
	"""Whose body may not be here yet."""
	listened_until: float | None = None
	"""By the monotonic clock; None while it is we who have the word."""
	is_shaken = False
	is_fresh = True
	is_busy = False
	is_counted = False

	def listen_until(self, seconds: float | None, asking: _Request | None = None) -> None:
		self.listened_until = None if seconds is None else time.monotonic() + seconds
		self.asking = asking

	@property
	def is_slow(self) -> bool:
		"""Whether it has taken too long to say what it wants. From another thread: each is looked at once."""
		until, asking = self.listened_until, self.asking
		if until is None or time.monotonic() < until:
			return False
		return asking is None or asking.unread > 0

	def communicate(self) -> bool:
		self.listen_until(HEAD_SECONDS)
		self.server.watched.add(self)
		try:
			return self._communicate()
		finally:
			self.server.watched.discard(self)
			self.server.rest(self)

	def _communicate(self) -> bool:
		if not self.is_shaken:
			try:
				shake_hands(self.socket)
			except OSError as error:
				# Somebody who does not trust the certificate, or speaks no TLS.
				logger.debug("no TLS with %s: %s", self.remote_addr, error)
				return False
			self.is_shaken = True
		return bool(super().communicate())  # type: ignore[no-untyped-call]  # of cheroot

	def end(self) -> None:
		"""Let the thread that reads from it go on at once. From another thread."""
		with contextlib.suppress(OSError):
			hang_up(self.socket)

	def close(self) -> None:
		self.server.rest(self)
		if self.is_counted:
			self.is_counted = False
			self.server.crowd.leave(self.remote_addr or "")
		super().close()


class _Server(Server):
	ConnectionClass = _Connection
	max_request_header_size = MAX_HEADERS
	max_request_body_size = MAX_BODY
	keep_alive_conn_limit = MAX_CONNECTIONS
	_connections: ConnectionManager

	def __init__(self, address: tuple[str, int], app: Flask, adapter: TlsAdapter | None) -> None:
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
		self.crowd = Crowd(THREADS)
		self.watched: set[_Connection] = set()
		"""Those that a thread listens to."""
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
		if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
			listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)
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
		address = conn.remote_addr or ""
		if not conn.is_fresh:
			conn.is_busy = self.crowd.begin(address)
			if conn.is_busy:
				super().process_conn(conn)
			else:
				conn.close()
			return
		conn.is_fresh = False
		conn.is_counted = self.can_add_keepalive_connection and self.crowd.come(address)
		if conn.is_counted:
			self.put_conn(conn)
		else:
			conn.close()

	def rest(self, conn: _Connection) -> None:
		"""A thread is done with a connection."""
		if conn.is_busy:
			conn.is_busy = False
			self.crowd.end(conn.remote_addr or "")

	def end_slow(self) -> None:
		for conn in list(self.watched):
			if conn.is_slow:
				conn.end()

	def end_all(self) -> None:
		for conn in list(self.watched):
			conn.end()

	def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
		if isinstance(sys.exc_info()[1], OSError):
			# Somebody has closed their browser in the middle of something: that is what browsers do.
			logger.debug("%s", msg, exc_info=traceback)
		else:
			logger.log(min(level, logging.WARNING), "%s", msg, exc_info=traceback)
