"""Enrollments under way: begun, fed with pictures of the agent's camera or of browsers, kept in the gallery.

One at a time goes on before the agent's camera, several in browsers. Every one ends by itself: kept, or given
up after a while. Of one that has ended, nothing of the face is held any more.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

from attendance_bridge.core.consent import Consent
from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import BridgeError, StoreError
from attendance_bridge.core.template import Pose
from attendance_bridge.edge.enrollment import pictures
from attendance_bridge.edge.enrollment.consent_text import ConsentText
from attendance_bridge.edge.enrollment.entry import Enrollment, Refusal, RefusedError, Source, Start
from attendance_bridge.edge.enrollment.keeper import keep
from attendance_bridge.edge.enrollment.observer import observe
from attendance_bridge.edge.enrollment.owners import Owners
from attendance_bridge.edge.enrollment.people import is_here
from attendance_bridge.edge.enrollment.session import POSES, Session, State
from attendance_bridge.edge.enrollment.settings import EnrollmentSettings
from attendance_bridge.edge.vision.events import EventType, VisionEvents
from attendance_bridge.edge.vision.ports import Eyes
from attendance_bridge.recognition.face import Frame
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.gallery import Gallery
from attendance_bridge.stores.roster import Roster

logger = logging.getLogger(__name__)

MAX_SESSIONS = 8
KEPT_SECONDS = 120.0
"""For how long it can be asked how an enrollment ended."""
_PHOTO_SECONDS = 600.0
"""For how long a photo that is good enough may be looked for."""
_LOOK_SECONDS = 0.5
_FRAME_PATIENCE = 0.5


class Enrollments:
	"""The service, and a worker for the supervisor. Any thread may call it."""

	name = "enrollment"

	def __init__(
		self,
		*,
		eyes: Eyes,
		gallery: Gallery,
		roster: Roster,
		audit: AuditLog,
		events: VisionEvents,
		settings: EnrollmentSettings,
		consent_text: ConsentText,
		has_camera: bool,
		keep_pictures: bool,
		consent_required: bool,
		agent_name: str,
		now: Now,
		on_enrolled: Callable[[], None] = lambda: None,
		monotonic: Callable[[], float] = time.monotonic,
	) -> None:
		"""
		:param on_enrolled: called when somebody was enrolled: other agents may hear of it.
		"""
		self.consent_text = consent_text
		self.consent_required = consent_required
		self.has_camera = has_camera
		self._eyes = eyes
		self._gallery = gallery
		self._roster = roster
		self._audit = audit
		self._events = events
		self._settings = settings
		self._keep_pictures = keep_pictures
		self._agent_name = agent_name
		self._now = now
		self._on_enrolled = on_enrolled
		self._monotonic = monotonic
		self._owners = Owners(eyes, gallery)
		self._wanted = threading.Condition()
		self._entries: dict[str, Enrollment] = {}

	def start(self, start: Start) -> Enrollment:
		"""Begin an enrollment of somebody who has agreed.

		:raises RefusedError:
		:raises RecognitionError: there are no networks.
		:raises StoreError:
		"""
		person = next((each for each in self._roster.people() if each.employee == start.employee), None)
		if person is None or not is_here(person):
			raise RefusedError(Refusal.NO_SUCH_PERSON)
		consent = self._consent(start)
		session = self._new_session(start).agree(consent, self._monotonic())
		entry = Enrollment(uuid.uuid4().hex, person, start, session)
		with self._wanted:
			self._check_free(start)
			self._entries[entry.id] = entry
			self._wanted.notify_all()
		details = f"source {start.source.value}"
		if consent is not None:
			details += f", consent {consent.text_version} {consent.text_sha256}"
		if start.accepted:
			details += f", though like {', '.join(sorted(start.accepted))}"
		self._note("enrollment_begun", entry, details)
		self._publish(entry)
		return entry

	def find(self, id: str) -> Enrollment:
		"""
		:raises RefusedError: NO_SUCH_ENROLLMENT.
		"""
		with self._wanted:
			entry = self._entries.get(id)
		if entry is None:
			raise RefusedError(Refusal.NO_SUCH_ENROLLMENT)
		with entry.lock:
			self._move(entry, entry.session.at(self._monotonic()))
		return entry

	def take_picture(self, id: str, data: bytes, source: Source) -> Enrollment:
		"""Look at a picture that was sent.

		:raises RefusedError:
		:raises PictureError: it is none, or too large.
		:raises RecognitionError: there are no networks.
		"""
		entry = self.find(id)
		if entry.start.source is not source:
			raise RefusedError(Refusal.OTHER_SOURCE)
		is_photo = source is Source.PHOTO
		pixels = pictures.decode(
			data,
			max_bytes=pictures.MAX_PHOTO_BYTES if is_photo else pictures.MAX_FRAME_BYTES,
			max_pixels=pictures.MAX_PHOTO_PIXELS if is_photo else pictures.MAX_FRAME_PIXELS,
		)
		self._look(entry, Frame(pixels=pixels, seconds=self._monotonic(), taken_at=self._now()))
		return entry

	def cancel(self, id: str) -> Enrollment:
		"""
		:raises RefusedError: NO_SUCH_ENROLLMENT.
		"""
		entry = self.find(id)
		with entry.lock:
			self._move(entry, entry.session.cancel())
		return entry

	def templates(self) -> dict[str, int]:
		"""Employee → how many templates of the model in use they have.

		:raises RecognitionError: there are no networks.
		:raises StoreError:
		"""
		return self._gallery.counts().get(self._eyes.engine.model, {})

	def outdated(self) -> frozenset[str]:
		"""Employees who have templates of other models only, and must be enrolled again.

		:raises RecognitionError: there are no networks.
		:raises StoreError:
		"""
		return frozenset(self._gallery.outdated(self._eyes.engine.model))

	def wait(self, entry: Enrollment, seen: int, timeout: float) -> int:
		"""Wait until an enrollment is another than at version `seen`; returns its version."""
		with entry.lock:
			entry.changed.wait_for(lambda: entry.version != seen or entry.session.over, timeout)
			return entry.version

	def run(self, stop: threading.Event) -> None:
		"""Look through the agent's camera for whoever is enrolled before it; end what has taken too long."""
		while not stop.is_set():
			entry = self._before_camera()
			if entry is not None:
				with self._eyes.enrolling():
					self._look_through_camera(entry, stop)
			self._tidy()
			with self._wanted:
				self._wanted.wait_for(lambda: stop.is_set() or self._any_before_camera(), _LOOK_SECONDS)
		for entry in self._all():
			with entry.lock:
				self._move(entry, entry.session.cancel())

	# beginning

	def _consent(self, start: Start) -> Consent | None:
		text = self.consent_text
		if not start.consent_sha256:
			if self.consent_required:
				raise RefusedError(Refusal.CONSENT_MISSING)
			return None
		if start.consent_sha256 != text.sha256:
			raise RefusedError(Refusal.CONSENT_CHANGED)
		return Consent(
			employee=start.employee,
			given_at=self._now(),
			text_version=text.version,
			text_sha256=text.sha256,
			text_language=text.language,
			given_to=": ".join(part for part in (self._agent_name, start.who) if part),
		)

	def _new_session(self, start: Start) -> Session:
		is_photo = start.source is Source.PHOTO
		return Session(
			employee=start.employee,
			settings=_for_a_photo(self._settings) if is_photo else self._settings,
			threshold=self._eyes.threshold,
			began=self._monotonic(),
			poses=(Pose.FRONT,) if is_photo else POSES,
			accepted=frozenset(start.accepted),
		)

	def _check_free(self, start: Start) -> None:
		open_ones = [each for each in self._entries.values() if not each.session.over]
		if any(each.person.employee == start.employee for each in open_ones):
			raise RefusedError(Refusal.PERSON_TAKEN)
		if len(open_ones) >= MAX_SESSIONS:
			raise RefusedError(Refusal.TOO_MANY)
		if start.source is Source.CAMERA:
			if not self.has_camera:
				raise RefusedError(Refusal.NO_CAMERA)
			if self._any_before_camera():
				raise RefusedError(Refusal.CAMERA_TAKEN)

	# looking

	def _any_before_camera(self) -> bool:
		return any(
			each.start.source is Source.CAMERA and not each.session.over for each in self._entries.values()
		)

	def _before_camera(self) -> Enrollment | None:
		return next(
			(each for each in self._all() if each.start.source is Source.CAMERA and not each.session.over),
			None,
		)

	def _look_through_camera(self, entry: Enrollment, stop: threading.Event) -> None:
		seen, pause = -1, 1 / self._settings.frames_per_second
		while not (stop.is_set() or entry.session.over):
			began = self._monotonic()
			frame = self._eyes.newest(seen, timeout=_FRAME_PATIENCE)
			if frame is None:
				self.find(entry.id)
				continue
			seen = frame.sequence
			try:
				self._look(entry, frame)
			except BridgeError as error:
				self._fail(entry, error)
			stop.wait(max(0.0, pause - (self._monotonic() - began)))

	def _look(self, entry: Enrollment, frame: Frame) -> None:
		"""What a picture makes of an enrollment; kept at once when it is the last."""
		with entry.lock:
			if entry.session.over:
				return
			observation = observe(
				frame,
				entry.person.employee,
				engine=self._eyes.engine,
				owner_of=self._owners.other_than,
				settings=entry.session.settings,
				keep_crop=self._keep_pictures,
			)
			self._move(entry, entry.session.see(observation))
			if entry.session.state is State.COMPLETE:
				self._keep(entry)

	def _move(self, entry: Enrollment, session: Session) -> None:
		"""Put an enrollment into its next state and tell who watches. Under its lock."""
		before, entry.session = entry.session, session
		if session is before:
			return
		entry.version += 1
		entry.changed.notify_all()
		if session.state is not before.state or len(session.shots) != len(before.shots):
			self._publish(entry)
		if session.over and entry.ended is None:
			entry.ended = self._monotonic()
			if session.state is State.TAKEN:
				self._note("enrollment_taken", entry, f"the face of {session.owner}")
			elif session.state is not State.SUBMITTED:
				self._note(f"enrollment_{session.state.value}", entry, entry.error)

	def _keep(self, entry: Enrollment) -> None:
		start = entry.start
		by = ", ".join(part for part in (self._agent_name, start.who) if part)
		if start.source is Source.PHOTO:
			by += " (photo)"
		try:
			kept = keep(
				entry.session,
				self._gallery,
				model=self._eyes.engine.model,
				replace=start.replace,
				by=by,
				at=self._now(),
			)
		except (BridgeError, ValueError) as error:
			self._fail(entry, error)
			return
		try:
			self._note("enrolled", entry, f"{kept.templates} templates, {kept.replaced} former ones replaced")
			self._eyes.refresh()
		except StoreError as error:
			# It is kept all the same, and the door looks for news by itself.
			logger.error("%s is enrolled, and not all is told of it: %s", entry.person.employee, error)
		self._move(entry, entry.session.end(State.SUBMITTED))
		self._on_enrolled()

	def _fail(self, entry: Enrollment, error: BridgeError | ValueError) -> None:
		logger.error("the enrollment of %s failed: %s", entry.person.employee, error)
		# What keeps it from being kept may keep the line about it from being written too.
		with entry.lock, contextlib.suppress(StoreError):
			entry.error = error.code.value if isinstance(error, BridgeError) else "not_kept"
			self._move(entry, entry.session.end(State.FAILED))

	# telling

	def _publish(self, entry: Enrollment) -> None:
		session = entry.session
		self._events.publish(
			EventType.ENROLLMENT,
			state=session.state.value,
			source=entry.start.source.value,
			pose=session.pose.value if session.pose else "",
			progress=session.progress,
		)

	def _note(self, act: str, entry: Enrollment, details: str = "") -> None:
		self._audit.write(
			act,
			who=entry.start.who,
			address=entry.start.address,
			at=self._now(),
			subject=entry.person.employee,
			details=details,
		)

	def _all(self) -> list[Enrollment]:
		with self._wanted:
			return list(self._entries.values())

	def _tidy(self) -> None:
		now = self._monotonic()
		for entry in self._all():
			with entry.lock:
				self._move(entry, entry.session.at(now))
				forgotten = entry.ended is not None and now - entry.ended > KEPT_SECONDS
			if forgotten:
				with self._wanted:
					self._entries.pop(entry.id, None)


def _for_a_photo(settings: EnrollmentSettings) -> EnrollmentSettings:
	"""One picture is all there is: the face may be anywhere in it, nothing moves, and it is to be found."""
	return replace(
		settings,
		ready_seconds=0.0,
		good_frames=1,
		hold_seconds=0.0,
		off_centre=1.0,
		too_close=2.0,
		speed=float("inf"),
		seconds=_PHOTO_SECONDS,
		idle_seconds=_PHOTO_SECONDS,
	)
