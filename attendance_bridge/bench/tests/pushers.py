"""Terminals that push, as tests play them: with the bytes on the wire, and by nothing of what reads them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import frappe
import requests

from attendance_bridge.bench import iclock, lasting, moments
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.bench.tests.site_server import SiteServer
from attendance_bridge.core.punch import Punch
from attendance_bridge.drivers.zkteco_adms.desk import Dialect, Knock

SETTINGS = "Attendance Bridge Settings"
_AS_DELIVERED = {
	"push_enabled": 0,
	"push_networks": None,
	"trusted_proxies": None,
	"push_token": "",
	"push_requests_a_minute": 10_000,
	"push_body_kib": 4096,
}


def terminal(number: int = 1, **values: Any) -> str:
	"""A Device Configuration of an approved terminal; returns its name."""
	document = frappe.get_doc(
		{
			"doctype": "Device Configuration",
			"device_name": f"{premises.MARK} Push {number}",
			"driver": "zkteco_adms",
			"time_zone": terminals.ZONE.key,
			"serial_number": serial(number),
			"push": 1,
			**values,
		}
	)
	name = document.insert(ignore_permissions=True).name
	frappe.db.commit()
	return name


def serial(number: int = 1) -> str:
	return f"ABTPUSH{number}"


def punch(user_id: str, wall_time: datetime, *, number: int = 1) -> Punch:
	return Punch(
		device_serial=serial(number),
		device_user_id=user_id,
		occurred_at=wall_time.replace(tzinfo=terminals.ZONE),
	)


def knock(serial_number: str) -> Knock:
	return Knock(serial=serial_number, at=moments.utc_now(), peer="192.0.2.1", dialect=Dialect.ATTENDANCE)


def settings(**values: Any) -> None:
	"""The settings as delivered, but for some values. Commits."""
	frappe.db.rollback()
	document = frappe.get_doc(SETTINGS)
	document.update({**_AS_DELIVERED, "pairing_open_until": None, **values})
	document.save(ignore_permissions=True)
	frappe.db.commit()


def clear_terminals() -> None:
	"""Remove what pushing terminals have left. Commits."""
	frappe.db.rollback()
	# The server may still be at the check-ins of the test before.
	lasting.write(_delete_terminals)


def _delete_terminals() -> None:
	frappe.db.delete("Device Pairing", {"name": ("like", "ABTPUSH%")})
	frappe.db.delete("Push Command", {"device": ("like", f"{premises.MARK}%")})
	frappe.db.delete("Employee Checkin", {"employee": ("in", premises.own_employees() or [""])})
	frappe.db.delete("__Auth", {"doctype": "Device Configuration", "name": ("like", f"{premises.MARK}%")})
	premises.clear_own_doctypes()


def clear() -> None:
	"""Remove everything that these tests made, and put the settings back. Commits."""
	clear_terminals()
	premises.clear()
	settings(push_requests_a_minute=240)


def page(path: str) -> iclock.TerminalPage:
	"""What Frappe asks whether a page is ours, for a path."""
	before = getattr(frappe.local, "request", None)
	frappe.local.request = SimpleNamespace(path=path)
	try:
		return iclock.TerminalPage(path.strip("/"))
	finally:
		frappe.local.request = before


def until(happens: Callable[[], bool], seconds: float = 30) -> bool:
	"""Wait for something that another process does."""
	deadline = time.monotonic() + seconds
	while time.monotonic() < deadline:
		if happens():
			return True
		time.sleep(0.2)
	return False


def at_the_beginning_of_a_minute() -> None:
	"""Calls are counted by the minute: wait if this one is about to end."""
	left = 60 - time.time() % 60
	if left < 8:
		time.sleep(left)


@contextmanager
def table_away(doctype: str) -> Iterator[None]:
	"""The table of a doctype cannot be written meanwhile."""
	frappe.db.commit()
	frappe.db.sql_ddl(f"RENAME TABLE `tab{doctype}` TO `tab{doctype} away`")
	try:
		yield
	finally:
		frappe.db.sql_ddl(f"RENAME TABLE `tab{doctype} away` TO `tab{doctype}`")


@contextmanager
def changed(module: Any, name: str, value: Any) -> Iterator[None]:
	before = getattr(module, name)
	setattr(module, name, value)
	try:
		yield
	finally:
		setattr(module, name, before)


class Pusher:
	"""One terminal of the 2.x dialect."""

	def __init__(self, server: SiteServer, device: str | None, *, serial: str | None = None) -> None:
		self.device = device
		self.serial = serial or frappe.db.get_value("Device Configuration", device, "serial_number")
		self.prefix = "/iclock"
		self.headers: dict[str, str] = {}
		self._root = f"http://127.0.0.1:{server.port}"
		self._site, self._port = server.site, server.port

	def hello(self) -> requests.Response:
		return self.send("GET", "cdata", {"options": "all", "pushver": "2.4.1", "language": "69"})

	def poll(self) -> requests.Response:
		return self.send("GET", "getrequest", {})

	def punch(
		self,
		*punches: tuple[str, datetime],
		stamp: str = "9999",
		content_type: str | None = "text/plain",
	) -> requests.Response:
		body = "".join(f"{user_id}\t{moment}\t0\t1\t0\t0\t0\n" for user_id, moment in punches)
		query = {"table": "ATTLOG", "Stamp": stamp}
		return self.send("POST", "cdata", query, body.encode(), content_type)

	def break_off(self, *punches: tuple[str, datetime]) -> None:
		"""An upload whose second half never comes: the line is closed in the middle of a record."""
		body = "".join(f"{user_id}\t{moment}\t0\t1\t0\t0\t0\n" for user_id, moment in punches).encode()
		head = (
			f"POST {self.prefix}/cdata?SN={self.serial}&table=ATTLOG&Stamp=9999 HTTP/1.1\r\n"
			f"Host: {self._site}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
		)
		with socket.create_connection(("127.0.0.1", self._port), timeout=10) as line:
			line.sendall(head.encode() + body[: len(body) * 2 // 3])

	def raw(self, header: str, body: bytes) -> bytes:
		"""What is answered to an upload of punches with one header of its own."""
		head = (
			f"POST {self.prefix}/cdata?SN={self.serial}&table=ATTLOG&Stamp=9999 HTTP/1.1\r\n"
			f"Host: {self._site}\r\nConnection: close\r\n{header}\r\n\r\n"
		)
		with socket.create_connection(("127.0.0.1", self._port), timeout=30) as line:
			line.sendall(head.encode() + body)
			return b"".join(iter(lambda: line.recv(4096), b""))

	def send(
		self,
		verb: str,
		endpoint: str,
		query: dict[str, str],
		body: bytes | None = None,
		content_type: str | None = None,
		*,
		with_serial: bool = True,
	) -> requests.Response:
		headers = {"Host": self._site, "User-Agent": "iClock Proxy/1.09", **self.headers}
		if content_type:
			headers["Content-Type"] = content_type
		return requests.request(
			verb,
			f"{self._root}{self.prefix}/{endpoint}",
			params={"SN": self.serial, **query} if with_serial else query,
			data=body,
			headers=headers,
			timeout=120,
		)
