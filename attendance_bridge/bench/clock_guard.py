"""Clocks of terminals: what is known of each from contact to contact, its correction, and the record of both.

`was_read(device, reading, rules)` is the one way in for "this terminal's clock was read: it was so far ahead
at that moment", by whichever road and however the reading was come by; `looked` is the same for those who
write more of the terminal in one statement. What two looks mean is said by `core.drift`; here it is read from
Device Configuration and written beside it. Nothing here commits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import cint

from attendance_bridge.bench import moments
from attendance_bridge.core import drift
from attendance_bridge.core.clock import NO_TIME, ClockReading, ClockRules
from attendance_bridge.core.drift import ClockState, Doubt

LOG = "Device Clock Log"
DEFAULT_LARGEST_MINUTES = 90

_WRITTEN_EVERY = timedelta(seconds=30)
_MOST_NOTED_AN_HOUR = 20

_DEVICE = "Device Configuration"
_COLUMNS = (
	"name",
	"time_zone",
	"clock_offset",
	"clock_good_until",
	"clock_read_at",
	"clock_doubt_from",
	"clock_doubt_until",
	"clock_doubt_offset",
)


Arrival = tuple[datetime | None, timedelta]
"""Up to when the clock was right, and how wrong it may have been although it is right by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedClock:
	"""What is known of the clock of one terminal."""

	zone: tzinfo
	state: ClockState = field(default_factory=ClockState)
	read_at: datetime | None = None
	"""The last look, aware; what is told of looks before it is no news."""

	def arrivals(
		self, reading: ClockReading | None, good_until: datetime | None, rules: ClockRules
	) -> Callable[[datetime], Arrival]:
		"""What punches that came with one look are judged by beside it, each by the time that was recorded.

		:param good_until: aware; what whoever read the punches knew.
		"""
		if reading is None:
			return lambda _recorded_at: (good_until, NO_TIME)
		if not drift.is_right(reading, rules):
			right_until = drift.good_until(reading, self.zone, rules, good_until)
			return lambda _recorded_at: (right_until, NO_TIME)
		state = self.state.after(reading, rules)

		def under_right_clock(recorded_at: datetime) -> Arrival:
			jumped_by = state.jumped_by(recorded_at)
			return (state.doubt.start if jumped_by and state.doubt else good_until), jumped_by

		return under_right_clock

	def is_news(self, reading: ClockReading) -> bool:
		"""Whether a look is later than the last one. A look that lies ahead of it by our own clock's mistake
		does not keep later ones out."""
		return self.read_at is None or not reading.taken_at <= self.read_at <= moments.utc_now()


def clocks(devices: Collection[str]) -> dict[str, GuardedClock]:
	"""The clocks of some terminals, by name of the Device Configuration; one statement."""
	if not devices:
		return {}
	rows = frappe.get_all(
		_DEVICE, filters={"name": ("in", sorted(devices))}, fields=list(_COLUMNS), order_by=None
	)
	return {
		row.name: GuardedClock(
			zone=ZoneInfo(row.time_zone), state=_state(row), read_at=_aware(row.clock_read_at)
		)
		for row in rows
	}


def clock(device: str) -> GuardedClock:
	"""That of one terminal.

	:raises KeyError: there is no such Device Configuration.
	"""
	return clocks([device])[device]


def was_read(device: str, reading: ClockReading, rules: ClockRules) -> bool:
	"""This terminal's clock was read: it was `reading.offset` ahead at `reading.taken_at`. Written down, and
	put on record if it tells something new.

	Made to be called with every call of a terminal: one that comes within half a minute of the last and
	tells the same costs one statement and writes nothing.

	:param device: name of a Device Configuration.
	:param reading: measured or estimated; its `device_time` in the zone that is configured for the terminal.
	:param rules: `devices.rules().clock`.
	:returns: whether anything was written.
	"""
	guarded = clock(device)
	if not guarded.is_news(reading) or _is_the_same(guarded, reading, rules):
		return False
	frappe.db.set_value(_DEVICE, device, _take(device, guarded, reading, rules), update_modified=False)
	return True


def looked(device: str, reading: ClockReading, rules: ClockRules) -> dict[str, Any]:
	"""A look at a clock, see `was_read`: put it on record if it tells something new.

	:returns: the columns of Device Configuration after it; none if it is no later than the last look.
	"""
	guarded = clock(device)
	return _take(device, guarded, reading, rules) if guarded.is_news(reading) else {}


def _take(device: str, guarded: GuardedClock, reading: ClockReading, rules: ClockRules) -> dict[str, Any]:
	_note_reading(device, reading, guarded.zone, rules)
	after = _values(guarded.state.after(reading, rules))
	return {**after, "clock_read_at": moments.to_site(reading.taken_at)}


def _is_the_same(guarded: GuardedClock, reading: ClockReading, rules: ClockRules) -> bool:
	"""Whether a look comes soon after the last one, and finds what that one found."""
	known = guarded.state.offset
	if known is None or guarded.read_at is None or reading.taken_at - guarded.read_at >= _WRITTEN_EVERY:
		return False
	return abs(reading.offset - known) < drift.WORTH_NOTING and (
		abs(known) <= rules.tolerance
	) is drift.is_right(reading, rules)


