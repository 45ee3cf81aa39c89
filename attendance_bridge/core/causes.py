"""What somebody should look at: the rules by which a site and an agent tell that something is wrong.

Facts in, findings out; no words, no clock, no store. What is done about a finding, and how often anybody is
told, is `core.alerting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from attendance_bridge.core.errors import Code
from attendance_bridge.core.lockout import PASSWORD_TROUBLES

MANY = 5
"""More than so many of one trouble, and more than half of all who could have it, are one trouble."""
_MOST_NAMES = 8

READINGS_MISSED = 3
"""A terminal that has missed so many readings in a row is not online."""


class Cause(str, Enum):
	"""Why somebody is alerted. One alert a cause and subject."""

	DEVICE_DARK = "device_dark"
	"""Nothing is heard of a terminal."""
	WRONG_PASSWORD = "wrong_password"
	"""It refuses ours, or has locked the account."""
	WRONG_DEVICE = "wrong_device"
	"""Another terminal answers in its place."""
	CLOCK_OFF = "clock_off"
	NEARLY_FULL = "nearly_full"
	"""Its log will soon overwrite, or refuse, what was not read."""
	COUNT_MISMATCH = "count_mismatch"
	"""It holds punches that did not come, though it was read again."""
	BACKLOG = "backlog"
	"""Many punches wait to become check-ins."""
	UNMAPPED = "unmapped"
	"""Many ids on terminals are nobody's."""
	SHIFT_HELD = "shift_held"
	"""Attendance of a shift cannot be judged."""
	AGENT_GONE = "agent_gone"
	SITE_UNREACHABLE = "site_unreachable"
	"""Only at an agent: it cannot deliver."""
	DISK_FULL = "disk_full"
	"""Only of an agent: little space is left for what it has to hold."""


_ALIKE = {
	Cause.DEVICE_DARK: frozenset({Cause.DEVICE_DARK, Cause.AGENT_GONE}),
	Cause.CLOCK_OFF: frozenset({Cause.CLOCK_OFF}),
	Cause.SHIFT_HELD: frozenset({Cause.SHIFT_HELD}),
}
"""What has one cause where most have it, and as what it is told then."""

