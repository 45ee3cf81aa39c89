"""Where a Hikvision terminal posts its events: set up, read back, tested, and put back as it was.

An entry is read, changed and written as a whole, so that what this program does not know of it stays as it
is. Then it is read again: firmware is seen that accepts the write, drops the path and refuses host names (and
then never delivers). Whether anything arrives is another question, for `delivery`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.host import check_host
from attendance_bridge.drivers.hikvision_isapi.documents import fields_of, read_document
from attendance_bridge.drivers.hikvision_isapi.events import PASSED

HOSTS = "/ISAPI/Event/notification/httpHosts"
HEARTBEAT_SECONDS = 30
"""What is asked for, and the most that terminals take (`subscribeEventCap`: 1..30)."""

_ROOT = "HttpHostNotification"
_EVENT = "AccessControllerEvent"
_MAX_PATH = 128
_MAX_DOCUMENT = 128 * 1024
_REFUSED = (Code.DEVICE_ERROR, Code.NOT_SUPPORTED, Code.FORBIDDEN)

Ask = Callable[[str, str, "bytes | None"], bytes]
"""(method, path, XML) → the body of the answer, which reports no failure. Raises `DeviceError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
	"""Where the terminal is to post."""

	host: str
	"""As the terminal can reach it; an IP address is understood by every firmware, a name is not."""
	port: int
	path: str
	"""From "/" on, with the token in it."""
	https: bool = False

	def __post_init__(self) -> None:
		check_host(self.host)
		if not 0 < self.port < 65_536:
			raise ValueError("a port from 1 to 65535")
		plain = self.path.isascii() and self.path.isprintable() and " " not in self.path
		if not self.path.startswith("/") or len(self.path) > _MAX_PATH or not plain:
			raise ValueError(f"a path from / on, of at most {_MAX_PATH} characters")

	@property
	def fields(self) -> dict[str, str]:
		"""What has to stand in the entry, by the names of ISAPI."""
		is_address = _is_address(self.host)
		return {
			"url": self.path,
			"protocolType": "HTTPS" if self.https else "HTTP",
			"addressingFormatType": "ipaddress" if is_address else "hostname",
			_host_field(self.host): self.host,
			"portNo": str(self.port),
			"httpAuthenticationMethod": "none",
		}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
	"""What a terminal made of being set up."""

	not_kept: tuple[str, ...]
	"""Fields that read back differently: with any of url, ipAddress, hostName, portNo nothing will arrive."""
	subscribes: bool
	"""Whether it took the choice of events, and sends heartbeats."""
	reaches_us: bool | None
	"""What its own test says; None if it has no test."""
	said: str = ""
	"""The words of that test."""

	@property
	def is_good(self) -> bool:
		"""Whether anything may be expected to arrive."""
		return not self.not_kept and self.reaches_us is not False


class HostEntry:
	"""One entry of the list, as a document that can be changed."""

	def __init__(self, root: Element) -> None:
		self._root = root

	@classmethod
	def read(cls, body: bytes) -> HostEntry:
		"""
		:raises DeviceError: GARBAGE, if it is none.
		"""
		root = _parse(body)
		if root is None:
			raise DeviceError(Code.GARBAGE, retryable=True, reason="damaged XML")
		if _name(root) == f"{_ROOT}List":
			root = next((child for child in root if _name(child) == _ROOT), root)
		if _name(root) != _ROOT:
			raise DeviceError(Code.GARBAGE, reason="no HttpHostNotification in the answer")
		# Written back with the namespace that it came with as the default one: they know no prefixes.
		namespace = root.tag.rpartition("}")[0].lstrip("{")
		for element in root.iter():
			element.tag = _name(element)
		if namespace:
			root.set("xmlns", namespace)
		return cls(root)

	def get(self, field: str) -> str:
		"""The text of a field; empty if there is none."""
		found = self._find(self._root, field)
		return (found.text or "").strip() if found is not None else ""

	def set(self, field: str, value: str) -> None:
		found = self._find(self._root, field)
		if found is None:
			found = SubElement(self._root, field)
		found.text = value

	def remove(self, field: str) -> None:
		found = self._find(self._root, field)
		if found is not None:
			self._root.remove(found)

	def subscribe(self) -> None:
		"""Ask for identifications only, and for a heartbeat."""
		self.remove("SubscribeEvent")
		wanted = SubElement(self._root, "SubscribeEvent")
		SubElement(wanted, "heartbeat").text = str(HEARTBEAT_SECONDS)
		SubElement(wanted, "eventMode").text = "list"
		event = SubElement(SubElement(wanted, "EventList"), "Event")
		SubElement(event, "type").text = _EVENT
		SubElement(event, "minorEvent").text = ",".join(f"{minor:#x}" for minor in sorted(PASSED))

	def to_xml(self) -> bytes:
		document: bytes = tostring(
			self._root, encoding="utf-8", xml_declaration=True, short_empty_elements=False
		)
		return document

	def _find(self, element: Element, name: str) -> Element | None:
		return next((child for child in element if _name(child) == name), None)


class HttpHosts:
	"""The list of one terminal; one entry of it is ours."""

	def __init__(self, ask: Ask, *, slot: int = 1) -> None:
		"""
		:param slot: number of the entry, from 1.
		"""
		self._ask = ask
		self._path = f"{HOSTS}/{slot}"
		self._slot = slot

	def read(self) -> HostEntry:
		"""
		:raises DeviceError: also NOT_SUPPORTED, if this model posts nothing.
		"""
		return HostEntry.read(self._ask("GET", self._path, None))

	def set_up(self, listener: Listener) -> Arrangement:
		"""Have the terminal post to `listener`, and look what it made of that.

		:raises DeviceError: it refused.
		"""
		entry = self.read()
		for field, value in listener.fields.items():
			entry.set(field, value)
		entry.remove("hostName" if _is_address(listener.host) else "ipAddress")
		if "JSON" in read_capabilities(self._read_capabilities()) or not entry.get("parameterFormatType"):
			entry.set("parameterFormatType", "JSON")
		subscribes = self._write(entry)
		kept = self.read()
		differing = tuple(
			field for field, value in listener.fields.items() if not _is_same(field, kept.get(field), value)
		)
		reaches_us, said = self._test(kept)
		return Arrangement(not_kept=differing, subscribes=subscribes, reaches_us=reaches_us, said=said)

	def is_kept(self, listener: Listener) -> bool:
		"""Whether the entry still says so: a reset or another program may have changed it."""
		entry = self.read()
		return all(_is_same(field, entry.get(field), value) for field, value in listener.fields.items())

	def put_back(self, before: HostEntry) -> None:
		"""Write an entry as it was found."""
		self._ask("PUT", self._path, before.to_xml())

	def _write(self, entry: HostEntry) -> bool:
		"""Write an entry, with a choice of events if the terminal takes it; whether it did."""
		plain = entry.to_xml()
		entry.subscribe()
		try:
			self._ask("PUT", self._path, entry.to_xml())
		except DeviceError as error:
			if error.code not in _REFUSED:
				raise
			self._ask("PUT", self._path, plain)
			return False
		return True

	def _read_capabilities(self) -> bytes:
		try:
			return self._ask("GET", f"{HOSTS}/capabilities", None)
		except DeviceError as error:
			if error.code not in (*_REFUSED, Code.GARBAGE):
				raise
			return b""

	def _test(self, entry: HostEntry) -> tuple[bool | None, str]:
		try:
			body = self._ask("POST", f"{self._path}/test", entry.to_xml())
		except DeviceError as error:
			if error.code in (Code.NOT_SUPPORTED, Code.GARBAGE, Code.FORBIDDEN):
				return None, ""
			if error.code is Code.DEVICE_ERROR:
				return False, str(error.details.get("message") or error.details.get("sub_status") or "")
			raise
		try:
			said = str(fields_of(read_document(body)).get("errorDescription", ""))
		except DeviceError:
			return None, ""
		said = "".join(letter for letter in said if letter.isprintable())[:200]
		return (said.lower() in ("ok", "success", "succeeded") if said else None), said


def read_capabilities(body: bytes) -> frozenset[str]:
	"""The formats that a terminal can post in (`opt` of `parameterFormatType`); empty if it does not say."""
	root = _parse(body)
	if root is None:
		return frozenset()
	found = (each.get("opt", "") for each in root.iter() if _name(each) == "parameterFormatType")
	return frozenset(word.strip().upper() for word in next(found, "").split(","))


def _parse(body: bytes) -> Element | None:
	if len(body) > _MAX_DOCUMENT:
		return None
	try:
		root: Element = fromstring(body, forbid_dtd=True)
	except (ParseError, DefusedXmlException, ValueError, LookupError):
		return None
	return root


def _name(element: Element) -> str:
	return str(element.tag).rpartition("}")[2]


def _is_address(host: str) -> bool:
	try:
		ipaddress.ip_address(host)
	except ValueError:
		return False
	return True


def _host_field(host: str) -> str:
	if not _is_address(host):
		return "hostName"
	return "ipv6Address" if ipaddress.ip_address(host).version == 6 else "ipAddress"


def _is_same(field: str, found: str, wanted: str) -> bool:
	if field == "httpAuthenticationMethod":
		return found.lower() in ("none", "")
	if field in ("protocolType", "addressingFormatType"):
		return found.upper() == wanted.upper()
	return found == wanted
