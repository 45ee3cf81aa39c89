"""The second verb: from the durable log to the upstream."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import UpstreamError
from attendance_bridge.core.ports import Outbox
from attendance_bridge.core.upstream import Outcome, Receipt, Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainReport:
	"""What one drain did."""

	claimed: int
	outcomes: Counter[Outcome] = field(default_factory=Counter)
	error: UpstreamError | None = None


def drain(outbox: Outbox, upstream: Upstream, *, limit: int, now: Now) -> DrainReport:
	"""Deliver one batch of at most `limit` check-ins.

	The claim is durable before anything is sent: after a crash the batch is in doubt, and the upstream looks
	before it sends again. Receipts are written down even when the upstream fails in the middle; what it never
	tried is given back.

	:raises StoreError: the outbox failed.
	"""
	batch = outbox.claim(limit, now())
	receipts: list[Receipt] = []
	error: UpstreamError | None = None
	try:
		for receipt in upstream.deliver(batch):
			receipts.append(receipt)  # noqa: PERF402  # what came before an error must be kept
	except UpstreamError as caught:
		error = caught
	outbox.mark(receipts, now())
	answered = {receipt.punch_id for receipt in receipts}
	outbox.release(check_in.punch.punch_id for check_in in batch if check_in.punch.punch_id not in answered)
	return DrainReport(
		claimed=len(batch), outcomes=Counter(receipt.outcome for receipt in receipts), error=error
	)