Fact = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
	"""A cause that is there now."""

	cause: Cause
	subject: str
	"""Name of the terminal, agent or shift; empty for the whole site or agent, and for what many have."""
	facts: Mapping[str, Fact] = field(default_factory=dict)
	"""What a sentence about it needs; times as minutes or days, never as a moment."""

	@property
	def key(self) -> str:
		return f"{self.cause.value}:{self.subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
	"""From where on something is wrong."""

	dark_after: timedelta = timedelta(minutes=30)
	clock_tolerance: timedelta = timedelta(seconds=120)
	full_percent: int = 90
	full_within: timedelta = timedelta(days=14)
	backlog: int = 500
	unmapped: int = 10
	held_after: timedelta = timedelta(hours=4)
	agent_silent_after: timedelta = timedelta(minutes=15)
	disk_free_bytes: int = 500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
	"""How full the log of a terminal is."""

	held: int
	capacity: int
	"""0 where it does not say."""
	per_day: float = 0.0
	"""Records that it gains a day."""

	@property
	def percent(self) -> int | None:
		return round(100 * self.held / self.capacity) if self.capacity else None

	@property
	def left(self) -> int | None:
		return max(0, self.capacity - self.held) if self.capacity else None

	@property
	def full_in_days(self) -> float | None:
		"""None where nobody can tell."""
		if not self.capacity or self.per_day <= 0:
			return None
		return max(0, self.capacity - self.held) / self.per_day

	def is_nearly_full(self, limits: Limits) -> bool:
		percent, days = self.percent, self.full_in_days
		if percent is None:
			return False
		soon = days is not None and timedelta(days=min(days, 36_500)) <= limits.full_within
		# A terminal that is nearly empty and had one busy day is not about to be full.
		return percent >= limits.full_percent or (soon and percent >= limits.full_percent // 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
	"""What is known of one terminal that is to be read; moments are aware."""

	name: str
	expected_since: datetime | None = None
	"""Since when it should answer, where it never did."""
	last_contact: datetime | None = None
	poll_every: timedelta = timedelta(minutes=5)
	error_code: str = ""
	"""A `core.errors.Code`, or empty."""
	clock_offset: timedelta | None = None
	filling: Filling | None = None
	missing: int = 0
	"""Punches that it holds and that did not come, though it was read again."""
	behind: bool = False
	"""Whoever relays it is gone: nothing new is known of it, and it is not the terminal's fault."""


def of_device(facts: DeviceFacts, limits: Limits, now: datetime) -> list[Finding]:
	"""What is wrong with a terminal; of causes that explain each other, the first one alone."""
	findings = [] if facts.behind else _of_contact(facts, limits, now)
	offset = facts.clock_offset
	if offset is not None and abs(offset) > limits.clock_tolerance:
		findings.append(_finding(Cause.CLOCK_OFF, facts.name, seconds=round(offset.total_seconds())))
	filling = facts.filling
	if filling is not None and filling.is_nearly_full(limits):
		days = filling.full_in_days
		findings.append(
			_finding(
				Cause.NEARLY_FULL,
				facts.name,
				percent=filling.percent,
				left=filling.left,
				days=None if days is None else int(min(days, 36_500)),
			)
		)
	if facts.missing > 0:
		findings.append(_finding(Cause.COUNT_MISMATCH, facts.name, count=facts.missing))
	return findings


def unknown_of_device(facts: DeviceFacts) -> frozenset[Cause]:
	"""What can be said of a terminal neither to be there nor to be over, unless it was found."""
	if facts.behind:
		return frozenset({Cause.DEVICE_DARK, Cause.WRONG_PASSWORD, Cause.WRONG_DEVICE})
	# One that refused our password and does not answer now has not taken it since.
	return frozenset({Cause.WRONG_PASSWORD, Cause.WRONG_DEVICE}) if facts.error_code else frozenset()


def together(
	findings: Sequence[Finding], watched: Mapping[Cause, int]
) -> tuple[list[Finding], frozenset[str]]:
	"""What most of them have at once has one cause, and is one finding, of no subject in particular.

	:param watched: how many there are that could have it: terminals that could be dark, agents that could be
		gone, terminals with a clock, shifts.
	:returns: the findings, and the keys of those that went into one: nothing is to be said of each.
	"""
	found, taken = list(findings), set[str]()
	for cause, alike in _ALIKE.items():
		those = [each for each in found if each.cause in alike and each.subject]
		if len(those) <= MANY or 2 * len(those) <= sum(watched.get(each, 0) for each in alike):
			continue
		names = sorted(each.subject for each in those)
		more = ", …" if len(names) > _MOST_NAMES else ""
		taken |= {each.key for each in those}
		found = [each for each in found if each.key not in taken]
		found.append(_finding(cause, "", count=len(those), names=", ".join(names[:_MOST_NAMES]) + more))
	return found, frozenset(taken)


def is_online(facts: DeviceFacts, now: datetime) -> bool:
	"""Whether a terminal answered lately and had no trouble since."""
	if facts.error_code or facts.behind or facts.last_contact is None:
		return False
	return now - facts.last_contact <= READINGS_MISSED * facts.poll_every + timedelta(minutes=1)


def unknown_of_agent(found: Iterable[Finding]) -> frozenset[Cause]:
	"""See `unknown_of_device`: nobody knows what waits at an agent that is gone."""
	gone = any(each.cause is Cause.AGENT_GONE for each in found)
	return frozenset({Cause.BACKLOG}) if gone else frozenset()


def of_agent(
	name: str, last_heartbeat: datetime | None, waiting: int, limits: Limits, now: datetime
) -> list[Finding]:
	"""What is wrong with an agent that was seen before; one that nobody has set up yet is no trouble."""
	if last_heartbeat is None:
		return []
	silent = now - last_heartbeat
	if silent > limits.agent_silent_after:
		return [_finding(Cause.AGENT_GONE, name, minutes=_minutes(silent), count=waiting)]
	return of_backlog(waiting, limits, subject=name)


def of_backlog(waiting: int, limits: Limits, *, subject: str = "") -> list[Finding]:
	return [_finding(Cause.BACKLOG, subject, count=waiting)] if waiting > limits.backlog else []


def of_unmapped(ids: int, limits: Limits) -> list[Finding]:
	return [_finding(Cause.UNMAPPED, "", count=ids)] if ids > limits.unmapped else []


def of_shifts(held: Iterable[tuple[str, datetime | None]], limits: Limits, now: datetime) -> list[Finding]:
	"""
	:param held: shifts, each with the moment up to which it can be judged; None if it never was.
	"""
	return [
		_finding(Cause.SHIFT_HELD, shift, hours=None if until is None else _minutes(now - until) // 60)
		for shift, until in held
		if until is None or now - until > limits.held_after
	]


def of_disk(free_bytes: int | None, limits: Limits, *, subject: str = "") -> list[Finding]:
	if free_bytes is None or free_bytes >= limits.disk_free_bytes:
		return []
	return [_finding(Cause.DISK_FULL, subject, megabytes=free_bytes // 1_000_000)]


def of_site(error_code: str) -> list[Finding]:
	"""Of the site that an agent delivers to."""
	return [_finding(Cause.SITE_UNREACHABLE, "", code=error_code)] if error_code else []


def _of_contact(facts: DeviceFacts, limits: Limits, now: datetime) -> list[Finding]:
	if facts.error_code in {code.value for code in PASSWORD_TROUBLES}:
		return [_finding(Cause.WRONG_PASSWORD, facts.name, code=facts.error_code)]
	if facts.error_code == Code.WRONG_DEVICE.value:
		return [_finding(Cause.WRONG_DEVICE, facts.name, code=facts.error_code)]
	since = facts.last_contact or facts.expected_since
	if since is None:
		return []
	allowed = max(limits.dark_after, READINGS_MISSED * facts.poll_every + timedelta(minutes=1))
	if now - since <= allowed:
		return []
	minutes = _minutes(now - since)
	return [_finding(Cause.DEVICE_DARK, facts.name, minutes=minutes, code=facts.error_code)]


def _finding(cause: Cause, subject: str, **facts: Fact) -> Finding:
	return Finding(cause=cause, subject=subject, facts=facts)


def _minutes(span: timedelta) -> int:
	return int(span.total_seconds() // 60)
