"""What the pages are given to work with. A part that this agent does not have is None."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import current_app
from prometheus_client import CollectorRegistry

from attendance_bridge.core.driver import Now
from attendance_bridge.edge.connections import Connections
from attendance_bridge.edge.kiosk import KioskView
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.receiver.pairing import Pairing
from attendance_bridge.edge.settings import Settings
from attendance_bridge.edge.web.access.access import Access
from attendance_bridge.edge.workdays.book import Workdays
from attendance_bridge.edge.workdays.by_hand import ByHand
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.corrections import Corrections
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.gallery import Gallery
from attendance_bridge.stores.log import PunchLog
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.roster import Roster

if TYPE_CHECKING:
	from attendance_bridge.edge.enrollment.service import Enrollments

BoardView = Callable[[], Mapping[str, Any]]
HealthView = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Services:
	agent_name: str
	board: BoardView
	"""Everything the board shows, as JSON-able data."""
	health: HealthView
	"""What /healthz answers; its key `ok` decides between 200 and 503."""
	metrics: CollectorRegistry
	pulse: Pulse
	trusted_hosts: Collection[str]
	"""The only Host headers that are answered: a web page elsewhere must not be able to read this one by
	pointing its own name here."""
	access: Access
	now: Now
	settings: Settings | None = None
	punches: PunchStore | None = None
	outbox: SqliteOutbox | None = None
	cursors: SqliteCursors | None = None
	book: DeviceBook | None = None
	roster: Roster | None = None
	log: PunchLog | None = None
	corrections: Corrections | None = None
	status: Callable[[], Mapping[str, Any]] | None = None
	"""`edge.status.Status.view`."""
	connections: Connections | None = None
	site_decides: bool = False
	"""Punches are corrected at the site then, not here."""
	wake_uploader: Callable[[], None] = lambda: None
	gallery: Gallery | None = None
	consents: Consents | None = None
	vision: Any = None
	"""`edge.vision.ports.LiveView`."""
	events: Any = None
	"""`edge.vision.events.VisionEvents`."""
	kiosk: KioskView | None = None
	enrollment: Enrollments | None = None
	pairing: Pairing | None = None
	workdays: Workdays | None = None
	"""None where a site counts working days."""
	by_hand: ByHand | None = None
	"""None where check-ins go elsewhere: what is missing is entered there."""

	@property
	def people_minutes(self) -> float | None:
		"""How often the list of people is read; None where there is none."""
		if self.settings is None or self.settings.upstream.takes_everybody:
			return None
		return self.settings.agent.people_minutes


def services() -> Services:
	"""Those of the app that answers, within a request."""
	found: Services = current_app.extensions["attendance_bridge"]
	return found
