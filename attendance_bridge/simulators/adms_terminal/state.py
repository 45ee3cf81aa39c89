"""What a pushing terminal holds: users, its log, a clock, what it still has to send, and what is wrong with
it.

A real terminal deletes nothing after sending, but it never sends a punch again that a server has
acknowledged: such a punch is lost to a server that did not keep it. `acknowledged` says which these are.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import NamedTuple

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.adms_terminal import rows
from attendance_bridge.simulators.adms_terminal.clock import AdmsClock, Now
from attendance_bridge.simulators.adms_terminal.rows import Entry, Template, User
from attendance_bridge.simulators.workforce import Workforce
from attendance_bridge.simulators.zkteco.wire import encode_time

FAULTS: dict[str, str] = {
	"answer-lost": "Every third upload is sent whole, and the connection breaks before the answer is read.",
	"bad-rows": "At its start the log gets rows whose date is impossible or missing; they stay.",
	"clock-jump": "At every handshake the clock jumps two hours ahead of what the server said.",
	"gb-names": "Names are sent in GB2312, as by terminals set to Chinese.",
	"half-body": "Every other upload breaks off in the middle of its body.",
	"keep-alive": "Holds the connection open between requests, whatever its dialect.",
	"no-content-type": "Requests name no Content-Type.",
	"odd-tables": "Sends tables that hardly anybody knows: ERRORLOG, rtstate.",
	"polls-only": "It asks for commands as ever, but every upload breaks off in the middle: a bad line.",
	"replay": "After every handshake the whole log is sent again, whatever the stamps say.",
	"slow-body": "Bodies leave a few bytes at a time.",
	"wrong-clock": "The clock is an hour fast and does not listen to the server.",
	"wrong-token": "The path begins with a token that nobody was given.",
}
WRONG_TOKEN = "/0000-nobody-0000"
CLOCK_JUMP = timedelta(hours=2)
MAX_USERS = 10_000


class Dialect(Enum):
	ATTENDANCE = "attendance"
	"""Attendance PUSH 2.x."""
	SECURITY = "security"
	"""Security PUSH 3.x, `DeviceType=acc`."""


class Report(NamedTuple):
	"""A line to send that is not of the log."""

	table: str
	line: str


def _utc_now() -> datetime:
	return datetime.now(timezone.utc)


class AdmsState:
	"""The memory of one terminal. Every method may be called from any thread."""

	def __init__(
		self,
		*,
		serial: str = "SIMADMS00001",
		dialect: Dialect = Dialect.ATTENDANCE,
		prefix: str = "",
		utc_offset: timedelta = timedelta(hours=4),
		log_capacity: int = 200_000,
		faults: Iterable[str] = (),
		now: Now = _utc_now,
	) -> None:
		"""
		:param prefix: stands before `/iclock` in every path, as some terminals let one set it; for example
			/token.
		:param utc_offset: what the clock is set to until a server tells a `TimeZone`.
		:param log_capacity: rows of the log; the oldest are overwritten when it is full.
		:param now: the true time, aware.
		:raises ValueError: no such fault.
		"""
		self.faults: set[str] = set(faults)
		unknown = self.faults - FAULTS.keys()
		if unknown:
			raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
		self.lock = threading.RLock()
		self.serial = serial
		self.dialect = dialect
		self.prefix = prefix
		self.clock = AdmsClock(utc_offset, now)
		self.log_capacity = log_capacity
		self.attlog_columns = 10
		self.rows_per_post = 50
		self.stamps_are_times = False
		"""Older firmware: a stamp is the time of the newest row, packed, and the server's says where to go
		on. Newer firmware always says 9999 and listens to nothing but 0, which means: all of it again."""
		self.backlog_as_transactions = False
		"""Security dialect: what could not be sent at once comes as the table `transaction`, not as rtlog."""
		self.push_version = "2.4.1" if dialect is Dialect.ATTENDANCE else "3.1.2"
		self.firmware = "ZAM180-NF-Ver1.1.17"
		self.reboot_seconds = 30.0
		"""As the terminal counts seconds; a fleet's pace shortens them."""
		self.is_unplugged = False
		"""No network: people punch all the same."""
		self.counters: Counter[str] = Counter()
		"""`hello`, `upload`, `poll`, `command`, `refused` (an answer that takes nothing), `broken` (no
		answer), `again` (an upload repeated), `reboot`, `shell` (such commands are never carried out)."""
		self.answers: Counter[int] = Counter()
		"""By HTTP status."""
		self.watchers: list[Callable[[], None]] = []
		"""Called, outside the lock, when there is something new to do."""
		self.overwritten: list[Entry] = []
		"""Punches whose rows were overwritten before any server acknowledged them."""
		self.reports: deque[Report] = deque()
		self.templates: list[Template] = []
		self.wants_reboot = False
		self._users: dict[str, User] = {}
		self._entries: list[Entry] = []
		self._next_index = 1
		self._sent_up_to = 0
		self._acknowledged: set[int] = set()
		self._forgotten: list[Entry] = []
		self._is_damaged = False

	@classmethod
	def from_workforce(
		cls,
		workforce: Workforce,
		*,
		number: int = 1,
		of: int = 1,
		serial: str | None = None,
		dialect: Dialect = Dialect.ATTENDANCE,
		prefix: str = "",
		utc_offset: timedelta = timedelta(hours=4),
		faults: Iterable[str] = (),
	) -> AdmsState:
		"""Terminal `number` of `of`, with all workers and its visitors enrolled, and with its log, all of it
		unsent."""
		state = cls(
			serial=serial or f"SIMADMS{number:05d}",
			dialect=dialect,
			prefix=prefix,
			utc_offset=utc_offset,
			faults=faults,
		)
		for worker in workforce.workers:
			state.put_user(User(worker.device_user_id, worker.full_name, card=str(worker.card)))
		for one in workforce.at_terminal(number, of):
			if state.find_user(one.device_user_id) is None:
				state.put_user(User(one.device_user_id))
			state.record(one.device_user_id, one.wall_time, one.verify_mode, one.device_key)
		return state

	# the truth

	def punches_held(self) -> int:
		"""How many punches `expected` lists."""
		return len(self.expected())

	def expected(self) -> set[tuple[str, datetime]]:
		"""(device_user_id, wall time) of every true punch that the terminal ever recorded."""
		with self.lock:
			return {(entry.user_id, entry.wall_time) for entry in self._ever() if entry.is_punch}

	def acknowledged(self) -> set[tuple[str, datetime]]:
		"""Those among `expected` that some server has acknowledged: they are never sent again by
		themselves."""
		with self.lock:
			return {
				(entry.user_id, entry.wall_time)
				for entry in self._ever()
				if entry.is_punch and entry.number in self._acknowledged
			}

	def entries(self) -> tuple[Entry, ...]:
		"""The log as it is, whatever became of its rows."""
		with self.lock:
			return tuple(self._entries)

	def _ever(self) -> Iterable[Entry]:
		yield from self._forgotten
		yield from self._entries

	# what happens to it

	def users(self) -> tuple[User, ...]:
		with self.lock:
			return tuple(self._users.values())

	def find_user(self, user_id: str) -> User | None:
		with self.lock:
			return self._users.get(user_id)

	def put_user(self, user: User) -> None:
		"""Enrol or change somebody.

		:raises ValueError: the terminal is full or the id does not fit.
		"""
		with self.lock:
			fits = 0 < len(user.user_id.encode()) <= 24 and user.user_id.isascii()
			if not fits or (user.user_id not in self._users and len(self._users) >= MAX_USERS):
				raise ValueError("the id does not fit or the terminal is full")
			self._users[user.user_id] = user

	def remove_user(self, user_id: str) -> bool:
		"""False if nobody has this id; their rows stay in the log."""
		with self.lock:
			self.templates = [one for one in self.templates if one.user_id != user_id]
			return self._users.pop(user_id, None) is not None

	def uid_of(self, user_id: str) -> int:
		"""The terminal's own number of a user, counted from 1."""
		with self.lock:
			return list(self._users).index(user_id) + 1

	def record(
		self,
		user_id: str,
		wall_time: datetime | None,
		verify_mode: VerifyMode = VerifyMode.FACE,
		device_key: DeviceKey = DeviceKey.CHECK_IN,
		event: int | None = None,
		damage: str = "",
	) -> Entry:
		"""Append one row to the log, and wake whoever sends it.

		:param wall_time: naive; now by the terminal's clock if None.
		:param event: of the Security dialect; a granted entry if None.
		"""
		if event is None:
			is_face = verify_mode is VerifyMode.FACE
			event = rows.EVENT_GRANTED_FACE if is_face else rows.EVENT_GRANTED
		with self.lock:
			shown = (wall_time or self.wall_now()).replace(microsecond=0)
			entry = Entry(
				self._next_index,
				user_id,
				shown,
				self.clock.true_now(),
				verify_mode,
				device_key,
				event,
				damage,
			)
			self._next_index += 1
			self._entries.append(entry)
			while len(self._entries) > self.log_capacity:
				self._overwrite(self._entries.pop(0))
		self.wake()
		return entry

	def _overwrite(self, oldest: Entry) -> None:
		self._forgotten.append(oldest)
		if oldest.is_punch and oldest.number not in self._acknowledged:
			self.overwritten.append(oldest)

	def clear_log(self) -> None:
		with self.lock:
			self._forgotten += self._entries
			self._entries.clear()

	def report(self, table: str, line: str) -> None:
		"""Something beside the log that the server is to hear of."""
		with self.lock:
			self.reports.append(Report(table, line))
		self.wake()

	def wake(self) -> None:
		for watcher in tuple(self.watchers):
			watcher()

	def count(self, name: str) -> None:
		with self.lock:
			self.counters[name] += 1

	# its clock

	def wall_now(self) -> datetime:
		"""What the display shows: naive, whole seconds."""
		fast = timedelta(hours=1 if "wrong-clock" in self.faults else 0)
		return self.clock.wall_now() + fast

	# what is still to be sent

	@property
	def has_news(self) -> bool:
		"""Whether anything waits to be sent."""
		with self.lock:
			last = self._entries[-1].number if self._entries else 0
			return last > self._sent_up_to or bool(self.reports)

	def unsent(self) -> list[Entry]:
		"""The next rows to send, oldest first, as many as go into one request."""
		with self.lock:
			if not self._entries:
				return []
			# Their indexes have no gaps.
			start = max(self._sent_up_to + 1 - self._entries[0].number, 0)
			return self._entries[start : start + self.rows_per_post]

	def sent(self, entries: Iterable[Entry]) -> None:
		"""A server has acknowledged these rows."""
		with self.lock:
			for entry in entries:
				self._sent_up_to = max(self._sent_up_to, entry.number)
				self._acknowledged.add(entry.number)

	def stamp(self, entries: Iterable[Entry]) -> str:
		"""What `Stamp` says beside these rows."""
		if not self.stamps_are_times:
			return "9999"
		return str(max((encode_time(entry.wall_time) for entry in entries if not entry.damage), default=0))

	def follow_stamp(self, text: str | None) -> None:
		"""Go back to where the server says it is; what it says may be None, 9999, a number or missing."""
		with self.lock:
			if "replay" in self.faults or text == "0":
				self._sent_up_to = 0
			elif self.stamps_are_times and text is not None and text.isascii() and text.isdecimal():
				later = [entry.number for entry in self._entries if encode_time(entry.wall_time) > int(text)]
				if later:
					self._sent_up_to = min(self._sent_up_to, later[0] - 1)

	def suffer(self) -> None:
		"""Bring about those active faults that show in the log."""
		with self.lock:
			if "bad-rows" not in self.faults or self._is_damaged:
				return
			self._is_damaged = True
			user_id = next(iter(self._users), "1")
			for damage in rows.DAMAGES:
				self.record(user_id, None, damage=damage)

	def options(self) -> dict[str, str]:
		"""What the terminal tells of itself, as INFO, `table=options` and the registration do."""
		with self.lock:
			return {
				"~SerialNumber": self.serial,
				"~DeviceName": "SIM-ADMS",
				"MAC": "02:00:5e:00:53:70",
				"IPAddress": "192.0.2.71",
				"~Platform": "ZAM180_TFT",
				"~OEMVendor": "Simulated Co., Ltd.",
				"FWVersion": self.firmware,
				"PushVersion": f"Ver {self.push_version}",
				"UserCount": str(len(self._users)),
				"~MaxUserCount": str(MAX_USERS // 100),
				"TransactionCount": str(len(self._entries)),
				"~MaxAttLogCount": str(max(self.log_capacity // 10_000, 1)),
				"FPVersion": "10",
				"FaceVersion": "58",
				"FingerFunOn": "1",
				"FaceFunOn": "1",
				"MultiBioDataSupport": "0:1:0:0:0:0:0:0:0:1",
				"MultiBioVersion": "0:10.0:0:0:0:0:0:0:0:58.8",
			}
