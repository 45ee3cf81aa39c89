"""What terminals ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from attendance_bridge.drivers.zkteco_adms.desk import Facts, Outcome, Stamp
from attendance_bridge.drivers.zkteco_adms.rows import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
	"""The handshake, at boot and after an error."""

	push_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
	"""A 3.x terminal tells of itself and wants a registration code."""

	facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuring:
	"""A registered 3.x terminal fetches its configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
	"""Records that are punches, or may be."""

	body: bytes = field(repr=False)
	read: Reader
	stamp: Stamp | None = None
	answers: int | None = None
	"""The command that this is the answer to."""
	is_last: bool = True
	"""The last part of that answer."""
	count: str = ""
	"""How many records it says there are."""
	table: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
	"""Something that is acknowledged and not kept: users, templates, pictures, operations."""

	counts: tuple[tuple[str, int], ...]
	acknowledged: str
	"""The table that a 3.x terminal wants to see named; empty for 2.x."""
	count: int
	stamp: Stamp | None = None
	answers: int | None = None
	is_last: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
	"""How the doors are, and what the terminal's clock shows while it says so."""

	wall: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
	"""The terminal tells of itself."""

	facts: Facts
	answers: int | None = None
	acknowledged: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPoll:
	"""Is there anything to do?"""

	facts: Facts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResults:
	outcomes: tuple[Outcome, ...]
	facts: Facts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
	"""I am here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeQuestion:
	"""What is the time?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyExchange:
	"""It wants to speak in cipher."""


Message = (
	Hello
	| Registering
	| Configuring
	| Upload
	| Dropped
	| State
	| Options
	| CommandPoll
	| CommandResults
	| Ping
	| TimeQuestion
	| KeyExchange
)
