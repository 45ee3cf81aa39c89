"""The app on the site: what it holds of its agents, and what it makes of their punches.

Plays docs/protocols/agent-api.md; terminals are relayed by one agent, faces are shared by several. Decisions
are those of `core.projection`, as on a real site; unlike there, a late punch does not turn around what was
decided after it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from attendance_bridge import __version__
from attendance_bridge.core.clock import ClockRules
from attendance_bridge.core.debounce import DebounceRules
from attendance_bridge.core.direction import DeviceRole, DirectionRules, LogType, Standing
from attendance_bridge.core.person import Directory, Person
from attendance_bridge.core.projection import (
	Decision,
	DevicePolicy,
	Observation,
	Rules,
	State,
	first_moments,
	project,
)
from attendance_bridge.simulators.frappe_site.faces import FaceShelf
from attendance_bridge.simulators.frappe_site.records import CheckIn, Employee
from attendance_bridge.simulators.frappe_site.state import SiteState

AGENT_ROLE = "Attendance Device Agent"
INACTIVE_EMPLOYEE = "inactive_employee"
CHECKED_IN_ALREADY = "adopted"
STATUS = {
	State.RECEIVED: "Received",
	State.CHECKED_IN: "Checked in",
	State.DUPLICATE: "Duplicate",
	State.UNMAPPED: "Unmapped",
	State.QUARANTINED: "Quarantined",
	State.REJECTED: "Rejected",
}


@dataclass(slots=True, kw_only=True)
class RelayedTerminal:
	"""A Device Configuration that is assigned to the agent."""

	name: str
	driver: str
	options: dict[str, Any] = field(repr=False)
	time_zone: str
	enabled: bool = True
	serial: str = ""
	role: str = "key"
	user_id_prefix: str = ""
	poll_seconds: float = 60
	live: bool = False
	posts: bool = False


@dataclass(slots=True, kw_only=True)
class HeldPunch:
	"""A Punch Log."""

	observation: Observation
	terminal: RelayedTerminal
	state: State = State.RECEIVED
	reason: str = ""
	employee: str = ""
	log_type: LogType | None = None
	log_type_reason: str = ""
	checkin: str = ""

	@property
	def status(self) -> str:
		return STATUS[self.state]


@dataclass(kw_only=True)
class Bridge:
	"""The app, installed on a site, and everything that it holds; guarded by the lock of the site's state."""

	site: SiteState
	agent_enabled: bool = True
	terminals: list[RelayedTerminal] = field(default_factory=list)
	rules: dict[str, Any] = field(
		default_factory=lambda: {
			"clock_tolerance_seconds": 120,
			"debounce_seconds": 60,
			"working_day_hours": 15,
			"correct_clocks": False,
		}
	)
	decides_later: bool = False
	"""Too busy to make check-ins before it answers: `verbs.catch_up` does it."""
	punches: dict[str, HeldPunch] = field(default_factory=dict)
	"""By punch_id, in order of arrival."""
	unreadable: dict[str, dict[str, Any]] = field(default_factory=dict)
	heartbeats: list[dict[str, Any]] = field(default_factory=list)
	wishes: dict[str, datetime] = field(default_factory=dict)
	"""Name of a terminal → since when somebody wants it read."""
	scan: dict[str, Any] | None = None
	"""`token` and `networks` that somebody wants looked through; gone once its result was told."""
	found: dict[str, dict[str, Any]] = field(default_factory=dict)
	"""Token of a scan → what came of it."""
	counts: dict[str, dict[str, Any]] = field(default_factory=dict)
	"""Name of a terminal → `token`, `spans` and `again` of a count that is wanted; gone once it was told."""
	counted: dict[str, dict[str, Any]] = field(default_factory=dict)
	"""Token of a count → the answer."""
	gone: set[str] = field(default_factory=set)
	"""Employees that were deleted."""
	faces: FaceShelf = field(default_factory=FaceShelf)
	agents: dict[str, str] = field(default_factory=dict)
	"""User → name of the Edge Agent."""
	counters: Counter[str] = field(default_factory=Counter)
	"""Calls, by the last word of the method."""

	def __post_init__(self) -> None:
		# The agent's user has this role and no other: it may do nothing but speak this API.
		self.site.roles = {AGENT_ROLE}
		self.agents.setdefault(self.site.user, "Agent")
		self.faces.agents |= set(self.agents.values())
		self.site.versions["attendance_bridge"] = __version__

	@property
	def revision(self) -> str:
		facts = [self.rules, *([getattr(each, key) for key in each.__slots__] for each in self.terminals)]
		return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:16]

	def terminal(self, *, name: str = "", serial: str = "") -> RelayedTerminal | None:
		"""By its name, else by its serial number."""
		for each in self.terminals:
			if name and each.name == name:
				return each
		return next((each for each in self.terminals if serial and each.serial == serial), None)

	def fulfil(self, report: dict[str, Any]) -> None:
		"""Forget a wish that a heartbeat answers."""
		since = self.wishes.get(report["name"])
		told = [report.get("last_pull"), (report.get("error") or {}).get("at")]
		if since is not None and any(moment and _read(moment) > since for moment in told):
			del self.wishes[report["name"]]

	def decide(self, punches: Sequence[HeldPunch]) -> None:
		"""Decide punches and make their check-ins. The caller holds the lock."""
		by_id = {held.observation.punch.punch_id: held for held in punches}
		directory = Directory(_people(self.site.employees))
		policies = {
			held.observation.punch.device_serial: DevicePolicy(
				role=DeviceRole(held.terminal.role), user_id_prefix=held.terminal.user_id_prefix
			)
			for held in punches
		}
		observations = [held.observation for held in punches]
		standings = self._standings(first_moments(observations, directory, policies))
		for decision in project(observations, directory, policies, standings, self._rules()):
			_write(self.site, by_id[decision.punch.punch_id], decision)

	def _standings(self, firsts: Mapping[str, datetime]) -> dict[str, Standing]:
		"""Each employee's last counted punch up to a moment of their own."""
		standings: dict[str, Standing] = {}
		for held in self.punches.values():
			moment = held.observation.punch.occurred_utc
			if held.log_type is None or held.employee not in firsts or moment > firsts[held.employee]:
				continue
			known = standings.get(held.employee)
			if known is None or known.occurred_at < moment:
				standings[held.employee] = Standing(occurred_at=moment, log_type=held.log_type)
		return standings

	def _rules(self) -> Rules:
		return Rules(
			clock=ClockRules(tolerance=timedelta(seconds=self.rules["clock_tolerance_seconds"])),
			debounce=DebounceRules(window=timedelta(seconds=self.rules["debounce_seconds"])),
			direction=DirectionRules(working_day=timedelta(hours=self.rules["working_day_hours"])),
		)


