"""A punch: what one person did at one terminal at one moment, as the terminal recorded it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime, timezone
from enum import Enum

from attendance_bridge.core.identity import uuid5_bytes

# Fixed for ever: a punch_id must come out the same on every machine and in every version.
PUNCH_NAMESPACE = uuid.UUID("6f5b2c1e-3d0a-5c57-9a53-3f0d3a7c1b64")

_NAMESPACE_BYTES = PUNCH_NAMESPACE.bytes

MAX_SERIAL_LENGTH = 64
MAX_USER_ID_LENGTH = 64


class DeviceKey(str, Enum):
	"""The attendance key that was active on the terminal when the person identified.

	ZKTeco `punch` 0..5 and 255; Hikvision `attendanceStatus`.
	"""

	UNDEFINED = "undefined"
	CHECK_IN = "check_in"
	CHECK_OUT = "check_out"
	BREAK_OUT = "break_out"
	BREAK_IN = "break_in"
	OVERTIME_IN = "overtime_in"
	OVERTIME_OUT = "overtime_out"


class VerifyMode(str, Enum):
	"""How the terminal recognised the person."""

	FACE = "face"
	FINGER = "finger"
	CARD = "card"
	PASSWORD = "password"
	PALM = "palm"
	QR = "qr"
	MULTIPLE = "multiple"
	"""Two or more of the above together, for example card and finger."""
	UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Punch:
	"""One successful identification, immutable.

	Who it was is the terminal's word (`device_user_id`), not yet an employee; IN or OUT is not decided yet
	either. Build it with `clock.localise`, which keeps `occurred_at.fold` meaningful.
	"""

	device_serial: str
	"""Serial number that the terminal itself reports; at most 64 characters, never empty."""
	device_user_id: str
	"""The id typed in on the terminal, as text: "007" is not "7". At most 64 characters, never empty."""
	occurred_at: datetime
	"""Aware, in the time zone of the terminal, whole seconds; `fold` is 1 only for the second pass through
	the repeated hour of a clock change."""
	verify_mode: VerifyMode = VerifyMode.UNKNOWN
	device_key: DeviceKey = DeviceKey.UNDEFINED
	raw: str = ""
	"""The record as the terminal sent it (JSON text, or hex of a binary record), for disputes and re-runs."""
	_id_bytes: bytes | None = field(default=None, init=False, repr=False, compare=False)
	"""What `punch_id_bytes` has found: on its way a punch is asked for it again and again."""

	def __post_init__(self) -> None:
		if not 0 < len(self.device_serial) <= MAX_SERIAL_LENGTH:
			raise ValueError("device_serial is empty or longer than 64 characters")
		if not 0 < len(self.device_user_id) <= MAX_USER_ID_LENGTH:
			raise ValueError("device_user_id is empty or longer than 64 characters")
		if self.occurred_at.tzinfo is None or self.occurred_at.microsecond:
			raise ValueError("occurred_at must be aware and in whole seconds")
		if not MINYEAR < self.occurred_at.year < MAXYEAR:
			raise ValueError("occurred_at lies at the edge of the calendar, where it may have no UTC time")

	@property
	def wall_time(self) -> datetime:
		"""What the terminal's display showed: naive, whole seconds."""
		return self.occurred_at.replace(tzinfo=None, fold=0)

	@property
	def occurred_utc(self) -> datetime:
		"""The same moment in UTC."""
		return self.occurred_at.astimezone(timezone.utc)

	@property
	def punch_id(self) -> uuid.UUID:
		"""The identity of this punch on every road and in every store; see `identify_punch`."""
		return uuid.UUID(bytes=self.punch_id_bytes)

	@property
	def punch_id_bytes(self) -> bytes:
		"""The 16 bytes of `punch_id`, for stores that hold many."""
		found = self._id_bytes
		if found is None:
			moment = self.occurred_at
			wall_time = moment.replace(tzinfo=None).isoformat()
			found = identify_punch(self.device_serial, self.device_user_id, wall_time, moment.fold)
			object.__setattr__(self, "_id_bytes", found)
		return found


def identify_punch(device_serial: str, device_user_id: str, wall_time: str, fold: int) -> bytes:
	"""Return the bytes of the uuid5 over serial, user id, wall time to the second and the fold bit.

	:param wall_time: "2026-03-01T08:00:00".

	The UTC instant, the direction and the terminal's sequence number stay out on purpose: a corrected time
	zone or a re-inferred direction must not make a second punch of the first, and the roads (pull, push,
	live) do not share a sequence number. Every text is preceded by its length, so that no two different
	punches can spell the same name.
	"""
	name = f"{len(device_serial)}:{device_serial}{len(device_user_id)}:{device_user_id}{wall_time}/{fold}"
	return uuid5_bytes(_NAMESPACE_BYTES, name.encode("utf-8", "surrogatepass"))
