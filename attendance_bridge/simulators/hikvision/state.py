"""What a Hikvision access terminal holds, and what is wrong with it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from attendance_bridge.core.redact import Secret
from attendance_bridge.simulators.hikvision import answers, events, history, hosts
from attendance_bridge.simulators.hikvision.clock import Now, TerminalClock
from attendance_bridge.simulators.hikvision.digest import DigestGuard, Verdict
from attendance_bridge.simulators.hikvision.events import Event, EventLog
from attendance_bridge.simulators.hikvision.hosts import HttpHost
from attendance_bridge.simulators.hikvision.lockout import LockOut
from attendance_bridge.simulators.hikvision.rows import DAMAGES
from attendance_bridge.simulators.workforce import Workforce

MODEL = "DS-K1T671MF"
FIRMWARE = "V3.2.30"
FIRMWARE_RELEASED = "build 220210"
DEFAULT_ZONE = ZoneInfo("Asia/Dubai")
USER = "admin"
PASSWORD = "Simulated-1"
MAX_PAGE = 30
MAX_SEARCHES = 1000
_WRONG_CLOCK = timedelta(hours=1)

FAULTS: dict[str, str] = {
	"bare-parts": "The parts of alertStream have no headers of their own.",
	"bare-posts": "Listeners are posted bare JSON or XML instead of a multipart form.",
	"bad-date-row": "The log gets damaged entries that stay: an impossible time or none, impossible ids.",
	"few-rows": "A page has 7 rows at most, however many are asked for; MORE says that there are more.",
	"gap-page": "Once a search, past its middle, an empty page says MORE; asked again, the rows are there.",
	"garbage": "Answers are no ISAPI: a page of HTML, noise, half a JSON text.",
	"half-closed": "Every fifth answer breaks off in its middle and the connection closes.",
	"hosts-drop-url": "httpHosts accepts a url and forgets it.",
	"hosts-forget": "After a restart nothing is posted to any listener until it is set up anew.",
	"hosts-never-deliver": "httpHosts accepts everything, tests it well, and nothing is ever posted.",
	"hosts-no-boundary": "Multipart posts do not name their boundary in the header.",
	"hosts-no-hostname": "httpHosts refuses host names: addresses only.",
	"hosts-no-test": "This firmware does not know the test of httpHosts.",
	"hosts-replay": "A listener that is set up is posted the whole log first.",
	"lock-out": "The account is locked and stays so while this fault is on.",
	"missed-alerts": "Every third live event is not told on alertStream.",
	"more-empty": "The last page says MORE, and whatever is asked for after it is empty and says MORE.",
	"no-serial-window": "This firmware does not know beginSerialNo and endSerialNo.",
	"no-total": "This firmware does not know AcsEventTotalNum.",
	"old-namespace": "XML is in the namespace of older firmware.",
	"one-row-object": "A page with one row carries that row instead of a list.",
	"one-time-nonce": "A nonce is good for one request; its second use is refused like a wrong password.",
	"reboot": "At the next search it restarts and refuses connections for a while. Happens once.",
	"replay-all": "alertStream tells the whole log again at first, not only its end.",
	"replayed-history": "Pages overlap: the last rows of one come again in the next.",
	"slow": "Every answer takes longer than anybody waits.",
	"stream-drops": "alertStream ends after every fifth live event.",
	"stream-half-part": "alertStream breaks off in the middle of every fifth live event.",
	"stream-no-boundary": "alertStream does not name its boundary in the header.",
	"stream-odd-pieces": "alertStream arrives in pieces of a few bytes that end anywhere.",
	"stream-silent": "alertStream stays open and says nothing, not even heartbeats.",
	"wrong-clock": "The clock is an hour fast, until it is set.",
	"xml-alerts": "alertStream speaks XML, as older firmware does.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalUser:
	"""A person who is enrolled on the terminal."""

	employee_no: str
	name: str = ""
	card_no: str = ""


@dataclass(slots=True)
class Counters:
	"""What clients did, for tests."""

	requests: Counter[str] = field(default_factory=Counter)
	"""By path without query; the unauthenticated first half of a Digest exchange counts too."""
	answered: Counter[str] = field(default_factory=Counter)
	"""By path: requests that came with the right password."""
	credentialed_401: int = 0
	"""Refused attempts at the password, locked out or wrong."""
	wrong_passwords: int = 0
	"""Those among them that brought the lock-out nearer."""
	stale_nonces: int = 0
	delivered: int = 0
	"""Posts that a listener took."""
	undelivered: int = 0
	"""Posts that none took; they are not tried again."""
	streams: int = 0
	"""How many clients opened alertStream."""


@dataclass(slots=True)
class Arming:
	"""From where on a listener is posted events."""

	position: int
	"""So many entries of the log it need not be told any more."""
	replayed_up_to: int
	"""Events up to this serial number are told again, not live."""


class HikvisionState:
	"""
	:param serial: the serial number that deviceInfo tells.
	:param zone: of the wall that the terminal hangs on.
	:param faults: active from the start; names of FAULTS.
	:param now: the true time, aware; the computer's by default.
	"""

	def __init__(
		self,
		*,
		serial: str = f"{MODEL}20260115V030230ENJ10000001",
		name: str = "Access Terminal",
		user: str = USER,
		password: str = PASSWORD,
		zone: ZoneInfo = DEFAULT_ZONE,
		faults: Iterable[str] = (),
		now: Now = lambda: datetime.now(timezone.utc),
	) -> None:
		self.lock = threading.RLock()
		"""Held by whoever reads or changes any of what follows."""
		self.serial = serial
		self.name = name
		self.clock = TerminalClock(zone, now)
		self.log = EventLog()
		self.people: dict[str, TerminalUser] = {}
		self.faults: set[str] = set(faults)
		self.counters = Counters()
		self.guard = DigestGuard(MODEL, user, Secret(password), time.monotonic)
		self.lockout = LockOut(time.monotonic)
		self.log_capacity = 100_000
		"""Entries, those of the door among them; when there are more, the oldest are overwritten."""
		self.overwritten: list[Event] = []
		self.page_limit = MAX_PAGE
		"""Rows of a page at most; some firmware gives fewer than the 30 that it announces."""
		self.reboot_seconds = 2.0
		self.slow_seconds = 60.0
		self.half_close_every = 5
		self.news = threading.Condition(self.lock)
		"""Notified when the log has grown."""
		self.heartbeat_seconds = 10.0
		"""Between two things that alertStream says."""
		self.replay_events = 50
		"""So many events alertStream tells again at first."""
		self.max_streams = 4
		self.open_streams = 0
		self.sends_pictures = True
		self.tells_current = False
		"""Whether live posts carry currentEvent; captures are of both kinds."""
		self.form_field = "event_log"
		"""Of a multipart post; some firmware says AccessControllerEvent."""
		self.hosts: dict[int, HttpHost] = {slot: hosts.empty(slot) for slot in hosts.SLOTS}
		self.armed: dict[int, Arming] = {}
		self._is_damaged = False
		self._searches_with_gap: set[str] = set()
		unknown = self.faults - FAULTS.keys()
		if unknown:
			raise ValueError(f"unknown faults: {', '.join(sorted(unknown))}")

	@classmethod
	def from_workforce(
		cls,
		workforce: Workforce,
		*,
		number: int,
		of: int,
		serial: str | None = None,
		user: str = USER,
		password: str = PASSWORD,
		zone: ZoneInfo = DEFAULT_ZONE,
		faults: Iterable[str] = (),
		now: Now = lambda: datetime.now(timezone.utc),
	) -> HikvisionState:
		"""Terminal `number` (from 1) of `of` terminals of a factory in `zone`, with its history.

		:raises ValueError: there is no such terminal, or a fault is unknown.
		"""
		state = cls(
			serial=serial or f"{MODEL}20260115V030230ENJ{10_000_000 + number}",
			name=f"Terminal {number}",
			user=user,
			password=password,
			zone=zone,
			faults=faults,
			now=now,
		)
		identifications = workforce.at_terminal(number, of)
		workers = (
			TerminalUser(employee_no=worker.device_user_id, name=worker.full_name, card_no=str(worker.card))
			for worker in workforce.workers
		)
		state.people = {person.employee_no: person for person in workers}
		for each in identifications:
			if each.device_user_id not in state.people:
				visitor = TerminalUser(
					employee_no=each.device_user_id, name="Visitor", card_no=f"5{len(state.people):07d}"
				)
				state.people[visitor.employee_no] = visitor
		cards = {person.employee_no: person.card_no for person in state.people.values()}
		history.write(state.log, identifications, cards, zone)
		return state

	def expected(self) -> tuple[tuple[str, datetime], ...]:
		"""The truth that a client has to arrive at: (device_user_id, wall time) of every punch, once each.

		In the order of recording; damaged entries are no punches.
		"""
		with self.lock:
			return tuple((event.employee_no, event.wall_time) for event in self.log.punches())

	def punches_held(self) -> int:
		"""How many punches `expected` lists."""
		return len(self.expected())

	def time(self) -> datetime:
		"""The time by the terminal's clock: aware, whole seconds."""
		moment = self.clock.read()
		return moment + _WRONG_CLOCK if "wrong-clock" in self.faults else moment

	def set_time(self, moment: datetime) -> None:
		"""Set the clock to `moment` (aware)."""
		self.clock.set(moment)
		self.faults.discard("wrong-clock")

	@property
	def namespace(self) -> str:
		return answers.OLD_NAMESPACE if "old-namespace" in self.faults else answers.NAMESPACE

	@property
	def locked_seconds(self) -> float:
		"""Until the account unlocks; 0 when it is not locked."""
		return self.lockout.unlock_seconds if "lock-out" in self.faults else self.lockout.seconds_left

	def admit(self, authorization: str | None, method: str, target: str, path: str) -> str | None:
		"""Decide whether a request may pass.

		:param authorization: its Authorization header.
		:param target: path and query as they stand in the request line.
		:returns: None if it may, else the challenge to answer with (HTTP 401).
		"""
		self.counters.requests[path] += 1
		one_time = "one-time-nonce" in self.faults
		verdict = self.guard.check(authorization, method, target, once=one_time)
		if verdict is Verdict.STALE and one_time:
			self.counters.stale_nonces += 1
			verdict = Verdict.WRONG
		if verdict is Verdict.ANONYMOUS:
			return self.guard.challenge()
		if self.locked_seconds:
			self.counters.credentialed_401 += 1
			return self.guard.challenge()
		if verdict is Verdict.WRONG:
			self.counters.credentialed_401 += 1
			self.counters.wrong_passwords += 1
			self.lockout.wrong_password()
			return self.guard.challenge()
		if verdict is Verdict.STALE:
			self.counters.stale_nonces += 1
			return self.guard.challenge(stale=True)
		self.counters.answered[path] += 1
		self.lockout.right_password()
		return None

	def power_on(self) -> None:
		"""Come up after a restart: the log says so, and no client is known any more."""
		with self.lock:
			moment = self.time()
			offset = moment.utcoffset() or timedelta()
			self.log.record(
				events.MAJOR_EXCEPTION,
				events.MINOR_POWER_ON,
				int(moment.timestamp()),
				int(offset.total_seconds()),
			)
			self.guard.forget_nonces()
			if "hosts-forget" in self.faults:
				self.armed.clear()
			self.news.notify_all()

	def write_hosts(self, new: Iterable[HttpHost]) -> None:
		"""Set up listeners; what is told from now on, and what again, the faults decide."""
		for host in new:
			self.hosts[host.id] = host
			self.armed.pop(host.id, None)
			if host.is_set:
				tells_all = "hosts-replay" in self.faults
				start = 0 if tells_all else self.log.recorded
				self.armed[host.id] = Arming(start, self.log.last_serial_no)
		self.news.notify_all()

	def grew(self) -> None:
		"""The log has a new entry: make room, and tell whoever waits for it."""
		surplus = len(self.log) - self.log_capacity
		if surplus > 0:
			self.overwritten += self.log.overwrite_oldest(surplus)
		self.news.notify_all()

	def suffer(self) -> None:
		"""Bring about those active faults that show in the log."""
		if "bad-date-row" in self.faults and not self._is_damaged:
			self._is_damaged = True
			self._record_damaged()

	def name_of(self, employee_no: str) -> str:
		person = self.people.get(employee_no)
		return person.name if person else ""

	def is_first_gap(self, search_id: str) -> bool:
		"""True once for each search; then it has had its gap."""
		if search_id in self._searches_with_gap:
			return False
		if len(self._searches_with_gap) >= MAX_SEARCHES:
			self._searches_with_gap.clear()
		self._searches_with_gap.add(search_id)
		return True

	def _record_damaged(self) -> None:
		moment = self.time()
		offset = moment.utcoffset() or timedelta()
		last = self.log.last_second
		second = int(moment.timestamp()) if last is None else last
		employee_no = next(iter(self.people), "1")
		for damage in DAMAGES:
			self.log.record(
				events.MAJOR_EVENT,
				events.MINOR_FACE,
				second,
				int(offset.total_seconds()),
				employee_no=employee_no,
				damage=damage,
			)
