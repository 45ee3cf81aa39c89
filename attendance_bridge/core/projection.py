"""What is decided about a punch after it is safely held: its clock, its person, its echo, its direction.

A projection never changes a punch. It reads raw punches and writes decisions beside them, so it can be run
again: when an employee gets a device id, when a clock is corrected, when a rule changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from functools import partial

from attendance_bridge.core.clock import NO_TIME, ClockReading, ClockRules, ClockVerdict, judge
from attendance_bridge.core.debounce import DebounceRules, is_echo
from attendance_bridge.core.direction import (
	DeviceRole,
	DirectionRules,
	LogType,
	Reason,
	Standing,
	decide,
	stated_direction,
)
from attendance_bridge.core.person import Directory, Person
from attendance_bridge.core.punch import Punch


class State(str, Enum):
	"""Where a punch stands on its way to a check-in."""

	RECEIVED = "received"
	"""Held as it came; nothing decided yet."""
	PENDING = "pending"
	"""Decided, waits for the upstream."""
	DELIVERED = "delivered"
	"""Only on the edge: the upstream holds it and decides by itself, and has not yet."""
	CHECKED_IN = "checked_in"
	DUPLICATE = "duplicate"
	"""An echo, or the upstream had this check-in already: held here, no second check-in."""
	UNMAPPED = "unmapped"
	"""Nobody has this id; becomes a check-in when somebody gets it."""
	QUARANTINED = "quarantined"
	"""The time cannot be believed; a person decides."""
	REJECTED = "rejected"
	"""The upstream refuses it for a reason that somebody must remove there."""
	IGNORED = "ignored"
	"""A person decided that it is no check-in."""


ECHO = "echo"
"""Reason code of a punch that only repeats the one before it."""
NO_SUCH_ID = "no_such_id"
"""Reason code of an unmapped punch."""
CORRECTED = Reason.CORRECTED.value
"""Reason code of a punch that a person takes out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
	"""A held punch with what was seen when it was read."""

	punch: Punch
	reading: ClockReading | None = None
	"""The terminal's clock at the contact that brought the punch."""
	clock_good_until: datetime | None = None
	"""The last moment before that contact at which the clock was seen to be right, aware."""
	clock_jumped_by: timedelta = NO_TIME
	"""How wrong the clock may have been, although it is right by now."""
	retimed_by: timedelta = NO_TIME
	"""What a person has had added to the terminal's time, by what its clock was measured to be off."""
	time_approved: bool = False
	"""A person has looked at the time and released it."""
	corrected: LogType | None = None
	"""A person has said what it is."""
	ignored: bool = False
	"""A person has said that it is no check-in."""

	@property
	def moment(self) -> datetime:
		"""When it was, in UTC: as recorded, or as re-timed. The punch itself keeps what was recorded."""
		return self.punch.occurred_utc + self.retimed_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
	"""What became of one observation."""

	punch: Punch
	retimed_by: timedelta = NO_TIME
	"""As in the observation."""
	state: State
	"""PENDING, DUPLICATE, UNMAPPED, QUARANTINED or IGNORED."""
	state_reason: str = ""
	"""ECHO, NO_SUCH_ID, CORRECTED or a ClockVerdict; empty for PENDING."""
	employee: str = ""
	log_type: LogType | None = None
	log_type_reason: Reason | None = None

	@property
	def moment(self) -> datetime:
		"""When it was, in UTC: as recorded, or as re-timed."""
		return self.punch.occurred_utc + self.retimed_by


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePolicy:
	"""What the administrator says about one terminal, as far as decisions depend on it."""

	role: DeviceRole = DeviceRole.KEY
	user_id_prefix: str = ""
	"""Put before every id of this terminal when its person is looked up: for terminals on which the same
	number is somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
	clock: ClockRules = field(default_factory=ClockRules)
	debounce: DebounceRules = field(default_factory=DebounceRules)
	direction: DirectionRules = field(default_factory=DirectionRules)


_DEFAULT_POLICY = DevicePolicy()


def project(
	observations: Iterable[Observation],
	directory: Directory,
	policies: Mapping[str, DevicePolicy],
	standings: Mapping[str, Standing],
	rules: Rules,
) -> Iterator[Decision]:
	"""Decide a set of punches; yields one decision an observation, in order of time.

	:param observations: of any people and terminals, in any order.
	:param policies: by device serial; the default policy for one that is not listed.
	:param standings: by employee, the last counted punch before the first observation. Punches decided here
		carry it forward.
	"""
	standing_of = dict(standings)
	for observation in sorted(observations, key=_in_order_of_time):
		decision = _decide_one(observation, directory, policies, standing_of, rules)
		if decision.state is State.PENDING and decision.log_type is not None:
			standing_of[decision.employee] = Standing(
				occurred_at=observation.moment, log_type=decision.log_type
			)
		yield decision


def _in_order_of_time(observation: Observation) -> tuple[datetime, bytes]:
	# The id breaks ties, so that a re-run decides the same.
	return observation.moment, observation.punch.punch_id_bytes


def _decide_one(
	observation: Observation,
	directory: Directory,
	policies: Mapping[str, DevicePolicy],
	standing_of: Mapping[str, Standing],
	rules: Rules,
) -> Decision:
	punch, moment = observation.punch, observation.moment
	decided = partial(Decision, punch=punch, retimed_by=observation.retimed_by)
	if observation.ignored:
		return decided(state=State.IGNORED, state_reason=CORRECTED)
	verdict = judge_time(observation, rules.clock)
	if verdict is not ClockVerdict.TRUSTED:
		return decided(state=State.QUARANTINED, state_reason=verdict.value)
	person = find_person(punch, directory, policies)
	if person is None:
		return decided(state=State.UNMAPPED, state_reason=NO_SUCH_ID)
	if observation.corrected is not None:
		return decided(
			state=State.PENDING,
			employee=person.employee,
			log_type=observation.corrected,
			log_type_reason=Reason.CORRECTED,
		)
	policy = policies.get(punch.device_serial, _DEFAULT_POLICY)
	standing = standing_of.get(person.employee)
	stated = stated_direction(punch.device_key, policy.role)
	if is_echo(moment, stated.log_type if stated else None, standing, rules.debounce):
		return decided(state=State.DUPLICATE, state_reason=ECHO, employee=person.employee)
	direction = decide(moment, punch.device_key, policy.role, standing, rules.direction)
	return decided(
		state=State.PENDING,
		employee=person.employee,
		log_type=direction.log_type,
		log_type_reason=direction.reason,
	)


def first_moments(
	observations: Iterable[Observation], directory: Directory, policies: Mapping[str, DevicePolicy]
) -> dict[str, datetime]:
	"""The moment (in UTC) of each employee's first observation: where their standings are asked for."""
	firsts: dict[str, datetime] = {}
	for observation in observations:
		person = find_person(observation.punch, directory, policies)
		if person is not None:
			moment = observation.moment
			firsts[person.employee] = min(moment, firsts.get(person.employee, moment))
	return firsts


def find_person(punch: Punch, directory: Directory, policies: Mapping[str, DevicePolicy]) -> Person | None:
	"""Whose punch it is, by the id on the terminal and the terminal's prefix; None if nobody's."""
	policy = policies.get(punch.device_serial, _DEFAULT_POLICY)
	return directory.find(policy.user_id_prefix + punch.device_user_id)


def judge_time(observation: Observation, rules: ClockRules) -> ClockVerdict:
	"""The verdict on the time of one punch; one that a person has released or re-timed is trusted."""
	if observation.time_approved or observation.retimed_by:
		return ClockVerdict.TRUSTED
	return judge(
		observation.punch.occurred_at,
		observation.reading,
		rules,
		good_until=observation.clock_good_until,
		jumped_by=observation.clock_jumped_by,
	)
