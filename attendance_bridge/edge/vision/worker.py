"""The duty that looks: a few frames a second through the pipeline, and what comes of it to the door."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from attendance_bridge.core.errors import BridgeError, Code, StoreError
from attendance_bridge.core.template import Pose
from attendance_bridge.edge.camera import CameraReader, CameraState
from attendance_bridge.edge.frame import Frame
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.vision.door import Door
from attendance_bridge.edge.vision.events import EventType, VisionEvents
from attendance_bridge.edge.vision.figures import Figures
from attendance_bridge.edge.vision.mirror import GalleryMirror
from attendance_bridge.edge.vision.networks import SharedEngine
from attendance_bridge.edge.vision.ports import FaceState, FaceView
from attendance_bridge.edge.vision.staff import Staff
from attendance_bridge.edge.vision.terminal import CameraTerminal
from attendance_bridge.recognition.decision import Verdict
from attendance_bridge.recognition.events import Event, EventKind, SeenFace, Sight
from attendance_bridge.recognition.pipeline import Pipeline

logger = logging.getLogger(__name__)

WAIT_SECONDS = 0.25
"""For a frame; and between two looks whether one came, where none can come."""
CHORES_SECONDS = 0.5

_STATES = {
	Verdict.UNDECIDED: FaceState.LOOKING,
	Verdict.RECOGNISED: FaceState.KNOWN,
	Verdict.UNKNOWN: FaceState.UNKNOWN,
}
_HINTS = {Pose.LEFT: "turn_left", Pose.RIGHT: "turn_right"}


class VisionWorker:
	"""A worker for the supervisor; the only one who uses the pipeline."""

	name = "vision"

	def __init__(
		self,
		*,
		reader: CameraReader,
		pipeline: Pipeline,
		engine: SharedEngine,
		mirror: GalleryMirror,
		terminal: CameraTerminal,
		door: Door,
		staff: Staff,
		events: VisionEvents,
		figures: Figures,
		pulse: Pulse,
		frames_per_second: float,
		challenge_seconds: float,
		monotonic: Callable[[], float] = time.monotonic,
	) -> None:
		"""
		:param pulse: beats when something was decided or delivered.
		:param challenge_seconds: how long a challenge may take, for whoever is asked.
		"""
		self.faces: Sequence[FaceView] = ()
		"""Of the last look; replaced as a whole."""
		self.problem = ""
		"""Why nobody can be recognised and what to do; empty while all is well."""
		self.looked: list[float] = []
		"""When the detector looked lately, in seconds of `monotonic`."""
		self._reader = reader
		self._pipeline = pipeline
		self._engine = engine
		self._mirror = mirror
		self._terminal = terminal
		self._door = door
		self._staff = staff
		self._events = events
		self._figures = figures
		self._pulse = pulse
		self._interval = 1 / frames_per_second
		self._challenge_seconds = challenge_seconds
		self._monotonic = monotonic
		self._asked: queue.SimpleQueue[str] = queue.SimpleQueue()
		self._camera: CameraState | None = None
		self._beat = -1
		self._chores_due = float("-inf")
		self._counted = (engine.detections, engine.embeddings)
		door.let_again = self._asked.put

	def run(self, stop: threading.Event) -> None:
		"""Look until `stop`.

		:raises StoreError: the database cannot be used; nothing that was recognised is lost by that.
		"""
		sequence = -1
		due = self._monotonic()
		while not stop.is_set():
			self._do_chores()
			frame = self._reader.newest(sequence, timeout=WAIT_SECONDS)
			if frame is None:
				if self._reader.status().state is not CameraState.OPEN:
					self._show(())
					stop.wait(WAIT_SECONDS)
				continue
			sequence = frame.sequence
			self.see(frame)
			due = max(due + self._interval, self._monotonic())
			stop.wait(due - self._monotonic())
		self._door.write_down()  # whoever was recognised in the last moment

	def see(self, frame: Frame) -> None:
		"""Look at one frame, and act on what happened in it."""
		while not self._asked.empty():
			self._pipeline.let_again(self._asked.get())
		began = self._monotonic()
		sight = self._pipeline.process(frame)
		self._count(sight, began)
		if sight.looked or not sight.faces:
			height, width = frame.pixels.shape[:2]
			self._show([self._view(face, width, height) for face in sight.faces])
		self._act_on(sight.events)

	def _act_on(self, events: Sequence[Event]) -> None:
		"""
		:raises StoreError: something could not be done about one of them; it is told again, and the others
			are done all the same.
		"""
		failures = [error for event in events if (error := self._error_of(event)) is not None]
		if failures:
			raise failures[0]

	def _error_of(self, event: Event) -> StoreError | None:
		try:
			self._act(event)
		except StoreError as error:
			self._pipeline.take_back(event)
			return error
		return None

	def _count(self, sight: Sight, began: float) -> None:
		self._figures.frames.inc()
		if sight.looked:
			ended = self._monotonic()
			self._figures.look.observe(ended - began)
			self.looked = [*(at for at in self.looked if ended - at < 10), ended]
		counted = (self._engine.detections, self._engine.embeddings)
		self._figures.detections.inc(counted[0] - self._counted[0])
		self._figures.embeddings.inc(counted[1] - self._counted[1])
		self._counted = counted

	def _show(self, faces: Sequence[FaceView]) -> None:
		if faces == self.faces:
			return
		self.faces = faces
		if self._events.watched or not faces:
			self._events.publish(EventType.FACE, faces=[face.as_json() for face in faces])

	def _view(self, face: SeenFace, width: int, height: int) -> FaceView:
		left, top, right, bottom = face.box
		hint = _HINTS.get(face.side, "") if face.side else next((flaw.value for flaw in face.flaws), "")
		return FaceView(
			track=face.track,
			box=(_share(left, width), _share(top, height), _share(right, width), _share(bottom, height)),
			state=FaceState.CHALLENGED if face.side else _STATES[face.verdict],
			name=self._staff.name_of(face.employee) if face.employee else "",
			hint=hint,
		)

	def _act(self, event: Event) -> None:
		if event.kind is EventKind.RECOGNISED:
			self._door.recognised(event)
		elif event.kind is EventKind.SEEN_AGAIN:
			self._door.seen_again(event)
		elif not self._door.is_enrolling:
			self._tell(event)

	def _tell(self, event: Event) -> None:
		self._figures.outcomes.labels(event.kind.value).inc()
		if event.kind is EventKind.UNKNOWN:
			self._events.publish(EventType.UNKNOWN)
		elif event.kind is EventKind.LIVENESS_FAILED:
			self._events.publish(EventType.LIVENESS_FAILED)
		elif event.kind is EventKind.CHALLENGE_BEGUN:
			side = event.side.value if event.side else ""
			self._events.publish(EventType.CHALLENGE, side=side, seconds=self._challenge_seconds)
		elif event.kind is EventKind.CHALLENGE_FAILED:
			reason = event.challenge.value if event.challenge else ""
			self._events.publish(EventType.CHALLENGE_FAILED, reason=reason)

	def _do_chores(self) -> None:
		if self._monotonic() < self._chores_due:
			return
		self._chores_due = self._monotonic() + CHORES_SECONDS
		self.take_over_gallery()
		self._watch_camera()
		self._door.tick()
		beat = self._pulse.wait(self._beat, 0)
		if beat != self._beat:
			self._beat = beat
			self._door.follow_up()

	def take_over_gallery(self, *, now: bool = False) -> None:
		"""Let those be known whom the gallery holds, and nobody else. Any thread may ask for it.

		:raises StoreError: the gallery cannot be read. Where its key is another one by now, nobody is known
			instead, and `problem` says so.
		"""
		try:
			changed = self._mirror.refresh(now=now)
		except StoreError as error:
			if error.code is not Code.GALLERY_KEY_WRONG:
				raise
			changed = self._mirror.clear()
			if not self.problem:
				logger.error("nobody is recognised: %s", error)
			self.problem = sentence(error)
		else:
			self.problem = "" if changed else self.problem
		if changed:
			matcher = self._mirror.matcher
			self._figures.templates.set(len(matcher))
			self._events.publish(EventType.GALLERY, people=len(matcher.employees), templates=len(matcher))

	def _watch_camera(self) -> None:
		status = self._reader.status()
		self._terminal.tell(status)
		self._figures.camera_up.set(float(status.state is CameraState.OPEN))
		if status.state is self._camera:
			return
		self._camera = status.state
		self._pulse.beat()
		self._events.publish(
			EventType.CAMERA,
			state=status.state.value,
			since=status.since.isoformat(),
			sentence=camera_sentence(status.error),
		)


def camera_sentence(error: BridgeError | None) -> str:
	"""What is wrong with a camera; empty if nothing is."""
	return sentence(error) if error is not None else ""


def _share(position: float, whole: int) -> float:
	return round(max(0.0, min(1.0, position / whole)), 4)
