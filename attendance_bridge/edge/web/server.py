"""Serves the pages on a loopback port, as one of the agent's workers."""

from __future__ import annotations

import socket
import threading
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.web.streams import MAX_STREAMS

THREADS = MAX_STREAMS + 4
"""Streams hold a thread each; the rest answers everything else."""
LOOK_UP_SECONDS = 0.5
"""How long the loop may wait before it looks whether it should end."""


class WebServer:
	name = "web"

	def __init__(self, app: Flask, *, host: str, port: int, pulse: Pulse) -> None:
		"""Binds at once, so that a taken port is a clear error before anything else starts.

		:raises OSError: the port cannot be had.
		"""
		self._pulse = pulse
		self._host = host
		self._sockets: dict[int, Any] = {}
		# Bound here: waitress starts its threads first, and would leave them behind if the port were taken.
		family = socket.AF_INET6 if ":" in host else socket.AF_INET
		listener = socket.create_server((host, port), family=family)
		self.port: int = listener.getsockname()[1]
		self._server = create_server(app, map=self._sockets, sockets=[listener], threads=THREADS, ident=None)

	@property
	def address(self) -> str:
		host = f"[{self._host}]" if ":" in self._host else self._host
		return f"http://{host}:{self.port}/"

	def run(self, stop: threading.Event) -> None:
		# Without any socket left there is nothing to wait on: it would go round without a pause.
		while self._sockets and not stop.is_set():
			wasyncore.loop(timeout=LOOK_UP_SECONDS, map=self._sockets, use_poll=True, count=1)
		self.close()

	def close(self) -> None:
		"""Let go of streams, threads and the port."""
		self._pulse.close()
		self._server.task_dispatcher.shutdown()
		wasyncore.close_all(self._sockets)
