"""What a receiver of terminals needs from where things are kept: the edge (SQLite), the site (doctypes).

`Receiver` decides what is answered; a `Desk` remembers. Every method may raise `StoreError`: the receiver
then answers 503, the terminal keeps what it has, and sends it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import Page
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.redact import Secret

Network = IPv4Network | IPv6Network


class Dialect(str, Enum):
	"""Which of the two protocols on the same URLs a terminal speaks."""

	ATTENDANCE = "attendance"
	"""Attendance PUSH 2.x: option block, ATTLOG."""
	SECURITY = "security"
	"""Security PUSH 3.x (`DeviceType=acc`): registration, rtlog."""


class Table(str, Enum):
	"""What a 2.x terminal keeps a stamp for."""

	ATTLOG = "ATTLOG"
	OPERLOG = "OPERLOG"
	ATTPHOTO = "ATTPHOTO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
	"""Who may call at all, whatever the serial number."""

	token: Secret | None = None
	"""What must stand in the path for terminals that have no token of their own, unknown ones included."""
	networks: tuple[Network, ...] = ()
	"""From where; empty: from anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
	"""What we gave a 3.x terminal once and give it again, so that it need not begin anew when we do."""

	code: str
	"""RegistryCode, at most 32 characters."""
	session: str
	"""SessionID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
	"""A terminal that was approved."""

	serial: str
	zone: ZoneInfo
	"""Of the wall that it hangs on."""
	token: Secret | None = None
	"""What must stand in the path; None: the gate's counts."""
	networks: tuple[Network, ...] = ()
	"""From where it may call; empty: the gate's count."""
	dialect: Dialect | None = None
	"""What it was last seen to speak; None: not seen yet."""
	registration: Registration | None = None
	"""None until `Desk.register` was called."""
	sightings: str = ""
	"""As last given to `Desk.note`."""
	clock: str = ""
	"""Likewise."""
	in_contact_since: datetime | None = None
	"""Aware; since when it has called without a break of `core.watermark.PUSH_PROMPT`, None if there is one
	right now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
	"""What a terminal says of itself; empty or None where it does not say. Bounded and printable."""

	model: str = ""
	firmware: str = ""
	push_version: str = ""
	mac: str = ""
	address: str = ""
	"""The IP address that it believes to have."""
	punches_held: int | None = None
	punch_capacity: int | None = None
	users_held: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
	"""One call, for whoever watches over terminals. Arrives with every call: a desk may well write down only
	what changed, and the time of the last call now and then."""

	at: datetime
	"""Our time, aware, in UTC."""
	peer: str
	dialect: Dialect
	facts: Facts | None = None
	"""Only when it said something of itself."""
	sightings: str = ""
	"""To be handed back as `Terminal.sightings`; opaque text of at most 500 characters."""
	is_twin: bool = False
	"""Two terminals call with this serial number in turn."""
	clock: str = ""
	"""To be handed back as `Terminal.clock`; opaque text of at most 500 characters."""
	reading: ClockReading | None = None
	"""A look at its clock, on calls that tell something of it: a 3.x terminal says what it shows along with
	the state of its doors; otherwise it is measured, see `clock_watch`."""
	has_started: bool = False
	"""It shakes hands: it has started, or had lost us."""
	told_offset_minutes: int | None = None
	"""The UTC offset that was given to it just now (handshakes of 2.x only). It asks again only when it
	boots: after a change of clocks this one is stale until it does."""
	dropped: tuple[tuple[str, int], ...] = ()
	"""What was acknowledged and not kept: ("template", 3), ("photo", 1), ("user", 20) …"""
	denied: int = 0
	"""Refused passages among the events (no punches)."""
	has_more: bool = False
	"""What it wanted to hand over did not come through, or was not taken: it has punches, perhaps, that are
	not here."""
	cannot_decrypt: bool = False
	"""It wants to exchange keys: set it to plain communication."""


class Standing(str, Enum):
	"""What is known of a serial number that may not push."""

	WAITING = "waiting"
	"""On the pairing list (now, or since before)."""
	REFUSED = "refused"
	"""A person said no, or it is disabled."""
	NOT_LISTED = "not_listed"
	"""The pairing list is closed or full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
	"""A call of a serial number that nobody approved."""

	serial: str
	at: datetime
	peer: str
	dialect: Dialect
	facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
	"""Up to where a 2.x terminal has sent a table, in its own words."""

	table: Table
	value: str
	"""At most 32 letters and digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
	"""A command on its way to a terminal."""

	id: int
	"""From 1 to 2**31 - 1, unique for the terminal."""
	text: str
	"""Made by `commands`; without the leading "C:<id>:"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
	"""What a terminal says became of a command."""

	id: int
	code: int
	"""0 and above: done (some commands return a number). Below 0: failed, see `commands.RETURN_CODES`."""
	said: str = ""
	"""What it names as the command, and for INFO what it tells; at most 200 characters, without templates."""


class Desk(Protocol):
	"""Safe to call from several threads, and on a site from several processes."""

	def gate(self) -> Gate:
		"""Who may call at all."""

	def find(self, serial: str) -> Terminal | None:
		"""An approved, enabled terminal; None for any other. Called with every request: keep it cheap."""

	def knock(self, knock: Knock) -> Standing:
		"""Put an unknown serial number on the pairing list, which is bounded. Nothing that it sent is kept.

		Called only for calls that pass the gate, at most a few times a minute for each peer.
		"""

	def register(self, serial: str, registration: Registration) -> Registration:
		"""Keep what a 3.x terminal is given, durably; returns what counts (an earlier one wins)."""

	def hold(
		self, terminal: Terminal, page: Page, reading: ClockReading | None, stamp: Stamp | None
	) -> Accepted:
		"""Hold a page, raw, then its stamp. When this returns, the page survives a power cut.

		The stamp may be written later than the page, never before: a terminal that resumes too early sends
		punches again, which is free. An empty page only brings a stamp.

		:param reading: what is known of the terminal's clock, if anything is.
		:raises StoreError: it does not hold the page; the terminal keeps it.
		"""

	def stamps(self, serial: str) -> Sequence[Stamp]:
		"""Where a terminal resumes, for its handshake. None for punches: it sends all that it has."""

	def held_between(self, serial: str, first: datetime, last: datetime) -> Sequence[Punch]:
		"""Punches of a terminal whose wall time lies between two wall times (naive, both included), in the
		order of their arrival; at most the latest 10,000. Asked for only in the hours around a change of
		clocks."""

	def orders(self, serial: str, limit: int) -> Sequence[Order]:
		"""Commands that are due, oldest first, noted durably as sent. One that was sent and not answered is
		due again after a time-out, a few times, and has failed then."""

	def outcomes(self, serial: str, outcomes: Sequence[Outcome]) -> None:
		"""Write down what became of commands; an id that is not this terminal's is ignored."""

	def note(self, terminal: Terminal, contact: Contact) -> None:
		"""It called. The last thing of every call that passed, also of one that failed afterwards."""