def _people(employees: Iterable[Employee]) -> Iterable[Person]:
	for each in employees:
		yield Person(employee=each.name, attendance_device_id=each.attendance_device_id or "")


def _write(state: SiteState, held: HeldPunch, decision: Decision) -> None:
	held.state, held.reason, held.employee = decision.state, decision.state_reason, decision.employee
	if decision.state is not State.PENDING:
		return
	employee = state.employees.find(decision.employee)
	if employee is None or employee.status == "Inactive":
		held.state, held.reason = State.REJECTED, INACTIVE_EMPLOYEE
		return
	held.log_type = decision.log_type
	held.log_type_reason = decision.log_type_reason.value if decision.log_type_reason else ""
	held.state, held.checkin = State.CHECKED_IN, _enter(state, held, employee)


def _enter(state: SiteState, held: HeldPunch, employee: Employee) -> str:
	"""The check-in of a punch; one that somebody else made already is adopted."""
	punch = held.observation.punch
	time = punch.occurred_at.astimezone(state.zone).replace(tzinfo=None, fold=0)
	log_type = held.log_type.value if held.log_type else ""
	for row in state.table.at(employee.name, time):
		if row.log_type == log_type:
			held.reason = CHECKED_IN_ALREADY
			return row.name
	row = CheckIn(
		creation=state.now(),
		owner=state.user,
		employee=employee.name,
		employee_name=employee.employee_name,
		time=time,
		log_type=log_type,
		device_id=punch.device_serial,
	)
	state.table.add([row])
	state.counters["accepted"] += 1
	return row.name


def _read(moment: str) -> datetime:
	return datetime.fromisoformat(moment.removesuffix("Z")).replace(tzinfo=timezone.utc)
