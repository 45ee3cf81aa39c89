"""The durable log of punches on the site: raw first, and what was decided about each beside it.

How late punches keep IN and OUT right. A decision rests on the person's last counted punch before it, so it
is good only while no other counted punch lies between the two. `clear_the_way` sees to that:

- A batch is decided from the standings at each person's first moment on, and from each check-in that the
  person already has on the way (`courses`). Where one has a counted punch there that is no check-in yet,
  decisions up to it are written down, and what comes after it stays undecided for a later batch, which
  begins there.
- A decision takes back what was decided later about the same person, as far as the next punch that became a
  check-in: those rest on it now, and are decided again. A check-in stands, and so does what follows it.

So decisions come out as if the punches had arrived in order, except that no check-in is ever changed. Every
batch settles at least the oldest undecided moment, and takes back only later ones: it ends.

`undecided`, `standings`, `clear_the_way` and `record` belong to one batch and are called within one turn
(`bench.turn`).
Each asks a number of statements that depends on the size of the batch alone.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.bench import clock_guard, devices, moments, news, punch_rows
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.core.direction import LogType, Standing
from attendance_bridge.core.driver import Page, UnreadableRow
from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.core.person import Person
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.projection import Decision, Observation, State
from attendance_bridge.core.punch import Punch

_TABLE_FULL, _NO_SPACE = 1114, 1021
"""Error numbers of MariaDB."""

_ATTEMPTS = 8
_LONGEST_PAUSE_SECONDS = 0.2
"""How often a page is held that loses against another transaction, and how long it waits in between."""

CHECKINS_ON_THE_WAY = 200
"""How many check-ins of one person a batch decides its way past; the next batch goes on behind them."""

_PEOPLE_A_STATEMENT = 100
"""How many people one UNION asks about."""

_DECISION_COLUMNS = (
	"status",
	"status_reason",
	"employee",
	"employee_name",
	"department",
	"log_type",
	"log_type_reason",
	"employee_checkin",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
	"""A punch of the log that nothing was decided about."""

	name: str
	device: str
	"""Name of the Device Configuration that brought it."""
	occurred_at: datetime
	"""Naive, in site time."""
	observation: Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
	"""What came of a decided punch at once: its check-in, or why there is none."""

	state: State
	reason: str = ""
	checkin: str = ""
	"""Name of the Employee Checkin."""


class PunchLog:
	"""`core.ports.PunchSink` and `core.ports.CursorStore` for one terminal."""

	def __init__(self, device: str, *, road: str = "Pull", edge_agent: str | None = None) -> None:
		"""
		:param device: name of the Device Configuration whose punches come.
		:param road: how they come: Pull, Push, Live or Agent.
		"""
		self._device = device
		self._road = road
		self._edge_agent = edge_agent

	def accept(self, page: Page, device_serial: str, reading: ClockReading | None) -> Accepted:
		"""Hold a page, raw, with the clock reading under which it came. When this returns, it is durable.

		:raises StoreError: DISK_FULL, or DATABASE_LOCKED (retryable); none of the page is held.
		"""
		arrival = arrival_values(self._device, road=self._road, edge_agent=self._edge_agent, reading=reading)
		clock, rules = clock_guard.clock(self._device), devices.rules().clock
		zone = moments.site_zone()
		clock_at = clock.arrivals(reading, clock.state.good_until, rules)
		punches = [
			{
				**punch_rows.punch_values(punch, zone),
				**arrival,
				**clock_values(*clock_at(punch.occurred_at)),
			}
			for punch in _distinct(page.punches)
		]
		unreadable = [unreadable_values(self._device, device_serial, row) for row in page.unreadable]
		new, new_unreadable = hold(punches, unreadable)
		return Accepted(new=new, known=len(page.punches) - new, unreadable=new_unreadable)

	def load(self, device_serial: str) -> Cursor:
		"""Where reading resumes; the beginning for a terminal other than the one last read here."""
		held = frappe.db.get_value(
			"Device Configuration", self._device, ("serial_number", "cursor"), as_dict=True
		)
		if not held or held.serial_number != device_serial:
			return START
		return Cursor.from_text(held.cursor or "")

	def save(self, device_serial: str, cursor: Cursor) -> None:
		"""Move the cursor, durably; only that of the terminal with this serial number."""
		frappe.db.set_value(
			"Device Configuration",
			{"name": self._device, "serial_number": device_serial},
			"cursor",
			cursor.to_text(),
			update_modified=False,
		)
		# The page before this cursor is held already; without the cursor it would only be read again.
		frappe.db.commit()  # nosemgrep


def hold(
	punches: Sequence[Mapping[str, Any]], unreadable: Sequence[Mapping[str, Any]] = ()
) -> tuple[int, int]:
	"""Insert rows of Punch Log and of Unreadable Record that are not there yet; commits.

	When this returns, they survive a power cut: terminals and agents forget what was acknowledged.

	:returns: how many punches and how many unreadable records were new.
	:raises StoreError: DISK_FULL, or DATABASE_LOCKED (retryable); none of them is held.
	"""
	if not punches and not unreadable:
		return 0, 0
	for attempt in range(1, _ATTEMPTS + 1):
		try:
			new = punch_rows.insert_ignore("Punch Log", punches)
			new_unreadable = punch_rows.insert_ignore("Unreadable Record", unreadable)
			if new:
				news.tell(news.What.PUNCHES)
			frappe.db.commit()  # nosemgrep  # see above
			return new, new_unreadable
		except Exception as error:  # noqa: PERF203  # nothing to a page of punches
			frappe.db.rollback()
			failure = _store_error(error)
			if not isinstance(failure, StoreError):
				raise
			if failure.code is not Code.DATABASE_LOCKED or attempt == _ATTEMPTS:
				raise failure from error
			time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311  # spread, no secret
	raise AssertionError("unreachable")


def clock_values(good_until: datetime | None, jumped_by: timedelta) -> dict[str, Any]:
	"""The columns of a punch that tell up to when the clock was right, and whether it was set meanwhile.

	:param good_until: with `jumped_by` as `GuardedClock.arrivals` says.
	"""
	return {
		"clock_good_until": moments.to_utc(good_until) if good_until else None,
		"clock_jumped_by": jumped_by.total_seconds(),
	}


def arrival_values(
	device: str, *, road: str, edge_agent: str | None = None, reading: ClockReading | None
) -> dict[str, Any]:
	"""The columns of a punch that tell how it came; what was decided about it stands at its beginning."""
	return {
		**_made_now(),
		"device": device,
		"road": road,
		"edge_agent": edge_agent,
		"received_at": moments.now(),
		"clock_read_at": moments.to_utc(reading.taken_at) if reading else None,
		"clock_offset": reading.offset.total_seconds() if reading else 0.0,
		"status": punch_rows.STATUS[State.RECEIVED],
	}


def unreadable_values(device: str | None, device_serial: str, row: UnreadableRow) -> dict[str, Any]:
	"""The row of an Unreadable Record."""
	return {
		**_made_now(),
		"name": str(row.identity(device_serial)),
		"device": device,
		"device_serial": punch_rows.storable(device_serial),
		"raw": punch_rows.storable(row.raw),
		"reason": row.reason[:140],
		"received_at": moments.now(),
	}


def some_undecided() -> bool:
	"""Whether there is any punch that nothing was decided about."""
	received = punch_rows.STATUS[State.RECEIVED]
	return bool(frappe.db.sql("SELECT 1 FROM `tabPunch Log` WHERE `status` = %s LIMIT 1", received))


def undecided(limit: int) -> list[Held]:
	"""The oldest punches that nothing was decided about, at most `limit`; empty only if there are none.

	Locked: nobody changes their status before this transaction ends.
	"""
	received = punch_rows.STATUS[State.RECEIVED]
	names = frappe.db.sql_list(
		"SELECT `name` FROM `tabPunch Log` WHERE `status` = %s ORDER BY `occurred_utc`, `name` LIMIT %s",
		(received, limit),
	)
	if not names:
		return []
	rows = punch_rows.read_observations(
		"WHERE `name` IN %s AND `status` = %s ORDER BY `occurred_utc`, `name` FOR UPDATE",
		(names, received),
	)
	return [
		Held(
			name=row["name"],
			device=row["device"] or "",
			occurred_at=row["occurred_at"],
			observation=punch_rows.observation(row),
		)
		for row in rows
	]


def standings(firsts: Mapping[str, datetime]) -> dict[str, Standing]:
	"""The last counted punch of each employee up to an aware moment of their own, their first of a batch.

	One at that very moment counts: a second terminal may have seen the same passage. Whoever has none is left
	out. Moments are in UTC.
	"""
	rows = _for_each(
		"SELECT `employee`, `occurred_utc`, `log_type` FROM `tabPunch Log`"
		" WHERE `employee` = %s AND `occurred_utc` <= %s AND `log_type` IN ('IN', 'OUT')"
		" ORDER BY `occurred_utc` DESC, `name` DESC LIMIT 1",
		((employee, moments.to_utc(first)) for employee, first in firsts.items()),
	)
	return {
		employee: Standing(occurred_at=moments.from_utc(occurred_utc), log_type=LogType(log_type))
		for employee, occurred_utc, log_type in rows
	}


def courses(spans: Mapping[str, tuple[datetime, datetime]]) -> dict[str, list[Standing]]:
	"""Where each employee's check-ins leave them, in order of time: those after the first moment of a span of
	their own, up to its last. At most CHECKINS_ON_THE_WAY; whoever has none is left out. Moments are in UTC.
	"""
	found: dict[str, list[Standing]] = {}
	rows = _for_each(
		"SELECT `employee`, `occurred_utc`, `log_type` FROM `tabPunch Log`"  # noqa: S608
		" WHERE `employee` = %s AND `occurred_utc` > %s AND `occurred_utc` <= %s"
		" AND `log_type` IN ('IN', 'OUT') AND `status` <> 'Pending'"
		f" ORDER BY `occurred_utc`, `name` LIMIT {CHECKINS_ON_THE_WAY}",
		(
			(employee, moments.to_utc(first), moments.to_utc(last))
			for employee, (first, last) in spans.items()
		),
	)
	for employee, occurred_utc, log_type in rows:
		standing = Standing(occurred_at=moments.from_utc(occurred_utc), log_type=LogType(log_type))
		found.setdefault(employee, []).append(standing)
	return {employee: sorted(course, key=lambda each: each.occurred_at) for employee, course in found.items()}


def clear_the_way(decisions: Iterable[Decision], firsts: Mapping[str, datetime]) -> dict[str, Decision]:
	"""The decisions of one batch that can stand, by name of the punch; what rests on less is taken back.

	See the head of this module.

	:param firsts: as given to `standings`.
	"""
	batch = list(decisions)
	named = {decision.employee: firsts[decision.employee] for decision in batch if decision.employee}
	ends = _next_counted(named, "= 'Pending'") if named and _some_pending(min(named.values())) else {}
	standing = [
		decision
		for decision in batch
		if decision.employee not in ends or decision.moment < ends[decision.employee]
	]
	_take_back_what_rests_on([decision for decision in standing if decision.employee in ends])
	return {punch_rows.name_of(decision.punch): decision for decision in standing}


def record(
	decisions: Mapping[str, Decision], people: Mapping[str, Person], outcomes: Mapping[str, Outcome]
) -> Counter[State]:
	"""Write the decisions of one batch down; returns how many punches came to which state.

	:param decisions: from `clear_the_way`.
	:param people: by employee, whoever the decisions name.
	:param outcomes: by name of the punch, what has come of pending ones in the same turn.
	"""
	rows = (_decision_row(name, decision, people, outcomes.get(name)) for name, decision in decisions.items())
	punch_rows.update(_DECISION_COLUMNS, rows, standing=punch_rows.STATUS[State.RECEIVED])
	return Counter(
		outcomes[name].state if name in outcomes else decision.state for name, decision in decisions.items()
	)


def _take_back_what_rests_on(overtaken: Iterable[Decision]) -> None:
	"""Undo what was decided about these people behind their first decision."""
	spans: dict[str, tuple[datetime, datetime]] = {}
	for decision in overtaken:
		first, last = spans.get(decision.employee, (decision.moment, decision.moment))
		spans[decision.employee] = min(decision.moment, first), max(decision.moment, last)
	finals = _next_counted({employee: last for employee, (_, last) in spans.items()}, "<> 'Pending'")
	for employee, (first, _last) in spans.items():
		_take_back(employee, first, finals.get(employee))


def _some_pending(after: datetime) -> bool:
	"""Whether anybody's punch after a moment waits for its check-in."""
	# Not a range of the index: that would be read past its end, through all that was pending a moment ago.
	latest = frappe.db.sql_list(
		"SELECT `occurred_utc` FROM `tabPunch Log` WHERE `status` = 'Pending'"
		" ORDER BY `occurred_utc` DESC LIMIT 1"
	)
	return bool(latest) and moments.from_utc(latest[0]) > after


