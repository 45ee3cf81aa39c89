"""IN or OUT at once, before whoever decides has decided: what the person at the door is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from attendance_bridge.core.direction import Standing
from attendance_bridge.core.person import Directory
from attendance_bridge.core.projection import (
	Decision,
	DevicePolicy,
	Observation,
	Rules,
	State,
	find_person,
	project,
)
from attendance_bridge.core.punch import Punch
from attendance_bridge.stores.held import HeldPunch
from attendance_bridge.stores.punches import PunchStore

FOLLOWED = 50
"""Of how many punches the outcome is waited for; at a door that is more than an hour's."""
_UNDER_WAY = frozenset({State.RECEIVED, State.PENDING, State.DELIVERED})


class Preview:
	"""Decides as `core.projection` does, from where the person stands. Used by one thread at a time."""

	def __init__(
		self,
		punches: PunchStore,
		rules: Rules,
		policies: Callable[[], Mapping[str, DevicePolicy]],
		directory: Callable[[], Directory],
	) -> None:
		self._punches = punches
		self._rules = rules
		self._policies = policies
		self._directory = directory
		# Where the site decides, the store knows a person's standing only when it has answered.
		self._standings: dict[str, Standing] = {}
		self._followed: dict[UUID, Decision] = {}

	def decide(self, punch: Punch) -> Decision:
		"""What will probably become of a punch; its person's standing moves on."""
		directory, policies = self._directory(), self._policies()
		person = find_person(punch, directory, policies)
		standings = self._standing_of(person.employee, punch) if person else {}
		(decision,) = project([Observation(punch=punch)], directory, policies, standings, self._rules)
		if decision.state is State.PENDING and decision.log_type is not None:
			self._standings[decision.employee] = Standing(
				occurred_at=punch.occurred_utc, log_type=decision.log_type
			)
		self._followed[punch.punch_id] = decision
		for forgotten in list(self._followed)[:-FOLLOWED]:
			del self._followed[forgotten]
		return decision

	def settled(self) -> list[HeldPunch]:
		"""Punches whose outcome has come since the last call."""
		found = []
		for punch_id in list(self._followed):
			held = self._punches.find(punch_id)
			if held is not None and held.state in _UNDER_WAY:
				continue
			del self._followed[punch_id]
			if held is not None:
				found.append(held)
		return found

	def resume(self, held: Iterable[HeldPunch]) -> None:
		"""After a new start: think what was thought of the punches that nobody has decided about yet.

		:param held: of this camera, in order of time.
		"""
		for each in held:
			if each.state in _UNDER_WAY and each.log_type is None:
				self.decide(each.punch)

	def _standing_of(self, employee: str, punch: Punch) -> dict[str, Standing]:
		ours = self._standings.get(employee)
		until = punch.occurred_utc
		held = self._punches.find(punch.punch_id)
		if held is not None and held.log_type is not None:
			# It is decided by now, and would be taken for its own echo.
			until -= timedelta.resolution
		theirs = self._punches.standings({employee: until}).get(employee)
		if ours is None or (theirs is not None and theirs.occurred_at >= ours.occurred_at):
			return {employee: theirs} if theirs is not None else {}
		return {employee: ours}
