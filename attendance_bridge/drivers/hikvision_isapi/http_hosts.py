"""Where a Hikvision terminal posts its events: set up, read back, tested, and taken away again.

A terminal has one entry or a few, and others may have filled some of them: theirs are never written. An entry
of ours is read, changed and written as a whole, so that what this program does not know of it stays as it
is. Then it is read again: firmware is seen that accepts the write, drops the path and refuses host names (and
then never delivers). Whether anything arrives is another question, for `delivery`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.host import check_host
from attendance_bridge.core.redact import MASK
from attendance_bridge.drivers.hikvision_isapi.documents import (
	fields_of,
	read_document,
	read_tree,
	whole_number,
)
from attendance_bridge.drivers.hikvision_isapi.events import PASSED

HOSTS = "/ISAPI/Event/notification/httpHosts"
HEARTBEAT_SECONDS = 30
"""What is asked for, and the most that terminals take (`subscribeEventCap`: 1..30)."""

_ROOT = "HttpHostNotification"
_EVENT = "AccessControllerEvent"
_MAX_PATH = 128
_MAX_DOCUMENT = 128 * 1024
_MOST_ENTRIES = 16
_LAST_SLOT = 64
_SHORTEST_SECRET = 8
_HOST_FIELDS = ("hostName", "ipAddress", "ipv6Address")
_NOBODY = frozenset({"", "0.0.0.0", "::"})  # noqa: S104  # what nobody has filled in
"""Hosts of an entry that nobody has filled."""
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

	def hide(self, text: str) -> str:
		"""Words of a terminal without the token: it may tell where it could not post to."""
		for part in (self.path, *self.path.split("/")):
			if len(part) >= _SHORTEST_SECRET:
				text = text.replace(part, MASK)
		return text


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

	def __init__(self, root: Element, position: int = 1) -> None:
		"""
		:param position: in the list, from 1.
		"""
		self._root = root
		self._position = position

	@classmethod
	def read_all(cls, body: bytes) -> list[HostEntry]:
		"""The entries of a list, or the one that stands alone.

		:raises DeviceError: GARBAGE, if there is none.
		"""
		root = _parse(body)
		if root is None:
			raise DeviceError(Code.GARBAGE, retryable=True, reason="damaged XML")
		found = [root] if _name(root) == _ROOT else []
		if _name(root) == f"{_ROOT}List":
			found = [child for child in root if _name(child) == _ROOT][:_MOST_ENTRIES]
		if not found:
			raise DeviceError(Code.GARBAGE, reason="no HttpHostNotification in the answer")
		return [cls(_without_prefixes(each), position) for position, each in enumerate(found, 1)]

	@property
	def slot(self) -> int:
		"""Its number, from 1; of one that does not say, its position."""
		number = whole_number(self.get("id"))
		return number if number and number <= _LAST_SLOT else self._position

	@property
	def is_free(self) -> bool:
		"""Whether it leads nowhere."""
		return all(self.get(field) in _NOBODY for field in _HOST_FIELDS)

	def says(self, listener: Listener) -> bool:
		return not self.differs(listener)

	def differs(self, listener: Listener) -> tuple[str, ...]:
		"""The fields in which it is another one than `listener`."""
		wanted = listener.fields.items()
		return tuple(field for field, value in wanted if not _is_same(field, self.get(field), value))

	def was_for(self, listener: Listener) -> bool:
		"""Whether it leads to the same listener, by a former token or by a path that a firmware dropped."""
		path = self.get("url")
		return not set(self.differs(listener)) - {"url"} and (
			path in ("", "/") or path.split("/")[:2] == listener.path.split("/")[:2]
		)

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

	@property
	def subscribes(self) -> bool:
		"""Whether it says which events it is sent, with a heartbeat."""
		found = self._find(self._root, "SubscribeEvent")
		return found is not None and self._find(found, "heartbeat") is not None

	def fill(self, listener: Listener, formats: frozenset[str]) -> None:
		"""Have it lead to `listener`.

		:param formats: that the terminal can post in.
		"""
		for other in _HOST_FIELDS:
			if other not in listener.fields:
				self.remove(other)
		for field, value in listener.fields.items():
			self.set(field, value)
		if "JSON" in formats or not self.get("parameterFormatType"):
			self.set("parameterFormatType", "JSON")

	def empty(self) -> None:
		"""Have it lead nowhere, as an entry that nobody has filled."""
		for field in ("hostName", "ipv6Address", "SubscribeEvent"):
			self.remove(field)
		self.set("url", "/")
		self.set("addressingFormatType", "ipaddress")
		self.set("ipAddress", "0.0.0.0")  # noqa: S104  # nobody's

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
		"""
		:raises DeviceError: GARBAGE, if it lies too deep within itself to be written.
		"""
		try:
			document: bytes = tostring(
				self._root, encoding="utf-8", xml_declaration=True, short_empty_elements=False
			)
		except RecursionError:
			raise DeviceError(Code.GARBAGE, reason="nested too deep") from None
		return document

	def _find(self, element: Element, name: str) -> Element | None:
		return next((child for child in element if _name(child) == name), None)


class HttpHosts:
	"""The list of one terminal. One entry of it is ours, or becomes so; the others are somebody else's."""

	def __init__(self, ask: Ask, is_ours: Callable[[str], bool]) -> None:
		"""
		:param is_ours: whether a path is the one that we last handed out for this terminal: its token tells.
		"""
		self._ask = ask
		self._is_ours = is_ours

	def find(self) -> HostEntry | None:
		"""Our entry; None if there is none.

		:raises DeviceError: also NOT_SUPPORTED, if this model posts nothing.
		"""
		return next((entry for entry in self._entries() if self._is_ours(entry.get("url"))), None)

	def set_up(self, listener: Listener, *, anew: bool = True) -> Arrangement:
		"""Have the terminal post to `listener`, and look what it made of that.

		Where there are several entries of ours, one stays.

		:param anew: also write an entry that says so already: whoever forgot to post may remember.
		:raises DeviceError: it refused; NO_FREE_PLACE, if others have filled every entry.
		"""
		ours, free = self._sort(self._entries(), listener)
		if not ours and not free:
			raise DeviceError(Code.NO_FREE_PLACE)
		entry = (ours or free)[0]
		subscribes = entry.subscribes
		if anew or not subscribes or not entry.says(listener):
			entry.fill(listener, read_capabilities(self._read_capabilities()))
			subscribes = self._write(entry)
		for another in ours[1:]:
			self._clear(another)
		kept = self._read(entry.slot)
		reaches_us, said = self._test(kept)
		return Arrangement(
			not_kept=kept.differs(listener),
			subscribes=subscribes,
			reaches_us=reaches_us,
			said=listener.hide(said),
		)

	def take_away(self) -> None:
		"""Have the terminal post to us no more."""
		for entry in self._entries():
			if self._is_ours(entry.get("url")):
				self._clear(entry)

	def _sort(self, entries: list[HostEntry], listener: Listener) -> tuple[list[HostEntry], list[HostEntry]]:
		"""Those that are ours, the best first, and those that are free."""
		ours = [each for each in entries if self._is_ours(each.get("url")) or each.was_for(listener)]
		ours.sort(key=lambda each: not each.says(listener))
		return ours, [each for each in entries if each.is_free and each not in ours]

	def _entries(self) -> list[HostEntry]:
		try:
			return HostEntry.read_all(self._ask("GET", HOSTS, None))
		except DeviceError as error:
			if error.code not in (*_REFUSED, Code.GARBAGE):
				raise
		return [self._read(1)]  # some firmware shows its entries only one by one

	def _read(self, slot: int) -> HostEntry:
		entries = HostEntry.read_all(self._ask("GET", f"{HOSTS}/{slot}", None))
		# Some firmware answers with the whole list.
		return next((each for each in entries if each.slot == slot), entries[0])

	def _clear(self, entry: HostEntry) -> None:
		entry.empty()
		self._ask("PUT", f"{HOSTS}/{entry.slot}", entry.to_xml())

	def _write(self, entry: HostEntry) -> bool:
		"""Write an entry, with a choice of events if the terminal takes it; whether it did."""
		path, plain = f"{HOSTS}/{entry.slot}", entry.to_xml()
		entry.subscribe()
		try:
			self._ask("PUT", path, entry.to_xml())
		except DeviceError as error:
			if error.code not in _REFUSED:
				raise
			self._ask("PUT", path, plain)
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
			body = self._ask("POST", f"{HOSTS}/{entry.slot}/test", entry.to_xml())
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
		return read_tree(body)
	except DeviceError:
		return None


def _without_prefixes(root: Element) -> Element:
	"""Written back with the namespace that it came with as the default one: they know no prefixes."""
	namespace = root.tag.rpartition("}")[0].lstrip("{")
	for element in root.iter():
		element.tag = _name(element)
	if namespace:
		root.set("xmlns", namespace)
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
