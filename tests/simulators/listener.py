"""A listener for what terminals post by themselves: it writes down what comes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Posted:
	path: str
	content_type: str
	body: bytes


class Listener:
	def __init__(self, status: int = 200) -> None:
		self.status = status
		self.posted: list[Posted] = []
		self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
		self._server.daemon_threads = True
		self.port = int(self._server.server_address[1])
		self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

	def __enter__(self) -> Listener:
		self._thread.start()
		return self

	def __exit__(self, *_exc_info: object) -> None:
		self._server.shutdown()
		self._server.server_close()
		self._thread.join()

	def wait_for(self, count: int, timeout: float = 10.0) -> list[Posted]:
		end = time.monotonic() + timeout
		while len(self.posted) < count:
			assert time.monotonic() < end, f"{len(self.posted)} of {count} posts came"
			time.sleep(0.005)
		return list(self.posted)

	def _handler(self) -> type[BaseHTTPRequestHandler]:
		listener = self

		class Handler(BaseHTTPRequestHandler):
			def do_POST(self) -> None:
				body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
				listener.posted.append(Posted(self.path, self.headers.get("Content-Type", ""), body))
				self.send_response(listener.status)
				self.send_header("Content-Length", "0")
				self.end_headers()

			def log_message(self, *_args: Any) -> None:
				pass

		return Handler
