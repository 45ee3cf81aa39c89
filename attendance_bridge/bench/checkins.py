"""From decided punches to Employee Checkins: each exactly one, or a reason why not.

A check-in and the new status of its punch become durable in one transaction, within a turn (`bench.turn`):
a job that dies leaves both or neither, and two jobs never see the same punch waiting. What stands in HRMS
already for that person and that second, whoever made it, is linked instead of doubled.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import frappe
from erpnext.setup.doctype.employee.employee import InactiveEmployeeStatusError
from hrms.hr.doctype.employee_checkin.employee_checkin import CheckinRadiusExceededError
from rq.timeouts import BaseTimeoutException

from attendance_bridge.bench import devices, news, punch_rows
from attendance_bridge.bench.checkin_customs import customs
from attendance_bridge.bench.checkin_rows import DOCTYPE, CheckinRows, Passage, can_name, hold_series
from attendance_bridge.bench.punch_log import Outcome
from attendance_bridge.bench.turn import alone
from attendance_bridge.bench.workdays import due
from attendance_bridge.core.projection import State
from attendance_bridge.install import CHECKIN_INDEX

logger = logging.getLogger(__name__)

INSERTS_A_TURN = 50
"""The series of names is locked for the length of a turn: whoever checks in by telephone waits."""
ROWS_A_TURN = 2000
WORTH_ROWS = 40
"""Fewer check-ins than this are inserted: specimens and preparation would cost as much."""

ADOPTED = "adopted"
"""Another tool, or a person, had made the check-in before; it is this punch's now."""
ADOPTED_OTHER_LOG_TYPE = "adopted_other_log_type"
"""The same, and it says IN where we decided OUT, or the other way round; it is left as it is."""
SAME_SECOND = "same_second"
"""The check-in of that second belongs to another punch of that person: two terminals saw one passage."""
ATTENDANCE_MARKED = "attendance_marked"
"""Checked in, but that day's attendance stood already, and HRMS does not change it by itself."""
INACTIVE_EMPLOYEE = "inactive_employee"
GEOLOCATION_REQUIRED = "geolocation_required"
"""HR Settings ask for coordinates with every check-in, and the position of the terminal is not known."""
TOO_FAR_AWAY = "too_far_away"
TEXT_TOO_LONG = "text_too_long"
BROKEN_LINK = "broken_link"
"""The employee, or something else that the check-in names, is not there (any more)."""
REFUSED = "refused"
"""Followed by a colon and the type of the exception: a rule of this site, or of another app."""

_REASONS = (
	(InactiveEmployeeStatusError, INACTIVE_EMPLOYEE),
	(CheckinRadiusExceededError, TOO_FAR_AWAY),
	(frappe.CharacterLengthExceededError, TEXT_TOO_LONG),
	(frappe.LinkValidationError, BROKEN_LINK),
)

_OUTCOME_COLUMNS = ("status", "status_reason", "employee_checkin")

_SAVEPOINT = "attendance_bridge_checkin"


def deliver_pending(
	on_batch: Callable[[int], None] = lambda settled: None,
	stop: Callable[[], bool] = lambda: False,
	maker: Maker | None = None,
) -> Counter[State]:
	"""Make the check-ins of all pending punches; returns how many punches came to which state.

	Commits batch by batch, each in a turn of its own.

	:param on_batch: told after each batch how many punches are settled so far.
	:param stop: asked before each batch; what is left then waits for whoever comes next.
	"""
	settled: Counter[State] = Counter()
	makes = maker or Maker()
	while not stop() and _some_wait() and (batch := alone(lambda: _deliver_batch(makes))):
		settled.update(batch)
		on_batch(settled.total())
	return settled


def _some_wait() -> bool:
	"""Whether a turn is worth it: it locks the series of names."""
	# What other jobs have decided by now is to be seen.
	frappe.db.commit()  # nosemgrep
	pending = punch_rows.STATUS[State.PENDING]
	return bool(frappe.db.sql("SELECT 1 FROM `tabPunch Log` WHERE `status` = %s LIMIT 1", pending))


def _deliver_batch(maker: Maker) -> Counter[State]:
	hold_series()
	outcomes = maker.settle(_pending(maker.limit, maker.positions))
	punch_rows.update(
		_OUTCOME_COLUMNS,
		(
			(punch, punch_rows.STATUS[outcome.state], outcome.reason or None, outcome.checkin or None)
			for punch, outcome in outcomes.items()
		),
		standing=punch_rows.STATUS[State.PENDING],
	)
	if outcomes:
		news.tell(news.What.PUNCHES)
	return Counter(outcome.state for outcome in outcomes.values())


def _days_of_new(passages: Iterable[Passage], outcomes: Mapping[str, Outcome]) -> Iterator[tuple[str, date]]:
	"""The working days to which check-ins were added."""
	for passage in passages:
		outcome = outcomes.get(passage.punch)
		if outcome is not None and outcome.state is State.CHECKED_IN:
			yield from due.days_of(passage.employee, passage.time, None)


