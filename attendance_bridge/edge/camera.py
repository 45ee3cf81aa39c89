"""Reads a camera as long as the agent runs: the newest picture only; opened again when it fails.

The camera is read in a thread of its own, because a driver may hang in a call that nothing interrupts. Such a
thread is left to itself and closes its camera when it comes back; only a few may hang at a time.
"""

from __future__ import annotations

import dataclasses
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from attendance_bridge.core.errors import BridgeError, Code, DeviceError
from attendance_bridge.core.lockout import left_alone_until
from attendance_bridge.core.redact import redact
from attendance_bridge.core.retry import Backoff
from attendance_bridge.edge.frame import Camera, Frame, Now

logger = logging.getLogger(__name__)

Monotonic = Callable[[], float]

_POLL_SECONDS = 0.1
_MOST_HANGING = 3
_MEASURED_OVER = 30
"""Frames over which the rate is measured."""
_LONGEST_OPENING = 30.0
"""Seconds that a camera may take to its first picture, where it may not hang as long afterwards."""
_GOODBYE_SECONDS = 2.0
BACKOFF = Backoff(base=timedelta(seconds=1), cap=timedelta(seconds=30))


class CameraState(str, Enum):
	OPENING = "opening"
	OPEN = "open"
	LOST = "lost"
	"""It failed or was never there, and is tried again; `error` says why."""
	ENDED = "ended"
	"""A file that was shown to its end."""
	STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraStatus:
	"""For the page."""

	state: CameraState
	since: datetime
	"""When it came into this state, aware."""
	error: BridgeError | None = None
	fps: float = 0.0
	"""Pictures a second, as they really come."""
	width: int = 0
	height: int = 0
	frames: int = 0
	"""Since the agent started."""
	openings: int = 0
	"""How often it gave its first picture; more than one means that it was lost in between."""
	last_frame_at: datetime | None = None


