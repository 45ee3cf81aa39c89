"""A batch on its way: in as few requests as it fits in, in smaller ones around a punch that is refused."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt
from attendance_bridge.upstreams._frappe.answers import (
	CONFLICTS,
	Answer,
	RefusedError,
	failure,
	read_message,
)
from attendance_bridge.upstreams._frappe.client import AnswerLostError, Client
from attendance_bridge.upstreams.frappe_bridge import punches

INGEST = "/api/method/attendance_bridge.api.ingest.punches"
ILL_AFTER = 3
"""Internal errors in a row, each on a single punch, that mean the site and not the punches."""

logger = logging.getLogger(__name__)


class Delivery:
	"""One batch on one connection.

	A request that the site refuses or breaks on is halved until the punch is found that it is about, so that
	one bad punch keeps no other waiting. Before that an empty request is sent: if the site refuses that too,
	it is not about a punch.
	"""

	def __init__(
		self,
		client: Client,
		*,
		at_once: int,
		names: Collection[str],
		stopped: Callable[[], bool],
	) -> None:
		"""
		:param names: the site's names of its terminals.
		:param stopped: asked before each request; once true, nothing more is sent.
		"""
		self._client = client
		self._at_once = at_once
		self._names = names
		self._stopped = stopped
		self._works = False
		"""The site has taken a request of this delivery."""
		self._failures = 0

	def run(self, batch: Sequence[CheckIn]) -> Iterator[Receipt]:
		"""
		:raises UpstreamError: the site as a whole does not work; receipts yielded before stand.
		"""
		waiting = deque(punches.chunks(batch, self._at_once))
		while waiting and not self._stopped():
			chunk = waiting.popleft()
			try:
				answer = self._client.post(INGEST, punches.body(chunk, self._names))
			except AnswerLostError as lost:
				yield from _all_in_doubt(chunk, lost)
				raise
			if answer.status == 200:
				yield from self._taken(answer, chunk)
				continue
			error = failure(answer)
			if not _may_be_about_a_punch(answer.status, error):
				if _may_have_been_taken(answer.status, error):
					yield from _all_in_doubt(chunk, error)
				raise error
			self._refuse_a_site_that_refuses_everything()
			if len(chunk) == 1:
				yield from self._found(chunk[0], error)
				continue
			middle = len(chunk) // 2
			waiting.extendleft((chunk[middle:], chunk[:middle]))

	def _taken(self, answer: Answer, chunk: Sequence[CheckIn]) -> Iterator[Receipt]:
		try:
			receipts = punches.receipts(read_message(answer), chunk)
		except UpstreamError as error:
			yield from _all_in_doubt(chunk, error)
			raise
		self._works, self._failures = True, 0
		yield from receipts

	def _refuse_a_site_that_refuses_everything(self) -> None:
		if not self._works:
			read_message(self._client.post(INGEST, punches.body((), ())))
			self._works = True

	def _found(self, check_in: CheckIn, error: UpstreamError) -> Iterator[Receipt]:
		"""The punch that a refusal is about."""
		exc_type = str(error.details.get("exc_type") or "")
		punch_id = check_in.punch.punch_id
		if error.details.get("status") != 500:
			code = exc_type or Code.TOO_LARGE.value
			logger.warning("punch %s: refused by the site as it stands (%s)", punch_id, code)
			yield Receipt(punch_id=punch_id, outcome=Outcome.REJECTED, code=code)
			return
		# A fault of the site, which somebody will mend: never given up, and the others go on.
		yield punches.in_doubt(check_in, exc_type)
		self._failures += 1
		if self._failures >= ILL_AFTER:
			raise error


def _may_be_about_a_punch(status: int, error: UpstreamError) -> bool:
	if status in (413, 417):
		return True
	return status == 500 and isinstance(error, RefusedError) and error.exc_type not in CONFLICTS


def _may_have_been_taken(status: int, error: UpstreamError) -> bool:
	"""Nothing is known of what a site or something before it breaks on; what it refuses, it has not taken."""
	if 400 <= status < 500 or 300 <= status < 400:
		return False
	exc_type = str(error.details.get("exc_type") or "")
	return status != 503 or not exc_type or exc_type in CONFLICTS


def _all_in_doubt(chunk: Sequence[CheckIn], error: UpstreamError) -> Iterator[Receipt]:
	exc_type = str(error.details.get("exc_type") or "")
	for check_in in chunk:
		yield punches.in_doubt(check_in, exc_type or error.code.value)