def _next_counted(firsts: Mapping[str, datetime], status: str) -> dict[str, datetime]:
	"""The moment of each employee's first counted punch after a moment of theirs; left out if there is none.

	:param status: a condition on it, as it stands behind the name of the column.
	"""
	rows = _for_each(
		"SELECT `employee`, `occurred_utc` FROM `tabPunch Log`"  # noqa: S608
		" WHERE `employee` = %s AND `occurred_utc` > %s AND `log_type` IN ('IN', 'OUT')"
		f" AND `status` {status} ORDER BY `occurred_utc` LIMIT 1",
		((employee, moments.to_utc(first)) for employee, first in firsts.items()),
	)
	return {employee: moments.from_utc(occurred_utc) for employee, occurred_utc in rows}


def _take_back(employee: str, after: datetime, before: datetime | None) -> None:
	"""Undo what was decided about somebody between two moments and has not become a check-in."""
	condition = "" if before is None else " AND `occurred_utc` < %s"
	wanted = [employee, moments.to_utc(after), *([] if before is None else [moments.to_utc(before)])]
	frappe.db.sql(
		f"UPDATE `tabPunch Log` SET {punch_rows.CLEAN_SHEET}"  # noqa: S608
		f" WHERE `employee` = %s AND `occurred_utc` > %s{condition}"
		" AND (`status` = 'Pending' OR (`status` = 'Duplicate' AND COALESCE(`log_type`, '') = ''))",
		wanted,
	)


