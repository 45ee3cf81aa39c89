"""Writes that nobody would make again, or not soon: tried until they last."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import frappe

from attendance_bridge.core.errors import Code, StoreError

T = TypeVar("T")

ATTEMPTS = 8
LONGEST_SECONDS = 20.0
"""After them nothing is tried again: somebody waits for the answer."""
LONGEST_PAUSE_SECONDS = 0.1


def write(act: Callable[[], T]) -> T:
	"""Run `act` as one transaction of its own, and commit it; what was written before is committed first.

	One that lost against another transaction (errors 1213, 1020, 1205) is run again: it must do nothing but
	read and write the database.

	:raises StoreError: DATABASE_LOCKED, retryable; nothing of `act` is kept.
	"""
	began = time.monotonic()
	for attempt in range(1, ATTEMPTS + 1):
		# Behind the snapshot that a request has read under, a row that another one wrote would be refused.
		frappe.db.commit()  # nosemgrep
		try:
			result = act()
			# A terminal is answered only after this.
			frappe.db.commit()  # nosemgrep
			return result
		except (frappe.QueryDeadlockError, frappe.QueryTimeoutError) as error:
			frappe.db.rollback()
			if attempt == ATTEMPTS or time.monotonic() - began > LONGEST_SECONDS:
				raise StoreError(Code.DATABASE_LOCKED, retryable=True) from error
			time.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311  # spread, no secret
		except BaseException:
			frappe.db.rollback()
			raise
	raise AssertionError("unreachable")