def was_set(
	device: str, wrong: ClockReading, set_at: datetime, read_until: datetime | None, rules: ClockRules
) -> dict[str, Any]:
	"""We have set a clock; to be written before it is looked at again.

	:param read_until: aware; see `drift.doubt_after_setting`.
	:returns: the columns of Device Configuration after it.
	"""
	return _values(clock(device).state.after_setting(wrong, set_at, read_until, rules))


def forget(device: str) -> None:
	"""What was seen of a clock was seen by another zone's time, and what agents still tell of it was too."""
	forgotten = {**_values(ClockState()), "clock_read_at": moments.now()}
	frappe.db.set_value(_DEVICE, device, forgotten, update_modified=False)


def note(device: str, kind: str, **values: Any) -> None:
	"""Put something on record.

	:param kind: as in the Device Clock Log.
	:param values: of its fields; `taken_at` is now by default.
	"""
	document = frappe.get_doc(
		{"doctype": LOG, "device": device, "kind": kind, "taken_at": moments.now(), **values}
	)
	document.insert(ignore_permissions=True)


def note_correction(device: str, wrong: ClockReading, after: ClockReading | None) -> None:
	note(
		device,
		"Corrected",
		clock_offset=wrong.offset.total_seconds(),
		offset_after=after.offset.total_seconds() if after else 0,
		cause=_cause(wrong, moments.zone_of(device)),
		requested_by=frappe.session.user,
	)


def note_no_correction(device: str, reading: ClockReading) -> None:
	"""It is too far off to be set without a person; on record once a day."""
	last = frappe.db.get_value(
		LOG, {"device": device, "kind": "Not Corrected"}, "taken_at", order_by="taken_at desc"
	)
	if last is None or moments.now() - last >= drift.NOTED_AT_LEAST_EVERY:
		note(
			device,
			"Not Corrected",
			clock_offset=reading.offset.total_seconds(),
			cause=_cause(reading, moments.zone_of(device)),
		)


def largest_correction() -> timedelta:
	"""A clock that is further off is left to a person."""
	minutes = frappe.get_cached_doc("Attendance Bridge Settings").largest_correction
	return timedelta(minutes=DEFAULT_LARGEST_MINUTES if minutes is None else cint(minutes))


def corrects_by_itself() -> bool:
	return bool(cint(frappe.get_cached_doc("Attendance Bridge Settings").correct_clocks))


def _note_reading(device: str, reading: ClockReading, zone: tzinfo, rules: ClockRules) -> None:
	last = frappe.db.get_value(
		LOG,
		{"device": device, "kind": ("in", ("Reading", "Corrected"))},
		("kind", "clock_offset", "offset_after", "taken_at"),
		order_by="taken_at desc",
		as_dict=True,
	)
	noted = None
	if last:
		noted = timedelta(seconds=last.offset_after if last.kind == "Corrected" else last.clock_offset)
	noted_at = moments.from_site(last.taken_at) if last else None
	if drift.is_worth_noting(reading, rules, noted, noted_at) and not _is_noted_enough(device, reading):
		note(
			device,
			"Reading",
			taken_at=moments.to_site(reading.taken_at),
			clock_offset=reading.offset.total_seconds(),
			cause=_cause(reading, zone, rules),
		)


def _is_noted_enough(device: str, reading: ClockReading) -> bool:
	"""A clock that jumps at every call fills no disk."""
	since = moments.to_site(reading.taken_at - timedelta(hours=1))
	wanted = {"device": device, "kind": "Reading", "taken_at": (">", since)}
	return bool(frappe.db.count(LOG, wanted) >= _MOST_NOTED_AN_HOUR)


def _cause(reading: ClockReading, zone: tzinfo, rules: ClockRules | None = None) -> str | None:
	cause = drift.cause_of(reading, zone, rules or ClockRules())
	return cause.value if cause else None


def _aware(value: datetime | None) -> datetime | None:
	return moments.from_site(value) if value else None


def _state(row: Any) -> ClockState:
	doubt = None
	if row.clock_doubt_until:
		doubt = Doubt(
			start=moments.from_site(row.clock_doubt_from) if row.clock_doubt_from else None,
			end=moments.from_site(row.clock_doubt_until),
			offset=timedelta(seconds=row.clock_doubt_offset or 0.0),
		)
	good_until = _aware(row.clock_good_until)
	# A clock that was ever seen right has a moment of that, and one that was only seen wrong an error.
	was_seen = good_until is not None or row.clock_offset
	return ClockState(
		offset=timedelta(seconds=row.clock_offset or 0.0) if was_seen else None,
		good_until=good_until,
		doubt=doubt,
	)


def _values(state: ClockState) -> dict[str, Any]:
	doubt = state.doubt
	return {
		"clock_offset": state.offset.total_seconds() if state.offset is not None else 0.0,
		"clock_good_until": moments.to_site(state.good_until) if state.good_until else None,
		"clock_doubt_from": moments.to_site(doubt.start) if doubt and doubt.start else None,
		"clock_doubt_until": moments.to_site(doubt.end) if doubt else None,
		"clock_doubt_offset": doubt.offset.total_seconds() if doubt else 0.0,
	}
