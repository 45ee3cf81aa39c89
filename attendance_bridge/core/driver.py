"""What a terminal family has to provide. One file in `drivers/` implements this; nothing else changes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, NoReturn, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import Cursor
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.identity import uuid5_bytes
from attendance_bridge.core.punch import Punch

Now = Callable[[], datetime]
"""The clock that is handed in: the present moment, aware, in UTC."""


# Fixed for ever, like the namespace of punches.
_UNREADABLE_NAMESPACE = uuid.UUID("d7a1f0c4-52c9-5b1d-8f0e-2c6a9b3e4d75")


class Capability(str, Enum):
	"""What a driver can do beyond reading the log."""

	WINDOW = "window"
	"""Reads a range of time without transferring the whole log."""
	COUNT = "count"
	"""The terminal tells how many records it holds for a window: reconciling without reading."""
	READ_CLOCK = "read_clock"
	SET_CLOCK = "set_clock"
	LIVE = "live"
	"""Tells of punches as they happen: it is a `LiveDriver`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSpec:
	"""The face of a driver in the CLI and on the Desk."""

	label: str
	"""Brand and protocol, as an administrator would say it."""
	capabilities: frozenset[Capability]
	config: type[Any]
	"""The frozen dataclass with the options of this driver; see `core.config`."""
	pulled: bool = True
	"""False for what nobody can ask: its punches come by themselves, through its agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
	"""Who answers at an address."""

	serial: str
	model: str = ""
	firmware: str = ""
	name: str = ""
	punches_held: int | None = None
	"""Records in the terminal's log, of every kind; None if it does not say."""
	punch_capacity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
	"""A range of device time: `start` included, `end` excluded; both aware."""

	start: datetime
	end: datetime

	def __post_init__(self) -> None:
		if self.start.tzinfo is None or self.end.tzinfo is None or self.end <= self.start:
			raise ValueError("a window needs two aware times, the end after the start")

	def __contains__(self, moment: datetime) -> bool:
		return self.start <= moment < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRow:
	"""A record that should be a punch and cannot be read as one: kept, shown, never dropped in silence."""

	raw: str
	"""As it came: hex of a binary record, or JSON text; at most a few hundred characters."""
	reason: str
	"""Short code: bad_date, bad_user_id, bad_record …"""

	def identity(self, device_serial: str) -> uuid.UUID:
		"""The same record must be recognised when it is read again, by whichever road."""
		name = f"{len(device_serial)}:{device_serial}{self.raw}".encode("utf-8", "surrogatepass")
		return uuid.UUID(bytes=uuid5_bytes(_UNREADABLE_NAMESPACE.bytes, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
	"""A stretch of a terminal's log in its order, and where to resume once this stretch is durable."""

	punches: tuple[Punch, ...]
	cursor: Cursor
	unreadable: tuple[UnreadableRow, ...] = ()
	expected: int | None = field(default=None)
	"""How many records the terminal announces for this whole fetch, for a progress bar; an estimate."""
	read: int = 0
	"""How many records of the terminal this page used up, door events and failures included."""
	live: bool = False
	"""Its punches happened just now. What is pulled, or handed over late by a live road, did not."""
	gap: bool = False
	"""On a live road: the terminal may hold punches that this road did not bring. A pull brings them."""


class Driver(Protocol):
	"""A conversation with one terminal. Opened by first use; `close` (or leaving the `with`) ends it.

	Every method may raise `DeviceError`. A driver tries a password once per conversation and never retries
	by itself: terminals lock accounts, and retrying is the poller's decision.
	"""

	spec: ClassVar[DriverSpec]

	def __init__(self, config: Any, *, zone: ZoneInfo, now: Now) -> None:
		"""
		:param config: an instance of `spec.config`.
		:param zone: the time zone of the wall that the terminal hangs on.
		:param now: the present moment, aware.
		"""

	def identify(self) -> DeviceInfo:
		"""Ask the terminal who it is."""

	def read_clock(self) -> ClockReading:
		"""Look at the terminal's clock."""

	def set_clock(self, moment: datetime) -> None:
		"""Set the terminal's clock to `moment` (aware)."""

	def count(self, window: Window) -> int | None:
		"""How many punches the terminal holds in the window by its own count; None if it cannot say."""

	def fetch(self, cursor: Cursor, window: Window | None = None) -> Iterator[Page]:
		"""Read the log from `cursor` on, in pages of bounded size.

		Yields at least one page, so that an empty log still moves the cursor. With a `window`, only punches
		inside it; the cursor is then of no further use.
		"""

	def close(self) -> None:
		"""End the conversation. Never raises; the terminal is left as it was found, enabled."""

	def __enter__(self) -> Driver: ...

	def __exit__(self, *exc_info: object) -> None: ...


@runtime_checkable
class LiveDriver(Driver, Protocol):
	"""A driver with `Capability.LIVE`. What it tells shortens the wait; the pull remains the truth."""

	def listen(self, stop: Callable[[], bool]) -> Iterator[Page]:
		"""Punches as they happen, until `stop` says so.

		Yields a first page, without punches, as soon as the terminal has agreed to tell: what happened before
		it is for a pull to bring. Then a page at each event and at each sign of life, and one without
		anything after a silence that the driver bears, so that the caller sees that it goes on. Cursors are
		`START` and lead nowhere. An event is acknowledged when the page after it is asked for: by then it has
		to be durable.

		:param stop: asked at least once a second.
		:raises DeviceError: also CONNECTION_LOST and TIMEOUT, when the terminal is silent for longer than it
			should be; NOT_SUPPORTED, if this model or firmware tells nothing.
		"""


@runtime_checkable
class FindableDriver(Protocol):
	"""The class of a driver whose terminals say who they are without the password of a user."""

	@staticmethod
	def probe(host: str, seconds: float, configs: Sequence[Any] = ()) -> tuple[int, DeviceInfo | None] | None:
		"""Ask whether one of this family is at an address; never with a password of a user.

		:param host: an IP address.
		:param seconds: how long to wait for an answer.
		:param configs: of terminals of this family that are known: where all of them share a key that guards
			the connection, those keys may be tried, a few. None of them is told to anybody else.
		:return: the port to configure, and who it is; no `DeviceInfo` of one that does not say so without a
			key that nobody knows here. None if there is none. Never raises for what is there.
		"""


class NeverAsked:
	"""The conversation with what nobody asks (`DriverSpec.pulled` is False): whatever is asked is refused."""

	spec: ClassVar[DriverSpec]

	def __init__(self, config: Any, *, zone: ZoneInfo, now: Now) -> None:
		"""Opens nothing."""
		self._place = {name: getattr(config, name) for name in ("host", "port") if hasattr(config, name)}

	def identify(self) -> DeviceInfo:
		self._refuse()

	def read_clock(self) -> ClockReading:
		self._refuse()

	def set_clock(self, moment: datetime) -> None:
		self._refuse()

	def count(self, window: Window) -> int | None:
		self._refuse()

	def fetch(self, cursor: Cursor, window: Window | None = None) -> Iterator[Page]:
		self._refuse()

	def close(self) -> None:
		"""Nothing was opened."""

	def __enter__(self) -> NeverAsked:
		return self

	def __exit__(self, *exc_info: object) -> None:
		self.close()

	def _refuse(self) -> NoReturn:
		raise DeviceError(Code.NOT_SUPPORTED, **self._place)


def read_clock(driver: Driver) -> ClockReading | None:
	"""The terminal's clock, or None where it has no way to tell.

	:raises DeviceError: it failed for another reason.
	"""
	if Capability.READ_CLOCK not in driver.spec.capabilities:
		return None
	try:
		return driver.read_clock()
	except DeviceError as error:
		if error.code is Code.NOT_SUPPORTED:
			return None
		raise
