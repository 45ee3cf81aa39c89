"""The listener that a terminal is told to post to: set up, read back, tested, watched, taken away."""

from __future__ import annotations

import re
import socket
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.redact import MASK, Secret
from attendance_bridge.drivers.hikvision_isapi import Driver
from attendance_bridge.drivers.hikvision_isapi.config import Config
from attendance_bridge.drivers.hikvision_isapi.delivery import LATE, SILENCE, Arrivals, Delivery, judge
from attendance_bridge.drivers.hikvision_isapi.http_hosts import HostEntry, Listener
from tests.drivers.stream_server import StreamServer, answer

NAMESPACE = "http://www.hikvision.com/ver20/XMLSchema"
BEFORE = (
	f'<HttpHostNotification version="2.0" xmlns="{NAMESPACE}"><id>1</id><url></url>'
	"<protocolType>HTTP</protocolType><parameterFormatType>XML</parameterFormatType>"
	"<addressingFormatType>hostname</addressingFormatType><hostName></hostName><ipAddress>0.0.0.0</ipAddress>"
	"<portNo>80</portNo><userName>somebody</userName><httpAuthenticationMethod>MD5digest"
	"</httpAuthenticationMethod><uploadImagesDataType>URL</uploadImagesDataType></HttpHostNotification>"
)
OK = b"<ResponseStatus><statusCode>1</statusCode><statusString>OK</statusString></ResponseStatus>"
INVALID = (
	b"<ResponseStatus><statusCode>6</statusCode><statusString>Invalid Content</statusString>"
	b"<subStatusCode>badXmlContent</subStatusCode></ResponseStatus>"
)
HERE = Listener(host="192.0.2.1", port=8081, path="/hikvision/token-1")
FOREIGN = (
	f'<HttpHostNotification version="2.0" xmlns="{NAMESPACE}"><id>1</id><url>/doors</url>'
	"<protocolType>HTTP</protocolType><parameterFormatType>XML</parameterFormatType>"
	"<addressingFormatType>ipaddress</addressingFormatType><ipAddress>198.51.100.7</ipAddress>"
	"<portNo>80</portNo><httpAuthenticationMethod>none</httpAuthenticationMethod></HttpHostNotification>"
)
"""Somebody else's: a door controller, another time clock."""
NOW = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)


def is_ours(path: str) -> bool:
	return path == HERE.path


class Terminal:
	"""Keeps its entries, with the habits of several firmwares."""

	def __init__(self, *habits: str, entries: tuple[str, ...] = (BEFORE,)) -> None:
		self.habits = habits
		self.entries = [entry.replace("<id>1<", f"<id>{slot}<") for slot, entry in enumerate(entries, 1)]
		self.tested: list[str] = []
		self.written: list[str] = []

	@property
	def entry(self) -> str:
		return self.entries[0]

	def __call__(self, request: str, body: bytes, connection: socket.socket) -> None:
		method, path = request.split()[:2]
		text, number = body.decode(), re.search(r"httpHosts/(\d+)", path)
		slot = int(number.group(1)) if number else None
		if path.endswith("/capabilities"):
			formats = "" if "no capabilities" in self.habits else '<parameterFormatType opt="XML,JSON"/>'
			connection.sendall(answer(f"<Cap>{formats}</Cap>".encode()))
		elif path.endswith("/test"):
			self._test(text, connection)
		elif slot is not None and slot > len(self.entries):
			connection.sendall(answer(INVALID, "400 Bad Request"))
		elif method == "PUT":
			connection.sendall(self._write(text, (slot or 1) - 1))
		elif "one by one" in self.habits and slot is None:
			connection.sendall(answer(b"", "404 Not Found"))
		elif slot is None or "list" in self.habits:
			listed = "".join(self.entries)
			whole = f'<HttpHostNotificationList xmlns="{NAMESPACE}">{listed}</HttpHostNotificationList>'
			connection.sendall(answer(whole.encode()))
		else:
			connection.sendall(answer(self.entries[slot - 1].encode()))

	def _write(self, text: str, place: int) -> bytes:
		if "no subscription" in self.habits and "SubscribeEvent" in text:
			return answer(INVALID, "400 Bad Request")
		self.written.append(text)
		entry = re.sub(r"<\?xml.*?\?>\s*", "", text)
		if "drops url" in self.habits:
			entry = re.sub(r"<url>.*?</url>", "<url />", entry)
		if "drops names" in self.habits:
			entry = re.sub(r"<hostName>.*?</hostName>", "<hostName />", entry)
		self.entries[place] = entry
		return answer(OK)

	def _test(self, text: str, connection: socket.socket) -> None:
		self.tested.append(text)
		if "no test" in self.habits:
			connection.sendall(answer(b"", "404 Not Found"))
			return
		url = fields(text)["url"]
		said = f"connection refused: {url}" if "cannot reach" in self.habits else "ok"
		result = f"<HttpHostTestResult><errorDescription>{said}</errorDescription></HttpHostTestResult>"
		connection.sendall(answer(result.encode()))


