"""The other punches of a person around a moment: what is entered by hand keeps its distance from them.

Just beside one that counts it would be one passage with it, or turn it around: a second before the real OUT
it would be the OUT, and the real one the IN after it. Looked at whenever a hand has one count: when it is
entered, and when one that was withdrawn is to hold again.
"""

from __future__ import annotations

import sqlite3
import uuid
from datetime import datetime, timedelta
from enum import Enum

from attendance_bridge.stores.columns import duration, micros, occurred_out, text_in
from attendance_bridge.stores.queries import load

_SQL = load("neighbours")


class Refusal(str, Enum):
	SAME_SECOND = "same_second"
	"""There is another punch of this person at that second, whether it counts or not."""
	TOO_NEAR = "too_near"
	"""Another punch that counts is so near that the two would be one passage."""


class NeighbourError(Exception):
	def __init__(self, refusal: Refusal, near: datetime | None = None) -> None:
		"""
		:param near: of TOO_NEAR: when the other punch was, aware.
		"""
		super().__init__(refusal.value)
		self.refusal = refusal
		self.near = near


def keep_apart(
	connection: sqlite3.Connection,
	punch_id: uuid.UUID,
	occurred_at: datetime,
	*,
	employee: str,
	device_user_id: str,
	apart: timedelta,
) -> None:
	"""Refuse that an entered punch counts where another one stands in its way. In its transaction.

	:param employee: for whom it is entered.
	:param device_user_id: theirs: what nobody has decided yet is theirs by it.
	:param occurred_at: aware.
	:param apart: how far it must be from what counts of this person, before and after.
	:raises NeighbourError:
	"""
	at, span = micros(occurred_at), duration(apart)
	wanted: dict[str, object] = {
		"punch_id": punch_id.bytes,
		"employee": text_in(employee),
		"device_user_id": text_in(device_user_id),
		"occurred_at": at,
	}
	if connection.execute(_SQL["same_second"], wanted).fetchone() is not None:
		raise NeighbourError(Refusal.SAME_SECOND)
	row = connection.execute(_SQL["too_near"], {**wanted, "after": at - span, "before": at + span}).fetchone()
	if row is not None:
		raise NeighbourError(Refusal.TOO_NEAR, occurred_out(row))
