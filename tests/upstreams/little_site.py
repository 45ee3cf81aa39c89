"""As much of a Frappe site as a test needs, on a real socket: it answers as measured, and fails on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY, SECRET = "0a1b2c3d4e5f607", "f00dfacecafe123"
ADD_LOG = "hrms.hr.doctype.employee_checkin.employee_checkin.add_log_based_on_employee_field"


@dataclass
class Reply:
	status: int = 200
	content: Any = None
	"""JSON, or text for a page."""
	headers: dict[str, str] = field(default_factory=dict)
	cut: bool = False
	"""Close the connection instead of answering."""
	hold: bool = False
	"""Do not answer before the site is stopped."""


def raised(status: int, exc_type: str, text: str) -> Reply:
	"""What Frappe answers when a method raises."""
	message = json.dumps({"message": text, "title": "Message", "indicator": "red", "raise_exception": 1})
	return Reply(
		status,
		{
			"exception": f"frappe.exceptions.{exc_type}: {text}",
			"exc_type": exc_type,
			"exc": json.dumps([f"Traceback (most recent call last): {text}"]),
			"_server_messages": json.dumps([message]),
		},
	)


def page(status: int, **headers: str) -> Reply:
	return Reply(status, "<html><body>Not the site</body></html>", dict(headers))


PostHook = Callable[["LittleSite", Mapping[str, Any]], "Reply | None"]


class LittleSite:
	"""Holds employees and check-ins. `on_post`, `on_request` are asked first; None means: do your duty."""

	def __init__(self) -> None:
		self.employees: dict[str, dict[str, Any]] = {}
		self.check_ins: list[dict[str, Any]] = []
		self.requests: list[tuple[str, str, dict[str, Any]]] = []
		self.headers: list[Mapping[str, str]] = []
		self.connections = 0
		self.date = ""
		"""The Date header; empty: the present."""
		self.targets: list[str] = []
		self.posts = 0
		self.most_at_once = 0
		self.unreadable_fields: set[str] = set()
		self.methods: dict[str, Reply] = {
			"frappe.auth.get_logged_user": Reply(200, {"message": "bridge@example.com"}),
			"frappe.utils.change_log.get_versions": Reply(
				200, {"message": {app: {"title": app, "version": "15.1.0"} for app in ("frappe", "hrms")}}
			),
			"frappe.client.get_time_zone": Reply(200, {"message": {"time_zone": "Asia/Dubai"}}),
			"frappe.client.has_permission": Reply(200, {"message": {"has_permission": True}}),
			"frappe.client.get_single_value": Reply(200, {"message": 0}),
		}
		self.on_post: PostHook = lambda _site, _fields: None
		self.on_request: Callable[[str, str], Reply | None] = lambda _method, _path: None
		self.text: Callable[[str], str] = lambda text: text
		self.lock = threading.Lock()
		self._at_once = 0
		self._stopping = threading.Event()
		self._server: ThreadingHTTPServer | None = None

	# the socket

	def start(self) -> None:
		site = self

		class Handler(BaseHTTPRequestHandler):
			protocol_version = "HTTP/1.1"
			disable_nagle_algorithm = True

			def setup(self) -> None:
				super().setup()
				with site.lock:
					site.connections += 1

			def do_GET(self) -> None:
				self._answer()

			def do_POST(self) -> None:
				self._answer()

			def _answer(self) -> None:
				body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
				reply = site.handle(self.command, self.path, dict(self.headers), body)
				if reply.hold:
					site._stopping.wait(30)
				if reply.cut or reply.hold:
					self.close_connection = True
					return
				is_text = isinstance(reply.content, str)
				content = (reply.content if is_text else json.dumps(reply.content)).encode()
				self.send_response_only(reply.status)
				self.send_header("Date", site.date or self.date_time_string())
				self.send_header("Content-Type", "text/html" if is_text else "application/json")
				self.send_header("Content-Length", str(len(content)))
				self.send_header("Set-Cookie", "sid=Guest; Path=/")
				for name, value in reply.headers.items():
					self.send_header(name, value)
				self.end_headers()
				self.wfile.write(content)

			def log_message(self, format: str, *args: object) -> None:
				pass

		self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		self._server.daemon_threads = True
		self._server.block_on_close = False
		threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

	@property
	def url(self) -> str:
		assert self._server is not None
		return f"http://127.0.0.1:{self._server.server_address[1]}"

	def stop(self) -> None:
		self._stopping.set()
		if self._server is not None:
			self._server.shutdown()
			self._server.server_close()

	# the site

	def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
		parts = urlsplit(target)
		path = unquote(parts.path)
		arguments: dict[str, Any] = {name: values[0] for name, values in parse_qs(parts.query).items()}
		if body:
			arguments = json.loads(body)
		is_post_of_check_in = path == f"/api/method/{ADD_LOG}"
		with self.lock:
			self.requests.append((method, path, arguments))
			self.headers.append(dict(headers))
			self.targets.append(target)
			self.posts += is_post_of_check_in
		reply = self.on_request(method, path)
		if reply is not None:
			return reply
		if headers.get("Authorization") != f"token {KEY}:{SECRET}":
			return raised(401, "AuthenticationError", self.text("Authentication failed"))
		if is_post_of_check_in:
			return self._post_of_check_in(arguments)
		return self._question(path, arguments)

	def _post_of_check_in(self, fields: Mapping[str, Any]) -> Reply:
		with self.lock:
			self._at_once += 1
			self.most_at_once = max(self.most_at_once, self._at_once)
		try:
			time.sleep(0.001)  # gives another thread its turn
			with self.lock:
				return self.on_post(self, fields) or self.add_log(fields)
		finally:
			with self.lock:
				self._at_once -= 1

	def add_log(self, fields: Mapping[str, Any]) -> Reply:
		"""HRMS's add_log_based_on_employee_field."""
		name = fields.get("employee_field_value")
		if fields.get("employee_fieldname") != "name":
			return raised(500, "OperationalError", "unexpected field")
		employee = self.employees.get(name) if isinstance(name, str) else None
		if employee is None:
			return raised(417, "ValidationError", self.text(f"No Employee found: {name}"))
		if employee["status"] == "Inactive":
			return raised(417, "InactiveEmployeeStatusError", self.text("Inactive Employee"))
		log_type = fields.get("log_type") or None
		same = [
			row
			for row in self.check_ins
			if (row["employee"], row["time"], row["log_type"]) == (name, fields["timestamp"], log_type)
		]
		if same:
			return raised(417, "ValidationError", self.text("already has a log with the same timestamp"))
		row = {
			"doctype": "Employee Checkin",
			"name": f"EMP-CKIN-11-2026-{len(self.check_ins) + 1:06}",
			"employee": name,
			"time": fields["timestamp"],
			"log_type": log_type,
			"device_id": fields.get("device_id"),
		}
		self.check_ins.append(row)
		return Reply(200, {"message": row})

	def _question(self, path: str, arguments: Mapping[str, Any]) -> Reply:
		if path.startswith("/api/method/"):
			found = self.methods.get(path.removeprefix("/api/method/"))
			return found or raised(417, "ValidationError", self.text("Failed to get method"))
		with self.lock:
			if path == "/api/resource/Employee":
				return self._list(list(self.employees.values()), arguments)
			if path == "/api/resource/Employee Checkin":
				return self._list(self.check_ins, arguments)
		return raised(404, "DoesNotExistError", self.text("Not found"))

	def _list(self, rows: list[dict[str, Any]], arguments: Mapping[str, Any]) -> Reply:
		fields = json.loads(arguments["fields"])
		if self.unreadable_fields & set(fields):
			return raised(417, "DataError", self.text("Field not permitted in query"))
		for name, operator, wanted in json.loads(arguments.get("filters", "[]")):
			values = wanted if operator == "in" else [wanted]
			rows = [row for row in rows if row[name] in values]
		rows = sorted(rows, key=lambda row: str(row["name"]))
		start, length = int(arguments["limit_start"]), int(arguments["limit_page_length"])
		return Reply(
			200, {"data": [{name: row.get(name) for name in fields} for row in rows[start : start + length]]}
		)