def driver(port: int) -> Driver:
	config = Config(host="127.0.0.1", port=port, user="u", password=Secret("p"), timeout=1.0)
	return Driver(config, zone=ZoneInfo("Asia/Dubai"), now=lambda: NOW)


def fields(entry: str) -> dict[str, str]:
	return dict(re.findall(r"<(\w+)>([^<]*)</\1>", entry))


@pytest.mark.parametrize("habits", [(), ("list",), ("one by one",)])
def test_it_is_set_up_read_back_and_tested(habits: tuple[str, ...]) -> None:
	terminal = Terminal(*habits)
	with StreamServer(terminal) as server, driver(server.port) as made:
		arrangement = made.http_hosts(is_ours).set_up(HERE)
		found = made.http_hosts(is_ours).find()
	assert found is not None
	assert found.says(HERE)
	assert not found.says(Listener(host="192.0.2.1", port=8081, path="/other"))
	assert arrangement.is_good
	assert (arrangement.subscribes, arrangement.reaches_us, arrangement.said) == (True, True, "ok")
	kept = fields(terminal.entry)
	assert kept["url"] == "/hikvision/token-1"
	assert (kept["ipAddress"], kept["portNo"], kept["addressingFormatType"]) == (
		"192.0.2.1",
		"8081",
		"ipaddress",
	)
	assert (kept["parameterFormatType"], kept["httpAuthenticationMethod"]) == ("JSON", "none")
	assert kept["type"] == "AccessControllerEvent"
	assert "0x4b" in kept["minorEvent"].split(",")
	# What we know nothing of stays as it was; what contradicts us goes.
	assert kept["uploadImagesDataType"] == "URL"
	assert "hostName" not in kept
	assert f'xmlns="{NAMESPACE}"' in terminal.entry
	assert "ns0" not in terminal.entry


def test_a_firmware_that_drops_the_path_is_found_out() -> None:
	terminal = Terminal("drops url", "no test")
	with StreamServer(terminal) as server, driver(server.port) as made:
		arrangement = made.http_hosts(is_ours).set_up(HERE)
	assert (arrangement.not_kept, arrangement.reaches_us, arrangement.is_good) == (("url",), None, False)


def test_a_firmware_that_refuses_names_is_found_out() -> None:
	terminal = Terminal("drops names")
	with StreamServer(terminal) as server, driver(server.port) as made:
		arrangement = made.http_hosts(is_ours).set_up(
			Listener(host="agent.example.com", port=80, path="/hikvision/t")
		)
	assert arrangement.not_kept == ("hostName",)


def test_a_firmware_that_takes_no_choice_of_events() -> None:
	terminal = Terminal("no subscription", "no capabilities")
	with StreamServer(terminal) as server, driver(server.port) as made:
		arrangement = made.http_hosts(is_ours).set_up(HERE)
	assert (arrangement.subscribes, arrangement.is_good) == (False, True)
	assert fields(terminal.entry)["parameterFormatType"] == "XML"


