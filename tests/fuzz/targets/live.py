"""What terminals tell by themselves: Hikvision's stream and posts, events of ZKTeco."""

from __future__ import annotations

import json
import struct
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from attendance_bridge.core.driver import Page
from attendance_bridge.core.errors import DeviceError
from attendance_bridge.drivers.hikvision_isapi.http_answer import Answer, BadAnswerError
from attendance_bridge.drivers.hikvision_isapi.http_hosts import HostEntry, read_capabilities
from attendance_bridge.drivers.hikvision_isapi.notifications import NotificationReader
from attendance_bridge.drivers.hikvision_isapi.parts import MAX_DOCUMENT, PartReader
from attendance_bridge.drivers.zkteco_tcp.live_events import EventReader
from tests.fuzz.target import Target

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)
_PIECE = 61

_NOTIFICATIONS = NotificationReader(
	device_serial="A1", zone=ZoneInfo("Europe/Berlin"), minor=0, now=lambda: NOW
)
_EVENTS = EventReader(
	serial="A1",
	zone=ZoneInfo("Europe/Berlin"),
	id_encoding="utf-8",
	latest_year=2027,
	id_of_number=lambda number, _may_be_internal: str(number) if number < 60_000 else None,
)


def _check(page: Page) -> None:
	for punch in page.punches:
		assert punch.device_serial == "A1"
		assert 0 < len(punch.device_user_id) <= 64
		assert punch.device_user_id.isprintable()
		assert len(punch.raw) <= 4000
	assert len({punch.punch_id for punch in page.punches}) == len(page.punches)
	assert all(len(row.raw) <= 4000 for row in page.unreadable)


def _post(data: bytes) -> None:
	"""A first line with the content type, the rest is the body."""
	content_type, _newline, body = data.partition(b"\n")
	_check(_NOTIFICATIONS.receive(content_type.decode("latin-1"), body))


def _stream(data: bytes) -> None:
	"""The same documents come out whether the stream comes at once or in pieces."""
	whole, pieces = PartReader("multipart/mixed; boundary=b"), PartReader("multipart/mixed; boundary=b")
	found = [*whole.feed(data), *whole.close()]
	assert all(len(part.body) <= MAX_DOCUMENT for part in found)
	if len(data) < 8192:
		again = [
			part
			for start in range(0, len(data), _PIECE)
			for part in pieces.feed(data[start : start + _PIECE])
		]
		assert [*again, *pieces.close()] == found
	for page in _NOTIFICATIONS.read(found):
		_check(page)


def _answer(data: bytes) -> None:
	body = Answer().feed(data)
	assert len(body) <= len(data)


def _events(data: bytes) -> None:
	_check(_EVENTS.page([data]))
	_check(_EVENTS.page([bytes(8) + data]))


def _host(data: bytes) -> None:
	HostEntry.read(data)
	read_capabilities(data)


_JSON = json.dumps(
	{
		"ipAddress": "192.0.2.9",
		"dateTime": "2026-10-25T02:10:00+01:00",
		"eventType": "AccessControllerEvent",
		"AccessControllerEvent": {
			"majorEventType": 5,
			"subEventType": 75,
			"serialNo": 7,
			"employeeNoString": "0042",
			"attendanceStatus": "checkIn",
			"currentEvent": True,
			"pictureURL": "http://192.0.2.9/p.jpg",
		},
	}
).encode()
_XML = (
	b'<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><dateTime>'
	b"2026-11-26T12:00:00</dateTime><eventType>AccessControllerEvent</eventType><AccessControllerEvent>"
	b"<majorEventType>5</majorEventType><subEventType>38</subEventType><employeeNoString>7</employeeNoString>"
	b"<currentEvent>false</currentEvent></AccessControllerEvent></EventNotificationAlert>"
)
_HEARTBEAT = b'{"eventType": "videoloss", "eventState": "inactive"}'
_MULTIPART = (
	b"--b\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
	+ _JSON
	+ b"\r\n--b\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\n\xff\xd8{picture\r\n--b\r\n"
	+ b"Content-Type: application/xml\r\n\r\n"
	+ _XML
	+ b"\r\n--b--\r\n"
)
_TEXT_RECORD = struct.pack("<24sBB6s", b"0042", 15, 0, bytes((26, 10, 26, 2, 10, 0)))
_NUMBER_RECORD = struct.pack("<IBB6s", 42, 1, 1, bytes((26, 10, 26, 8, 0, 0)))
_HOST = (
	b'<HttpHostNotification version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><id>1</id><url>/a</url>'
	b"<protocolType>HTTP</protocolType><parameterFormatType>JSON</parameterFormatType><addressingFormatType>"
	b"ipaddress</addressingFormatType><ipAddress>192.0.2.1</ipAddress><portNo>80</portNo>"
	b"<httpAuthenticationMethod>none</httpAuthenticationMethod></HttpHostNotification>"
)

TARGETS = (
	Target(
		name="hikvision_post",
		parse=_post,
		seeds=(
			b"application/json\n" + _JSON,
			b"application/xml\n" + _XML,
			b"multipart/form-data; boundary=b\n" + _MULTIPART,
			b"\n" + _HEARTBEAT,
		),
		refusals=(DeviceError,),
	),
	Target(name="hikvision_stream", parse=_stream, seeds=(_MULTIPART, _JSON + b"\r\n" + _XML + _HEARTBEAT)),
	Target(
		name="hikvision_answer",
		parse=_answer,
		seeds=(
			b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
			b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			b"5;a=b\r\nhello\r\n0\r\n\r\n",
			b'HTTP/1.0 401 No\r\nWWW-Authenticate: Digest realm="T", nonce="n"\r\n\r\n',
		),
		refusals=(BadAnswerError,),
	),
	Target(name="hikvision_host", parse=_host, seeds=(_HOST,), refusals=(DeviceError,)),
	Target(
		name="zkteco_event",
		parse=_events,
		seeds=(
			struct.pack("<4H", 500, 0, 1, 0) + _TEXT_RECORD,
			struct.pack("<4H", 500, 0, 1, 0) + (_TEXT_RECORD + bytes(20)) * 2,
			struct.pack("<4H", 500, 0, 1, 0) + _NUMBER_RECORD * 3,
			struct.pack("<4H", 500, 0, 1, 0) + struct.pack("<HBB6s", 7, 1, 0, bytes((26, 10, 26, 8, 0, 0))),
		),
	),
)
