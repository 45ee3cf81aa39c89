"""Events as the terminal tells of them by itself: one document an event, in JSON or (older firmware) in XML.

Fields and spelling are those of public captures: a DS-K1A8503 and a DS-K1T on `alertStream`, and several
terminals' posts to their HTTP listener. `frontSerialNo` is the serial number of the event before;
`currentEvent` is false on events that are told again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from attendance_bridge.simulators.hikvision import events
from attendance_bridge.simulators.hikvision.answers import NAMESPACE
from attendance_bridge.simulators.hikvision.events import Event
from attendance_bridge.simulators.hikvision.rows import row, time_text

EVENT_TYPE = "AccessControllerEvent"
BOUNDARY = "MIME_boundary"
OLD_BOUNDARY = "boundary"
"""Of firmware that writes XML."""
PICTURE = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\r\n--MIME_boundar\r\n\r\n{\x00}--\r\n\xff\xd9"
"""No picture, but bytes that a reader of such streams must let pass."""

Alert = dict[str, Any]


def of_event(event: Event, name: str, *, is_current: bool | None) -> Alert:
	"""
	:param name: of the person, if it concerns one.
	:param is_current: what `currentEvent` says; None leaves it out, as some firmware does.
	"""
	shown = row(event, name)
	body = {
		"deviceName": "Access Controller",
		"majorEventType": shown.pop("major"),
		"subEventType": shown.pop("minor"),
	}
	moment = shown.pop("time", time_text(event))
	picture = shown.pop("pictureURL", None)
	body |= shown | {"cardReaderKind": 1, "frontSerialNo": event.serial_no - 1, "purePwdVerifyEnable": True}
	if picture is not None:
		body |= {"FaceRect": {"height": 0.304, "width": 0.171, "x": 0.369, "y": 0.68}}
	if is_current is not None:
		body["currentEvent"] = is_current
	return _envelope(moment, EVENT_TYPE, "active", "Access Controller Event") | {EVENT_TYPE: body}


def stream_heartbeat(moment: str) -> Alert:
	"""What `alertStream` says when there is nothing to say.

	:param moment: the time by the terminal's clock.
	"""
	return _envelope(moment, "videoloss", "inactive", "videoloss alarm")


def post_heartbeat(moment: str) -> Alert:
	"""What a listener is posted when it asked for heartbeats."""
	return _envelope(moment, "heartBeat", "active", "Heartbeat")


def _envelope(moment: str, kind: str, state: str, description: str) -> Alert:
	return {
		"ipAddress": "192.0.2.64",
		"portNo": 80,
		"protocol": "HTTP",
		"macAddress": "02:00:5e:00:53:01",
		"channelID": 1,
		"dateTime": moment,
		"activePostCount": 1,
		"eventType": kind,
		"eventState": state,
		"eventDescription": description,
	}


def has_picture(event: Event) -> bool:
	return event.minor == events.MINOR_FACE


def as_json(alert: Alert, _namespace: str = NAMESPACE) -> bytes:
	return json.dumps(alert, ensure_ascii=False, indent="\t").encode()


def as_xml(alert: Alert, namespace: str = NAMESPACE) -> bytes:
	head = f'<EventNotificationAlert version="2.0" xmlns="{namespace}">\n'
	return f"{head}{_elements(alert)}</EventNotificationAlert>\n".encode()


def _elements(fields: Mapping[str, object]) -> str:
	return "".join(
		f"<{name}>\n{_elements(value)}</{name}>\n"
		if isinstance(value, dict)
		else f"<{name}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</{name}>\n"
		for name, value in fields.items()
	)


Writer = Callable[[Alert, str], bytes]


def stream_part(document: bytes, *, is_xml: bool, is_bare: bool) -> bytes:
	"""One part of the stream, its boundary before it.

	:param is_bare: no headers of its own.
	"""
	boundary = OLD_BOUNDARY if is_xml else BOUNDARY
	kind = 'application/xml; charset="UTF-8"' if is_xml else 'application/json; charset="UTF-8"'
	headers = "" if is_bare else f"Content-Type: {kind}\r\nContent-Length: {len(document)}\r\n"
	return f"--{boundary}\r\n{headers}\r\n".encode() + document + b"\r\n"


def picture_part() -> bytes:
	head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(PICTURE)}\r\n\r\n"
	return head.encode() + PICTURE + b"\r\n"


def form(document: bytes, *, is_xml: bool, name: str, with_picture: bool) -> bytes:
	"""The body of a multipart post.

	:param name: of the field that carries the event.
	"""
	kind = "application/xml" if is_xml else "application/json"
	head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n'
	body = head.encode() + document + b"\r\n"
	if with_picture:
		head = (
			f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="Picture"; filename="Picture.jpg"\r\n'
			"Content-Type: image/jpeg\r\nContent-ID: pictureImage\r\n\r\n"
		)
		body += head.encode() + PICTURE + b"\r\n"
	return body + f"--{BOUNDARY}--\r\n".encode()