def test_a_terminal_that_cannot_reach_us_says_so() -> None:
	terminal = Terminal("cannot reach")
	with StreamServer(terminal) as server, driver(server.port) as made:
		arrangement = made.http_hosts(is_ours).set_up(HERE)
	assert (arrangement.reaches_us, arrangement.said, arrangement.is_good) == (
		False,
		f"connection refused: {MASK}",
		False,
	)


def test_it_can_be_taken_away() -> None:
	terminal = Terminal(entries=(FOREIGN, BEFORE))
	with StreamServer(terminal) as server, driver(server.port) as made:
		made.http_hosts(is_ours).set_up(HERE)
		made.http_hosts(is_ours).take_away()
		assert made.http_hosts(is_ours).find() is None
	assert terminal.entries[0] == FOREIGN
	left = fields(terminal.entries[1])
	assert (left["url"], left["ipAddress"], left["uploadImagesDataType"]) == ("/", "0.0.0.0", "URL")
	assert "SubscribeEvent" not in terminal.entries[1]


@pytest.mark.parametrize("habits", [(), ("list",)])
def test_an_entry_of_somebody_else_stays(habits: tuple[str, ...]) -> None:
	terminal = Terminal(*habits, entries=(FOREIGN, BEFORE))
	with StreamServer(terminal) as server, driver(server.port) as made:
		assert made.http_hosts(is_ours).set_up(HERE).is_good
	assert terminal.entries[0] == FOREIGN
	assert fields(terminal.entries[1])["url"] == HERE.path


def test_where_every_entry_is_somebody_elses_nothing_is_written() -> None:
	terminal = Terminal(entries=(FOREIGN,))
	with StreamServer(terminal) as server, driver(server.port) as made, pytest.raises(DeviceError) as caught:
		made.http_hosts(is_ours).set_up(HERE)
	assert caught.value.code is Code.NO_FREE_PLACE
	assert (terminal.written, terminal.entry) == ([], FOREIGN)


@pytest.mark.parametrize(
	"another",
	[
		HERE,
		Listener(host="192.0.2.99", port=8081, path=HERE.path),  # our address was another one
		Listener(host=HERE.host, port=HERE.port, path="/hikvision/token-0"),  # our token was
		Listener(host=HERE.host, port=HERE.port, path="/"),  # and the path got lost
	],
)
def test_it_is_set_up_once_however_often_it_was(another: Listener) -> None:
	terminal = Terminal(entries=(BEFORE, BEFORE))
	with StreamServer(terminal) as server, driver(server.port) as made:
		made.http_hosts(lambda path: path == another.path).set_up(another)
		made.http_hosts(is_ours).set_up(HERE)
		assert fields(terminal.entries[0])["url"] == HERE.path
		assert fields(terminal.entries[1])["ipAddress"] == "0.0.0.0"
		# One that stands twice, by whatever road, is left once.
		terminal.entries[1] = terminal.entries[0].replace("<id>1<", "<id>2<")
		made.http_hosts(is_ours).set_up(HERE)
	assert fields(terminal.entries[0])["ipAddress"] == HERE.host
	assert fields(terminal.entries[1])["ipAddress"] == "0.0.0.0"


def test_another_listener_on_the_same_machine_is_somebody_elses() -> None:
	neighbour = FOREIGN.replace("198.51.100.7", HERE.host).replace("<portNo>80<", f"<portNo>{HERE.port}<")
	terminal = Terminal(entries=(neighbour, BEFORE))
	with StreamServer(terminal) as server, driver(server.port) as made:
		made.http_hosts(is_ours).set_up(HERE)
	assert terminal.entries[0] == neighbour


def test_one_that_says_so_already_is_only_read() -> None:
	terminal = Terminal()
	with StreamServer(terminal) as server, driver(server.port) as made:
		made.http_hosts(is_ours).set_up(HERE)
		written = len(terminal.written)
		again = made.http_hosts(is_ours).set_up(HERE, anew=False)
		assert (len(terminal.written), again.is_good, again.subscribes) == (written, True, True)
		terminal.entries[0] = terminal.entry.replace(HERE.host, "192.0.2.2")
		made.http_hosts(is_ours).set_up(HERE, anew=False)
	assert fields(terminal.entry)["ipAddress"] == HERE.host


