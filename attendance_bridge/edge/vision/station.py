"""Puts the seeing part of an agent together, and hands it out. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import UUID

from attendance_bridge.core.driver import Now
from attendance_bridge.core.person import Directory
from attendance_bridge.core.projection import DevicePolicy, Rules
from attendance_bridge.edge.camera import CameraReader
from attendance_bridge.edge.frame import Frame
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.settings import Device, Settings
from attendance_bridge.edge.supervisor import Worker
from attendance_bridge.edge.vision.door import Door
from attendance_bridge.edge.vision.events import VisionEvents
from attendance_bridge.edge.vision.figures import Figures
from attendance_bridge.edge.vision.live import Live
from attendance_bridge.edge.vision.mirror import GalleryMirror
from attendance_bridge.edge.vision.networks import Networks, SharedEngine, open_networks
from attendance_bridge.edge.vision.ports import VisionState
from attendance_bridge.edge.vision.preview import Preview
from attendance_bridge.edge.vision.settings import Factor, GallerySettings, VisionSettings, Way
from attendance_bridge.edge.vision.staff import Staff
from attendance_bridge.edge.vision.terminal import make_terminal
from attendance_bridge.edge.vision.tickets import Tickets
from attendance_bridge.edge.vision.worker import VisionWorker, camera_sentence
from attendance_bridge.recognition.face import Floats
from attendance_bridge.recognition.matcher import Match, Matcher
from attendance_bridge.recognition.pipeline import Pipeline
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.devices import DeviceBook
from attendance_bridge.stores.gallery import Gallery, key_in_file
from attendance_bridge.stores.gallery_key import read_key
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.roster import Roster
from attendance_bridge.stores.second_factors import SecondFactors


class Station:
	"""`edge.vision.ports.Vision`: the camera, the networks, the door; its workers are for the supervisor."""

	def __init__(
		self,
		settings: Settings,
		vision: VisionSettings,
		*,
		database: Database,
		punches: PunchStore,
		cursors: SqliteCursors,
		book: DeviceBook,
		roster: Roster,
		everybody: Directory | None,
		rules: Rules,
		on_punch: Callable[[], None],
		pulse: Pulse,
		now: Now,
		clock_offset: Callable[[], timedelta] = lambda: timedelta(0),
	) -> None:
		"""
		:param clock_offset: how far this machine's clock is ahead, as far as anybody has said.
		:param everybody: stands in for the roster where the upstream has no list of people.
		:raises StoreError: the key of the gallery is not there, or is another one.
		:raises RecognitionError: the networks are not there, or not what their pack says.
		"""
		kiosk = vision.kiosk
		self._vision = vision
		self.gallery = open_gallery(vision.gallery, database, now)
		self.networks: Networks = open_networks(vision.recognition)
		engine = self.networks.engine
		self.events = VisionEvents(now)
		self.figures = Figures()
		self.second_factors = SecondFactors(database)
		self.reader: CameraReader = vision.camera.reader(now)
		self.terminal = make_terminal(
			settings, vision, book=book, cursors=cursors, now=now, clock_offset=clock_offset
		)
		staff = Staff(roster, everybody)
		policies: Callable[[], Mapping[str, DevicePolicy]] = book.policies
		self.kiosk = Door(
			terminal=self.terminal,
			settings=kiosk,
			model=engine.model,
			punches=punches,
			staff=staff,
			preview=Preview(punches, rules, policies, staff.directory),
			tickets=self._tickets(),
			events=self.events,
			figures=self.figures,
			on_punch=on_punch,
		)
		mirror = GalleryMirror(self.gallery, Matcher(engine.model, engine.dimension))
		self._matcher = mirror.matcher
		self.worker = VisionWorker(
			reader=self.reader,
			pipeline=Pipeline(
				engine=engine,
				matcher=mirror.matcher,
				threshold=self.networks.threshold,
				settings=vision.pipeline,
				liveness=self.networks.liveness,
			),
			engine=engine,
			mirror=mirror,
			terminal=self.terminal,
			door=self.kiosk,
			staff=staff,
			events=self.events,
			figures=self.figures,
			pulse=pulse,
			frames_per_second=vision.recognition.frames_per_second,
			challenge_seconds=vision.recognition.pipeline.challenge.seconds,
		)
		self.live = Live(self.reader, lambda: self.worker.faces, self._state)

	def _tickets(self) -> Tickets | None:
		kiosk = self._vision.kiosk
		if kiosk.second_factor is Factor.NONE:
			return None
		return Tickets(
			self.second_factors,
			kiosk.second_factor.value,
			seconds=kiosk.second_factor_seconds,
			tries=kiosk.wrong_tries,
			blocked_seconds=60 * kiosk.blocked_minutes,
		)

	@property
	def workers(self) -> tuple[Worker, ...]:
		return (self.reader, self.worker, self.kiosk)

	@property
	def device(self) -> Device:
		return self.terminal.device

	@property
	def eyes(self) -> Station:
		return self

	def models(self) -> list[str]:
		"""Of the templates that are of use here."""
		return [self.engine.model]

	def punch_ids(self) -> Sequence[UUID]:
		return self.kiosk.latest

	def close(self) -> None:
		"""Let everybody go who waits for something to happen."""
		self.events.close()

	# edge.vision.ports.Eyes

	@property
	def engine(self) -> SharedEngine:
		return self.networks.engine

	@property
	def threshold(self) -> float:
		return self.networks.threshold

	def newest(self, after: int = -1, *, timeout: float = 0.0) -> Frame | None:
		return self.reader.newest(after, timeout=timeout)

	def search(self, embedding: Floats) -> Match | None:
		return self._matcher.search(embedding)

	def enrolling(self) -> AbstractContextManager[None]:
		return self.kiosk.enrolling()

	def refresh(self) -> None:
		self.worker.take_over_gallery(now=True)

	def _state(self) -> VisionState:
		status = self.reader.status()
		recognition = self._vision.recognition
		looked = self.worker.looked
		return VisionState(
			camera=self._vision.camera.settings.name,
			camera_state=status.state.value,
			camera_since=status.since,
			camera_sentence=camera_sentence(status.error),
			camera_fps=round(status.fps, 1),
			width=status.width,
			height=status.height,
			openings=status.openings,
			last_frame_at=status.last_frame_at,
			serial=self.terminal.serial,
			model="" if self.worker.problem else self.engine.model,
			model_sentence=self.worker.problem,
			engine=recognition.engine.value,
			generated=recognition.engine is Way.TINY,
			threshold=self.threshold,
			templates=len(self._matcher),
			people=len(self._matcher.employees),
			looks_per_second=round((len(looked) - 1) / (looked[-1] - looked[0]), 1)
			if len(looked) > 1
			else 0.0,
		)


def open_gallery(settings: GallerySettings, database: Database, now: Now) -> Gallery:
	"""The gallery of the configuration.

	:raises StoreError: GALLERY_KEY_MISSING and the like.
	"""
	if settings.key_file is not None:
		key = key_in_file(database, settings.key_file)
	else:
		key = read_key(settings, database.path)
	return Gallery.open(
		database,
		key,
		now=now,
		keep_pictures=settings.keep_pictures,
		consent_required=settings.consent_required,
	)
