"""The event log of the terminal: punches and everything else, in the order of recording.

Serial numbers count every event, door noise included, so those of punches have gaps. The clock may have been
set back in between, so order of recording is not order of time. The log is cut into runs within which time
does not go backwards; there are few of them, and each is searched by bisection. That way a page of a log of
any length costs the page and no more.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import NamedTuple

from attendance_bridge.core.punch import DeviceKey, VerifyMode

MAJOR_EXCEPTION = 2
MAJOR_EVENT = 5

MINOR_POWER_ON = 1024
"""Under MAJOR_EXCEPTION."""

# Under MAJOR_EVENT.
MINOR_UNKNOWN_CARD = 9
MINOR_UNLOCKED = 21
MINOR_LOCKED = 22
MINOR_BUTTON_PRESSED = 23
MINOR_BUTTON_RELEASED = 24
MINOR_OPENED = 25
MINOR_CLOSED = 26
MINOR_FACE = 75
MINOR_FACE_FAILED = 76
MINOR_NO_LIVING_FACE = 104

# The decimal values of HCNetSDK's MINOR_… constants. Where one way of identifying has several minors, the
# terminal alternates between them.
PASS_MINORS: dict[VerifyMode, tuple[int, ...]] = {
	VerifyMode.FACE: (MINOR_FACE,),
	VerifyMode.FINGER: (38,),
	VerifyMode.CARD: (1,),
	VerifyMode.PASSWORD: (101, 181),
	VerifyMode.QR: (156,),
	VerifyMode.MULTIPLE: (2, 16, 40, 43, 46, 54, 57, 60, 63, 66, 69, 72, 77),
	# This model reads no palms: such people show it their face.
	VerifyMode.PALM: (MINOR_FACE,),
	VerifyMode.UNKNOWN: (16,),
}
_ALL_PASS_MINORS = frozenset(chain.from_iterable(PASS_MINORS.values()))

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # wall times are counted from it


class Event(NamedTuple):
	"""One entry of the log, of whichever kind."""

	serial_no: int
	major: int
	minor: int
	second: int
	"""The moment by the terminal's clock, in seconds since 1970 UTC."""
	offset: int
	"""Seconds by which the terminal's wall time was ahead of UTC when it recorded this."""
	employee_no: str = ""
	card_no: str = ""
	device_key: DeviceKey = DeviceKey.UNDEFINED
	damage: str = ""
	"""How the stored entry is damaged; a key of `rows.DAMAGES`."""

	@property
	def is_punch(self) -> bool:
		"""Whether somebody was recognised here."""
		recognised = self.major == MAJOR_EVENT and self.minor in _ALL_PASS_MINORS
		return recognised and bool(self.employee_no) and not self.damage

	@property
	def wall_time(self) -> datetime:
		"""What the display showed: naive."""
		return _EPOCH + timedelta(seconds=self.second + self.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
	"""What a search asks for; None and 0 and the empty text mean: everything."""

	major: int = 0
	minor: int = 0
	employee_no: str = ""
	start: int | None = None
	"""Seconds since 1970 UTC, included."""
	end: int | None = None
	"""Included."""
	begin_serial_no: int | None = None
	end_serial_no: int | None = None
	"""Included."""


class Selection:
	"""The events that match a filter: a few stretches of an index, opened only where a page lies."""

	def __init__(self, events: Sequence[Event], stretches: Sequence[tuple[Sequence[int], int, int]]) -> None:
		self._events = events
		self._stretches = stretches
		self._length = sum(high - low for _pool, low, high in stretches)

	def __len__(self) -> int:
		return self._length

	def at(self, positions: Iterable[int]) -> list[Event]:
		"""The events at these places of the selection (counted from 0, all within it)."""
		return [self._at(position) for position in positions]

	def _at(self, position: int) -> Event:
		for pool, low, high in self._stretches:
			if position < high - low:
				return self._events[pool[low + position]]
			position -= high - low
		raise IndexError(position)


class EventLog:
	def __init__(self) -> None:
		self._events: list[Event] = []
		self._serials: list[int] = []
		self._seconds: list[int] = []
		self._run_starts: list[int] = []
		self._by_kind: dict[tuple[int, int], list[int]] = {}
		self._by_employee: dict[str, list[int]] = {}
		self._overwritten = 0

	def __len__(self) -> int:
		return len(self._events)

	def __iter__(self) -> Iterator[Event]:
		return iter(self._events)

	@property
	def last_serial_no(self) -> int:
		return self._serials[-1] if self._serials else 0

	@property
	def last_second(self) -> int | None:
		return self._seconds[-1] if self._seconds else None

	def record(
		self,
		major: int,
		minor: int,
		second: int,
		offset: int,
		*,
		employee_no: str = "",
		card_no: str = "",
		device_key: DeviceKey = DeviceKey.UNDEFINED,
		damage: str = "",
	) -> Event:
		"""Append one event under the next serial number."""
		event = Event(
			self.last_serial_no + 1, major, minor, second, offset, employee_no, card_no, device_key, damage
		)
		self._append(event)
		return event

	def overwrite_oldest(self, count: int) -> list[Event]:
		"""Forget the `count` oldest entries, as a log that is full does; serial numbers go on counting."""
		gone, kept = self._events[:count], self._events[count:]
		overwritten = self._overwritten + len(gone)
		self.__init__()  # type: ignore[misc]  # the indexes are made anew
		self._overwritten = overwritten
		for event in kept:
			self._append(event)
		return gone

	def _append(self, event: Event) -> None:
		major, minor, second, employee_no = event.major, event.minor, event.second, event.employee_no
		position = len(self._events)
		if not position or second < self._seconds[-1]:
			self._run_starts.append(position)
		self._events.append(event)
		self._serials.append(event.serial_no)
		self._seconds.append(second)
		self._by_kind.setdefault((major, minor), []).append(position)
		self._by_kind.setdefault((major, 0), []).append(position)
		if employee_no:
			self._by_employee.setdefault(employee_no, []).append(position)

	@property
	def recorded(self) -> int:
		"""How many entries there ever were, overwritten ones among them."""
		return self._overwritten + len(self._events)

	def since(self, recorded: int) -> list[Event]:
		"""What came after the first `recorded` entries and is still there."""
		return self._events[max(recorded - self._overwritten, 0) :]

	def punches(self) -> list[Event]:
		"""Every punch once, in the order of recording."""
		once = {
			(event.employee_no, event.second): event for event in reversed(self._events) if event.is_punch
		}
		return sorted(once.values())

	def select(self, wanted: Filter) -> Selection:
		"""The events that match, in the order of recording."""
		pool = self._pool(wanted)
		stretches = [
			(pool, bisect_left(pool, low), bisect_left(pool, high)) for low, high in self._ranges(wanted)
		]
		return Selection(self._events, stretches)

	def _pool(self, wanted: Filter) -> Sequence[int]:
		"""The positions of the events of the wanted kind, ascending."""
		if wanted.employee_no:
			theirs = self._by_employee.get(wanted.employee_no, [])
			return [position for position in theirs if _is_of_kind(self._events[position], wanted)]
		if wanted.major:
			return self._by_kind.get((wanted.major, wanted.minor), [])
		if wanted.minor:
			kinds = [pool for (_major, minor), pool in self._by_kind.items() if minor == wanted.minor]
			return sorted(chain.from_iterable(kinds))
		return range(len(self._events))

	def _ranges(self, wanted: Filter) -> Iterator[tuple[int, int]]:
		"""The stretches of the log that lie within the wanted serial numbers and times."""
		first, last = 0, len(self._events)
		if wanted.begin_serial_no is not None:
			first = bisect_left(self._serials, wanted.begin_serial_no)
		if wanted.end_serial_no is not None:
			last = bisect_right(self._serials, wanted.end_serial_no)
		for low, high in pairwise([*self._run_starts, len(self._events)]):
			start, end = max(low, first), min(high, last)
			if start < end and wanted.start is not None:
				start = bisect_left(self._seconds, wanted.start, start, end)
			if start < end and wanted.end is not None:
				end = bisect_right(self._seconds, wanted.end, start, end)
			if start < end:
				yield start, end


def _is_of_kind(event: Event, wanted: Filter) -> bool:
	return wanted.major in (0, event.major) and wanted.minor in (0, event.minor)
