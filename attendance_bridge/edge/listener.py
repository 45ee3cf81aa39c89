"""Listens to terminals that tell of punches as they happen, beside the poller that reads them all the same.

A live road only shortens the wait. Whenever it may have missed something (it begins, it broke off, the
terminal holds more than it told), the poller is asked to read it at once; what both bring is one punch.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from attendance_bridge import drivers
from attendance_bridge.core.driver import Capability, Now, Page
from attendance_bridge.core.errors import Code, DeviceError, StoreError
from attendance_bridge.core.lockout import PASSWORD_TROUBLES
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.redact import redact
from attendance_bridge.core.retry import Backoff
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.poller import Poller
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.reader import TerminalReader
from attendance_bridge.edge.settings import Device

logger = logging.getLogger(__name__)

BACKOFF = Backoff(base=timedelta(seconds=1), cap=timedelta(minutes=5))
STEADY = timedelta(minutes=1)
"""A connection that held for so long has made good for the failures before it."""
AFTER_NOT_SUPPORTED = timedelta(hours=1)
"""A firmware that tells nothing is asked again after so long: somebody may have updated it."""
GAP_PAUSE = timedelta(seconds=15)
"""Between two readings that gaps of one terminal ask for: each may have to transfer a whole log."""
LOOK_EVERY_SECONDS = 0.5


class Standing(str, Enum):
	"""How far listening to a terminal has come."""

	WAITING = "waiting"
	"""Until the poller has read it: only one tries a password; or for a free place."""
	CONNECTING = "connecting"
	LISTENING = "listening"
	PAUSED = "paused"
	"""It broke off; there will be another try."""
	NOT_SUPPORTED = "not_supported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
	"""How listening to one terminal stands. Moments are aware."""

	standing: Standing = Standing.WAITING
	since: datetime | None = None
	"""Of this standing."""
	heard_at: datetime | None = None
	"""Of the last sign of life on this road, heartbeats included."""
	event_at: datetime | None = None
	"""When the last punch came that had just happened."""
	events: int = 0
	"""Punches that came so since the agent began."""
	replayed: int = 0
	"""Punches from stored history that the terminal told again."""
	gaps: int = 0
	"""How often something may have been missed, and the poller was asked to read."""
	code: str = ""
	"""Of the last failure; empty while it listens."""

	def as_json(self) -> dict[str, Any]:
		return {
			"standing": self.standing.value,
			"since": _iso(self.since),
			"heard_at": _iso(self.heard_at),
			"event_at": _iso(self.event_at),
			"events": self.events,
			"replayed": self.replayed,
			"gaps": self.gaps,
			"code": self.code,
		}


class Listener:
	"""One duty for the supervisor; one thread for each terminal that is listened to, at most so many."""

	name = "listener"

	def __init__(
		self,
		devices: Callable[[], Sequence[Device]],
		reader: TerminalReader,
		poller: Poller,
		*,
		most: int,
		now: Now,
		pulse: Pulse,
		on_punches: Callable[[], None] = lambda: None,
		chance: Callable[[], float] = random.random,
	) -> None:
		"""
		:param devices: the terminals that may be read at the moment; those with `live` are listened to.
		:param most: how many at a time. The rest is only read.
		:param on_punches: called when there are new punches to carry on.
		"""
		self._devices = devices
		self._most = most
		self._poller = poller
		self._reader = reader
		self._now = now
		self._pulse = pulse
		self._on_punches = on_punches
		self._chance = chance
		self._ears: dict[str, _Ear] = {}
		self._crowded_out: frozenset[str] = frozenset()

	@property
	def states(self) -> dict[str, Live]:
		"""By name of the device; only those that are to be listened to."""
		states = {name: ear.live for name, ear in list(self._ears.items())}
		return {**{name: Live() for name in self._crowded_out}, **states}

	def run(self, stop: threading.Event) -> None:
		"""Listen until `stop`.

		:raises StoreError: a punch could not be held.
		"""
		try:
			while not stop.is_set():
				self._reconcile()
				fatal = next((ear.fatal for ear in self._ears.values() if ear.fatal), None)
				if fatal is not None:
					raise fatal
				stop.wait(LOOK_EVERY_SECONDS)
		finally:
			for ear in self._ears.values():
				ear.stop()
			for ear in self._ears.values():
				ear.join()
			self._ears = {}

	def _reconcile(self) -> None:
		"""Listen to those that are to be listened to now, as they are configured now."""
		wanted = {device.settings.name: device for device in self._devices() if is_live(device)}
		for name, ear in list(self._ears.items()):
			if wanted.get(name) != ear.device:
				ear.stop()
				if ear.has_ended():
					del self._ears[name]
			else:
				ear.pay_owed()
		for name, device in wanted.items():
			if name not in self._ears and len(self._ears) < self._most:
				self._ears[name] = ear = self._make_ear(device)
				ear.start()
		crowded_out = frozenset(wanted.keys() - self._ears.keys())
		if crowded_out - self._crowded_out:
			logger.warning(
				"%d terminals are only read: %d are listened to", len(crowded_out), len(self._ears)
			)
		self._crowded_out = crowded_out

	def _make_ear(self, device: Device) -> _Ear:
		return _Ear(
			device,
			self._reader,
			self._poller,
			now=self._now,
			pulse=self._pulse,
			on_punches=self._on_punches,
			chance=self._chance,
		)


def is_live(device: Device) -> bool:
	"""Whether a terminal is to be listened to, and its driver can."""
	if not device.settings.live:
		return False
	return Capability.LIVE in drivers.load(device.settings.driver).spec.capabilities


class _Ear:
	"""Listens to one terminal, again and again."""

	def __init__(
		self,
		device: Device,
		reader: TerminalReader,
		poller: Poller,
		*,
		now: Now,
		pulse: Pulse,
		on_punches: Callable[[], None],
		chance: Callable[[], float],
	) -> None:
		self.device = device
		self.live = Live(since=now())
		self.fatal: StoreError | None = None
		self._name = device.settings.name
		self._reader = reader
		self._poller = poller
		self._now = now
		self._pulse = pulse
		self._on_punches = on_punches
		self._chance = chance
		self._stop = threading.Event()
		self._thread = threading.Thread(target=self._run, name=f"listen {self._name}", daemon=True)
		self._failures = 0
		self._hurried_at: datetime | None = None
		self._owes_reading = False

	def start(self) -> None:
		self._thread.start()

	def stop(self) -> None:
		self._stop.set()

	def join(self) -> None:
		self._thread.join()

	def has_ended(self) -> bool:
		return not self._thread.is_alive()

	def pay_owed(self) -> None:
		"""Ask for a reading that came too soon after the one before."""
		if self._owes_reading and self._may_hurry():
			self._hurry()

	def _run(self) -> None:
		while not self._stop.is_set():
			try:
				pause = self._try()
			except StoreError as error:
				self.fatal = error
				return
			except Exception as error:  # a fault of ours must not leave one terminal unheard for good
				logger.error("%s: %s", self._name, redact(repr(error)), exc_info=error)
				self._stand(Standing.PAUSED, code=Code.DEVICE_ERROR.value)
				pause = BACKOFF.cap
			self._stop.wait(pause.total_seconds())

	def _try(self) -> timedelta:
		"""Listen if the terminal lets us in; returns how long to wait before the next try."""
		if self._poller.is_let_in(self._name):
			return self._listen()
		self._stand(Standing.WAITING, code=self.live.code)
		return timedelta(seconds=LOOK_EVERY_SECONDS)

	def _listen(self) -> timedelta:
		"""Listen for as long as it goes well; returns how long to wait before the next try."""
		self._stand(Standing.CONNECTING, code=self.live.code)
		begun_at: datetime | None = None
		try:
			for page, accepted in self._reader.listen(self.device, self._stop.is_set):
				if begun_at is None:
					begun_at = self._now()
					self._begin()
				self._hear(page, accepted)
			if self._stop.is_set():
				return timedelta(0)
			failure = DeviceError(Code.CONNECTION_LOST, retryable=True)
		except DeviceError as error:
			failure = error
		except StoreError:
			raise
		except Exception as error:  # a fault of ours with one terminal must not stop the others
			logger.error("%s: %s", self._name, redact(repr(error)), exc_info=error)
			failure = DeviceError(Code.DEVICE_ERROR, retryable=True)
		return self._pause_after(failure, begun_at)

	def _begin(self) -> None:
		"""What happened before this moment was not told; from now on, all is."""
		logger.info("%s: listening", self._name)
		self._stand(Standing.LISTENING)
		self._hurry()

	def _hear(self, page: Page, accepted: Accepted) -> None:
		now, live = self._now(), self.live
		told = len(page.punches)
		self.live = replace(
			live,
			heard_at=now,
			event_at=now if told and page.live else live.event_at,
			events=live.events + (told if page.live else 0),
			replayed=live.replayed + (0 if page.live else told),
			gaps=live.gaps + page.gap,
		)
		if accepted.new or accepted.unreadable:
			self._on_punches()
			self._pulse.beat()
		if page.gap:
			self._owes_reading = True
			self.pay_owed()

	def _pause_after(self, error: DeviceError, begun_at: datetime | None) -> timedelta:
		now = self._now()
		if begun_at is not None:
			self.live = replace(self.live, gaps=self.live.gaps + 1)
			if now - begun_at >= STEADY:
				self._failures = 0
		self._failures += 1
		logger.warning("%s [%s]", sentence(error, self._name), error.code.value)
		if error.code in PASSWORD_TROUBLES:
			self._poller.refused(self.device, error)
		if error.code is Code.NOT_SUPPORTED:
			self._stand(Standing.NOT_SUPPORTED, code=error.code.value)
			return AFTER_NOT_SUPPORTED
		self._stand(Standing.PAUSED, code=error.code.value)
		return BACKOFF.delay(self._failures, self._chance())

	def _may_hurry(self) -> bool:
		since = None if self._hurried_at is None else self._now() - self._hurried_at
		# Negative only after our own clock was set back.
		return since is None or not timedelta(0) <= since < GAP_PAUSE

	def _hurry(self) -> None:
		self._hurried_at, self._owes_reading = self._now(), False
		self._poller.hurry(self._name)

	def _stand(self, standing: Standing, *, code: str = "") -> None:
		if standing is not self.live.standing:
			self.live = replace(self.live, standing=standing, since=self._now(), code=code)
			self._pulse.beat()


def _iso(moment: datetime | None) -> str | None:
	return moment.isoformat() if moment else None
