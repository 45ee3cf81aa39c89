"""The receiver: an ERPNext/HRMS site with this app."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from attendance_bridge.core.consent import Consent, Erasure
from attendance_bridge.core.driver import UnreadableRow
from attendance_bridge.core.faces import FacePage, Obeyed, TemplateReceipt
from attendance_bridge.core.person import Person
from attendance_bridge.core.relay import Assignment, Heartbeat, Orders
from attendance_bridge.core.template import Template
from attendance_bridge.core.upstream import CheckIn, Receipt, UpstreamInfo, UpstreamSpec
from attendance_bridge.upstreams._frappe.answers import read_message
from attendance_bridge.upstreams._frappe.client import Timer
from attendance_bridge.upstreams._frappe.clients import Clients
from attendance_bridge.upstreams._frappe.pace import Sleep
from attendance_bridge.upstreams.frappe_bridge import faces, inspection, terminals
from attendance_bridge.upstreams.frappe_bridge.config import MAX_PUNCHES, Config
from attendance_bridge.upstreams.frappe_bridge.punches import MAX_RAW
from attendance_bridge.upstreams.frappe_bridge.roster import Roster
from attendance_bridge.upstreams.frappe_bridge.sender import Delivery


class Upstream:
	"""Hands over punches as they are, many at a time. A `core.faces.FaceUpstream`.

	The site knows a punch by its id, in one transaction with its check-in: sending one twice is free, and
	whatever is in doubt is simply sent again.
	"""

	spec: ClassVar[UpstreamSpec] = UpstreamSpec(
		label="ERPNext / HRMS with Attendance Bridge",
		config=Config,
		idempotent=True,
		decides=True,
		keeps_faces=True,
		batch=MAX_PUNCHES,
	)

	def __init__(self, config: Config, *, timer: Timer = time.monotonic, sleep: Sleep = time.sleep) -> None:
		"""
		:param timer: seconds of a clock that is never set; for deadlines and the rate limit.
		:raises ConfigError: `ca_file` cannot be used.
		"""
		self._config = config
		self._clients = Clients(config, timer=timer, sleep=sleep)
		self._roster = Roster(config.page_length)
		self._names: frozenset[str] = frozenset()
		"""The site's names of its terminals, as far as it has told them."""

	def deliver(self, batch: Sequence[CheckIn]) -> Iterator[Receipt]:
		"""See `core.upstream.Upstream.deliver`."""
		if not batch:
			return
		with self._clients.borrow() as client:
			delivery = Delivery(
				client,
				at_once=self._config.punches_at_once,
				names=self._names,
				stopped=lambda: self._clients.closed,
			)
			yield from delivery.run(batch)

	def people(self) -> Iterator[Person]:
		"""See `core.upstream.Upstream.people`. After the first time, only changes are asked for."""
		with self._clients.borrow() as client:
			people = self._roster.refresh(client)
		yield from people

	def check(self) -> UpstreamInfo:
		"""See `core.upstream.Upstream.check`; the problems are the codes of `inspection`."""
		with self._clients.borrow() as client:
			user = inspection.find_user(client)
			versions = inspection.find_versions(client)
			problem = inspection.find_problem(client)
		version = ", ".join(f"{app} {number}" for app, number in versions.items())
		problems = (problem,) if problem else ()
		return UpstreamInfo(label=self.spec.label, version=version, user=user, problems=problems)

	def devices(self) -> Assignment:
		"""See `core.relay.DecidingUpstream.devices`."""
		assignment = terminals.read_assignment(self._ask(terminals.DEVICES, {}))
		self._names = frozenset(device.name for device in assignment.devices)
		return assignment

	def heartbeat(self, beat: Heartbeat) -> Orders:
		"""See `core.relay.DecidingUpstream.heartbeat`."""
		return terminals.read_orders(self._ask(terminals.HEARTBEAT, terminals.spell_heartbeat(beat)))

	def hold_unreadable(self, records: Sequence[tuple[str, UnreadableRow]]) -> None:
		"""See `core.relay.DecidingUpstream.hold_unreadable`."""
		rows = [
			{"device_serial": serial, "raw": record.raw[:MAX_RAW], "reason": record.reason[:140]}
			for serial, record in records
		]
		self._ask(terminals.UNREADABLE, {"records": rows})

	@property
	def is_sealed(self) -> bool:
		"""See `core.faces.FaceUpstream.is_sealed`."""
		return self._config.is_sealed

	def bring_faces(
		self, consents: Sequence[Consent], templates: Sequence[Template], replaced: Sequence[UUID]
	) -> list[TemplateReceipt]:
		"""See `core.faces.FaceUpstream.bring_faces`."""
		answer = self._ask(faces.TEMPLATES, faces.spell_bringing(consents, templates, replaced))
		return faces.read_receipts(answer, templates)

	def faces(self, token: str, models: Sequence[str]) -> FacePage:
		"""See `core.faces.FaceUpstream.faces`."""
		wanted = {"token": token, "models": list(models), "page_length": faces.PEOPLE_AT_ONCE}
		return faces.read_page(self._ask(faces.FACES, wanted))

	def tell_erasures(
		self, withdrawals: Sequence[Erasure], requests: Sequence[Erasure], obeyed: Sequence[Obeyed]
	) -> None:
		"""See `core.faces.FaceUpstream.tell_erasures`."""
		self._ask(faces.ERASURES, faces.spell_erasures(withdrawals, requests, obeyed))

	def close(self) -> None:
		"""Let go of connections. A `deliver` under way awaits its answer and sends nothing more."""
		self._clients.close()

	def _ask(self, path: str, fields: Mapping[str, object]) -> object:
		with self._clients.borrow() as client:
			return read_message(client.post(path, fields))