class Maker:
	"""Makes check-ins, as rows where that comes to the same, else one by one."""

	def __init__(self) -> None:
		found = customs()
		if found:
			logger.info("check-ins are inserted one by one, because of: %s", ", ".join(found))
		self._as_rows = not found and can_name()
		# While a table grows fast, the server knows too little of it to take this index by itself, and reads
		# everything of each employee, or of everybody.
		has_index = frappe.db.has_index(f"tab{DOCTYPE}", CHECKIN_INDEX)
		self._hint = f"FORCE INDEX (`{CHECKIN_INDEX}`)" if has_index else ""
		self.positions = devices.positions() if _needs_coordinates() else {}
		"""Of the terminals, by name, if HRMS asks for them."""

	@property
	def is_fast(self) -> bool:
		"""Whether it writes rows: as many at once as a turn decides."""
		return self._as_rows

	@property
	def limit(self) -> int:
		"""How many passages a turn may take."""
		return ROWS_A_TURN if self._as_rows else INSERTS_A_TURN

	def settle(self, passages: Sequence[Passage]) -> dict[str, Outcome]:
		"""The outcomes by punch; passages that are left out are for a later turn.

		Within a turn that began with `hold_series`, and on punches that are locked.
		"""
		outcomes = _adopt(passages, self._hint)
		waiting = _one_of_each_second(passage for passage in passages if passage.punch not in outcomes)
		outcomes.update(self._make(waiting))
		_explain_marked(passages, outcomes)
		due.mark_days(_days_of_new(passages, outcomes))
		return outcomes

	def _make(self, passages: Sequence[Passage]) -> dict[str, Outcome]:
		if not self._as_rows or len(passages) < WORTH_ROWS:
			return _insert_each(passages)
		rows = CheckinRows(passages)
		likely = [passage for passage in passages if rows.takes(passage)]
		outcomes = self._make_specimens(rows, likely)
		if not self._as_rows:
			return outcomes
		written = rows.write([passage for passage in likely if passage.punch not in outcomes])
		for punch, checkin in written.items():
			outcomes[punch] = Outcome(state=State.CHECKED_IN, checkin=checkin)
		frappe.publish_realtime("list_update", {"doctype": DOCTYPE}, doctype=DOCTYPE, after_commit=True)
		return outcomes | _insert_each([passage for passage in passages if not rows.takes(passage)])

	def _make_specimens(self, rows: CheckinRows, likely: Sequence[Passage]) -> dict[str, Outcome]:
		"""Insert the specimens; if one is not what its row would be, no more rows are written."""
		outcomes: dict[str, Outcome] = {}
		for passage in rows.specimens(likely):
			outcome = outcomes[passage.punch] = _insert(passage)
			differing = rows.differences(passage, outcome.checkin) if outcome.checkin else [outcome.reason]
			if differing:
				self._as_rows = False
				logger.warning(
					"check-ins are inserted one by one: rows would differ in %s", ", ".join(differing)
				)
		return outcomes


def _pending(limit: int, positions: Mapping[str, tuple[float, float]]) -> list[Passage]:
	"""The oldest pending punches, locked: nobody changes their status before this transaction ends."""
	pending = punch_rows.STATUS[State.PENDING]
	names = frappe.db.sql_list(
		"SELECT `name` FROM `tabPunch Log` WHERE `status` = %s ORDER BY `occurred_utc`, `name` LIMIT %s",
		(pending, limit),
	)
	if not names:
		return []
	rows = frappe.db.sql(
		"SELECT `name`, `employee`, `occurred_at`, `log_type`, `device` FROM `tabPunch Log`"
		" WHERE `name` IN %s AND `status` = %s ORDER BY `occurred_utc`, `name` FOR UPDATE",
		(names, pending),
	)
	return [
		Passage(
			punch=name,
			employee=employee,
			time=time,
			log_type=log_type or "",
			device=device or "",
			position=positions.get(device),
		)
		for name, employee, time, log_type, device in rows
	]


def _adopt(passages: Sequence[Passage], hint: str) -> dict[str, Outcome]:
	"""The outcome of passages whose check-in is there already, by punch.

	:param hint: on the index by which check-ins are looked up.
	"""
	standing = _standing_checkins(passages, hint)
	if not standing:
		return {}
	taken = set(
		frappe.db.sql_list(
			"SELECT `employee_checkin` FROM `tabPunch Log` WHERE `employee_checkin` IN %s",
			([row.name for rows in standing.values() for row in rows],),
		)
	)
	outcomes: dict[str, Outcome] = {}
	for passage in passages:
		checkins = standing.get((passage.employee, passage.time))
		if checkins:
			outcome = outcomes[passage.punch] = _adopt_one(passage, checkins, taken)
			taken.add(outcome.checkin)
	return outcomes


