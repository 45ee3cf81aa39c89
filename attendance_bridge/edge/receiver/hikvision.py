"""Hikvision terminals that post their events: `/hikvision/<token>/<serial number>`.

The token is that of the receiver; without one nobody may post, because a serial number stands on every box.
"""

from __future__ import annotations

import hmac
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attendance_bridge.core.driver import Now, Page
from attendance_bridge.core.errors import Code, DeviceError, StoreError
from attendance_bridge.drivers.hikvision_isapi.notifications import MAX_POST, NotificationReader
from attendance_bridge.drivers.zkteco_adms.desk import Gate
from attendance_bridge.drivers.zkteco_adms.limits import Allowance
from attendance_bridge.drivers.zkteco_adms.receiver import is_within
from attendance_bridge.edge.receiver.body import announced_length, read_body
from attendance_bridge.edge.settings import Device

if TYPE_CHECKING:
	from _typeshed.wsgi import StartResponse

logger = logging.getLogger(__name__)

DRIVER = "hikvision_isapi"
READ_PAUSE = timedelta(seconds=30)
"""Between two readings of one terminal that damaged posts ask for."""
MOST_ANNOUNCED = 2 * MAX_POST


class HikvisionPosts:
	"""A WSGI application. Safe to call from several threads."""

	def __init__(
		self,
		gate: Gate,
		*,
		devices: Callable[[], Sequence[Device]],
		serials: Callable[[], Mapping[str, str]],
		hold: Callable[[Page, str], None],
		read_soon: Callable[[str], None],
		now: Now,
		on_arrival: Callable[[str, Page], None] = lambda name, page: None,
	) -> None:
		"""
		:param devices: every terminal of this agent.
		:param serials: the serial number that each was last seen with, by name.
		:param hold: makes a page durable; may raise `StoreError`.
		:param read_soon: the name of a terminal that may hold more than it has told.
		:param on_arrival: called with the name of a terminal and what it posted, once that is held.
		"""
		self._gate = gate
		self._devices = devices
		self._serials = serials
		self._hold = hold
		self._read_soon = read_soon
		self._now = now
		self._on_arrival = on_arrival
		self._guesses = Allowance(burst=20, per_second=0.2)
		self._lock = threading.Lock()
		self._read_at: dict[str, datetime] = {}

	def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
		status = HTTPStatus(self._answer(environ))
		headers = [("Content-Length", "0")]
		if status is not HTTPStatus.OK:
			headers.append(("Connection", "close"))
		start_response(f"{status.value} {status.phrase}", headers)
		return [b""]

	def _answer(self, environ: dict[str, Any]) -> int:
		announced = announced_length(environ)
		if announced > MOST_ANNOUNCED:
			return 413
		peer = environ.get("REMOTE_ADDR", "")
		found = self._find(environ.get("PATH_INFO", ""), peer)
		# What a stranger sends passes through: nothing of it is kept.
		body, is_whole = read_body(environ["wsgi.input"], announced, MAX_POST if found else 0)
		if found is None:
			return 404 if self._guesses.take(peer, self._now()) else 429
		if environ.get("REQUEST_METHOD") != "POST":
			return 405
		if announced > MAX_POST:
			return 413
		return self._take(*found, environ.get("CONTENT_TYPE", ""), body) if is_whole else 400

	def _find(self, path: str, peer: str) -> tuple[Device, str] | None:
		"""The terminal that may post at this path, and its serial number."""
		token, gate = self._gate.token, self._gate
		parts = path.strip("/").split("/")
		if token is None or len(parts) != 3:
			return None
		has_token = hmac.compare_digest(parts[1].encode(), token.reveal().encode())
		if not has_token or (gate.networks and not is_within(peer, gate.networks)):
			return None
		serials = self._serials()
		for device in self._devices():
			settings = device.settings
			serial = settings.serial or serials.get(settings.name, "")
			if settings.enabled and settings.driver == DRIVER and serial == parts[2]:
				return device, serial
		return None

	def _take(self, device: Device, serial: str, content_type: str, body: bytes) -> int:
		settings = device.settings
		reader = NotificationReader(
			device_serial=serial, zone=settings.timezone, minor=device.config.minor, now=self._now
		)
		try:
			page = reader.receive(content_type, body)
		except DeviceError as error:
			return 413 if error.code is Code.TOO_LARGE else 400
		try:
			self._hold(page, serial)
		except StoreError as error:
			logger.warning("%s: what it posted is not held (%s)", settings.name, error.code.value)
			return 503
		self._on_arrival(settings.name, page)
		if page.gap and self._may_read(settings.name):
			self._read_soon(settings.name)
		return 200

	def _may_read(self, name: str) -> bool:
		now = self._now()
		with self._lock:
			since = self._read_at.get(name)
			# Negative only after our own clock was set back.
			if since is not None and timedelta(0) <= now - since < READ_PAUSE:
				return False
			self._read_at[name] = now
			return True
