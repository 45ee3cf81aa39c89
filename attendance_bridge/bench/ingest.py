"""What agents send: held durably first, carried on while there is time, then told about each punch.

A request asks a number of statements that depends neither on the rows in Punch Log nor, but for the chunks of
a bulk statement, on the punches it brings.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

import frappe

from attendance_bridge.bench import (
	background,
	clock_guard,
	devices,
	moments,
	punch_log,
	punch_rows,
	sent_punch,
)
from attendance_bridge.bench.agents import Agent, RelayedDevices
from attendance_bridge.bench.clock_guard import GuardedClock
from attendance_bridge.bench.deciding import settle_received
from attendance_bridge.bench.sent_fields import BadFieldError, SentFields, sent_list
from attendance_bridge.bench.sent_punch import SentPunch
from attendance_bridge.core.clock import ClockRules
from attendance_bridge.core.driver import UnreadableRow
from attendance_bridge.core.errors import StoreError
from attendance_bridge.core.projection import State
from attendance_bridge.core.punch import MAX_SERIAL_LENGTH
from attendance_bridge.core.upstream import Outcome

logger = logging.getLogger(__name__)

MOST_PUNCHES = 1000
CARRY_ON_SECONDS = 4.0
"""How long a request may work on check-ins before it answers; a turn that has begun is ended."""

BAD_PUNCH = "bad_punch"
UNKNOWN_DEVICE = "unknown_device"
BUSY = "busy"

_UNDER_WAY = frozenset({punch_rows.STATUS[State.RECEIVED], punch_rows.STATUS[State.PENDING]})
_OUTCOMES = {
	punch_rows.STATUS[State.UNMAPPED]: Outcome.UNMAPPED,
	punch_rows.STATUS[State.REJECTED]: Outcome.REJECTED,
}
"""By status in Punch Log; every other one is ACCEPTED."""


class PunchReceipt(TypedDict, total=False):
	"""The answer on one punch, as it goes out; see docs/protocols/agent-api.md."""

	punch_id: str
	outcome: str
	known: bool
	status: str
	reason: str
	employee: str
	log_type: str
	log_type_reason: str
	checkin: str


_NOT_HELD = PunchReceipt(
	known=False, status="", reason="", employee="", log_type="", log_type_reason="", checkin=""
)


def take(agent: Agent, sent: object) -> list[PunchReceipt]:
	"""Take a batch of punches; returns a receipt for each, in their order. Commits.

	:param sent: a list of at most MOST_PUNCHES objects; one that is no punch is refused alone.
	:raises BadFieldError: it is no such list.
	"""
	batch = _Batch(agent, sent_list(sent, MOST_PUNCHES, "punches"))
	if batch.hold():
		_carry_on()
	return batch.receipts()


def take_unreadable(agent: Agent, sent: object) -> int:
	"""Hold records that cannot be read as punches; returns how many were new. Commits.

	One of a terminal that this agent does not relay is held without a device.

	:raises BadFieldError: no list of such records, or too long a one.
	:raises StoreError: they are not held.
	"""
	relayed = RelayedDevices(agent)
	rows = []
	for position, record in enumerate(sent_list(sent, MOST_PUNCHES, "records")):
		fields = SentFields(record, f"records[{position}]")
		serial = fields.text("device_serial", MAX_SERIAL_LENGTH)
		row = UnreadableRow(raw=fields.text("raw", sent_punch.MAX_RAW_LENGTH), reason=fields.label("reason"))
		rows.append(punch_log.unreadable_values(relayed.find("", serial), serial, row))
	return punch_log.hold((), _in_order_of_keys(rows))[1]


class _Batch:
	"""The punches of one request, in the order in which they came."""

	def __init__(self, agent: Agent, sent: Sequence[object]) -> None:
		self._agent = agent
		self._ids = [_punch_id_of(each) for each in sent]
		now, rules = moments.utc_now(), devices.rules().clock
		self._punches = [_parse(each, now, rules) for each in sent]
		self._received_at = moments.now()
		self._reasons: dict[str, str] = {}
		"""Why a punch was not held, by punch_id."""

	def hold(self) -> bool:
		"""Make them durable; returns whether there is anything to carry on."""
		rows = _in_order_of_keys(self._rows())
		try:
			punch_log.hold(rows)
		except StoreError as error:
			logger.warning("punches of %s are not held: %s", self._agent.name, error)
			self._reasons.update((row["name"], BUSY) for row in rows)
			return False
		return bool(rows)

	def _rows(self) -> list[dict[str, Any]]:
		relayed = RelayedDevices(self._agent)
		clocks, rules = _Clocks(), devices.rules().clock
		rows: dict[str, dict[str, Any]] = {}
		for sent in self._punches:
			if sent is None:
				continue
			device = relayed.find(sent.device, sent.punch.device_serial)
			if device is None:
				self._reasons[sent.name] = UNKNOWN_DEVICE
				continue
			arrival = punch_log.arrival_values(
				device,
				road="Agent",
				edge_agent=self._agent.name,
				reading=sent.reading,
			)
			clock_at = clocks[device].arrivals(sent.reading, sent.clock_good_until, rules)
			arrival |= punch_log.clock_values(*clock_at(sent.punch.occurred_at))
			arrival["received_at"] = self._received_at
			rows[sent.name] = {**punch_rows.punch_values(sent.punch), **arrival}
		return list(rows.values())

	def receipts(self) -> list[PunchReceipt]:
		"""What has become of each by now; what is still under way is carried on in the background."""
		held = self._held()
		if any(row.status in _UNDER_WAY for row in held.values()):
			background.queue_carry_on()
		told: set[str] = set()
		found = []
		for punch_id, sent in zip(self._ids, self._punches, strict=True):
			if sent is None:
				found.append(_refused(punch_id, Outcome.REJECTED, BAD_PUNCH))
				continue
			found.append(self._receipt(punch_id, held.get(punch_id), again=punch_id in told))
			told.add(punch_id)
		return found

	def _receipt(self, punch_id: str, row: Any, *, again: bool) -> PunchReceipt:
		if row is None:
			return _refused(punch_id, Outcome.RETRY, self._reasons.get(punch_id, BUSY))
		return PunchReceipt(
			punch_id=punch_id,
			outcome=_OUTCOMES.get(row.status, Outcome.ACCEPTED).value,
			known=again or row.received_at != self._received_at,
			status=row.status,
			reason=row.status_reason or "",
			employee=row.employee or "",
			log_type=row.log_type or "",
			log_type_reason=row.log_type_reason or "",
			checkin=row.employee_checkin or "",
		)

	def _held(self) -> dict[str, Any]:
		wanted = [sent.name for sent in self._punches if sent is not None and sent.name not in self._reasons]
		if not wanted:
			return {}
		rows = frappe.db.sql(
			"SELECT `name`, `status`, `status_reason`, `employee`, `log_type`, `log_type_reason`,"
			" `employee_checkin`, `received_at` FROM `tabPunch Log` WHERE `name` IN %s",
			(wanted,),
			as_dict=True,
		)
		return {row.name: row for row in rows}


class _Clocks(dict[str, GuardedClock]):
	"""What is known of the clocks of terminals, by name of the Device Configuration; each asked for once."""

	def __missing__(self, device: str) -> GuardedClock:
		found = self[device] = clock_guard.clock(device)
		return found


def _carry_on() -> None:
	"""Decide and deliver while there is time. The punches are held: nothing that fails here loses one."""
	until = time.monotonic() + CARRY_ON_SECONDS

	def is_over() -> bool:
		return time.monotonic() >= until

	try:
		settle_received(stop=is_over)
	except Exception as error:
		frappe.db.rollback()
		logger.error("punches are held and not carried on", exc_info=error)
		if not isinstance(error, (frappe.QueryDeadlockError, frappe.QueryTimeoutError)):
			frappe.log_error(title="Punches of an agent are held and not carried on")


def _parse(sent: object, now: datetime, rules: ClockRules) -> SentPunch | None:
	try:
		return sent_punch.parse(sent, now, rules)
	except BadFieldError as error:
		logger.warning("no punch: %s", error)
		return None


def _refused(punch_id: str, outcome: Outcome, reason: str) -> PunchReceipt:
	return {**_NOT_HELD, "punch_id": punch_id, "outcome": outcome.value, "reason": reason}


def _punch_id_of(sent: object) -> str:
	"""What an agent called a punch, good or bad: so it finds the receipt."""
	try:
		return SentFields(sent).label("punch_id")
	except BadFieldError:
		return ""


def _in_order_of_keys(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""Two requests that bring the same rows lock them in the same order, and do not deadlock."""
	return sorted(rows, key=lambda row: str(row["name"]))