def _adopt_one(passage: Passage, checkins: Sequence[Any], taken: set[str]) -> Outcome:
	# One that says the same is the better match; the oldest of several.
	best = min(checkins, key=lambda row: (row.log_type not in (passage.log_type, None, ""), row.name))
	if best.name in taken:
		return Outcome(state=State.DUPLICATE, reason=SAME_SECOND, checkin=best.name)
	agrees = best.log_type in (passage.log_type, None, "")
	reason = ADOPTED if agrees else ADOPTED_OTHER_LOG_TYPE
	return Outcome(state=State.CHECKED_IN, reason=reason, checkin=best.name)


def _standing_checkins(passages: Sequence[Passage], hint: str) -> dict[tuple[str, datetime], list[Any]]:
	"""What HRMS holds for these people at these seconds."""
	wanted = {(passage.employee, passage.time) for passage in passages}
	standing: dict[tuple[str, datetime], list[Any]] = {}
	for text in punch_rows.as_json(sorted(wanted)):
		rows = frappe.db.sql(
			"SELECT `checkin`.`name`, `checkin`.`employee`, `checkin`.`time`, `checkin`.`log_type`"  # noqa: S608
			f" FROM {punch_rows.table_of(('employee', 'time'), moments=('time',))}"
			f" STRAIGHT_JOIN `tabEmployee Checkin` AS `checkin` {hint}"
			" ON `checkin`.`employee` = `new`.`employee` COLLATE utf8mb4_unicode_ci"
			" AND `checkin`.`time` = `new`.`time`",
			text,
			as_dict=True,
		)
		for row in rows:
			# The database compares without regard to case.
			if (row.employee, row.time) in wanted:
				standing.setdefault((row.employee, row.time), []).append(row)
	return standing


def _one_of_each_second(passages: Iterable[Passage]) -> list[Passage]:
	"""Leaves a second passage of one person at one second for the next batch, which finds the first's."""
	first: dict[tuple[str, datetime], Passage] = {}
	for passage in passages:
		first.setdefault((passage.employee, passage.time), passage)
	return list(first.values())


def _insert_each(passages: Sequence[Passage]) -> dict[str, Outcome]:
	return {passage.punch: _insert(passage) for passage in passages[:INSERTS_A_TURN]}


def _insert(passage: Passage) -> Outcome:
	"""Make one check-in as a person would; a refusal takes back whatever was begun."""
	messages = len(frappe.local.message_log)
	frappe.db.savepoint(_SAVEPOINT)
	try:
		# The punch was made; who may cause its check-in was asked where the punch came in.
		document = passage.document().insert(ignore_permissions=True)
	except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
		raise  # the whole turn is run again
	except BaseTimeoutException:
		raise  # the job's time is over, which says nothing of this punch
	except Exception as error:
		frappe.db.rollback(save_point=_SAVEPOINT)
		del frappe.local.message_log[messages:]
		if not isinstance(error, frappe.ValidationError):
			logger.error("check-in of punch %s failed", passage.punch, exc_info=error)
		return Outcome(state=State.REJECTED, reason=_reason(error))
	return Outcome(state=State.CHECKED_IN, checkin=document.name)


def _reason(error: Exception) -> str:
	for kind, reason in _REASONS:
		if isinstance(error, kind):
			return reason
	# HRMS raises a plain ValidationError for this one; what it goes by can be asked.
	if type(error) is frappe.ValidationError and _needs_coordinates():
		return GEOLOCATION_REQUIRED
	return f"{REFUSED}:{type(error).__name__}"[:140]


def _needs_coordinates() -> bool:
	return bool(frappe.db.get_single_value("HR Settings", "allow_geolocation_tracking"))


def _explain_marked(passages: Iterable[Passage], outcomes: dict[str, Outcome]) -> None:
	"""Put the reason ATTENDANCE_MARKED to new check-ins of days whose attendance stands already."""
	made = {
		outcome.checkin: passage
		for passage in passages
		if (outcome := outcomes.get(passage.punch)) and outcome.checkin and not outcome.reason
	}
	if not made:
		return
	for chunk in punch_rows.chunks(list(made)):
		marked = frappe.db.sql_list(
			"SELECT `checkin`.`name` FROM `tabEmployee Checkin` AS `checkin`"
			" JOIN `tabAttendance` AS `attendance` ON `attendance`.`employee` = `checkin`.`employee`"
			" AND `attendance`.`attendance_date` = DATE(COALESCE(`checkin`.`shift_start`, `checkin`.`time`))"
			" AND `attendance`.`docstatus` < 2 WHERE `checkin`.`name` IN %s",
			(chunk,),
		)
		for checkin in marked:
			outcomes[made[checkin].punch] = Outcome(
				state=State.CHECKED_IN, reason=ATTENDANCE_MARKED, checkin=checkin
			)
