"""Reads every terminal when it is due, several at a time, and leaves alone those that must be left alone."""

from __future__ import annotations

import heapq
import logging
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from attendance_bridge.core.driver import Now, Page
from attendance_bridge.core.errors import Code, DeviceError, StoreError
from attendance_bridge.core.lockout import PASSWORD_TROUBLES, left_alone_until
from attendance_bridge.core.pull import PullReport
from attendance_bridge.core.redact import redact
from attendance_bridge.core.retry import Breaker
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.reader import TerminalReader
from attendance_bridge.edge.settings import Device
from attendance_bridge.stores.devices import DeviceBook, DeviceRecord

logger = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=15)
"""How long decisions wait for a terminal that is catching up."""
LOOK_EVERY_SECONDS = 1.0
"""How often to look whether to stop, and whether the clock was set."""


@dataclass(frozen=True, slots=True)
class Progress:
	"""How far the pull of a terminal is, in records of its log."""

	done: int
	expected: int | None
	pages: int = 0

	@property
	def is_backlog(self) -> bool:
		"""More than one page: not what happened since the last poll."""
		return self.pages > 1 or (self.expected or 0) > self.done


class Poller:
	"""One thread that knows what is due, and a few that read. A terminal is read by one of them at a time."""

	name = "poller"

	def __init__(
		self,
		devices: Sequence[Device],
		reader: TerminalReader,
		book: DeviceBook,
		*,
		workers: int,
		now: Now,
		pulse: Pulse,
		on_punches: Callable[[], None] = lambda: None,
		on_news: Callable[[], None] = lambda: None,
		after_pull: Callable[[Device], None] = lambda device: None,
		chance: Callable[[], float] = random.random,
	) -> None:
		"""
		:param workers: how many terminals are read at the same time.
		:param on_punches: called after each pull; there may be punches to carry on.
		:param on_news: called after each pull that somebody may be waiting for: one that brought something,
			that failed, that ended a failure, or that was asked for.
		:param after_pull: called after each pull that read to the end, while the terminal is nobody else's.
		"""
		self._devices = {device.settings.name: device for device in devices}
		self._reader = reader
		self._book = book
		self._workers = max(1, workers)
		self._now = now
		self._pulse = pulse
		self._on_punches = on_punches
		self._on_news = on_news
		self._after_pull = after_pull
		self._chance = chance
		self._lock = threading.Lock()
		self._wake = threading.Event()
		self._breakers: dict[str, Breaker] = {}
		self._progress: dict[str, Progress] = {}
		self._reading: set[str] = set()
		self._let_in: set[str] = set()
		"""Terminals that have taken our password, as it is configured now, and not refused it since."""
		self._asked_for: set[str] = set()
		"""To be read at once; if it is being read, once more after that."""
		self._fatal: StoreError | None = None
		self._queue: list[tuple[datetime, str]] = []
		self._looked_at = now()
		# Before anything is known, everybody may owe a backlog.
		self._in_first_pull = set(self._devices)
		self._behind_since: datetime | None = None

	def catching_up(self) -> bool:
		"""Whether a terminal still hands over a backlog: its first pull of this run, or one of many pages.

		Not for longer than PATIENCE at a stretch: one terminal must not hold up everybody's check-ins.
		"""
		with self._lock:
			behind = bool(self._in_first_pull) or any(pull.is_backlog for pull in self._progress.values())
			if not behind:
				self._behind_since = None
				return False
			now = self._now()
			self._behind_since = self._behind_since or now
			return now - self._behind_since < PATIENCE

	@property
	def progress(self) -> dict[str, Progress]:
		"""The pulls under way, by name of the device."""
		with self._lock:
			return dict(self._progress)

	def replace(self, devices: Sequence[Device]) -> None:
		"""Read these terminals from now on, new and changed ones at once.

		One that is not among them is not read any more; a pull under way is finished. Where the options of
		the driver have changed, a refused password among them, what is known of failures counts no more.
		"""
		records = {record.name: record for record in self._book.all()}
		wanted = {device.settings.name: device for device in devices}
		now = self._now()
		with self._lock:
			known, self._devices = self._devices, wanted
			changed = [name for name, device in wanted.items() if known.get(name) != device]
			self._queue = [entry for entry in self._queue if entry[1] in wanted and entry[1] not in changed]
			heapq.heapify(self._queue)
			self._in_first_pull &= wanted.keys()
			for name in changed:
				if name not in known:
					self._breakers[name] = _breaker(records.get(name))
				elif known[name].config != wanted[name].config:
					self._breakers[name] = Breaker()
					self._let_in.discard(name)
				open_until = self._breakers[name].open_until
				if name not in known and open_until is None:
					self._in_first_pull.add(name)
				if name in self._reading:
					self._asked_for.add(name)
				else:
					heapq.heappush(self._queue, (max(now, open_until or now), name))
		self._wake.set()

	def hurry(self, name: str) -> None:
		"""Read a terminal at once, because somebody waits for it.

		Not one that refused the password, which would only be locked for longer: its error is told again.

		:raises StoreError: the book cannot be used.
		"""
		record = self._book.find(name)
		now = self._now()
		with self._lock:
			if name not in self._devices:
				return
			breaker = self._breakers.get(name, Breaker())
			trouble = Code(record.last_error_code) if record and record.last_error_code else None
			is_refused = trouble in PASSWORD_TROUBLES and not breaker.allows(now)
			if not is_refused:
				self._asked_for.add(name)
				if name not in self._reading:
					self._queue = [entry for entry in self._queue if entry[1] != name]
					heapq.heapify(self._queue)
					heapq.heappush(self._queue, (now, name))
		if is_refused and trouble is not None:
			self._book.failed(name, DeviceError(trouble), at=now, breaker=breaker)
			self._on_news()
		self._wake.set()

	def is_let_in(self, name: str) -> bool:
		"""Whether a terminal has been read in this run, and has not refused the password since.

		Nobody else tries a password: two that do so at once are two wrong tries.
		"""
		return name in self._let_in

	def refused(self, device: Device, error: DeviceError) -> None:
		"""Somebody else was refused by a terminal: it is left alone as if it had been a pull.

		:param device: as it was configured when it refused.
		:raises StoreError: the book cannot be used.
		"""
		name = device.settings.name
		if not self._failed(device, error):
			return
		with self._lock:
			open_until = self._breakers[name].open_until
			if open_until is not None:
				self._queue = [
					(max(at, open_until) if each == name else at, each) for at, each in self._queue
				]
				heapq.heapify(self._queue)
		self._on_news()

	def run(self, stop: threading.Event) -> None:
		"""Poll until `stop`; a page that is being read is finished first.

		:raises StoreError: the store cannot be used any more.
		"""
		self._fatal = None
		self._enter_all()
		with ThreadPoolExecutor(self._workers, thread_name_prefix="poll") as pool:
			try:
				while not stop.is_set() and self._fatal is None:
					self._wake.clear()
					for name in self._take_due():
						pool.submit(self._work, name, stop)
					self._sleep(stop)
			finally:
				# A terminal that nobody has begun to read must not keep the end waiting.
				pool.shutdown(wait=False, cancel_futures=True)
		if self._fatal is not None:
			raise self._fatal

	def _enter_all(self) -> None:
		"""Put every terminal on the queue; one that is known to be locked, for the end of its lock-out."""
		records = {record.name: record for record in self._book.all()}
		now = self._looked_at = self._now()
		with self._lock:
			for name in self._devices:
				# What this process knows already outlives a new start of this duty: a refused password is
				# not tried again because the disk was full.
				self._breakers.setdefault(name, _breaker(records.get(name)))
			self._reading.clear()
			self._queue = [(max(now, self._breakers[name].open_until or now), name) for name in self._devices]
			self._in_first_pull = {name for due_at, name in self._queue if due_at <= now}
			heapq.heapify(self._queue)

	def _take_due(self) -> list[str]:
		now, due = self._now(), []
		with self._lock:
			set_back = self._looked_at - now
			if set_back > timedelta(0):
				# Our own clock was set back: what is due moves with it, or nothing would be for that long.
				self._queue = [(due_at - set_back, name) for due_at, name in self._queue]
			self._looked_at = now
			while self._queue and self._queue[0][0] <= now:
				name = heapq.heappop(self._queue)[1]
				self._reading.add(name)
				due.append(name)
		return due

	def _sleep(self, stop: threading.Event) -> None:
		with self._lock:
			next_at = self._queue[0][0] if self._queue else None
		seconds = LOOK_EVERY_SECONDS
		if next_at is not None:
			seconds = min(seconds, (next_at - self._now()).total_seconds())
		if not stop.is_set():
			self._wake.wait(max(0.0, seconds))

	def _work(self, name: str, stop: threading.Event) -> None:
		"""Poll one terminal in a thread of the pool and put it back on the queue."""
		report = None
		with self._lock:
			is_asked_for = name in self._asked_for
			self._asked_for.discard(name)
			was_failing = self._breakers.get(name, Breaker()).failures > 0
		try:
			report = self.poll(name, lambda: stop.is_set() or self._fatal is not None)
		except StoreError as error:
			self._end_with(error)
		except Exception as error:  # nobody looks at what a thread of the pool was ended by
			logger.error("%s: %s", name, redact(repr(error)), exc_info=error)
		finally:
			with self._lock:
				self._reading.discard(name)
				self._progress.pop(name, None)
				# One that broke off in the middle still owes the rest.
				if report is None or report.complete or not report.pages:
					self._in_first_pull.discard(name)
				if name in self._devices:
					heapq.heappush(self._queue, (self._next_at(name), name))
			self._wake.set()
			self._on_punches()
			if is_asked_for or was_failing or _is_news(report):
				self._on_news()
			self._pulse.beat()

	def poll(self, name: str, stop: Callable[[], bool] = lambda: False) -> PullReport | None:
		"""Read one terminal now; None if no pull came about.

		:raises StoreError: the punches could not be held.
		"""

		def on_page(page: Page, report: PullReport) -> None:
			with self._lock:
				self._progress[name] = Progress(report.read, page.expected, report.pages)
			self._pulse.beat()

		device = self._devices.get(name)
		if device is None:  # taken away since it became due
			return None
		try:
			report = self._reader.read(device, on_page=on_page, stop=stop)
		except DeviceError as error:
			self._failed(device, error)
			return None
		except StoreError:
			raise
		except Exception as error:  # a fault of ours with one terminal must not stop the others
			logger.error("%s: %s", name, redact(repr(error)), exc_info=error)
			self._failed(device, DeviceError(Code.DEVICE_ERROR, retryable=True))
			return None
		if report.error is not None:
			self._failed(device, report.error)
		else:
			with self._lock:
				if self._goes_by(device):
					self._breakers[name] = self._breakers.get(name, Breaker()).succeeded()
					self._let_in.add(name)
		_log(name, report)
		if report.complete:
			self._after_pull(device)
		return report

	def _end_with(self, error: StoreError) -> None:
		with self._lock:
			# Of several, the one that no new start would mend.
			if self._fatal is None or self._fatal.retryable:
				self._fatal = error

	def _failed(self, device: Device, error: DeviceError) -> bool:
		"""Note a failure; False, and nothing, if the terminal is another one by now, or is reached otherwise:
		a password that was corrected meanwhile is not to wait for the lock-out of the former one."""
		name, now = device.settings.name, self._now()
		logger.warning("%s [%s]", sentence(error, name), error.code.value)
		with self._lock:
			if not self._goes_by(device):
				return False
			if error.code in PASSWORD_TROUBLES:
				self._let_in.discard(name)
			breaker = self._breakers.get(name, Breaker())
			until = left_alone_until(error, now, breaker.failures + 1, self._chance())
			self._breakers[name] = breaker = breaker.failed(now, self._chance(), until)
		self._book.failed(name, error, at=now, breaker=breaker)
		return True

	def _goes_by(self, device: Device) -> bool:
		"""Whether the terminal is still read, and still so."""
		known = self._devices.get(device.settings.name)
		return known is not None and known.config == device.config

	def _next_at(self, name: str) -> datetime:
		now = self._now()
		if name in self._asked_for:
			return max(now, self._breakers[name].open_until or now)
		# A little early or late each time, so that many terminals do not come to be read in step.
		interval = timedelta(seconds=self._devices[name].settings.poll_seconds)
		next_at = now + interval * (0.95 + self._chance() / 10)
		return max(next_at, self._breakers[name].open_until or next_at)


def _breaker(record: DeviceRecord | None) -> Breaker:
	"""The breaker that a terminal begins with: a lock-out outlives the agent, other failures do not."""
	if record is None or record.last_error_code != Code.LOCKED_OUT.value:
		return Breaker()
	return Breaker(failures=record.failures, open_until=record.open_until)


def _is_news(report: PullReport | None) -> bool:
	return report is None or report.error is not None or report.new > 0 or report.unreadable > 0


def _log(name: str, report: PullReport) -> None:
	level = logging.INFO if report.new or report.unreadable else logging.DEBUG
	logger.log(
		level,
		"%s: %d new, %d known, %d unreadable of %d records",
		name,
		report.new,
		report.known,
		report.unreadable,
		report.read,
	)
