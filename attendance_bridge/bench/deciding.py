"""What becomes of received punches: the projection of `core`, run over Punch Log in batches."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import frappe

from attendance_bridge.bench import devices, news, punch_log, punch_rows
from attendance_bridge.bench.turn import alone
from attendance_bridge.core.direction import Standing
from attendance_bridge.core.person import Directory, Person
from attendance_bridge.core.projection import (
	Decision,
	DevicePolicy,
	Observation,
	Rules,
	find_person,
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

	In order of time, from where each person stood before their first of them: these may have been decided
	long ago, and must not follow themselves.
	"""
	observed = list(observations)
	directory = Directory(people_behind(observed, policies))
	before = {
		employee: moment - timedelta(microseconds=1)
		for employee, moment in first_moments(observed, directory, policies).items()
	}
	return list(project(observed, directory, policies, punch_log.standings(before), rules))


def _decide_batch(policies: Mapping[str, DevicePolicy], rules: Rules) -> int:
	observations = punch_log.undecided(BATCH)
	if not observations:
		return 0
	decisions, firsts, people = _project(observations, policies, rules)
	news.tell(news.What.PUNCHES)
	return punch_log.record(decisions, firsts, people)


def _project(
	observations: Sequence[Observation], policies: Mapping[str, DevicePolicy], rules: Rules
) -> tuple[list[Decision], dict[str, datetime], dict[str, Person]]:
	"""The decisions, the first moment of each employee, and the people by employee."""
	people = people_behind(observations, policies)
	directory = Directory(people)
	firsts = first_moments(observations, directory, policies)
	legs = _legs(observations, directory, policies, firsts)
	decisions = [
		decision
		for observed, standings in legs
		for decision in project(observed, directory, policies, standings, rules)
	]
	return decisions, firsts, {person.employee: person for person in people}


def _legs(
	observations: Iterable[Observation],
	directory: Directory,
	policies: Mapping[str, DevicePolicy],
	firsts: Mapping[str, datetime],
) -> list[tuple[list[Observation], dict[str, Standing]]]:
	"""The observations up to each person's first check-in on the way, those up to the second, and so on.

	Each leg with the standings that it begins with: a check-in that stands already is where a person goes on
	from, whatever is decided before it.
	"""
	owners = [(each, find_person(each.punch, directory, policies)) for each in observations]
	spans: dict[str, tuple[datetime, datetime]] = {}
	for each, person in owners:
		if person is not None:
			first, last = spans.get(person.employee, (firsts[person.employee],) * 2)
			spans[person.employee] = first, max(last, each.moment)
	courses = punch_log.courses(spans)
	turns = {employee: [each.occurred_at for each in course] for employee, course in courses.items()}
	legs: list[tuple[list[Observation], dict[str, Standing]]] = [([], punch_log.standings(firsts))]
	legs.extend(
		([], {who: course[number] for who, course in courses.items() if number < len(course)})
		for number in range(max(map(len, turns.values()), default=0))
	)
	for each, person in owners:
		leg = bisect_right(turns.get(person.employee, ()), each.moment) if person else 0
		if leg < punch_log.CHECKINS_ON_THE_WAY:  # there may be more of them behind the last
			legs[leg][0].append(each)
	return legs


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
