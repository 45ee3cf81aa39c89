"""A site that decides by itself, and whose terminals an edge agent relays: what the two tell each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from attendance_bridge.core.driver import UnreadableRow
from attendance_bridge.core.upstream import Upstream

EDGE_CAMERA = "edge_camera"
"""Stands where the driver of a terminal does, for the camera of an agent itself: nobody can read it but the
agent, whose punches come by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayedDevice:
	"""A terminal that the site wants read, as the site says it: not checked yet."""

	name: str
	driver: str
	enabled: bool
	serial: str
	time_zone: str
	role: str
	user_id_prefix: str
	poll_seconds: float
	options: Mapping[str, object] = field(repr=False)
	"""Of the driver's `Config`, secrets in the clear: for memory only."""
	live: bool = False
	"""Listen to it as well, where its driver can; it is read all the same."""
	posts: bool = False
	"""Have it post its events to the agent, where its family can; it is read all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRules:
	"""What the site says about reading; the rest it decides by itself."""

	clock_tolerance_seconds: float
	correct_clocks: bool
	largest_correction_seconds: float | None = None
	"""A clock that is further off is left to a person; None: the site says no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
	"""The terminals that an agent relays."""

	revision: str
	"""Another one means: ask again."""
	devices: tuple[RelayedDevice, ...]
	rules: RelayRules


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTrouble:
	"""The last error of a terminal; all moments aware."""

	code: str
	"""A `core.errors.Code`."""
	at: datetime
	failures: int
	open_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveReport:
	"""How listening to a terminal stands; all moments aware."""

	standing: str
	"""waiting, connecting, listening, paused or not_supported."""
	since: datetime | None
	event_at: datetime | None
	"""When the last punch came that had just happened."""
	gaps: int
	"""How often something may have been missed, and was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostsReport:
	"""What a terminal makes of being told to post its events; all moments aware."""

	delivery: str
	"""waiting (nothing was due yet), delivers, never or stopped."""
	told_at: datetime | None
	arrived_at: datetime | None
	not_kept: tuple[str, ...] = ()
	"""Fields that it reads back differently."""
	reaches_us: bool | None = None
	"""What its own test says; None if it has none."""
	code: str = ""
	"""A `core.errors.Code`: why it could not be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
	"""How one relayed terminal is; all moments aware."""

	name: str
	"""The site's name for it."""
	serial: str = ""
	model: str = ""
	firmware: str = ""
	last_contact: datetime | None = None
	last_pull: datetime | None = None
	watermark: datetime | None = None
	"""What the site may vouch for: not past the oldest punch that it has not taken."""
	clock_offset_seconds: float | None = None
	clock_good_until: datetime | None = None
	punches_held: int | None = None
	punch_capacity: int | None = None
	trouble: DeviceTrouble | None = None
	counted: CountReport | None = None
	"""Told until the site names another wish, or none."""
	live: LiveReport | None = None
	"""None for one that is not to be listened to."""
	posts: PostsReport | None = None
	"""None for one that is not to post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
	"""A range of addresses in which terminals are to be looked for."""

	token: str
	"""Of this wish; comes back with what was found."""
	networks: tuple[str, ...]
	"""As CIDR: `192.0.2.0/24`. Not checked yet by whoever is to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTerminal:
	"""A terminal that answered, and said who it is, if it did."""

	serial: str
	host: str
	port: int
	driver: str
	"""The key of the driver that it answered to."""
	model: str = ""
	firmware: str = ""
	wants_key: bool = False
	"""It says who it is only to who knows its key: no serial number then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
	"""What came of a `Scan`."""

	token: str
	addresses: int
	"""How many were looked at."""
	terminals: tuple[FoundTerminal, ...] = ()
	error: str = ""
	"""A `core.errors.Code` where nothing could be looked for; empty otherwise."""


MOST_SCANNED_ADDRESSES = 4096
"""Of one `Scan`: larger ranges are refused."""
MOST_FOUND = 1000


MOST_COUNTED_SPANS = 32
"""Of one `CountWish`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountWish:
	"""How many punches a terminal holds is wanted, by its own count."""

	token: str
	"""Of this wish; comes back with the answer."""
	name: str
	"""The site's name for the terminal."""
	spans: tuple[tuple[datetime, datetime], ...]
	"""Days of which it is to say how many, each from an aware moment up to another; in order."""
	again: bool
	"""Read it again first, from the first of them to the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountReport:
	"""What a terminal has answered to a `CountWish`."""

	token: str
	total: int | None
	"""Records that it holds, where it cannot count by days; None if it does not say."""
	spans: tuple[int | None, ...]
	"""Punches in each of the days; empty where it cannot count by days."""
	read_again: int | None
	"""Records that it gave when it was read again; None if it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
	"""How an agent and its terminals are."""

	waiting: int
	"""Punches that the site has not taken."""
	oldest_waiting: datetime | None
	revision: str
	"""Of the assignment that the agent goes by; empty if it has none yet."""
	devices: tuple[DeviceReport, ...]
	found: ScanReport | None = None
	"""What came of the last scan; told until the site's answer names another one, or none."""
	disk_free_bytes: int | None = None
	"""Where the agent holds what the site has not taken; None if it cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
	"""The site's answer to a heartbeat."""

	now: datetime
	"""The site's clock, aware."""
	revision: str
	read_now: tuple[str, ...]
	"""Terminals that somebody wants read at once, by the site's names."""
	scan: Scan | None = None
	"""A range that somebody wants looked through; named until its result was told."""
	counts: tuple[CountWish, ...] = ()
	"""Terminals whose punches are to be counted; each named until it was told."""


class DecidingUpstream(Upstream, Protocol):
	"""A receiver with `spec.decides`. Every method may raise `UpstreamError`."""

	def devices(self) -> Assignment:
		"""Ask which terminals to read, and how."""

	def heartbeat(self, beat: Heartbeat) -> Orders:
		"""Say how things are; learn what is wanted."""

	def hold_unreadable(self, records: Sequence[tuple[str, UnreadableRow]]) -> None:
		"""Hand over records that could not be read as punches, each with its terminal's serial number.

		When this returns, they are held. At most `spec.batch` at a time.
		"""
