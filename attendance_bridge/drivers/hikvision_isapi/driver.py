"""The driver: what a Hikvision terminal is asked, in the terms of `core.driver`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import Cursor
from attendance_bridge.core.driver import Capability, DeviceInfo, DriverSpec, Now, Page, Window
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.pseudonyms import Pseudonyms
from attendance_bridge.core.punch import MAX_SERIAL_LENGTH
from attendance_bridge.core.recording import Exchange, Note, Tape
from attendance_bridge.drivers.hikvision_isapi import redaction
from attendance_bridge.drivers.hikvision_isapi.alert_stream import AlertStream
from attendance_bridge.drivers.hikvision_isapi.config import Config
from attendance_bridge.drivers.hikvision_isapi.documents import XmlDocument, whole_number
from attendance_bridge.drivers.hikvision_isapi.events import MAJOR, PASSED, RowReader
from attendance_bridge.drivers.hikvision_isapi.http_hosts import HttpHosts
from attendance_bridge.drivers.hikvision_isapi.limits import Limits, read_capacity, read_limits
from attendance_bridge.drivers.hikvision_isapi.log import EventLog, widest_range
from attendance_bridge.drivers.hikvision_isapi.notifications import NotificationReader
from attendance_bridge.drivers.hikvision_isapi.place import read_place
from attendance_bridge.drivers.hikvision_isapi.probe import probe
from attendance_bridge.drivers.hikvision_isapi.search import Searcher
from attendance_bridge.drivers.hikvision_isapi.times import Stamp, posix_zone, read_stamp, stamp_of
from attendance_bridge.drivers.hikvision_isapi.transport import Conversation

logger = logging.getLogger(__name__)

T = TypeVar("T")

DEVICE_INFO = "/ISAPI/System/deviceInfo"
TIME = "/ISAPI/System/time"
EVENTS = "/ISAPI/AccessControl/AcsEvent?format=json"
EVENTS_CAPABILITIES = "/ISAPI/AccessControl/AcsEvent/capabilities?format=json"
TOTAL = "/ISAPI/AccessControl/AcsEventTotalNum?format=json"
TOTAL_CAPABILITIES = "/ISAPI/AccessControl/AcsEventTotalNum/capabilities?format=json"

_NAMESPACE = "http://www.isapi.org/ver20/XMLSchema"
_MAX_TEXT = 140
_NOT_SAID = (Code.NOT_SUPPORTED, Code.DEVICE_ERROR, Code.GARBAGE, Code.FORBIDDEN)
"""Answers to a question that a terminal may leave open; everything else is a failure of the conversation."""


class Driver:
	"""A conversation with one Hikvision access terminal (DS-K1T and relatives) over ISAPI."""

	spec: ClassVar[DriverSpec] = DriverSpec(
		label="Hikvision (ISAPI)",
		capabilities=frozenset(
			{
				Capability.WINDOW,
				Capability.COUNT,
				Capability.READ_CLOCK,
				Capability.SET_CLOCK,
				Capability.LIVE,
			}
		),
		config=Config,
	)

	def __init__(self, config: Any, *, zone: ZoneInfo, now: Now) -> None:
		self._config: Config = config
		self._zone = zone
		self._now = now
		self._conversation = Conversation(config)
		self._device_info: XmlDocument | None = None
		self._known_limits: Limits | None = None

	def __repr__(self) -> str:
		return f"<Driver {self._config.base_url}>"

	def __enter__(self) -> Driver:
		return self

	def __exit__(self, *exc_info: object) -> None:
		self.close()

	def close(self) -> None:
		"""End the conversation. A terminal keeps no session that would have to be ended there."""
		try:
			self._conversation.close()
		except Exception:
			logger.debug("closing the connection to %s failed", self._config.host, exc_info=True)

	# --- being recorded

	@property
	def config(self) -> Config:
		"""What it was made with."""
		return self._config

	def overhear(self, tape: Tape) -> None:
		"""Note every request and its answer on `tape`; never the proof of the password."""
		self._conversation.tape = tape

	def redact(self, notes: Iterable[Note], names: Pseudonyms) -> list[Exchange]:
		"""See `redaction`."""
		return redaction.redact(notes, names)

	# --- who it is

	@staticmethod
	def probe(host: str, seconds: float, configs: Sequence[Any] = ()) -> tuple[int, DeviceInfo] | None:
		"""See `core.driver.FindableDriver`; needs no key."""
		return probe(host, seconds)

	def identify(self) -> DeviceInfo:
		"""Serial number, model, firmware and name; how many events it holds and can hold, if it says."""
		info = self._info().fields
		return DeviceInfo(
			serial=self._serial(),
			model=info.get("model", "")[:_MAX_TEXT],
			firmware=info.get("firmwareVersion", "")[:_MAX_TEXT],
			name=info.get("deviceName", "")[:_MAX_TEXT],
			punches_held=self._ask_total({"major": 0, "minor": 0}),
			punch_capacity=self._ask_capacity(),
		)

	def _info(self) -> XmlDocument:
		if self._device_info is None:
			try:
				self._device_info = self._conversation.ask_xml("GET", DEVICE_INFO)
			except DeviceError as error:
				if error.code is not Code.NOT_SUPPORTED or "reason" in error.details:
					raise
				# Every ISAPI device has this page: without it, it is none.
				raise DeviceError(Code.GARBAGE, reason="no deviceInfo", host=self._config.host) from None
		return self._device_info

	def _serial(self) -> str:
		serial = self._info().fields.get("serialNumber", "")
		if not 0 < len(serial) <= MAX_SERIAL_LENGTH or not serial.isprintable():
			raise DeviceError(Code.GARBAGE, reason="deviceInfo without a usable serialNumber")
		return serial

	def _ask_capacity(self) -> int | None:
		answer = _if_said(lambda: self._conversation.ask_json("GET", TOTAL_CAPABILITIES))
		return None if answer is None else read_capacity(answer)

	# --- its clock

	def read_clock(self) -> ClockReading:
		"""Look at the terminal's clock. Its wall time counts, not the offset that it states."""
		stamp = self._ask_time()[1]
		return ClockReading(taken_at=self._now(), device_time=stamp.in_zone(self._zone))

	def set_clock(self, moment: datetime) -> None:
		"""Set the terminal's wall clock to what a clock in the configured zone shows at `moment`.

		The terminal's own zone and rule for summer time are sent back as they were found, and the time is
		put in that zone's terms. The terminal then no longer follows an NTP server (`timeMode` manual).
		"""
		found, stamp = self._ask_time()
		wanted = stamp_of(moment, self._zone, stamp.offset)
		if stamp.offset is None:
			wanted = Stamp(wanted.wall)
		offset = moment.astimezone(self._zone).utcoffset() or timedelta(0)
		zone = found.fields.get("timeZone", "")[:_MAX_TEXT] or posix_zone(offset)
		self._conversation.ask_xml(
			"PUT",
			TIME,
			'<?xml version="1.0" encoding="UTF-8"?>'
			f'<Time version="2.0" xmlns={quoteattr(found.namespace or _NAMESPACE)}>'
			f"<timeMode>manual</timeMode><localTime>{wanted}</localTime>"
			f"<timeZone>{escape(zone)}</timeZone></Time>",
		)

	def _ask_time(self) -> tuple[XmlDocument, Stamp]:
		answer = self._conversation.ask_xml("GET", TIME)
		stamp = read_stamp(answer.fields.get("localTime"))
		if stamp is None:
			raise DeviceError(Code.GARBAGE, reason="no readable localTime")
		return answer, stamp

	def _believed_offset(self) -> timedelta | None:
		"""The offset from UTC that the terminal goes by; None if it does not say."""
		answer = _if_said(self._ask_time)
		return None if answer is None else answer[1].offset

	# --- its log

	def count(self, window: Window) -> int | None:
		"""How many successful identifications of the configured kinds the terminal holds in the window.

		AcsEventTotalNum counts events by type, and its total over all types takes in refusals and the noise
		of the door. So it is asked once for each type that counts as a punch and that the terminal knows, and
		the answers are added up: the sum is comparable with what `fetch` gives for the same window. It is
		higher by the identifications that carry no employee number, and by repetitions within one second,
		which are one punch here. None if the terminal cannot count, or visibly ignores the type.
		"""
		offset = self._believed_offset()
		last = window.end - timedelta(seconds=1)  # endTime is included
		times = {
			"startTime": str(stamp_of(window.start, self._zone, offset)),
			"endTime": str(stamp_of(max(window.start, last), self._zone, offset)),
		}
		counts = [
			self._ask_total({"major": MAJOR, "minor": minor, **times}) for minor in self._counted_minors()
		]
		every = self._ask_total({"major": MAJOR, "minor": 0, **times})
		if every is None or None in counts:
			return None
		total = sum(count for count in counts if count is not None)
		return total if total <= every else None

	def _counted_minors(self) -> list[int]:
		if self._config.minor:
			return [self._config.minor]
		known = self._limits().minors
		return sorted(set(PASSED) & known) if known is not None else sorted(PASSED)

	def _ask_total(self, condition: dict[str, int | str]) -> int | None:
		question = {"AcsEventTotalNumCond": condition}
		answer = _if_said(lambda: self._conversation.ask_json("POST", TOTAL, question))
		found = answer.get("AcsEventTotalNum") if answer is not None else None
		return whole_number(found.get("totalNum")) if isinstance(found, dict) else None

	def fetch(self, cursor: Cursor, window: Window | None = None) -> Iterator[Page]:
		"""Read the log from `cursor` on; see `log.EventLog`.

		Punches are the rows of the types in `events.PASSED` that carry an employee number. A page may hold
		none of them and still have used up its rows.
		"""
		config, present = self._config, self._now()
		limits = self._limits()
		searcher = Searcher(
			lambda question: self._conversation.ask_json("POST", EVENTS, question),
			major=config.major,
			minor=config.minor,
			page_size=min(config.page_size, limits.page_size),
			last_position=limits.last_position,
			reader=RowReader(device_serial=self._serial(), zone=self._zone, minor=config.minor),
			widest=widest_range(self._zone, present),
			max_pages=config.max_pages,
		)
		log = EventLog(searcher, zone=self._zone, present=present, serial_search=limits.serial_search)
		if window is not None:
			yield from log.read_window(window, self._believed_offset())
		else:
			yield from log.read_on(read_place(cursor, f"{config.major}/{config.minor}"))

	def listen(self, stop: Callable[[], bool]) -> Iterator[Page]:
		"""Punches as they happen, from the alert stream; see `core.driver.LiveDriver`.

		Stored history that the terminal replays on it comes in pages that are not `live`.
		"""
		with closing(AlertStream(self._config)) as stream:
			yield from stream.listen(self.notification_reader(self._serial()), stop)

	def http_hosts(self, is_ours: Callable[[str], bool]) -> HttpHosts:
		"""Where the terminal posts its events by itself.

		:param is_ours: see `HttpHosts`.
		"""
		return HttpHosts(self._conversation.ask_raw, is_ours)

	def notification_reader(self, serial: str) -> NotificationReader:
		"""What reads the events that the terminal with this serial number tells by itself. Asks nothing."""
		return NotificationReader(
			device_serial=serial, zone=self._zone, minor=self._config.minor, now=self._now
		)

	def _limits(self) -> Limits:
		if self._known_limits is None:
			answer = _if_said(lambda: self._conversation.ask_json("GET", EVENTS_CAPABILITIES))
			self._known_limits = Limits() if answer is None else read_limits(answer)
		return self._known_limits


def _if_said(ask: Callable[[], T]) -> T | None:
	"""What `ask` returns; None if the terminal leaves the question open."""
	try:
		return ask()
	except DeviceError as error:
		if error.code not in _NOT_SAID:
			raise
		logger.debug("not said by the terminal: %s", error)
		return None
