"""The terminal that a camera is to the outside: its serial number, and its place in the book of devices."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from attendance_bridge import __version__
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import DeviceInfo, Now
from attendance_bridge.core.errors import BridgeError
from attendance_bridge.core.projection import DevicePolicy
from attendance_bridge.core.pull import PullReport
from attendance_bridge.core.relay import EDGE_CAMERA
from attendance_bridge.core.retry import Breaker
from attendance_bridge.edge import cameras
from attendance_bridge.edge.camera import CameraState, CameraStatus
from attendance_bridge.edge.settings import Device, DeviceSettings, Settings
from attendance_bridge.edge.vision.settings import VisionSettings
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.devices import DeviceBook

PREFIX = "EDGE-"
_SLACK = timedelta(seconds=10)
"""From the moment of a frame until its punch is held, but for what a person is asked meanwhile."""
EVERY = timedelta(minutes=1)
"""How often the book is told how the camera is, while nothing changes."""


class CameraTerminal:
	"""Its serial number is made once and stays with the database, whatever the camera is called."""

	def __init__(
		self,
		name: str,
		*,
		model: str,
		policy: DevicePolicy,
		zone: ZoneInfo,
		book: DeviceBook,
		cursors: SqliteCursors,
		lag: timedelta,
		now: Now,
		clock_offset: Callable[[], timedelta],
	) -> None:
		"""
		:param clock_offset: how far this machine's clock is ahead, as far as anybody has said.
		:param model: what kind of camera it is, in a word.
		:param lag: how long after a look its punch is held at the latest.
		:raises StoreError: the book cannot be used.
		"""
		self.name = name
		self.zone = zone
		self._policy = policy
		self._book = book
		self._cursors = cursors
		self._lag = lag
		self._now = now
		self._clock_offset = clock_offset
		self._told_at: datetime | None = None
		self._told: CameraState | None = None
		known = known_camera(book)
		if known is not None and known[0] != name:
			book.forget(known[0])
		self.serial = known[1] if known else f"{PREFIX}{uuid.uuid4()}"
		self._info = DeviceInfo(serial=self.serial, model=model, firmware=__version__)
		book.place(name, driver=EDGE_CAMERA, host="", role=policy.role.value, zone=zone.key)
		book.contact(name, self._info, at=now())
		book.keep_policy(self.serial, policy)

	@property
	def device(self) -> Device:
		"""The camera as one of the terminals, for the board and for a site; nobody pulls it."""
		return Device(
			settings=DeviceSettings(
				name=self.name,
				driver=EDGE_CAMERA,
				timezone=self.zone,
				role=self._policy.role,
				serial=self.serial,
			),
			config=None,
		)

	def reading(self) -> ClockReading:
		"""Its clock is this machine's own, which may have no battery: believed as far as the site agrees."""
		now = self._now()
		return ClockReading(taken_at=now - self._clock_offset(), device_time=now.astimezone(self.zone))

	def tell(self, status: CameraStatus) -> None:
		"""Write into the book how the camera is; cheap to call often.

		While it is open, every punch but those of the last moments is held; while it is not, nobody can punch
		here, and nothing is vouched for.
		"""
		now = self._now()
		recently = self._told_at is not None and timedelta(0) <= now - self._told_at < EVERY
		if status.state is self._told and recently:
			return
		self._told_at, self._told = now, status.state
		if status.state is CameraState.OPEN:
			self._book.contact(self.name, self._info, at=now, reading=self.reading())
			self._book.pulled(self.name, PullReport(device_serial=self.serial), at=now)
			self._cursors.vouch(self.serial, now - self._lag)
		elif status.state is CameraState.LOST and isinstance(status.error, BridgeError):
			self._book.failed(self.name, status.error, at=now, breaker=Breaker(failures=1))


def make_terminal(
	settings: Settings,
	vision: VisionSettings,
	*,
	book: DeviceBook,
	cursors: SqliteCursors,
	now: Now,
	clock_offset: Callable[[], timedelta] = lambda: timedelta(0),
) -> CameraTerminal:
	"""The terminal of the configured camera.

	:raises StoreError: the book cannot be used.
	"""
	kiosk = vision.kiosk
	return CameraTerminal(
		vision.camera.settings.name,
		model=cameras.load(vision.camera.settings.kind).spec.label,
		policy=DevicePolicy(role=kiosk.role),
		zone=settings.agent.zone,
		book=book,
		cursors=cursors,
		lag=_SLACK + timedelta(seconds=kiosk.second_factor_seconds),
		now=now,
		clock_offset=clock_offset,
	)


def known_camera(book: DeviceBook) -> tuple[str, str] | None:
	"""The name and the serial number of the camera that this database knows; None if it never had one."""
	for record in book.all():
		if record.driver == EDGE_CAMERA and record.serial.startswith(PREFIX):
			return record.name, record.serial
	return None
