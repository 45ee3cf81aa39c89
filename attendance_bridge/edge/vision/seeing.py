"""What an agent has to see with, put together: camera and networks, enrolling, the faces of a site.

Nothing is decided here. What it needs is heavy, and not there on a machine that only relays terminals: it is
imported when a camera is configured.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import BridgeError
from attendance_bridge.core.faces import FaceUpstream
from attendance_bridge.core.person import Directory
from attendance_bridge.core.upstream import Upstream
from attendance_bridge.edge.face_sync import FaceSync
from attendance_bridge.edge.kiosk import KioskView
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.settings import Device, Settings
from attendance_bridge.edge.supervisor import Worker
from attendance_bridge.edge.vision.ports import VisionState
from attendance_bridge.edge.vision.staff import Staff
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.roster import Roster
from attendance_bridge.stores.site_faces import SiteFaces

if TYPE_CHECKING:
	from attendance_bridge.edge.enrollment.service import Enrollments
	from attendance_bridge.edge.vision.blind import Blind
	from attendance_bridge.edge.vision.settings import VisionSettings
	from attendance_bridge.edge.vision.station import Station


class Seeing:
	"""Each part is None on an agent that does not have it; all of them without a camera."""

	def __init__(
		self,
		settings: Settings,
		*,
		database: Database,
		punches: PunchStore,
		cursors: SqliteCursors,
		book: DeviceBook,
		roster: Roster,
		everybody: Directory | None,
		upstream: Upstream,
		on_punch: Callable[[], None],
		clock_offset: Callable[[], timedelta],
		pulse: Pulse,
		now: Now,
	) -> None:
		"""
		:param everybody, clock_offset: see `Station`.
		:raises StoreError: the database cannot be used.

		Networks or a key of the face templates that cannot be used keep nothing else from going on: see
		`blind`.
		"""
		self._settings = settings
		self._database = database
		self._punches = punches
		self._cursors = cursors
		self._book = book
		self._roster = roster
		self._everybody = everybody
		self._on_punch = on_punch
		self._clock_offset = clock_offset
		self._pulse = pulse
		self._now = now
		self.station: Station | None = None
		self.blind: Blind | None = None
		"""Stands in the place of `station` where that is configured and cannot be opened."""
		self.enrollment: Enrollments | None = None
		self.face_sync: FaceSync | None = None
		if settings.vision is not None:
			self._open(settings.vision)
			self.enrollment = self._make_enrollment(settings.vision)
			self.face_sync = self._make_face_sync(settings.vision, upstream)

	def _open(self, vision: VisionSettings) -> None:
		from attendance_bridge.edge.vision.blind import Blind, only_blinds

		try:
			self.station = self._make_station(vision)
		except BridgeError as error:
			if not only_blinds(error):
				raise
			self.blind = Blind(
				self._settings,
				vision,
				error,
				database=self._database,
				book=self._book,
				cursors=self._cursors,
				now=self._now,
			)

	def _make_station(self, vision: VisionSettings) -> Station:
		from attendance_bridge.edge.vision.station import Station

		return Station(
			self._settings,
			vision,
			database=self._database,
			punches=self._punches,
			cursors=self._cursors,
			book=self._book,
			roster=self._roster,
			everybody=self._everybody,
			rules=self._settings.rules.rules(),
			on_punch=self._on_punch,
			pulse=self._pulse,
			now=self._now,
			clock_offset=self._clock_offset,
		)

	def _make_enrollment(self, vision: VisionSettings) -> Enrollments | None:
		if self.station is None:
			return None
		from attendance_bridge.edge.enrollment.consent_text import ConsentText
		from attendance_bridge.edge.enrollment.service import Enrollments

		return Enrollments(
			eyes=self.station,
			gallery=self.station.gallery,
			roster=self._roster,
			audit=AuditLog(self._database),
			events=self.station.events,
			settings=vision.enrollment,
			consent_text=ConsentText.of(vision.enrollment),
			has_camera=True,
			keep_pictures=vision.gallery.keep_pictures,
			consent_required=vision.gallery.consent_required,
			agent_name=self._settings.agent.name,
			on_enrolled=lambda: self.face_sync.wake() if self.face_sync else None,
			now=self._now,
		)

	def _make_face_sync(self, vision: VisionSettings, upstream: Upstream) -> FaceSync | None:
		eyes = self.station or self.blind
		if eyes is None or eyes.gallery is None or not upstream.spec.keeps_faces:
			return None
		return FaceSync(
			upstream=cast(FaceUpstream, upstream),
			gallery=eyes.gallery,
			faces=SiteFaces(self._database, eyes.gallery),
			models=eyes.models,
			templates_stay=vision.gallery.store_nothing_central,
			now=self._now,
			pulse=self._pulse,
		)

	def kiosk(self, *, waiting: Callable[[], int], offline: Callable[[], bool]) -> KioskView | None:
		"""The screen at the door.

		:param waiting, offline: see `KioskView`.
		"""
		if self.station is None or self._settings.vision is None:
			return None
		kiosk = self._settings.vision.kiosk
		return KioskView(
			vision=self.station,
			settings=kiosk,
			choice_seconds=kiosk.choice_seconds,
			zone=self._settings.agent.zone,
			punches=self._punches,
			staff=Staff(self._roster, self._everybody),
			waiting=waiting,
			offline=offline,
			now=self._now,
		)

	@property
	def device(self) -> Device | None:
		"""The camera among the terminals."""
		eyes = self.station or self.blind
		return eyes.device if eyes else None

	@property
	def state(self) -> VisionState | None:
		"""For the status page."""
		if self.blind is not None:
			return self.blind.state
		return self.station.live.state if self.station else None

	@property
	def workers(self) -> list[Worker]:
		"""Those at the camera; `face_sync` talks with the site."""
		found: list[Worker] = [*self.station.workers] if self.station else []
		return [*found, self.enrollment] if self.enrollment else found

	def close(self) -> None:
		if self.station is not None:
			self.station.close()
