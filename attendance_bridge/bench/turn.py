"""One at a time: what decides about punches, or makes check-ins of them, does so alone on its site.

A decision rests on what other terminals brought (the person's last counted punch), and a check-in on whether
there is one of that person and that second already; no unique key of HRMS stands behind the latter. Two jobs
that look at the same moment would both see nothing. So each takes its turn: the row of the doctype Punch Log
in `tabDocType`, which always exists and which nothing else locks between two migrations, is locked for the
length of one short transaction. The database lets go of it when the job ends, however it ends.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

import frappe

logger = logging.getLogger(__name__)

T = TypeVar("T")

ATTEMPTS = 8
LONGEST_PAUSE_SECONDS = 0.5


def alone(act: Callable[[], T]) -> T:
	"""Run `act` as one transaction while no other job of this site is at its turn.

	What the caller has written before is committed first. A deadlock, a lost race under snapshot isolation
	(errors 1213, 1020) or a lock that did not come in time (1205) rolls `act` back, and it is run again: it
	must do nothing but read and write the database.

	:raises frappe.QueryDeadlockError: it was lost ATTEMPTS times; nothing of `act` is kept.
	:raises frappe.QueryTimeoutError: likewise.
	"""
	for attempt in range(1, ATTEMPTS + 1):
		# Ends the transaction of the caller: a snapshot taken before the turn began would hide what the one
		# before us wrote.
		frappe.db.commit()  # nosemgrep
		try:
			frappe.db.sql("SELECT `name` FROM `tabDocType` WHERE `name` = 'Punch Log' FOR UPDATE")
			result = act()
			# The turn ends here: what was decided and the check-ins made of it become visible together.
			frappe.db.commit()  # nosemgrep
			return result
		except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			frappe.db.rollback()
			if attempt == ATTEMPTS:
				raise
			logger.info("turn lost to another transaction, attempt %d of %d", attempt, ATTEMPTS)
			time.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311  # spread, no secret
		except BaseException:
			frappe.db.rollback()
			raise
	raise AssertionError("unreachable")
