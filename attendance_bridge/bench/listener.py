"""The site as the listener of Hikvision terminals: they post each event to an address with a token in it.

Some firmware takes the setting and never delivers, or stops after a restart: so it is read back, tested, and
what comes is compared with what the readings bring. The reading remains the truth; this road is faster.
"""

from __future__ import annotations

import hashlib
import logging
import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import cint

from attendance_bridge.bench import background, devices, lasting, moments
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import Page
from attendance_bridge.core.errors import DeviceError, StoreError
from attendance_bridge.drivers.hikvision_isapi.notifications import NotificationReader

logger = logging.getLogger(__name__)

DRIVER = "hikvision_isapi"
PATH = "/attendance_bridge/hikvision/"

SET_UP, NOT_KEPT, DELIVERS, SILENT = "Set Up", "Not Kept", "Delivers", "Silent"
"""Values of `listener_state`."""

_CLOCK = ("last_contact", "clock_offset")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
_NOTED_EVERY = timedelta(seconds=30)
_LATE = timedelta(minutes=15)
"""A punch that a reading brought, and that was not posted so long after, will not be."""


def is_path(path: str) -> bool:
	"""Whether terminals post there, with whatever token."""
	return path.startswith(PATH)


def path_of(token: str) -> str:
	return PATH + token


def digest_of(token: str) -> str:
	"""What is kept of a token: enough to know it again."""
	return hashlib.sha256(token.encode()).hexdigest()


def receive(path: str, content_type: str, body: bytes) -> int:
	"""Hold what a terminal has posted; returns the HTTP status of the answer. Commits.

	404 for a token that is none, 400 for what is no event at all, 503 if it is not held.
	"""
	device = _device_of(path.removeprefix(PATH).strip("/"))
	if device is None:
		return 404
	reader = NotificationReader(
		device_serial=device.serial_number,
		zone=ZoneInfo(device.time_zone),
		minor=cint(device.minor),
		now=moments.utc_now,
	)
	try:
		page = reader.receive(content_type, body)
	except DeviceError as error:
		logger.warning("%s has posted what is no event: %s", device.name, error)
		return 400
	try:
		if page.punches or page.unreadable:
			PunchLog(device.name, road="Push").accept(page, device.serial_number, _look_by_last(device))
		_note(device, page)
	except StoreError as error:
		logger.warning("%s: what it has posted is not held: %s", device.name, error)
		return 503
	return 200


def _look_by_last(device: Any) -> ClockReading | None:
	"""The terminal's clock at this moment, if it has gone on as it went at the last reading.

	An event brings no look at the clock, and must not be believed more than what is read.
	"""
	if device.last_contact is None:
		return None
	now = moments.utc_now()
	return ClockReading(taken_at=now, device_time=now + timedelta(seconds=device.clock_offset or 0.0))


def watch() -> None:
	"""Scheduled now and then: find the terminals that are set up and do not deliver. Commits."""
	rows = frappe.get_all(
		devices.DOCTYPE,
		# Of those that post to an agent, the agent tells.
		filters={
			"enabled": 1,
			"edge_agent": ("is", "not set"),
			"listener_state": ("in", (SET_UP, DELIVERS)),
		},
		fields=["name", "serial_number", "listener_set_at", "listener_arrival"],
	)
	for row in rows:
		known = [moment for moment in (row.listener_set_at, row.listener_arrival) if moment]
		if known and _something_was_not_posted(row.serial_number, moments.from_site(max(known))):
			_write(row.name, {"listener_state": SILENT})


def _something_was_not_posted(serial: str, since: Any) -> bool:
	"""Whether a reading has brought a punch that was made well after a moment (aware), and some time ago."""
	found = frappe.db.sql(
		"SELECT 1 FROM `tabPunch Log` WHERE `device_serial` = %s AND `road` <> 'Push'"
		" AND `occurred_utc` BETWEEN %s AND %s LIMIT 1",
		(serial, moments.to_utc(since + _LATE), moments.to_utc(moments.utc_now() - _LATE)),
	)
	return bool(found)


def _device_of(token: str) -> Any:
	if not _TOKEN.fullmatch(token):
		return None
	return frappe.db.get_value(
		devices.DOCTYPE,
		{"listener_hash": digest_of(token), "enabled": 1, "serial_number": ("is", "set")},
		("name", "serial_number", "time_zone", "minor", "listener_state", "listener_arrival", *_CLOCK),
		as_dict=True,
	)


def _note(device: Any, page: Page) -> None:
	"""That something came; and what came damaged is fetched, as from every live road."""
	now = moments.now()
	if page.gap:
		background.queue_pull(device.name, "Scheduler")
		# Jobs are queued when a transaction ends.
		frappe.db.commit()  # nosemgrep
	fresh = device.listener_arrival and abs(now - device.listener_arrival) < _NOTED_EVERY
	if page.read and not (fresh and device.listener_state == DELIVERS):
		_write(device.name, {"listener_arrival": now, "listener_state": DELIVERS})


def _write(name: str, values: dict[str, Any]) -> None:
	lasting.write(lambda: frappe.db.set_value(devices.DOCTYPE, name, values, update_modified=False))
