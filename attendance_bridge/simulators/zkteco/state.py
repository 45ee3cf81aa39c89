"""What a ZKTeco terminal holds: users, the log, a clock, and the faults that somebody switched on.

The true punches are kept apart from what a fault makes of them on the wire, so that a test can ask the
terminal for the truth (`expected`, `punches_held`).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.workforce import Workforce
from attendance_bridge.simulators.zkteco.records import (
	BAD_ROW_EVERY,
	BAD_USERS,
	LOG_LAYOUTS,
	USER_RECORD_SIZES,
	LogImage,
	LogRow,
	TerminalUser,
	pack_users,
)
from attendance_bridge.simulators.zkteco.roster import Roster

FAULTS: dict[str, str] = {
	"access-mode": "firmware in access mode: the log reads as empty although users can be read",
	"ack-or-end": "a connection that acknowledges no event for `ack_seconds` is closed",
	"bad-date-row": "rows dated 31 February stand among the good ones",
	"bad-user-row": "rows and users whose id is empty or no text stand among the good ones",
	"event-drops": "instead of every third event the connection is closed",
	"event-pieces": "events arrive over TCP in tiny segments",
	"garbage": "random bytes instead of packets",
	"growing": "somebody punches between the question for the size of the log and its reading",
	"half-closed": "the connection is closed in the middle of every big read",
	"half-user": "every name is cut in the middle of a two-byte character",
	"joined-events": "events are held back and arrive two at a time in one segment",
	"missed-events": "clients are not told of every third punch",
	"no-dst": "the clock knows no summer time",
	"no-rwb": "buffered reading (command 1503) is answered with an error",
	"one-connection": "while one TCP client is served, every other one waits",
	"other-events": "clients are told of verifications too, whatever they asked for",
	"punch-255": "every row of the log carries the key code 255",
	"reboot": "drops every connection and refuses new ones for `reboot_seconds`, then comes back",
	"second-refused": "while one TCP client is served, every other one is turned away",
	"short-read": "answers arrive over TCP in tiny segments",
	"slow": "requests are taken and never answered",
	"udp-only": "TCP connections are refused",
	"wrong-clock": "the clock is an hour fast until somebody sets it",
}

_ROW_FAULTS = frozenset({"bad-date-row", "bad-user-row"})
_IMAGE_FAULTS = _ROW_FAULTS | {"punch-255"}
_MAX_OPTIONS = 256


def _utc_now() -> datetime:
	return datetime.now(timezone.utc)


class ZktecoState:
	"""The memory of one terminal. Every method may be called from any thread."""

	def __init__(
		self,
		*,
		serial: str = "SIMZK00000001",
		device_name: str = "SIM-4370",
		firmware: str = "Ver 6.60 Nov 13 2019",
		zone: ZoneInfo | None = None,
		log_layout: int = 40,
		user_record_size: int = 72,
		comm_key: int = 0,
		faults: Iterable[str] = (),
		reboot_seconds: float = 2.0,
		now: Callable[[], datetime] = _utc_now,
	) -> None:
		"""
		:param zone: where the terminal hangs; Asia/Dubai if not given.
		:param log_layout: bytes a row of the log: 8, 16, 40 or 49.
		:param user_record_size: bytes a user record: 28 or 72.
		:param comm_key: 0 lets everybody in.
		:param now: the true time, aware.
		:raises ValueError: no such layout or fault.
		"""
		if log_layout not in LOG_LAYOUTS or user_record_size not in USER_RECORD_SIZES:
			raise ValueError("no terminal has these record sizes")
		self.faults: set[str] = set(faults)
		unknown = self.faults - FAULTS.keys()
		if unknown:
			raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
		self.lock = threading.RLock()
		self.zone = zone or ZoneInfo("Asia/Dubai")
		self.firmware = firmware
		self.log_layout = log_layout
		self.user_record_size = user_record_size
		self.comm_key = comm_key
		self.reboot_seconds = reboot_seconds
		self.ack_seconds = 2.0
		self.event_size = 12 if log_layout == 16 or user_record_size == 28 else 32
		"""Bytes of a punch as it is pushed; one of `records.EVENT_SIZES`."""
		self.enabled = True
		self.user_capacity = 10_000
		self.log_capacity = 200_000
		"""Rows; when there are more, the oldest are overwritten."""
		self.overwritten: list[LogRow] = []
		self.counters: Counter[str] = Counter()
		"""Commands by their name in lower case (`disable_device`, `log_clear` …), and what went wrong:
		`wrong_comm_key`, `bad_session`, `reply_id_out_of_order`, `malformed`, `turned_away`."""
		self.options: dict[str, str] = _factory_options(serial, device_name)
		self.watchers: list[Callable[[LogRow], None]] = []
		"""Called with every new punch, outside the lock."""
		self._now = now
		self._clock_offset = timedelta(0)
		self._roster = Roster(numeric_ids=self.numeric_ids)
		self._rows: list[LogRow] = []
		self._image: LogImage | None = None
		self._image_of: tuple[int, frozenset[str]] | None = None
		self._last_growth: datetime | None = None
		self._last_session_id = 0

	@classmethod
	def from_workforce(
		cls,
		workforce: Workforce,
		*,
		number: int = 1,
		of: int = 1,
		serial: str | None = None,
		zone: ZoneInfo | None = None,
		log_layout: int = 40,
		user_record_size: int = 72,
		comm_key: int = 0,
		faults: Iterable[str] = (),
	) -> ZktecoState:
		"""Terminal `number` of `of`, with all workers and its visitors enrolled, and with its log.

		On a model that knows numbers only, "007" cannot be enrolled beside "7": whoever comes second, and
		their punches, are left out.
		"""
		state = cls(
			serial=serial or f"SIMZK{number:08d}",
			zone=zone,
			log_layout=log_layout,
			user_record_size=user_record_size,
			comm_key=comm_key,
			faults=faults,
		)
		identifications = workforce.at_terminal(number, of)
		for worker in workforce.workers:
			if state.find_user(worker.device_user_id) is None:
				state.add_user(worker.device_user_id, name=worker.full_name, card=worker.card)
		for one in identifications:
			user = state.find_user(one.device_user_id) or state.add_user(one.device_user_id)
			if user.user_id == one.device_user_id:
				state.record(one.device_user_id, one.wall_time, one.verify_mode, one.device_key)
		return state

	@property
	def serial(self) -> str:
		return self.options["~SerialNumber"]

	@property
	def numeric_ids(self) -> bool:
		"""Whether this model knows user ids as numbers only."""
		return self.log_layout == 16 or self.user_record_size == 28

	# the truth

	def punches_held(self) -> int:
		"""True punches in the log."""
		with self.lock:
			return len(self._rows)

	def bad_rows(self) -> int:
		"""Rows in the log beside the true punches, put there by a fault."""
		with self.lock:
			return len(self.faults & _ROW_FAULTS) * (1 + len(self._rows) // BAD_ROW_EVERY)

	def expected(self) -> set[tuple[str, datetime]]:
		"""(device_user_id, wall time) of every true punch, the id as a perfect client would find it out.

		Where the log holds numbers, an id comes from the user list: its leading zeros are there if the list
		holds text (72-byte records), and lost if it holds numbers too or the user has been removed.
		"""
		with self.lock:
			return {(self._readable_id(row), row.wall_time) for row in self._rows}

	def _readable_id(self, row: LogRow) -> str:
		if self.log_layout in (40, 49):
			return row.user_id
		by_uid = self.log_layout == 8
		user = self._roster.find_uid(row.uid) if by_uid else self._roster.find(row.user_id)
		if user is None:
			return str(row.uid if by_uid else int(row.user_id))
		return user.user_id if self.user_record_size == 72 else str(int(user.user_id))

	def users(self) -> tuple[TerminalUser, ...]:
		with self.lock:
			return self._roster.all()

	# what happens to it

	def find_user(self, user_id: str) -> TerminalUser | None:
		"""Who is enrolled under this id; a model that knows numbers takes "7" for "007"."""
		with self.lock:
			return self._roster.find(user_id)

	def add_user(self, user_id: str, *, name: str = "", card: int = 0) -> TerminalUser:
		"""Enrol somebody.

		:raises ValueError: the id is taken or does not fit this model, or the terminal is full.
		"""
		with self.lock:
			return self._roster.add(user_id, name, card)

	def put_user(self, user: TerminalUser) -> None:
		"""Enrol somebody under the uid they bring, in place of whoever had it.

		:raises ValueError: the id belongs to another uid or does not fit this model, or a field is too large.
		"""
		with self.lock:
			self._roster.put(user)

	def remove_user(self, uid: int) -> bool:
		"""Forget a user; their punches stay in the log. False if there is none."""
		with self.lock:
			return self._roster.remove(uid)

	def record(
		self, user_id: str, wall_time: datetime, verify_mode: VerifyMode, device_key: DeviceKey
	) -> LogRow:
		"""Write a punch of an enrolled user into the log, disabled or not.

		:param wall_time: naive, of the years 2000 to 2099.
		:raises KeyError: nobody of this id is enrolled.
		:raises ValueError: the terminal cannot hold this time.
		"""
		row = self._append(user_id, wall_time, verify_mode, device_key)
		self._tell_watchers(row)
		return row

	def punch(self, user_id: str, verify_mode: VerifyMode, device_key: DeviceKey) -> LogRow | None:
		"""Somebody stands before the terminal now; None if it was disabled and turned them away.

		:raises KeyError: nobody of this id is enrolled.
		"""
		with self.lock:
			if not self.enabled:
				self.count("turned_away")
				return None
			row = self._append(user_id, self.wall_now(), verify_mode, device_key)
		self._tell_watchers(row)
		return row

	def grow(self) -> None:
		"""The `growing` fault: one punch, never two in the same second. A disabled terminal does not grow."""
		with self.lock:
			users = self.users()
			if not users or not self.enabled:
				return
			moment = self.wall_now()
			if self._last_growth is not None:
				moment = max(moment, self._last_growth + timedelta(seconds=1))
			self._last_growth = moment
			somebody = users[len(self._rows) % len(users)]
			row = self._append(somebody.user_id, moment, VerifyMode.FACE, DeviceKey.CHECK_IN)
		self._tell_watchers(row)

	def _append(
		self, user_id: str, wall_time: datetime, verify_mode: VerifyMode, device_key: DeviceKey
	) -> LogRow:
		_check_wall_time(wall_time)
		with self.lock:
			user = self.find_user(user_id)
			if user is None:
				raise KeyError(user_id)
			moment = wall_time.replace(microsecond=0)
			row = LogRow(user.uid, user.user_id, moment, verify_mode, device_key)
			self._rows.append(row)
			if len(self._rows) > self.log_capacity:
				gone = len(self._rows) - self.log_capacity
				self.overwritten += self._rows[:gone]
				del self._rows[:gone]
				self._image = None
			return row

	def _tell_watchers(self, row: LogRow) -> None:
		for watcher in tuple(self.watchers):
			watcher(row)

	def clear_log(self) -> None:
		with self.lock:
			self._rows.clear()
			self._image = None

	def write_option(self, name: str, value: str) -> bool:
		"""False if the option is read-only (its name begins with a tilde) or there is no room."""
		with self.lock:
			room = name in self.options or len(self.options) < _MAX_OPTIONS
			if not name or name.startswith("~") or not room:
				return False
			self.options[name] = value
			return True

	def rebooted(self) -> None:
		"""What a restart does to the memory: a disabled terminal is enabled again."""
		with self.lock:
			self.enabled = True
			self.count("reboots")

	def count(self, name: str) -> None:
		with self.lock:
			self.counters[name] += 1

	def new_session_id(self) -> int:
		with self.lock:
			self._last_session_id = self._last_session_id % 0xFFFF + 1
			return self._last_session_id

	# its clock

	def wall_now(self) -> datetime:
		"""What the display shows: naive, whole seconds."""
		fast = timedelta(hours=1 if "wrong-clock" in self.faults else 0)
		return self._true_wall_time() + self._clock_offset + fast

	def set_clock(self, wall_time: datetime) -> None:
		"""
		:param wall_time: naive.
		:raises ValueError: the terminal cannot hold this time.
		"""
		_check_wall_time(wall_time)
		with self.lock:
			self.faults.discard("wrong-clock")
			self._clock_offset = wall_time.replace(microsecond=0) - self._true_wall_time()

	def _true_wall_time(self) -> datetime:
		local = self._now().astimezone(self.zone)
		if "no-dst" in self.faults:
			local -= local.dst() or timedelta(0)
		return local.replace(tzinfo=None, microsecond=0, fold=0)

	# what it shows to the outside

	def sizes(self) -> tuple[int, int]:
		"""Users and rows as the terminal counts them, faults included."""
		with self.lock:
			users = len(self._roster) + (BAD_USERS if "bad-user-row" in self.faults else 0)
			rows = 0 if "access-mode" in self.faults else len(self._rows) + self.bad_rows()
			return users, rows

	def log_dump(self) -> bytes:
		"""The log as it goes over the wire."""
		with self.lock:
			if "access-mode" in self.faults:
				return bytes(4)
			image = self._current_image()
			image.extend(self._rows[image.true_rows :])
			return image.snapshot()

	def _current_image(self) -> LogImage:
		wanted = (self.log_layout, frozenset(self.faults & _IMAGE_FAULTS))
		if self._image is None or self._image_of != wanted:
			self._image = LogImage(
				self.log_layout,
				bad_dates="bad-date-row" in self.faults,
				bad_user_ids="bad-user-row" in self.faults,
				all_keys_undefined="punch-255" in self.faults,
			)
			self._image_of = wanted
		return self._image

	def user_dump(self) -> bytes:
		"""The user list as it goes over the wire."""
		with self.lock:
			return pack_users(
				self._roster.all(),
				self.user_record_size,
				half_names="half-user" in self.faults,
				bad_user_ids="bad-user-row" in self.faults,
			)


def _check_wall_time(wall_time: datetime) -> None:
	if wall_time.tzinfo is not None or not 2000 <= wall_time.year <= 2099:
		raise ValueError("a terminal holds naive wall times of the years 2000 to 2099")


def _factory_options(serial: str, device_name: str) -> dict[str, str]:
	return {
		"~SerialNumber": serial,
		"~DeviceName": device_name,
		"~Platform": "ZAM180_TFT",
		"~OEMVendor": "Simulated",
		"~ZKFPVersion": "10",
		"~PIN2Width": "14",
		"ZKFaceVersion": "7",
		"FaceFunOn": "1",
		"MAC": "00:17:61:00:43:70",
		"IPAddress": "192.0.2.70",
		"NetMask": "255.255.255.0",
		"GATEIPAddress": "192.0.2.1",
		"WorkCode": "0",
	}
