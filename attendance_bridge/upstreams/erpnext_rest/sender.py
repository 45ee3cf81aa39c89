"""One check-in, sent once, and the receipt that follows from the answer."""

from __future__ import annotations

import logging
import threading
from zoneinfo import ZoneInfo

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt
from attendance_bridge.upstreams._frappe.client import AnswerLostError, Client
from attendance_bridge.upstreams.erpnext_rest import site
from attendance_bridge.upstreams.erpnext_rest.lanes import Step, Width
from attendance_bridge.upstreams.erpnext_rest.posted import Posted, Ruling, may_pass, read_post

ILL_AFTER = 5
"""Internal errors in a row, on different check-ins, that mean the site and not the check-ins."""

logger = logging.getLogger(__name__)


class Sender:
	"""May be used by several threads."""

	def __init__(self, zone: ZoneInfo, width: Width) -> None:
		self._zone = zone
		self._width = width
		self._failures = 0
		self._lock = threading.Lock()

	def send(self, client: Client, check_in: CheckIn) -> Step:
		"""Post one check-in and find out what became of it. Never raises."""
		try:
			posted = read_post(site.post_check_in(client, check_in, self._zone))
		except AnswerLostError as error:
			return Step(receipt=_in_doubt(check_in, error), error=error)
		except UpstreamError as error:
			return Step(error=error)
		logger.debug("check-in %s: %s %s", check_in.punch.punch_id, posted.ruling.value, posted.exc_type)
		return self._judge(client, check_in, posted)

	def _judge(self, client: Client, check_in: CheckIn, posted: Posted) -> Step:
		if posted.error is None:
			self._site_works()
			self._width.went_well()
			return self._entered(check_in, posted)
		if posted.ruling is Ruling.IN_DOUBT:
			return Step(receipt=_in_doubt(check_in, posted.error), error=posted.error)
		if posted.ruling is Ruling.SITE_REFUSES:
			return Step(error=posted.error)
		if posted.ruling is Ruling.CONFLICT:
			self._width.conflicted()
			return _receipt(check_in, Outcome.RETRY, code=posted.exc_type)
		if posted.ruling is Ruling.FAILED:
			return self._failed(check_in, posted)
		self._site_works()
		try:
			return self._look_why(client, check_in, posted, posted.error)
		except UpstreamError as error:
			return Step(error=error)

	def _entered(self, check_in: CheckIn, posted: Posted) -> Step:
		"""Accepted, if it was entered under its own time.

		`Employee Checkin.time` has permission level 1. From a user who may create check-ins but not write on
		that level (the role Employee, for one) Frappe drops the time, fills in the present and answers 200.
		"""
		if posted.time == site.site_time(check_in.punch.occurred_at, self._zone):
			return _receipt(check_in, Outcome.ACCEPTED, reference=posted.reference)
		error = UpstreamError(
			Code.FORBIDDEN, doctype="Employee Checkin", field="time", entered_as=posted.reference
		)
		logger.error("%s was entered under the time %s, not its own", posted.reference, posted.time)
		step = _receipt(check_in, Outcome.RETRY, code=error.code.value)
		return Step(receipt=step.receipt, error=error)

	def _look_why(self, client: Client, check_in: CheckIn, posted: Posted, error: UpstreamError) -> Step:
		"""ValidationError stands for a duplicate, an unknown employee and much else: look which it was."""
		if error.code is Code.FORBIDDEN:
			return self._forbidden(client, check_in, posted, error)
		held = site.find_held(client, [check_in], self._zone).get(check_in.punch.punch_id)
		if held is not None:
			return _receipt(check_in, Outcome.DUPLICATE, reference=held.name)
		if not site.employee_exists(client, check_in.employee):
			return _receipt(check_in, Outcome.UNMAPPED)
		outcome = Outcome.RETRY if may_pass(posted.exc_type) else Outcome.REJECTED
		return _receipt(check_in, outcome, code=posted.exc_type)

	def _forbidden(self, client: Client, check_in: CheckIn, posted: Posted, error: UpstreamError) -> Step:
		"""Forbidden for this one employee (a User Permission hides them from us), or for all."""
		if site.employee_exists(client, check_in.employee):
			return Step(error=error)
		return _receipt(check_in, Outcome.REJECTED, code=posted.exc_type)

	def _failed(self, check_in: CheckIn, posted: Posted) -> Step:
		"""An internal error may be about one check-in, or about the site (its database is down)."""
		with self._lock:
			self._failures += 1
			is_ill = self._failures >= ILL_AFTER
		step = _receipt(check_in, Outcome.RETRY, code=posted.exc_type)
		return Step(receipt=step.receipt, error=posted.error) if is_ill else step

	def _site_works(self) -> None:
		with self._lock:
			self._failures = 0


def _receipt(check_in: CheckIn, outcome: Outcome, *, code: str = "", reference: str = "") -> Step:
	return Step(
		receipt=Receipt(punch_id=check_in.punch.punch_id, outcome=outcome, code=code, reference=reference)
	)


def _in_doubt(check_in: CheckIn, error: UpstreamError) -> Receipt:
	return Receipt(
		punch_id=check_in.punch.punch_id, outcome=Outcome.RETRY, code=error.code.value, in_doubt=True
	)
