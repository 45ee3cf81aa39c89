"""What becomes of received punches: the projection of `core`, run over Punch Log in batches.

Where check-ins can be written as rows, those of a batch are made in the turn that decides it, and each punch
is written once. Elsewhere they wait, decided, for `checkins.deliver_pending`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import frappe

from attendance_bridge.bench import devices, news, punch_log, punch_rows
from attendance_bridge.bench.checkin_rows import Passage, hold_series
from attendance_bridge.bench.checkins import Maker, deliver_pending
from attendance_bridge.bench.turn import alone
from attendance_bridge.core.direction import Standing
from attendance_bridge.core.person import Directory, Person
from attendance_bridge.core.projection import (
	Decision,
	DevicePolicy,
	Observation,
	Rules,
	State,
	find_person,
	first_moments,
	project,
)

BATCH = 2000
"""Punches a turn: long enough to be worth one, short enough that nobody waits for it."""


def settle_received(
	on_batch: Callable[[int], None] = lambda settled: None, stop: Callable[[], bool] = lambda: False
) -> None:
	"""Decide all punches that nothing was decided about, and make all check-ins that wait.

	Commits batch by batch, each in a turn of its own.

	:param on_batch: told after each batch how many punches are settled so far.
	:param stop: asked before each batch; what is left then waits for whoever comes next.
	"""
	maker = Maker()
	decided: Counter[State] = Counter()

	def tell(delivered: int) -> None:
		on_batch(decided.total() - decided[State.PENDING] + delivered)

	for batch in _decide_batches(stop, maker):
		decided.update(batch)
		tell(0)
	deliver_pending(tell, stop, maker)


def decide_received(stop: Callable[[], bool] = lambda: False) -> int:
	"""Decide all punches that nothing was decided about; returns how many decisions were made.

	Commits batch by batch, each in a turn of its own.

	:param stop: asked before each batch; what is left then waits for whoever comes next.
	"""
	return sum(batch.total() for batch in _decide_batches(stop))


def _decide_batches(stop: Callable[[], bool], maker: Maker | None = None) -> Iterator[Counter[State]]:
	"""Decide batch by batch; yields how many punches of each came to which state.

	:param maker: makes check-ins in the same turn, if it is fast.
	"""
	policies, rules = devices.policies(), devices.rules()
	decided = 0
	# A full batch is hardly ever the last one.
	while not stop() and (decided >= BATCH or _some_wait()):
		batch = alone(lambda: _decide_batch(policies, rules, maker))
		decided = batch.total()
		if not decided:
			break
		yield batch


def _some_wait() -> bool:
	"""Whether a turn is worth it."""
	# What other jobs have held by now is to be seen.
	frappe.db.commit()  # nosemgrep
	return punch_log.some_undecided()


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


def _decide_batch(policies: Mapping[str, DevicePolicy], rules: Rules, maker: Maker | None) -> Counter[State]:
	makes = maker if maker is not None and maker.is_fast else None
	if makes:
		hold_series()
	held = punch_log.undecided(BATCH)
	if not held:
		return Counter()
	decisions, firsts, people = _project([each.observation for each in held], policies, rules)
	standing = punch_log.clear_the_way(decisions, firsts)
	outcomes = makes.settle(_passages(held, standing, makes.positions)) if makes else {}
	news.tell(news.What.PUNCHES)
	return punch_log.record(standing, people, outcomes)


def _passages(
	held: Iterable[punch_log.Held],
	decisions: Mapping[str, Decision],
	positions: Mapping[str, tuple[float, float]],
) -> list[Passage]:
	"""What waits for its check-in by these decisions, in order of time."""
	return [
		Passage(
			punch=each.name,
			employee=decision.employee,
			time=each.occurred_at,
			log_type=decision.log_type.value if decision.log_type else "",
			device=each.device,
			position=positions.get(each.device),
		)
		for each in held
		if (decision := decisions.get(each.name)) is not None and decision.state is State.PENDING
	]


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
