"""What terminals tell by themselves: Hikvision's stream and posts, events of ZKTeco."""

from __future__ import annotations

import json
import struct
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Page
from attendance_bridge.core.errors import DeviceError
from attendance_bridge.drivers.hikvision_isapi.documents import find_failure, find_login_state, read_document
from attendance_bridge.drivers.hikvision_isapi.events import RowReader, read_result_page
from attendance_bridge.drivers.hikvision_isapi.http_answer import Answer, BadAnswerError
from attendance_bridge.drivers.hikvision_isapi.http_hosts import HostEntry, Listener, read_capabilities
from attendance_bridge.drivers.hikvision_isapi.limits import read_capacity, read_limits
from attendance_bridge.drivers.hikvision_isapi.notifications import NotificationReader
from attendance_bridge.drivers.hikvision_isapi.parts import MAX_DOCUMENT, PartReader
from attendance_bridge.drivers.hikvision_isapi.probe import read_match
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
	formats = read_capabilities(data)
	for entry in HostEntry.read_all(data):
		assert 1 <= entry.slot <= 64
		entry.fill(_HERE, formats)
		entry.subscribe()
		(again,) = HostEntry.read_all(entry.to_xml())
		assert again.says(_HERE)
		assert again.subscribes
		again.empty()
		assert HostEntry.read_all(again.to_xml())[0].is_free


def _isapi(data: bytes) -> None:
	"""A whole answer: what it says of a failure, of a login, and of the log."""
	find_login_state(data)
	match = read_match(data)
	assert match is None or 0 < match.port < 65_536
	document = read_document(data)
	failure = find_failure(document, 200)
	assert failure is None or len(str(failure)) < 2_000
	if isinstance(document, dict):
		read_limits(document)
		read_capacity(document)
		reader = RowReader(device_serial="A1", zone=ZoneInfo("Europe/Berlin"), minor=0)
		rows = [reader.read(row) for row in read_result_page(document).rows]
		_check(
			Page(
				punches=tuple({row.punch.punch_id: row.punch for row in rows if row.punch}.values()),
				unreadable=tuple(row.unreadable for row in rows if row.unreadable),
				cursor=START,
			)
		)


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
_HERE = Listener(host="192.0.2.9", port=8081, path="/hikvision/token/A1")
_PAGE = json.dumps(
	{
		"AcsEvent": {
			"searchID": "1",
			"responseStatusStrg": "MORE",
			"numOfMatches": 1,
			"totalMatches": 3,
			"InfoList": [
				{
					"major": 5,
					"minor": 75,
					"time": "2026-10-25T02:10:00+02:00",
					"employeeNoString": "0042",
					"serialNo": 7,
					"attendanceStatus": "checkOut",
				}
			],
		}
	}
).encode()
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
	Target(
		name="hikvision_isapi",
		parse=_isapi,
		seeds=(
			_PAGE,
			_PAGE.replace(b"[{", b"{").replace(b"}]", b"}"),
			b'<ResponseStatus version="2.0"><statusCode>4</statusCode><statusString>Invalid Operation'
			b"</statusString><subStatusCode>notSupport</subStatusCode></ResponseStatus>",
			b"<userCheck><lockStatus>lock</lockStatus><unlockTime>1700</unlockTime></userCheck>",
			b'{"AcsEvent": {"maxResults": {"@min": 1, "@max": 30}, "minor": {"@opt": "1,38,75"}}}',
			b"<ProbeMatch><DeviceSN>A1</DeviceSN><HttpPort>80</HttpPort></ProbeMatch>",
		),
		refusals=(DeviceError,),
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
