"""What a receiver of check-ins has to provide. One file in `upstreams/` implements this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Protocol
from uuid import UUID

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.person import Person
from attendance_bridge.core.projection import State
from attendance_bridge.core.punch import Punch


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
	"""A punch on its way to the upstream: decided, or raw where the upstream decides."""

	punch: Punch
	employee: str
	"""Empty where the upstream decides."""
	log_type: LogType | None
	log_type_reason: str = ""
	in_doubt: bool = False
	"""It may have been sent before without our learning the outcome: look before you send."""
	device: str = ""
	"""The name under which the terminal is configured; empty if it is not any more."""
	reading: ClockReading | None = None
	"""The look at the terminal's clock under which the punch was read."""
	clock_good_until: datetime | None = None
	"""The last moment before that look at which the clock was seen to be right, aware."""


class Outcome(str, Enum):
	ACCEPTED = "accepted"
	DUPLICATE = "duplicate"
	"""The upstream held this check-in already, from us or from another tool."""
	UNMAPPED = "unmapped"
	"""The upstream knows no such person."""
	REJECTED = "rejected"
	"""Refused for a reason that will not pass by itself; `code` says which."""
	RETRY = "retry"
	"""Not now. `in_doubt` says whether it may have been accepted all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
	"""The upstream's answer on one check-in."""

	punch_id: UUID
	outcome: Outcome
	code: str = ""
	"""Stable reason of REJECTED and RETRY: an exception type of the upstream, or a `core.errors.Code`."""
	reference: str = ""
	"""The upstream's name for the check-in (ACCEPTED, DUPLICATE)."""
	in_doubt: bool = False
	state: State | None = None
	"""What the upstream made of the punch; set by an upstream that decides (but for RETRY), with …"""
	employee: str = ""
	"""… whose it is,"""
	log_type: LogType | None = None
	log_type_reason: str = ""
	"""and why it is IN or OUT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamInfo:
	"""Who answers, for `edge check` and the status page."""

	label: str
	version: str = ""
	user: str = ""
	problems: tuple[str, ...] = ()
	"""Codes of what would keep check-ins from arriving (a missing right, another time zone …)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSpec:
	label: str
	config: type[Any]
	idempotent: bool
	"""Whether the same check-in sent twice is safe. If not, what is in doubt must settle first."""
	decides: bool = False
	"""Whether it takes every punch raw and decides itself whose it is, IN or OUT, echo or not; the class is a
	`core.relay.DecidingUpstream` then. It loses nothing that it has taken, and what it does not take now is
	never given up."""
	keeps_faces: bool = False
	"""Whether it hands templates on between agents; the class is a `core.faces.FaceUpstream` then."""
	batch: int = 200
	"""How many check-ins are handed to `deliver` at a time."""


class Upstream(Protocol):
	"""A receiver. Its outcomes are read from status and type, never from message text."""

	spec: ClassVar[UpstreamSpec]

	def deliver(self, batch: Sequence[CheckIn]) -> Iterator[Receipt]:
		"""Send a batch; yields one receipt for every check-in that was tried, as soon as it is known.

		Order is kept within a person, unless the upstream decides by itself: after a RETRY of one of their
		check-ins, their later ones of the batch are not tried. What has no receipt when the iteration ends
		was certainly not entered by this call; a doubt from before stays.

		:raises UpstreamError: the receiver as a whole does not work (unreachable, token refused, overloaded);
			receipts yielded before stand.
		"""

	def people(self) -> Iterator[Person]:
		"""Everybody the upstream knows, active or not.

		:raises UpstreamError: the list could not be read whole; it must not replace a good one.
		"""

	def check(self) -> UpstreamInfo:
		"""Look whether check-ins could be delivered, without delivering any.

		:raises UpstreamError: it does not work as a whole.
		"""

	def close(self) -> None:
		"""Let go of connections. Never raises.

		It may come from another thread while `deliver` runs, which then sends nothing more and ends.
		"""