def _for_each(select: str, wanted: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
	"""The rows of one statement for each set of values, asked many at a time."""
	rows: list[tuple[Any, ...]] = []
	values = list(wanted)
	for start in range(0, len(values), _PEOPLE_A_STATEMENT):
		part = values[start : start + _PEOPLE_A_STATEMENT]
		union = " UNION ALL ".join([f"({select})"] * len(part))
		rows.extend(frappe.db.sql(union, [value for of_one in part for value in of_one]))
	return rows


def _decision_row(
	name: str, decision: Decision, people: Mapping[str, Person], outcome: Outcome | None
) -> tuple[Any, ...]:
	person = people.get(decision.employee)
	state, reason = decision.state, decision.state_reason
	if outcome is not None:
		state, reason = outcome.state, outcome.reason
	return (
		name,
		punch_rows.STATUS[state],
		reason or None,
		decision.employee or None,
		person.full_name if person else None,
		(person.department or None) if person else None,
		decision.log_type.value if decision.log_type else None,
		decision.log_type_reason.value if decision.log_type_reason else None,
		(outcome.checkin or None) if outcome else None,
	)


def _distinct(punches: Sequence[Punch]) -> Iterable[Punch]:
	return {punch.punch_id_bytes: punch for punch in punches}.values()


def _made_now() -> dict[str, Any]:
	now, user = moments.now(), frappe.session.user
	return {"creation": now, "modified": now, "owner": user, "modified_by": user}


def _store_error(error: Exception) -> Exception:
	if isinstance(error, (frappe.QueryDeadlockError, frappe.QueryTimeoutError)):
		return StoreError(Code.DATABASE_LOCKED, retryable=True)
	if error.args and error.args[0] in (_TABLE_FULL, _NO_SPACE):
		return StoreError(Code.DISK_FULL, retryable=True)
	return error
