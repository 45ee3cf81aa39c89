"""The outbox: what becomes of a decided punch between its decision and its receipt.

A check-in is PENDING and fresh, in flight (claimed, no receipt yet), or put off. A claim is written down
before anything is sent. What is found in flight later (the process died, no answer came) is in doubt: it is
handed out again only after `settle`, when the upstream must have finished with it, and marked so that the
upstream looks before it sends. A person's check-ins leave in order of time: none passes an earlier one that
waits. Punches that the upstream decides itself have no person yet: none of them waits for another.
"""

from __future__ import annotations

import logging
import random
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.projection import NO_SUCH_ID, State
from attendance_bridge.core.retry import Backoff
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt
from attendance_bridge.stores.columns import (
	micros,
	moment_or_none,
	punch_out,
	reading_out,
	text_in,
	text_out,
)
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

logger = logging.getLogger(__name__)

_SQL = load("outbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
	"""How far the upstream is behind."""

	waiting: int
	"""Check-ins that are not delivered yet, all of them."""
	due: int
	"""Those of them that a claim would hand out now, if it had no limit."""
	in_doubt: int
	"""Those of them that are at the upstream now, or may have arrived there without our learning it."""
	oldest_occurred_at: datetime | None
	"""The moment of the oldest of them, in UTC."""


class SqliteOutbox:
	"""`core.ports.Outbox`. Every method may raise `StoreError`; moments handed in are aware."""

	def __init__(
		self,
		db: Database,
		*,
		settle: timedelta,
		backoff: Backoff,
		max_attempts: int | None,
		chance: Callable[[], float] = random.random,
	) -> None:
		"""
		:param settle: how long after a claim a request may still be at work on the other side. It has to
			cover the time that sending a whole batch takes, too: nobody notes when a crash cut it off.
		:param backoff: how long a check-in that was put off waits.
		:param max_attempts: after so many certain answers "not now" it is REJECTED, and somebody has to look.
			Answers that leave a doubt do not count: those may not be given up. None: nothing is ever given
			up.
		:param chance: random numbers in [0, 1), for the spread of the backoff.
		"""
		self._db = db
		self._settle = settle
		self._backoff = backoff
		self._max_attempts = max_attempts
		self._chance = chance

	def recover(self, now: datetime) -> int:
		"""Begin the wait of what an earlier process left in flight anew; returns how many check-ins that are.

		Call it once, before the first claim of a process. The wait counts from the last moment at which the
		dead process can have sent something, and nobody knows that better than: before now. Each claim is
		given this only once, so that a process that dies again and again does not put them off for ever.
		"""
		with self._db.write() as connection:
			return connection.execute(_SQL["recover"], (micros(now + self._settle),)).rowcount

	def claim(self, limit: int, now: datetime) -> list[CheckIn]:
		"""Take check-ins that are due, oldest first, and note durably that they are about to be sent.

		Leaves a person's check-ins out from the first one on that waits for its time.
		"""
		latest = now + max(self._settle, self._backoff.cap)
		with self._db.write() as connection:
			connection.execute(_SQL["pull_due_times_in"], {"latest": micros(latest)})
			wanted = {"now": micros(now), "limit": limit}
			rows = connection.execute(_SQL["claimable"], wanted).fetchall()
			names = {row["serial"]: text_out(row["name"]) for row in connection.execute(_SQL["device_names"])}
			since, until = micros(now), micros(now + self._settle)
			connection.executemany(_SQL["claim"], [(since, until, row["arrival"]) for row in rows])
		return [_check_in(row, names.get(row["device_serial"], "")) for row in rows]

	def mark(self, receipts: Iterable[Receipt], now: datetime) -> None:
		"""Write receipts down, durably. A receipt for a check-in that is settled already changes nothing."""
		taken = list(receipts)
		if not taken:
			return
		with self._db.write() as connection:
			for receipt in taken:
				if receipt.outcome is Outcome.RETRY:
					self._put_off(connection, receipt, now)
				else:
					_settle(connection, receipt)

	def release(self, punch_ids: Iterable[UUID]) -> None:
		"""Give back claimed check-ins that were certainly not sent; a doubt from an earlier claim stays."""
		rows = [(punch_id.bytes,) for punch_id in punch_ids]
		if not rows:
			return
		with self._db.write() as connection:
			connection.executemany(_SQL["release"], rows)

	def hurry(self, code: str) -> int:
		"""Let what was certainly put off for this reason be sent at once; returns how many check-ins."""
		with self._db.write() as connection:
			return connection.execute(_SQL["hurry"], (code,)).rowcount

	def backlog(self, now: datetime) -> Backlog:
		"""What waits at the moment."""
		with self._db.read() as connection:
			waiting = _number(connection, "pending")
			held_back = _number(connection, "held_back", now)
			in_doubt = _number(connection, "in_doubt")
			oldest = connection.execute(_SQL["oldest"]).fetchone()[0]
		return Backlog(
			waiting=waiting,
			due=waiting - held_back,
			in_doubt=in_doubt,
			oldest_occurred_at=moment_or_none(oldest),
		)

	def next_due(self, now: datetime) -> datetime | None:
		"""When a claim will next find something: `now` if it would at once, None if nothing waits at all."""
		with self._db.read() as connection:
			if _number(connection, "pending") > _number(connection, "held_back", now):
				return now
			return moment_or_none(connection.execute(_SQL["next_due"], {"now": micros(now)}).fetchone()[0])

	def _put_off(self, connection: sqlite3.Connection, receipt: Receipt, now: datetime) -> None:
		key = receipt.punch_id.bytes
		tries = connection.execute(_SQL["tries"], (key,)).fetchone()
		if tries is None:
			return
		code = text_in(receipt.code)
		wait = self._backoff.delay(tries["attempts"] + 1, self._chance())
		if receipt.in_doubt:
			due_at = micros(now + max(wait, self._settle))
			connection.execute(_SQL["mark_doubtful"], (code, due_at, micros(now), key))
			return
		connection.execute(_SQL["mark_later"], (code, micros(now + wait), key))
		refusals = tries["refusals"] + 1
		if self._max_attempts is not None and refusals >= self._max_attempts:
			logger.warning("check-in %s: put off %d times, given up", receipt.punch_id, refusals)
			connection.execute(_SQL["mark_rejected"], (code, key))


def _settle(connection: sqlite3.Connection, receipt: Receipt) -> None:
	key, code = receipt.punch_id.bytes, text_in(receipt.code)
	if receipt.state is not None:
		connection.execute(_SQL["mark_decided"], (*_decided(receipt, receipt.state), key))
	elif receipt.outcome is Outcome.ACCEPTED:
		connection.execute(_SQL["mark_accepted"], (text_in(receipt.reference), key))
	elif receipt.outcome is Outcome.DUPLICATE:
		connection.execute(_SQL["mark_duplicate"], (text_in(receipt.reference), key))
	elif receipt.outcome is Outcome.UNMAPPED:
		connection.execute(_SQL["mark_unmapped"], (NO_SUCH_ID, code, key))
	else:
		connection.execute(_SQL["mark_rejected"], (code, key))


def _decided(receipt: Receipt, state: State) -> tuple[object, ...]:
	refused = receipt.outcome is Outcome.REJECTED
	return (
		state.value,
		"" if refused else receipt.code,
		text_in(receipt.employee) if receipt.employee else None,
		receipt.log_type.value if receipt.log_type else None,
		receipt.log_type_reason if receipt.log_type else None,
		text_in(receipt.reference),
		receipt.code if refused else "",
	)


def _number(connection: sqlite3.Connection, statement: str, now: datetime | None = None) -> int:
	wanted = {} if now is None else {"now": micros(now)}
	return int(connection.execute(_SQL[statement], wanted).fetchone()[0])


def _check_in(row: sqlite3.Row, device: str) -> CheckIn:
	"""A row as it was before the claim."""
	return CheckIn(
		punch=punch_out(row),
		employee=text_out(row["employee"] or ""),
		log_type=LogType(row["log_type"]) if row["log_type"] else None,
		log_type_reason=row["log_type_reason"] or "",
		in_doubt=row["in_flight_since"] is not None,
		device=device,
		reading=reading_out(row),
		clock_good_until=moment_or_none(row["clock_good_until"]),
	)
