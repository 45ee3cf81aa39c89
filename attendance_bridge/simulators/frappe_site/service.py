"""The sockets: one thread a connection, kept alive, until `stop`."""

from __future__ import annotations

import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, cast

from attendance_bridge.simulators.frappe_site.bridge import Bridge
from attendance_bridge.simulators.frappe_site.gateway import Gateway
from attendance_bridge.simulators.frappe_site.state import SiteState
from attendance_bridge.simulators.frappe_site.wire import (
	Answer,
	Request,
	UnreadableRequestError,
	read_request,
	render,
)

_BUFFER = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_JOIN_SECONDS = 5.0

_give_way = getattr(os, "sched_yield", lambda: time.sleep(0))
"""Lets another thread run, so that the moment between a check and its insert is never empty. Sleeping for no
time does it too, but takes a hundred times as long."""

logger = logging.getLogger(__name__)


PassOn = Callable[[Request], "Answer | None"]
Between = Callable[[Request, PassOn], "Answer | None"]


class FrappeSite:
	"""Serves a `SiteState` over HTTP.

	:param bridge: this app, if it is installed there; without it the site is a stock one.
	:param port: 0 takes a free one; see `port` after `start`.
	"""

	def __init__(
		self, state: SiteState, *, bridge: Bridge | None = None, host: str = "127.0.0.1", port: int = 0
	) -> None:
		self.state = state
		self.bridge = bridge
		self.between: Between = lambda request, pass_on: pass_on(request)
		"""Stands before the site, for whoever disturbs single requests; None resets the connection."""
		self.host = host
		self.port = port
		self._stopping = threading.Event()
		self._lock = threading.Lock()
		self._conversations: dict[threading.Thread, socket.socket] = {}
		self._listener: socket.socket | None = None
		self._acceptor: threading.Thread | None = None
		self._gateway: Gateway

	@property
	def url(self) -> str:
		return f"http://{self.host}:{self.port}"

	def start(self) -> None:
		"""Listen and serve.

		:raises OSError: the port is taken.
		"""
		self._stopping.clear()
		self._gateway = Gateway(self.state, self._pause, self.bridge)
		self._listener = socket.create_server((self.host, self.port), backlog=128)
		self.port = self._listener.getsockname()[1]
		self._acceptor = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
		self._acceptor.start()

	def stop(self) -> None:
		"""Close every connection and end every thread; what waits is woken."""
		if self._listener is None or self._acceptor is None:
			return
		self._stopping.set()
		with suppress(OSError):
			# Wakes the thread that accepts; closing alone would leave it waiting.
			self._listener.shutdown(socket.SHUT_RDWR)
		self._listener.close()
		self._acceptor.join(_JOIN_SECONDS)
		with self._lock:
			conversations = dict(self._conversations)
		for connection in conversations.values():
			with suppress(OSError):
				connection.shutdown(socket.SHUT_RDWR)
		for thread in conversations:
			thread.join(_JOIN_SECONDS)
		self._listener = self._acceptor = None

	def __enter__(self) -> FrappeSite:
		self.start()
		return self

	def __exit__(
		self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
	) -> None:
		self.stop()

	def _pause(self, seconds: float) -> None:
		if seconds:
			self._stopping.wait(seconds)
		else:
			_give_way()

	def _accept(self, listener: socket.socket) -> None:
		while not self._stopping.is_set():
			try:
				connection, _address = listener.accept()
			except OSError:
				return
			thread = threading.Thread(target=self._converse, args=(connection,), daemon=True)
			with self._lock:
				self._conversations[thread] = connection
			thread.start()

	def _converse(self, connection: socket.socket) -> None:
		try:
			with connection, cast(BinaryIO, connection.makefile("rb", _BUFFER)) as stream:
				connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
				while self._exchange(connection, stream):
					pass
		except OSError as error:
			logger.debug("connection ended: %s", error)
		finally:
			with self._lock:
				del self._conversations[threading.current_thread()]

	def _exchange(self, connection: socket.socket, stream: BinaryIO) -> bool:
		"""One request and its answer; whether the connection stays open."""
		try:
			request = read_request(stream, max_body=self.state.max_body)
		except UnreadableRequestError as error:
			connection.sendall(render(error.answer, keep_alive=False))
			return False
		if request is None or self._stopping.is_set():
			return False
		answer = self.between(request, self._gateway.answer)
		if answer is None:
			connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
			return False
		connection.sendall(render(answer, keep_alive=request.keep_alive, with_body=request.method != "HEAD"))
		return request.keep_alive
