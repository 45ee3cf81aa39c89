"""What a terminal tells by itself: events on the alert stream, and those that it posts to a listener.

The shape, from captures of both roads: `{"eventType": "AccessControllerEvent", "eventState": "active",
"dateTime": "…+04:00", "AccessControllerEvent": {"majorEventType": 5, "subEventType": 75, "serialNo": …,
"employeeNoString": "…", "attendanceStatus": "…", "currentEvent": true, …}}`, the same in XML under
`EventNotificationAlert`, and in JSON sometimes inside a member of that name. A heartbeat is an event of
another type: `videoloss` that is `inactive`, or `heartBeat`.

One punch is told as three or four events: the identification, the lock that opens and closes, the door. Only
the first carries a person; told twice, it has the same identity. What cannot be read as a punch on the stream
is not kept from there: the pull brings the same record in its full form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element

from attendance_bridge.core.clock import is_repeated
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Now, Page, UnreadableRow
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.punch import Punch
from attendance_bridge.drivers.hikvision_isapi.documents import read_document, read_tree
from attendance_bridge.drivers.hikvision_isapi.events import RowReader
from attendance_bridge.drivers.hikvision_isapi.parts import Part, split_documents

MAX_POST = 8 * 1024 * 1024
"""Bytes of a posted event: a few pictures may come with it."""
FRESH = timedelta(minutes=10)
"""An event that does not say whether it is current counts as such up to this age."""

_EVENT = "AccessControllerEvent"
_ENVELOPE = "EventNotificationAlert"
_MAX_FIELDS = 500
_MAX_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Notification:
	"""One document, read."""

	event: Mapping[str, Any] | None
	"""The event at the door, in the terms of the event log (`major`, `minor`, `time` …); None for another."""
	is_current: bool | None = None
	"""What the terminal says about it: False for stored history; None if it says nothing."""


def read_notification(body: bytes) -> Notification:
	"""Read one document.

	:raises DeviceError: GARBAGE, if it is none.
	"""
	alert = _unwrapped(_read(body))
	event = alert.get(_EVENT)
	if not isinstance(event, dict):
		return Notification(None)
	row = {key: value for key, value in event.items() if not isinstance(value, (dict, list))}
	for told, logged in (("majorEventType", "major"), ("subEventType", "minor")):
		if told in row:
			row[logged] = row.pop(told)
	row.setdefault("time", alert.get("dateTime"))
	return Notification(row, _truth(row.get("currentEvent")))


def _read(body: bytes) -> dict[str, Any]:
	if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
		document = read_document(body)
		return document if isinstance(document, dict) else {}
	return _members(read_tree(body))


def _members(element: Element, depth: int = 2) -> dict[str, Any]:
	"""The children of an element by their names without a namespace; of one name, the first."""
	members: dict[str, Any] = {}
	for child in list(element)[:_MAX_FIELDS]:
		name = str(child.tag).rpartition("}")[2]
		value = _members(child, depth - 1) if len(child) and depth else (child.text or "").strip()
		members.setdefault(name, value)
	return members


def _unwrapped(document: dict[str, Any]) -> dict[str, Any]:
	inner = document.get(_ENVELOPE)
	return inner if isinstance(inner, dict) else document


def _truth(value: object) -> bool | None:
	if isinstance(value, bool):
		return value
	return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


class NotificationReader:
	"""Makes pages of what one terminal tells. Remembers nothing."""

	def __init__(self, *, device_serial: str, zone: tzinfo, minor: int, now: Now) -> None:
		"""
		:param device_serial: of the terminal; its notifications do not name it.
		:param minor: as in `Config`.
		"""
		self._device_serial = device_serial
		self._zone = zone
		self._minor = minor
		self._now = now

	def receive(self, content_type: str, body: bytes) -> Page:
		"""One posted request: multipart, a bare JSON object or a bare XML document, whatever its header says.

		The page is `live` if everything in it is; stored history that is posted on arming is not. Records
		that cannot be read are in it, and make it a `gap`: from a terminal that only posts, nothing else
		brings them.

		:param content_type: may be empty or wrong.
		:raises DeviceError: TOO_LARGE; GARBAGE, if there is no document in it.
		"""
		if len(body) > MAX_POST:
			raise DeviceError(Code.TOO_LARGE, limit=MAX_POST)
		parts = split_documents(content_type, body)
		if not parts:
			raise DeviceError(Code.GARBAGE, reason="no document")
		found = self._sort(parts[:_MAX_EVENTS])
		return Page(
			punches=_distinct([*found.stored, *found.current]),
			unreadable=tuple(found.unreadable),
			cursor=START,
			read=found.events,
			live=bool(found.current) and not found.stored,
			gap=found.is_gap or len(parts) > _MAX_EVENTS,
		)

	def read(self, parts: Iterable[Part]) -> list[Page]:
		"""Pages of what a stream brought: stored history and what happened just now lie in different ones.

		An empty page if there is neither: the terminal is alive.
		"""
		found = self._sort(parts)
		pages = [
			Page(punches=_distinct(punches), cursor=START, live=live)
			for punches, live in ((found.stored, False), (found.current, True))
			if punches
		]
		if found.is_gap or not pages:
			pages.append(Page(punches=(), cursor=START, read=found.events, gap=found.is_gap))
		return pages

	def _sort(self, parts: Iterable[Part]) -> _Found:
		found = _Found()
		for part in parts:
			if part.is_lost:
				found.is_gap = True
				continue
			try:
				notification = read_notification(part.body)
			except DeviceError:
				found.is_gap = True
				continue
			if notification.event is not None:
				self._sort_event(found, notification.event, notification.is_current)
		return found

	def _sort_event(self, found: _Found, event: Mapping[str, Any], is_current: bool | None) -> None:
		found.events += 1
		# One reader an event: what was told before it tells nothing about the pass in a repeated hour.
		row = RowReader(device_serial=self._device_serial, zone=self._zone, minor=self._minor).read(event)
		if row.unreadable is not None:
			found.unreadable.append(row.unreadable)
			found.is_gap = True
		elif row.punch is not None:
			unsaid = row.stamp is None or row.stamp.offset is None
			if unsaid and is_repeated(row.punch.occurred_at):
				# Which pass it was shows only in the order of the log; a guess would make two punches of one.
				found.is_gap = True
			elif is_current if is_current is not None else self._is_fresh(row.punch.occurred_at):
				found.current.append(row.punch)
			else:
				found.stored.append(row.punch)

	def _is_fresh(self, moment: datetime) -> bool:
		return abs(self._now() - moment.astimezone(timezone.utc)) <= FRESH


class _Found:
	"""What a few documents brought."""

	def __init__(self) -> None:
		self.current: list[Punch] = []
		self.stored: list[Punch] = []
		self.unreadable: list[UnreadableRow] = []
		self.events = 0
		self.is_gap = False


def _distinct(punches: Iterable[Punch]) -> tuple[Punch, ...]:
	"""Each punch once, in the order of its first telling."""
	by_id: dict[UUID, Punch] = {}
	for punch in punches:
		by_id.setdefault(punch.punch_id, punch)
	return tuple(by_id.values())
