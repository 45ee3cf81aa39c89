"""Where the terminal posts its events to: the two slots of `httpHosts`, as they are written and read back.

Sources: the ISAPI guide (chapter "Event/notification/httpHosts"), configurations that were read from DS-K1T
and DS-K1A terminals, and reports of firmware that drops `url`, refuses host names, knows no test, or never
delivers (FIELD_NOTES 3.1; pergolafabio/Hikvision-Addons issue 177).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from attendance_bridge.simulators.hikvision.answers import RefusedError
from attendance_bridge.simulators.hikvision.events import MAJOR_EVENT, Event

SLOTS = (1, 2)
MAX_URL = 128
MIN_HEARTBEAT, MAX_HEARTBEAT = 1, 180
_FORMATS = ("XML", "JSON")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHost:
	"""What one slot says; as it stands, an empty slot."""

	id: int
	url: str = "/"
	protocol: str = "HTTP"
	format: str = "XML"
	addressing: str = "ipaddress"
	address: str = "0.0.0.0"  # noqa: S104  # how an empty slot looks
	port: int = 80
	authentication: str = "none"
	heartbeat: int = 0
	"""Seconds; 0: none."""
	minors: frozenset[int] = field(default=frozenset())
	"""The minors of major 5 that are wanted; none named: every event."""

	@property
	def is_set(self) -> bool:
		return self.address not in ("", HttpHost.address_of_nobody())

	@staticmethod
	def address_of_nobody() -> str:
		return "0.0.0.0"  # noqa: S104  # likewise

	def wants(self, event: Event) -> bool:
		return not self.minors or (event.major == MAJOR_EVENT and event.minor in self.minors)


def read(body: bytes, slot: int | None, faults: Iterable[str]) -> list[HttpHost]:
	"""What a client wrote: one slot's document, or the list of them.

	:param slot: the one that the path names.
	:raises RefusedError: not understood, out of bounds, or this firmware does not do it.
	"""
	try:
		root = fromstring(body)
	except (ParseError, DefusedXmlException, ValueError, LookupError):
		raise RefusedError("badXmlFormat") from None
	kind = _local(root)
	if kind == "HttpHostNotification":
		return [_host(root, slot, faults)]
	if kind != "HttpHostNotificationList" or slot is not None:
		raise RefusedError("badXmlContent")
	return [_host(element, None, faults) for element in root if _local(element) == "HttpHostNotification"]


def _host(element: Element, slot: int | None, faults: Iterable[str]) -> HttpHost:
	texts = {_local(child): (child.text or "").strip() for child in element.iter()}
	number = _number(texts.get("id", str(slot or "")), "id", SLOTS[0], SLOTS[-1])
	if slot is not None and number != slot:
		raise RefusedError("badParameters", "id")
	addressing = texts.get("addressingFormatType", "ipaddress")
	if addressing not in ("ipaddress", "hostname") or (
		addressing == "hostname" and "hosts-no-hostname" in faults
	):
		raise RefusedError("badParameters", "addressingFormatType")
	address = texts.get("hostName" if addressing == "hostname" else "ipAddress", "")
	if not address:
		raise RefusedError("badXmlContent", "ipAddress")
	url = texts.get("url", "/") or "/"
	if len(url) > MAX_URL:
		raise RefusedError("badParameters", "url")
	if texts.get("parameterFormatType", "XML") not in _FORMATS:
		raise RefusedError("badParameters", "parameterFormatType")
	if texts.get("protocolType", "HTTP") != "HTTP":
		raise RefusedError("badParameters", "protocolType")
	return HttpHost(
		id=number,
		url="/" if "hosts-drop-url" in faults else url,
		format=texts.get("parameterFormatType", "XML"),
		addressing=addressing,
		address=address,
		port=_number(texts.get("portNo", "80"), "portNo", 1, 65_535),
		authentication=texts.get("httpAuthenticationMethod", "none"),
		heartbeat=_number(texts["heartbeat"], "heartbeat", MIN_HEARTBEAT, MAX_HEARTBEAT)
		if "heartbeat" in texts
		else 0,
		minors=frozenset(_minors(texts.get("minorEvent", ""))),
	)


def _minors(text: str) -> Iterator[int]:
	for each in text.split(","):
		if not each.strip():
			continue
		try:
			yield int(each.strip(), 16)
		except ValueError:
			raise RefusedError("badParameters", "minorEvent") from None


def _number(text: str, name: str, low: int, high: int) -> int:
	if not (text.isascii() and text.isdecimal() and len(text) < 9 and low <= int(text) <= high):
		raise RefusedError("badParameters", name)
	return int(text)


def _local(element: Element) -> str:
	return str(element.tag).rpartition("}")[2]


def show(host: HttpHost, namespace: str) -> str:
	"""One slot as it is read back."""
	name = "hostName" if host.addressing == "hostname" else "ipAddress"
	subscribed = ""
	if host.heartbeat or host.minors:
		minors = ",".join(f"{minor:#x}" for minor in sorted(host.minors))
		listed = f"<minorEvent>{minors}</minorEvent>\n" if host.minors else ""
		subscribed = (
			f"<SubscribeEvent>\n<heartbeat>{host.heartbeat or 30}</heartbeat>\n"
			f"<eventMode>{'list' if host.minors else 'all'}</eventMode>\n<EventList>\n<Event>\n"
			f"<type>AccessControllerEvent</type>\n{listed}</Event>\n</EventList>\n</SubscribeEvent>\n"
		)
	return (
		f'<HttpHostNotification version="2.0" xmlns="{namespace}">\n<id>{host.id}</id>\n'
		f"<url>{escape(host.url)}</url>\n<protocolType>{host.protocol}</protocolType>\n"
		f"<parameterFormatType>{host.format}</parameterFormatType>\n"
		f"<addressingFormatType>{host.addressing}</addressingFormatType>\n"
		f"<{name}>{escape(host.address)}</{name}>\n<portNo>{host.port}</portNo>\n<userName></userName>\n"
		f"<httpAuthenticationMethod>{escape(host.authentication)}</httpAuthenticationMethod>\n"
		f"{subscribed}</HttpHostNotification>\n"
	)


def show_all(hosts: Iterable[HttpHost], namespace: str) -> str:
	slots = "".join(show(host, namespace) for host in hosts)
	head = f'<HttpHostNotificationList version="2.0" xmlns="{namespace}">\n'
	return f"{head}{slots}</HttpHostNotificationList>\n"


def show_capabilities(namespace: str, faults: Iterable[str]) -> str:
	addressing = "ipaddress" if "hosts-no-hostname" in faults else "ipaddress,hostname"
	return (
		f'<HttpHostNotificationCap version="2.0" xmlns="{namespace}">\n'
		f"<hostNumber>{len(SLOTS)}</hostNumber>\n"
		f'<urlLen max="{MAX_URL}"/>\n<protocolType opt="HTTP"/>\n<parameterFormatType opt="XML,JSON"/>\n'
		f'<addressingFormatType opt="{addressing}"/>\n<portNo min="1" max="65535"/>\n'
		'<httpAuthenticationMethod opt="none,MD5digest"/>\n</HttpHostNotificationCap>\n'
	)


def empty(slot: int) -> HttpHost:
	return HttpHost(id=slot)
