"""What becomes of received punches: the projection of `core`, run over Punch Log in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import frappe

from attendance_bridge.bench import devices, punch_log, punch_rows
from attendance_bridge.bench.turn import alone
from attendance_bridge.core.person import Directory, Person
from attendance_bridge.core.projection import (
	Decision,
	DevicePolicy,
	Observation,
	Rules,
	first_moments,
	project,
)

BATCH = 2000
"""Punches a turn: long enough to be worth one, short enough that nobody waits for it."""


def decide_received(stop: Callable[[], bool] = lambda: False) -> int:
	"""Decide all punches that nothing was decided about; returns how many decisions were made.

	Commits batch by batch, each in a turn of its own.

	:param stop: asked before each batch; what is left then waits for whoever comes next.
	"""
	policies, rules = devices.policies(), devices.rules()
	made = 0
	while not stop() and (decided := alone(lambda: _decide_batch(policies, rules))):
		made += decided
	return made


def preview(
	observations: Iterable[Observation], policies: Mapping[str, DevicePolicy], rules: Rules
) -> list[Decision]:
	"""What would be decided about punches under other rules; nothing is written.

	In order of time, from each person's standing at their first of them on.
	"""
	return _project(list(observations), policies, rules)[0]


def _decide_batch(policies: Mapping[str, DevicePolicy], rules: Rules) -> int:
	observations = punch_log.undecided(BATCH)
	if not observations:
		return 0
	decisions, firsts, people = _project(observations, policies, rules)
	return punch_log.record(decisions, firsts, people)


def _project(
	observations: Sequence[Observation], policies: Mapping[str, DevicePolicy], rules: Rules
) -> tuple[list[Decision], dict[str, datetime], dict[str, Person]]:
	"""The decisions, the first moment of each employee, and the people by employee."""
	people = people_behind(observations, policies)
	directory = Directory(people)
	firsts = first_moments(observations, directory, policies)
	decisions = list(project(observations, directory, policies, punch_log.standings(firsts), rules))
	return decisions, firsts, {person.employee: person for person in people}


def people_behind(observations: Iterable[Observation], policies: Mapping[str, DevicePolicy]) -> list[Person]:
	"""The employees that ids on terminals may belong to, whatever their status.

	The database compares without regard to case and accents; `Directory` is exact.
	"""
	standard = DevicePolicy()
	ids = {
		punch_rows.storable(
			policies.get(observation.punch.device_serial, standard).user_id_prefix
			+ observation.punch.device_user_id
		)
		for observation in observations
	}
	if not ids:
		return []
	rows = frappe.get_all(
		"Employee",
		filters={"attendance_device_id": ("in", sorted(ids))},
		fields=["name", "attendance_device_id", "employee_name", "status", "department", "company", "branch"],
		order_by="name",
	)
	return [
		Person(
			employee=row.name,
			attendance_device_id=row.attendance_device_id,
			full_name=row.employee_name or "",
			status=row.status or "",
			department=row.department or "",
			company=row.company or "",
			branch=row.branch or "",
		)
		for row in rows
	]
