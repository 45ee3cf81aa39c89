"""The receiver: a stock ERPNext/HRMS site."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import ClassVar
from uuid import UUID

from attendance_bridge.core.person import Person
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt, UpstreamInfo, UpstreamSpec
from attendance_bridge.upstreams._frappe.client import Timer
from attendance_bridge.upstreams._frappe.clients import Clients
from attendance_bridge.upstreams._frappe.pace import Sleep
from attendance_bridge.upstreams.erpnext_rest import inspection, roster, site
from attendance_bridge.upstreams.erpnext_rest.config import Config
from attendance_bridge.upstreams.erpnext_rest.lanes import Lanes, Width
from attendance_bridge.upstreams.erpnext_rest.sender import Sender


class Upstream:
	"""Posts check-ins one by one with HRMS's own method.

	HRMS alone does not make a check-in unique: of two identical posts at the same moment it keeps both. So
	nothing is ever posted again whose outcome is unknown without looking for it first, and nobody else may
	be at work on the same check-in.
	"""

	spec: ClassVar[UpstreamSpec] = UpstreamSpec(
		label="ERPNext / HRMS (REST API)", config=Config, idempotent=False
	)

	def __init__(self, config: Config, *, timer: Timer = time.monotonic, sleep: Sleep = time.sleep) -> None:
		"""
		:param timer: seconds of a clock that is never set; for deadlines and the rate limit.
		:raises ConfigError: `ca_file` cannot be used.
		"""
		self._config = config
		self._clients = Clients(config, timer=timer, sleep=sleep)
		self._width = Width(config.concurrency)
		self._sender = Sender(config.timezone, self._width)

	def deliver(self, batch: Sequence[CheckIn]) -> Iterator[Receipt]:
		"""See `core.upstream.Upstream.deliver`. What is in doubt is looked up before anything is sent."""
		to_send = list(batch)
		doubtful = [check_in for check_in in batch if check_in.in_doubt]
		if doubtful:
			receipts = self._look_up(doubtful)
			yield from receipts.values()
			to_send = [check_in for check_in in batch if check_in.punch.punch_id not in receipts]
		lanes = Lanes(to_send, self._sender.send, self._width, stopped=lambda: self._clients.closed)
		people = len({check_in.employee for check_in in to_send})
		with contextlib.ExitStack() as borrowed:
			wanted = min(self._width.allowed, people)
			yield from lanes.run([borrowed.enter_context(self._clients.borrow()) for _ in range(wanted)])

	def people(self) -> Iterator[Person]:
		"""See `core.upstream.Upstream.people`."""
		with self._clients.borrow() as client:
			yield from roster.read_people(client, self._config.page_length)

	def check(self) -> UpstreamInfo:
		"""See `core.upstream.Upstream.check`; the problems are the codes of `inspection`."""
		with self._clients.borrow() as client:
			user = inspection.find_user(client)
			versions = inspection.find_versions(client)
			problems = tuple(inspection.find_problems(client, self._config.timezone, versions))
		version = ", ".join(f"{app} {number}" for app, number in versions.items())
		return UpstreamInfo(label=self.spec.label, version=version, user=user, problems=problems)

	def time_zone(self) -> str:
		"""The name of the site's time zone, for whoever sets this up; empty if the site does not tell.

		:raises UpstreamError: the site does not answer.
		"""
		with self._clients.borrow() as client:
			return inspection.find_zone(client)

	def close(self) -> None:
		"""Let go of connections. A `deliver` under way awaits its answers and sends nothing more."""
		self._clients.close()

	def _look_up(self, doubtful: Sequence[CheckIn]) -> dict[UUID, Receipt]:
		with self._clients.borrow() as client:
			held = site.find_held(client, doubtful, self._config.timezone)
		return {
			check_in.punch.punch_id: _receipt_of_held(check_in, held[check_in.punch.punch_id])
			for check_in in doubtful
			if check_in.punch.punch_id in held
		}


def _receipt_of_held(check_in: CheckIn, held: site.HeldCheckIn) -> Receipt:
	outcome = Outcome.ACCEPTED if site.is_ours(held, check_in) else Outcome.DUPLICATE
	return Receipt(punch_id=check_in.punch.punch_id, outcome=outcome, reference=held.name)
