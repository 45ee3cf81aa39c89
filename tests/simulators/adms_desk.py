"""A server for simulated pushing terminals, as plain as it can be: it writes down what comes and answers what
it was told to."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

OPTIONS = (
	"GET OPTION FROM: {sn}",
	"ATTLOGStamp=None",
	"OPERLOGStamp=9999",
	"ATTPHOTOStamp=None",
	"ErrorDelay=30",
	"Delay=10",
	"TransTimes=00:00;14:05",
	"TransInterval=1",
	"TransFlag=TransData AttLog\tOpLog\tEnrollUser\tChgUser",
	"TimeZone=4",
	"Realtime=1",
	"Encrypt=None",
)
"""The option block of the vendor's manual, chapter 3.5."""
REGISTERED = (
	"registry=ok",
	"RegistryCode=Uy47fxftP3",
	"ServerVersion=3.0.1",
	"ServerName=ADMS",
	"PushProtVer=3.0.1",
	"ErrorDelay=30",
	"RequestDelay=10",
	"TransTimes=00:00;14:00",
	"TransInterval=1",
	"TransTables=User Transaction",
	"Realtime=1",
	"SessionID=30BFB04B2C8AECC72C01C03BFD549D15",
	"TimeoutSec=10",
)


@dataclass(frozen=True)
class Seen:
	method: str
	path: str
	query: dict[str, str]
	headers: dict[str, str]
	body: bytes

	@property
	def endpoint(self) -> str:
		return self.path.rpartition("/")[2]

	@property
	def lines(self) -> list[str]:
		return self.body.decode("utf-8", "replace").splitlines()


Answer = tuple[int, str]
Clerk = Callable[[Seen], Answer | None]


class _Server(ThreadingHTTPServer):
	daemon_threads = True
	request_queue_size = 1024


class Desk:
	"""
	:param clerk: answers instead of the desk where it returns something.
	"""

	def __init__(self, clerk: Clerk = lambda _seen: None, **changed: str) -> None:
		self.clerk = clerk
		self.changed = changed
		"""Options to replace in both blocks; an empty one is left out."""
		self.seen: list[Seen] = []
		self.commands: list[str] = []
		self.server = _Server(("127.0.0.1", 0), self._handler())
		self.port = int(self.server.server_address[1])
		self.date: str | None = None
		"""What the Date header says; the truth if None, nothing if empty."""
		self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

	def __enter__(self) -> Desk:
		self._thread.start()
		return self

	def __exit__(self, *_exc_info: object) -> None:
		self.server.shutdown()
		self.server.server_close()
		self._thread.join()

	def answer(self, seen: Seen) -> Answer:
		self.seen.append(seen)
		told = self.clerk(seen)
		if told is not None:
			return told
		if seen.endpoint == "cdata" and seen.method == "GET":
			is_security = seen.query.get("DeviceType") == "acc"
			return 200, self.block(REGISTERED if is_security else OPTIONS, seen.query["SN"])
		if seen.endpoint == "getrequest" and self.commands:
			waiting, self.commands = self.commands, []
			return 200, "".join(f"C:{number}:{text}\n" for number, text in enumerate(waiting, 1))
		if seen.query.get("table") == "tabledata":
			return 200, f"{seen.query['tablename']}={seen.query['count']}"
		return 200, "OK"

	def block(self, lines: tuple[str, ...], serial: str) -> str:
		options = [line.format(sn=serial) for line in lines]
		kept = [line for line in options if line.partition("=")[0] not in self.changed]
		return "\n".join(kept + [f"{name}={value}" for name, value in self.changed.items() if value])

	def asked(self, endpoint: str, **query: str) -> list[Seen]:
		return [
			seen
			for seen in tuple(self.seen)
			if seen.endpoint == endpoint and query.items() <= seen.query.items()
		]

	def rows(self, table: str) -> list[str]:
		return [line for seen in self.asked("cdata", table=table) for line in seen.lines]

	def wait_for(self, endpoint: str, count: int = 1, timeout: float = 10.0, **query: str) -> list[Seen]:
		end = time.monotonic() + timeout
		while time.monotonic() < end:
			found = self.asked(endpoint, **query)
			if len(found) >= count:
				return found
			time.sleep(0.005)
		raise AssertionError(f"{endpoint} {query}: {len(self.asked(endpoint, **query))} of {count}")

	def _handler(self) -> type[BaseHTTPRequestHandler]:
		desk = self

		class Handler(BaseHTTPRequestHandler):
			protocol_version = "HTTP/1.1"
			wbufsize = -1

			def do_GET(self) -> None:
				url = urlsplit(self.path)
				length = int(self.headers.get("Content-Length", 0))
				body = self.rfile.read(length)
				if len(body) < length:
					self.close_connection = True
					return
				query = {name: values[0] for name, values in parse_qs(url.query, True).items()}
				headers = {name.lower(): value for name, value in self.headers.items()}
				status, text = desk.answer(Seen(self.command, url.path, query, headers, body))
				self.send_response(status)
				self.send_header("Content-Length", str(len(text.encode())))
				self.end_headers()
				self.wfile.write(text.encode())

			do_POST = do_GET  # noqa: N815

			def date_time_string(self, timestamp: float | None = None) -> str:
				return super().date_time_string(timestamp) if desk.date is None else desk.date

			def log_message(self, *_args: Any) -> None:
				pass

			def handle(self) -> None:
				# Terminals that break off are what some tests are about.
				with contextlib.suppress(ConnectionError):
					super().handle()

		return Handler
