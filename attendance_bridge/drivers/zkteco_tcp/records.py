"""The attendance log of a ZKTeco terminal: bytes in, punches out.

The log is four bytes, its size (32 bits, little endian), and records of one size. Which size depends on the
firmware, and nothing in the log says which (sources: pyzk 0.9 `get_attendance`; adrobinoga/zk-protocol
`data-record.md`; pyzk issues #56, #92, #99 for the 8-byte records of MA300 and ZEM500; #166, #174, #187, #247
for 49 bytes):

	8       uid (2), verify (1), time (4), key (1)
	8 MA300 uid (2), verify (low half) and key (high half of 1), unused (1), time (4)
	16      user id as a number (4), time (4), verify (1), key (1), unused (2), work code (4)
	40      uid (2), user id as text (24), verify (1), time (4), key (1), unused (8)
	49      as 40, nine more unused

Every record is read by itself: one that cannot be a punch becomes an `UnreadableRow` and its neighbours stay.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from attendance_bridge.core.clock import EARLIEST_PLAUSIBLE_YEAR
from attendance_bridge.core.driver import UnreadableRow
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode
from attendance_bridge.drivers._zkteco.codes import DEVICE_KEYS as DEVICE_KEYS
from attendance_bridge.drivers._zkteco.codes import VERIFY_MODES as VERIFY_MODES
from attendance_bridge.drivers._zkteco.times import Timeline as Timeline
from attendance_bridge.drivers._zkteco.times import wall_time as wall_time

BAD_DATE = "bad_date"
BAD_USER_ID = "bad_user_id"

Fields = tuple["bytes | int", int, int, int]
"""Who (24 bytes of text, or a number), verify code, time, key code."""

NameOf = Callable[["bytes | int"], "str | None"]
"""The user id behind the first field; None if there is none that could be shown to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
	"""One shape of a record."""

	name: str
	record: struct.Struct
	arrange: Callable[..., Fields] | None = None
	"""Puts unpacked values into the order of `Fields`; None if they are in it already."""
	blank: tuple[int, ...] = ()
	"""Positions of bytes that are zero in every record: what tells the layout from others that divide it."""

	@property
	def size(self) -> int:
		return self.record.size

	def fields(self, records: memoryview) -> Iterator[Fields]:
		"""The fields of whole records, in order."""
		unpacked = self.record.iter_unpack(records)
		if self.arrange is None:
			return unpacked
		return (self.arrange(*values) for values in unpacked)


BYTES_8 = Layout(name="8", record=struct.Struct("<HBIB"))
BYTES_8_MA300 = Layout(
	name="8 MA300",
	record=struct.Struct("<HBxI"),
	arrange=lambda uid, halves, time: (uid, halves & 15, time, halves >> 4),
	blank=(3,),
)
BYTES_16 = Layout(
	name="16",
	record=struct.Struct("<IIBB6x"),
	arrange=lambda number, time, verify, key: (number, verify, time, key),
	blank=(10, 11),
)
BYTES_40 = Layout(name="40", record=struct.Struct("<2x24sBIB8x"))
BYTES_49 = Layout(name="49", record=struct.Struct("<2x24sBIB17x"))

LAYOUTS = (BYTES_8, BYTES_8_MA300, BYTES_16, BYTES_40, BYTES_49)

_SAMPLE = 256
_ENOUGH = 0.5