def test_a_model_that_posts_nothing() -> None:
	def respond(_request: str, _body: bytes, connection: socket.socket) -> None:
		connection.sendall(answer(b"", "404 Not Found"))

	with StreamServer(respond) as server, driver(server.port) as made, pytest.raises(DeviceError) as caught:
		made.http_hosts(is_ours).set_up(HERE)
	assert caught.value.code is Code.NOT_SUPPORTED


@pytest.mark.parametrize("body", [b"<a/>", b"no", b"<HttpHostNotificationList/>", b"<" * 200_000])
def test_another_document_is_no_entry(body: bytes) -> None:
	with pytest.raises(DeviceError) as caught:
		HostEntry.read_all(body)
	assert caught.value.code is Code.GARBAGE


def test_an_entry_that_is_nested_too_deep_is_no_entry() -> None:
	deep = FOREIGN.replace("<url>", "<a>" * 5_000 + "</a>" * 5_000 + "<url>").encode()
	(entry,) = HostEntry.read_all(deep)
	with pytest.raises(DeviceError) as caught:
		entry.to_xml()
	assert caught.value.code is Code.GARBAGE


@pytest.mark.parametrize(
	("host", "port", "path"),
	[
		("http://x", 80, "/a"),
		("192.0.2.1", 0, "/a"),
		("192.0.2.1", 80, "a"),
		("192.0.2.1", 80, "/a b"),
		("192.0.2.1", 80, "/" + "a" * 200),
	],
)
def test_where_nobody_could_post(host: str, port: int, path: str) -> None:
	with pytest.raises(ValueError, match=r"host|port|path"):
		Listener(host=host, port=port, path=path)


# --- whether anything arrives

SET_UP = NOW - timedelta(hours=1)
LONG_AGO, JUST_NOW = NOW - SILENCE - timedelta(seconds=1), NOW - timedelta(seconds=20)


@pytest.mark.parametrize(
	("subscribes", "set_up_at", "arrived_at", "event_at", "missed_at", "verdict"),
	[
		(True, JUST_NOW, None, None, None, Delivery.WAITING),
		(True, SET_UP, None, None, None, Delivery.NEVER),  # not even a heartbeat
		(True, SET_UP, JUST_NOW, None, None, Delivery.DELIVERS),
		(True, SET_UP, LONG_AGO, None, None, Delivery.STOPPED),
		(False, SET_UP, None, None, None, Delivery.WAITING),  # nothing was due
		(False, SET_UP, None, None, NOW - LATE * 2, Delivery.NEVER),  # the pull brought what it did not
		(False, SET_UP, None, None, JUST_NOW, Delivery.WAITING),  # it may still come
		(False, SET_UP, None, None, SET_UP - LATE, Delivery.WAITING),  # made before it was set up
		(False, SET_UP, LONG_AGO, LONG_AGO, None, Delivery.DELIVERS),  # nobody came since
		(False, SET_UP, NOW - LATE * 3, NOW - LATE * 3, NOW - LATE * 2, Delivery.STOPPED),
		(True, SET_UP, NOW - LATE, NOW - LATE, NOW - LATE * 2, Delivery.DELIVERS),  # it has come to itself
		(True, SET_UP, JUST_NOW, None, NOW - LATE * 2, Delivery.NEVER),  # heartbeats, and never an event
		(True, SET_UP, JUST_NOW, NOW - LATE * 3, NOW - LATE * 2, Delivery.STOPPED),  # heartbeats only by now
	],
)
def test_accepts_and_never_delivers(
	subscribes: bool,
	set_up_at: datetime,
	arrived_at: datetime | None,
	event_at: datetime | None,
	missed_at: datetime | None,
	verdict: Delivery,
) -> None:
	seen = Arrivals(
		set_up_at=set_up_at,
		subscribes=subscribes,
		arrived_at=arrived_at,
		event_at=event_at,
		missed_at=missed_at,
	)
	assert judge(seen, NOW) is verdict
