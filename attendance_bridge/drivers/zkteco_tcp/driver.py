"""ZKTeco terminals over port 4370: the driver.

The protocol has no reading by range and no cursor: the terminal hands over its whole log or nothing. What is
saved on a resumed read is everything after the transfer. The transfer itself is never skipped because the
number of records is the same as last time: a log that was cleared and has grown to the same number, or a full
one that drops its oldest record for each new one, looks just like that, and the watermark would vouch for
punches that are not here.

The terminal is never disabled while it is read, so it cannot be left disabled.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from zk import const

from attendance_bridge.core.clock import ClockReading, localise
from attendance_bridge.core.cursor import Cursor
from attendance_bridge.core.driver import Capability, DeviceInfo, DriverSpec, Now, Page, Window
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.pseudonyms import Pseudonyms
from attendance_bridge.core.punch import MAX_SERIAL_LENGTH
from attendance_bridge.core.recording import Exchange, Note, Tape
from attendance_bridge.drivers.zkteco_tcp.config import Config
from attendance_bridge.drivers.zkteco_tcp.live import capture
from attendance_bridge.drivers.zkteco_tcp.live_events import EventReader
from attendance_bridge.drivers.zkteco_tcp.probe import probe
from attendance_bridge.drivers.zkteco_tcp.records import (
	BYTES_8,
	BYTES_8_MA300,
	BYTES_16,
	Log,
	NameOf,
	TextIds,
	Timeline,
	open_log,
)
from attendance_bridge.drivers.zkteco_tcp.redaction import Redaction
from attendance_bridge.drivers.zkteco_tcp.session import Session, Terminal
from attendance_bridge.drivers.zkteco_tcp.users import NumberedIds, Users, read_users

log = logging.getLogger(__name__)

PAGE_SIZE = 5000
_NO_MAC = "00:00:00:00:00:00"


class Driver:
	"""A conversation with one ZKTeco terminal; see `core.driver.Driver`."""

	spec: ClassVar[DriverSpec] = DriverSpec(
		label="ZKTeco, TCP or UDP port 4370",
		capabilities=frozenset({Capability.READ_CLOCK, Capability.SET_CLOCK, Capability.LIVE}),
		config=Config,
	)

	def __init__(self, config: Config, *, zone: ZoneInfo, now: Now) -> None:
		self._config = config
		self._zone = zone
		self._now = now
		self._session = Session(config)
		self._serial = ""
		self._warned = False
		self._head: int | None = None
		"""Bytes from the beginning of the log that are read; None: all of it."""

	@property
	def config(self) -> Config:
		"""What it was made with."""
		return self._config

	def overhear(self, tape: Tape) -> None:
		"""Note every packet on `tape`. Of the log, only its beginning is read from now on: the protocol knows
		no smaller part that one could ask for."""
		self._session.tape = tape
		self._head = tape.limits.log_bytes

	def redact(self, notes: Iterable[Note], names: Pseudonyms) -> list[Exchange]:
		"""See `redaction`."""
		return Redaction(names, id_encoding=self._config.id_encoding, latest_year=self._latest_year()).redact(
			notes
		)

	@staticmethod
	def probe(host: str, seconds: float, configs: Sequence[Any] = ()) -> tuple[int, DeviceInfo | None] | None:
		"""See `core.driver.FindableDriver`."""
		return probe(host, seconds, keys=[config.comm_key for config in configs if config.comm_key])

	def identify(self) -> DeviceInfo:
		"""
		:raises DeviceError: NOT_SUPPORTED (`what="serial number"`) if the terminal has neither a serial
			number nor a MAC address to go by.
		"""
		platform = self._optional("platform", Terminal.get_platform)
		firmware = self._optional("firmware", Terminal.get_firmware_version)
		held, _users, capacity = self._sizes()
		return DeviceInfo(
			serial=self._serial_number(),
			model=self._optional("device name", Terminal.get_device_name) or platform,
			firmware=", ".join(part for part in (firmware, platform) if part),
			punches_held=held,
			punch_capacity=capacity,
		)

	def read_clock(self) -> ClockReading:
		"""
		:raises DeviceError: GARBAGE if the terminal shows a day that does not exist.
		"""
		wall: datetime = self._session.ask("clock", Terminal.get_time)
		taken_at = self._now()
		# The terminal states no offset; in a repeated hour it is in the pass that we are in.
		offset = taken_at.astimezone(self._zone).utcoffset()
		return ClockReading(taken_at=taken_at, device_time=localise(wall, self._zone, utc_offset=offset))

	def set_clock(self, moment: datetime) -> None:
		wall = moment.astimezone(self._zone).replace(tzinfo=None)
		self._session.ask("clock", lambda terminal: terminal.set_time(wall))

	def count(self, window: Window) -> int | None:
		"""None: the terminal counts its whole log only (`DeviceInfo.punches_held`)."""
		return None

	def fetch(self, cursor: Cursor, window: Window | None = None) -> Iterator[Page]:
		"""Transfer the log, then hand out what lies behind `cursor`, a page of 1000 records at a time.

		The cursor holds the number of records read and a digest of their bytes. If the log does not begin
		with these bytes any more (cleared, or its oldest records dropped), it is read from its beginning.

		:raises DeviceError: NOT_SUPPORTED (`what="attendance log"`, `size`, `records`) for an unknown record
			layout; TOO_LARGE for a log beyond `max_log_bytes`; GARBAGE for one that is shorter than it
			says, after the pages of what did come.
		"""
		serial = self._serial_number()
		held, users_held, _capacity = self._sizes()
		read = self._read_log(held)
		self._warn_if_silent(len(read), users_held)
		name_of = self._name_of(read, users_held)
		first, digest = (0, hashlib.sha256()) if window else _resume(read, cursor)
		timeline = Timeline(self._zone, read.walls_before(first))
		expected = len(read) - first
		for start in range(first, max(len(read), first + 1), PAGE_SIZE):
			end = min(start + PAGE_SIZE, len(read))
			punches, unreadable = read.read(start, end, serial=serial, name_of=name_of, timeline=timeline)
			digest.update(read.stretch(start, end))
			yield Page(
				punches=tuple(punch for punch in punches if window is None or punch.occurred_at in window),
				unreadable=tuple(unreadable),
				cursor=Cursor({"records": end, "digest": digest.hexdigest()}),
				expected=expected,
				read=end - start,
			)
		if read.missing:
			raise self._error(Code.GARBAGE, retryable=True, what="attendance log", missing_bytes=read.missing)

	def listen(self, stop: Callable[[], bool]) -> Iterator[Page]:
		"""Punches as they happen; see `core.driver.LiveDriver`.

		The connection is kept open, and other drivers of the same terminal in this process ask their
		questions over it. From now on this one only listens.
		"""
		reader = EventReader(
			serial=self._serial_number(),
			zone=self._zone,
			id_encoding=self._config.id_encoding,
			latest_year=self._latest_year(),
			id_of_number=NumberedIds(self._current_users).id_of,
		)
		yield from capture(self._session, reader, lambda: self._sizes()[0], stop)

	def _current_users(self) -> Users:
		return self._read_users(self._sizes()[1])

	def close(self) -> None:
		self._session.close()

	def __enter__(self) -> Driver:
		return self

	def __exit__(self, *exc_info: object) -> None:
		self.close()

	def _optional(self, what: str, question: Callable[[Terminal], str]) -> str:
		"""A text that one can do without; empty if the terminal does not know it or cannot spell it."""

		def ask(terminal: Terminal) -> str:
			try:
				return question(terminal)
			except UnicodeDecodeError:
				return ""

		try:
			return _clean(self._session.ask(what, ask))
		except DeviceError as error:
			if error.code in (Code.DEVICE_ERROR, Code.NOT_SUPPORTED):
				return ""
			raise

	def _serial_number(self) -> str:
		"""The serial number, or "MAC-" and the MAC address for a terminal that has none.

		The MAC address is tried only when the terminal says clearly that it has no serial number, never after
		a failure: the name under which punches are kept must not depend on the weather.
		"""
		if not self._serial:
			try:
				serial = _clean(self._session.ask("serial number", Terminal.get_serialnumber))
			except DeviceError as error:
				if error.code is not Code.NOT_SUPPORTED:
					raise
				serial = ""
			serial = serial or self._mac_serial()
			if not 0 < len(serial) <= MAX_SERIAL_LENGTH:
				raise self._error(Code.NOT_SUPPORTED, what="serial number")
			self._serial = serial
		return self._serial

	def _mac_serial(self) -> str:
		mac = self._optional("MAC address", Terminal.get_mac).upper()
		return f"MAC-{mac}" if mac and mac != _NO_MAC else ""

	def _sizes(self) -> tuple[int | None, int | None, int | None]:
		"""Punches held, users held, room for punches; None for what the terminal does not say."""

		def ask(terminal: Terminal) -> tuple[int, int, int]:
			# Some firmwares answer too briefly (pyzk#76); pyzk then leaves its fields as they are.
			terminal.records = terminal.users = terminal.rec_cap = -1
			terminal.read_sizes()
			return terminal.records, terminal.users, terminal.rec_cap

		records, users, capacity = self._session.ask("sizes", ask)
		return _if_stated(records), _if_stated(users), _if_stated(capacity) or None

	def _read_log(self, held: int | None) -> Log:
		try:
			transferred = self._transfer("attendance log", const.CMD_ATTLOG_RRQ, 0, head=self._head)
		except DeviceError as error:
			# Asked for an empty log, some firmwares refuse.
			if held == 0 and error.code in (Code.DEVICE_ERROR, Code.NOT_SUPPORTED):
				transferred = b""
			else:
				raise
		read = open_log(transferred, held=held, latest_year=self._latest_year())
		if read is None:
			raise self._error(Code.NOT_SUPPORTED, what="attendance log", size=len(transferred), records=held)
		if held and not len(read):
			raise self._error(Code.GARBAGE, retryable=True, what="attendance log", records=held)
		is_cut = self._head is not None and len(transferred) >= self._head
		return replace(read, missing=0) if is_cut else read

	def _latest_year(self) -> int:
		return self._now().year + 1

	def _transfer(self, what: str, command: int, table: int, *, head: int | None = None) -> bytes:
		limit = self._config.max_log_bytes

		def ask(terminal: Terminal) -> bytes:
			data: bytes
			terminal.head = head
			data, announced = terminal.read_with_buffer(command, table)
			announced = announced if head is None else min(announced, max(head, len(data)))
			if len(data) != announced:  # on UDP a lost datagram leaves a hole that pyzk closes
				raise self._error(
					Code.GARBAGE, retryable=True, what=what, missing_bytes=announced - len(data)
				)
			return data

		# Packets add 16 bytes to every thousand or more.
		budget = limit + limit // 16
		return self._session.ask(what, ask, budget=budget, seconds=self._config.transfer_timeout)

	def _name_of(self, read: Log, users_held: int | None) -> NameOf:
		"""How this log names people. Only layouts that hold a number need the user list."""
		if read.layout in (BYTES_8, BYTES_8_MA300):
			return self._read_users(users_held).by_uid
		if read.layout is BYTES_16:
			return self._read_users(users_held).by_number
		return TextIds(self._config.id_encoding)

	def _read_users(self, held: int | None) -> Users:
		# A list that cannot be read is an error: without it a punch may get another person's id.
		if held == 0:
			return Users()
		transferred = self._transfer("users", const.CMD_USERTEMP_RRQ, const.FCT_USER)
		users = read_users(transferred, held=held, encoding=self._config.id_encoding)
		if users is None:
			raise self._error(Code.NOT_SUPPORTED, what="users", size=len(transferred), records=held)
		return users

	def _warn_if_silent(self, records: int, users_held: int | None) -> None:
		"""Access-control firmware may keep its log where this protocol cannot read it (pyzk#170)."""
		if records == 0 and users_held and not self._warned:
			self._warned = True
			log.warning(
				"zkteco_empty_log: %s:%s holds %d users and shows no attendance log",
				self._config.host,
				self._config.port,
				users_held,
			)

	def _error(self, code: Code, *, retryable: bool = False, **details: Any) -> DeviceError:
		return DeviceError(
			code, retryable=retryable, host=self._config.host, port=self._config.port, **details
		)


def _resume(read: Log, cursor: Cursor) -> tuple[int, hashlib._Hash]:
	"""Where to go on, and the digest of what lies before it: behind the cursor if the log still begins so."""
	records, digest = cursor.number("records"), cursor.text("digest")
	if records is not None and 0 <= records <= len(read):
		before = hashlib.sha256(read.stretch(0, records))
		if before.hexdigest() == digest:
			return records, before
	return 0, hashlib.sha256()


def _clean(text: str) -> str:
	return "".join(letter for letter in text if letter.isprintable()).strip()


def _if_stated(number: int) -> int | None:
	return number if number >= 0 else None