class CameraReader:
	"""A worker for the supervisor. Whoever wants pictures asks `newest`, at their own pace."""

	def __init__(
		self,
		name: str,
		open_camera: Callable[[], Camera],
		*,
		now: Now,
		freeze_seconds: float = 10.0,
		backoff: Backoff = BACKOFF,
		chance: Callable[[], float] = random.random,
		monotonic: Monotonic = time.monotonic,
	) -> None:
		"""
		:param open_camera: opens it, or raises DeviceError.
		:param freeze_seconds: without a new picture for so long, it is opened again.
		"""
		self.name = f"camera {name}"
		self._called = name
		self._open_camera = open_camera
		self._now = now
		self._freeze_seconds = freeze_seconds
		self._backoff = backoff
		self._chance = chance
		self._monotonic = monotonic
		self._changed = threading.Condition()
		self._status = CameraStatus(state=CameraState.OPENING, since=now())
		self._newest: Frame | None = None
		self._arrivals: deque[float] = deque(maxlen=_MEASURED_OVER)
		self._pump: _Pump | None = None
		self._hanging: list[_Pump] = []

	def status(self) -> CameraStatus:
		with self._changed:
			return dataclasses.replace(self._status, fps=self._fps())

	def newest(self, after: int = -1, *, timeout: float = 0.0) -> Frame | None:
		"""The newest picture if its sequence is above `after`; waits up to `timeout` seconds for one.

		None if none comes, and while the camera is lost: an old picture shows nobody who is there. At once
		only when the agent ends: who asks again and again is not to be kept busy by a file that has ended.
		"""
		deadline = self._monotonic() + timeout
		with self._changed:
			while True:
				if self._newest is not None and self._newest.sequence > after:
					return self._newest
				rest = deadline - self._monotonic()
				if rest <= 0 or self._status.state is CameraState.STOPPED:
					return None
				self._changed.wait(rest)

	def run(self, stop: threading.Event) -> None:
		"""Read until `stop` is set."""
		failures = 0
		while not stop.is_set():
			self._enter(CameraState.OPENING)
			error, gave_pictures = self._read_until_it_fails(stop)
			if stop.is_set():
				break
			if error is None:
				self._enter(CameraState.ENDED)
				stop.wait()
				break
			failures = 1 if gave_pictures else failures + 1
			self._lost(error)
			stop.wait(self._pause(error, failures))
			self._wait_for_hanging(stop)
		self._enter(CameraState.STOPPED)

	def _read_until_it_fails(self, stop: threading.Event) -> tuple[BridgeError | None, bool]:
		"""The error (None at the end of a file, or of the agent), and whether a picture came before it."""
		pump = _Pump(self._open_camera, self._arrived, f"{self.name} pictures")
		with self._changed:
			self._pump = pump
			self._arrivals.clear()
		started = self._monotonic()
		pump.start()
		error: BridgeError | None = None
		while not pump.done.wait(_POLL_SECONDS):
			quiet, limit = self._quiet_for(started)
			if stop.is_set():
				break
			if quiet > limit:
				error = self._frozen(quiet)
				break
		with self._changed:
			gave_pictures = bool(self._arrivals)
			self._pump = None  # what it still brings is not taken
		pump.leave()
		if error is not None:
			self._hanging.append(pump)
		elif stop.is_set():
			pump.join(_GOODBYE_SECONDS)
		return error or pump.error, gave_pictures

	def _quiet_for(self, started: float) -> tuple[float, float]:
		"""For how many seconds no picture has come, and for how many that is borne."""
		with self._changed:
			if self._arrivals:
				return self._monotonic() - self._arrivals[-1], self._freeze_seconds
		return self._monotonic() - started, max(self._freeze_seconds, _LONGEST_OPENING)

	def _frozen(self, seconds: float) -> DeviceError:
		return DeviceError(Code.CAMERA_FROZEN, retryable=True, camera=self._called, seconds=round(seconds))

	def _pause(self, error: BridgeError, failures: int) -> float:
		"""Seconds until it is opened again; many after a refused password: cameras lock accounts."""
		at = self._now()
		until = left_alone_until(error, at, failures, self._chance())
		return ((until - at) if until else self._backoff.delay(failures, self._chance())).total_seconds()

	def _wait_for_hanging(self, stop: threading.Event) -> None:
		while not stop.is_set():
			self._hanging = [pump for pump in self._hanging if pump.is_alive()]
			if len(self._hanging) < _MOST_HANGING:
				return
			stop.wait(_POLL_SECONDS)

	def _arrived(self, pump: _Pump, frame: Frame) -> None:
		with self._changed:
			if pump is not self._pump:
				return
			is_first = not self._arrivals
			self._arrivals.append(self._monotonic())
			height, width = frame.pixels.shape[:2]
			status = self._status
			if is_first:
				status = dataclasses.replace(
					status,
					state=CameraState.OPEN,
					since=self._now(),
					error=None,
					openings=status.openings + 1,
				)
				logger.info("%s is open: %d×%d", self.name, width, height)
			self._newest = dataclasses.replace(frame, sequence=status.frames)
			self._status = dataclasses.replace(
				status, width=width, height=height, frames=status.frames + 1, last_frame_at=frame.taken_at
			)
			self._changed.notify_all()

	def _enter(self, state: CameraState) -> None:
		with self._changed:
			# While it is tried again it stays lost since when it was lost, for whoever looks.
			if state is not CameraState.OPENING or self._status.state is not CameraState.LOST:
				self._status = dataclasses.replace(self._status, state=state, since=self._now())
			self._changed.notify_all()

	def _lost(self, error: BridgeError) -> None:
		with self._changed:
			before = self._status
			is_news = (
				before.state is not CameraState.LOST
				or before.error is None
				or before.error.code != error.code
			)
			since = before.since if before.state is CameraState.LOST else self._now()
			self._status = dataclasses.replace(before, state=CameraState.LOST, since=since, error=error)
			self._newest = None
			self._arrivals.clear()
			self._changed.notify_all()
		if is_news:
			logger.warning("%s is lost: %s; it is tried again", self.name, redact(str(error)))

	def _fps(self) -> float:
		if len(self._arrivals) < 2 or self._status.state is not CameraState.OPEN:
			return 0.0
		since_first = max(self._monotonic(), self._arrivals[-1]) - self._arrivals[0]
		between = self._arrivals[-1] - self._arrivals[0]
		# A pause that is longer than usual lowers the rate at once.
		late = since_first - between > 2 * between / (len(self._arrivals) - 1)
		return (len(self._arrivals) - 1) / (since_first if late else between) if between else 0.0


class _Pump(threading.Thread):
	"""One opening of a camera: reads it to its end, its failure, or until it is left."""

	def __init__(
		self, open_camera: Callable[[], Camera], arrived: Callable[[_Pump, Frame], None], name: str
	) -> None:
		super().__init__(name=name, daemon=True)
		self.done = threading.Event()
		self.error: BridgeError | None = None
		self._open_camera = open_camera
		self._arrived = arrived
		self._left = threading.Event()

	def leave(self) -> None:
		"""Nobody takes its pictures any more: close the camera as soon as it comes back from it."""
		self._left.set()

	def run(self) -> None:
		try:
			self._read()
		except BridgeError as error:
			self.error = error
		except Exception as error:  # whatever a driver throws: the camera is opened again
			logger.error("%s: %s", self.name, redact(repr(error)), exc_info=error)
			self.error = DeviceError(Code.CAMERA_LOST, retryable=True, camera=self.name)
		finally:
			self.done.set()

	def _read(self) -> None:
		with self._open_camera() as camera:
			while not self._left.is_set():
				frame = camera.read()
				if frame is None:
					return
				self._arrived(self, frame)