class TextIds:
	"""User ids that stand in the record: as text, bytes up to the first NUL; as a number, its digits.

	What is not in the configured encoding is read as latin-1, which maps every byte to a character of its
	own: two different ids never become one. An id that is empty, not printable or zero is none.
	"""

	_REMEMBERED = 4096
	"""Ids repeat; a log made to have none that do must not fill the memory."""

	def __init__(self, encoding: str) -> None:
		self._encoding = encoding
		self._known: dict[bytes, str | None] = {}

	def __call__(self, who: bytes | int) -> str | None:
		if isinstance(who, int):
			return str(who) if who else None
		if who not in self._known:
			if len(self._known) >= self._REMEMBERED:
				self._known.clear()
			self._known[who] = self._read(who)
		return self._known[who]

	def _read(self, who: bytes) -> str | None:
		stated = who.split(b"\x00", 1)[0]
		try:
			text = stated.decode(self._encoding)
		except UnicodeDecodeError:
			text = stated.decode("latin-1")
		return text if text and text.isprintable() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
	"""A transferred log. The bytes are held once; everything else is a view of them."""

	records: memoryview
	"""Whole records, without the leading size."""
	layout: Layout
	missing: int = 0
	"""Bytes that the log announces beyond what came."""

	def __len__(self) -> int:
		return len(self.records) // self.layout.size

	def stretch(self, first: int, end: int) -> memoryview:
		"""The bytes of records `first` (included) to `end` (excluded)."""
		return self.records[first * self.layout.size : end * self.layout.size]

	def walls_before(self, end: int) -> Iterator[datetime | None]:
		"""Wall times of the records before `end`, latest first."""
		for position in range(end - 1, -1, -1):
			(fields,) = self.layout.fields(self.stretch(position, position + 1))
			yield wall_time(fields[2])

	def read(
		self, first: int, end: int, *, serial: str, name_of: NameOf, timeline: Timeline
	) -> tuple[list[Punch], list[UnreadableRow]]:
		"""Read records `first` (included) to `end` (excluded)."""
		punches: list[Punch] = []
		unreadable: list[UnreadableRow] = []
		stretch, size = self.stretch(first, end), self.layout.size
		for number, (who, verify, time, key) in enumerate(self.layout.fields(stretch)):
			raw = stretch[number * size : (number + 1) * size].hex()
			wall = wall_time(time)
			if wall is None:
				unreadable.append(UnreadableRow(raw=raw, reason=BAD_DATE))
				continue
			moment = timeline.place(wall)
			user_id = name_of(who)
			if user_id is None:
				unreadable.append(UnreadableRow(raw=raw, reason=BAD_USER_ID))
				continue
			punches.append(
				Punch(
					device_serial=serial,
					device_user_id=user_id,
					occurred_at=moment,
					verify_mode=VERIFY_MODES.get(verify, VerifyMode.UNKNOWN),
					device_key=DEVICE_KEYS.get(key, DeviceKey.UNDEFINED),
					raw=raw,
				)
			)
		return punches, unreadable


def open_log(transferred: bytes, *, held: int | None, latest_year: int) -> Log | None:
	"""Find the layout of a log.

	:param transferred: the log with its leading size.
	:param held: how many records the terminal said it holds, before the transfer; None if it did not say.
		Punches may have landed since, so that size divided by `held` proves nothing.
	:param latest_year: the last year that a punch can plausibly be of.
	:return: None if no known layout fits.
	"""
	announced = int.from_bytes(transferred[:4], "little")
	body = memoryview(transferred)[4:]
	if not body:
		return Log(records=body, layout=BYTES_40, missing=announced)
	for size in dict.fromkeys((announced, len(body))):
		layout = _choose_layout(body[:size], size, held, latest_year)
		if layout is not None:
			whole = min(size, len(body)) // layout.size * layout.size
			return Log(records=body[:whole], layout=layout, missing=max(announced - whole, 0))
	return None


def _choose_layout(body: memoryview, size: int, held: int | None, latest_year: int) -> Layout | None:
	"""The layout that divides `size` and makes sense of the records.

	One whose records are likely goes before one that merely fits the number of records held: that number is
	old by the time the log arrives. One whose records are not (a terminal that lost its date) is taken only
	if the number fits exactly.
	"""
	best: tuple[tuple[bool, bool, float, int, bool], Layout] | None = None
	for layout in LAYOUTS:
		if not size or size % layout.size:
			continue
		likely = _share_of_likely(body, layout, latest_year)
		makes_sense, fits = likely >= _ENOUGH, size // layout.size == held
		# Of two that make the same sense, the one that asks for zeros is the likelier.
		rank = (makes_sense, fits, likely, layout.size, makes_sense and bool(layout.blank))
		if (makes_sense or fits) and (best is None or rank > best[0]):
			best = rank, layout
	return best[1] if best else None


def _share_of_likely(body: memoryview, layout: Layout, latest_year: int) -> float:
	"""The share of likely records in a sample over the whole log."""
	count = len(body) // layout.size
	if count == 0:
		return 0.0
	positions = range(0, count, max(1, count // _SAMPLE))
	name_of = TextIds("utf-8")
	likely = 0
	for position in positions:
		record = body[position * layout.size : (position + 1) * layout.size]
		likely += _is_likely(record, layout, name_of, latest_year)
	return likely / len(positions)


def _is_likely(record: memoryview, layout: Layout, name_of: NameOf, latest_year: int) -> bool:
	((who, _verify, time, _key),) = layout.fields(record)
	wall = wall_time(time)
	in_use = wall is not None and EARLIEST_PLAUSIBLE_YEAR <= wall.year <= latest_year
	return in_use and not any(record[at] for at in layout.blank) and name_of(who) is not None
