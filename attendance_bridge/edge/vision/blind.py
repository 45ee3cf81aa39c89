"""What stands in the place of the seeing part that cannot be opened: why, told wherever people look.

The terminals of the agent are read and its punches are delivered all the same. The camera stays the terminal
that it is to a site, so that the site is told as well.
"""

from __future__ import annotations

import logging

from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import BridgeError, Code, ConfigError, RecognitionError, StoreError
from attendance_bridge.core.retry import Breaker
from attendance_bridge.edge.camera import CameraState
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.settings import Device, Settings
from attendance_bridge.edge.vision.ports import VisionState
from attendance_bridge.edge.vision.settings import VisionSettings, Way
from attendance_bridge.edge.vision.station import open_gallery
from attendance_bridge.edge.vision.terminal import make_terminal
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.gallery import Gallery

logger = logging.getLogger(__name__)

_OF_THE_GALLERY = frozenset(
	{
		Code.GALLERY_KEY_MISSING,
		Code.GALLERY_KEY_EXPOSED,
		Code.GALLERY_KEY_BESIDE_DATABASE,
		Code.GALLERY_KEY_WRONG,
		Code.NOT_INSTALLED,
	}
)
"""What is wrong with the key alone; whatever else is wrong with a database concerns every punch."""
AFTERWARDS = "Then start the agent again; its terminals go on meanwhile."


def only_blinds(error: BridgeError) -> bool:
	"""Whether an error keeps the agent from recognising, and from nothing else."""
	if isinstance(error, StoreError):
		return error.code in _OF_THE_GALLERY
	# A bad manifest of a pack; the agent's own configuration was checked long before.
	return isinstance(error, (RecognitionError, ConfigError))


class Blind:
	"""The camera of an agent that cannot see."""

	def __init__(
		self,
		settings: Settings,
		vision: VisionSettings,
		error: BridgeError,
		*,
		database: Database,
		book: DeviceBook,
		cursors: SqliteCursors,
		now: Now,
	) -> None:
		"""
		:raises StoreError: the database cannot be used.
		"""
		self.error = error
		self.sentence = f"{sentence(error)} {AFTERWARDS}"
		self._vision = vision
		self._since = now()
		terminal = make_terminal(settings, vision, book=book, cursors=cursors, now=now)
		book.failed(terminal.name, error, at=now(), breaker=Breaker(failures=1))
		self.device: Device = terminal.device
		self.gallery = _gallery_of(vision, database, now)
		"""None where it is the gallery that cannot be opened. What is withdrawn elsewhere is erased here too,
		whether faces are recognised or not."""
		logger.error("nobody is recognised: %s", self.sentence)

	def models(self) -> list[str]:
		"""Of the templates that are here."""
		return sorted(self.gallery.counts()) if self.gallery is not None else []

	@property
	def state(self) -> VisionState:
		"""For the status page."""
		recognition = self._vision.recognition
		return VisionState(
			camera=self._vision.camera.settings.name,
			camera_state=CameraState.STOPPED.value,
			camera_since=self._since,
			camera_sentence="",
			camera_fps=0.0,
			width=0,
			height=0,
			openings=0,
			last_frame_at=None,
			serial=self.device.settings.serial,
			model="",
			model_sentence=self.sentence,
			engine=recognition.engine.value,
			generated=recognition.engine is Way.TINY,
			threshold=0.0,
			templates=0,
			people=0,
			looks_per_second=0.0,
		)


def _gallery_of(vision: VisionSettings, database: Database, now: Now) -> Gallery | None:
	try:
		return open_gallery(vision.gallery, database, now)
	except StoreError as error:
		if not only_blinds(error):
			raise
		return None
