"""Clocks of terminals: what is known of each from contact to contact, its correction, and the record of both.

What two looks mean is said by `core.drift`; here it is read from Device Configuration and written beside it.
Nothing here commits.
"""

from __future__ import annotations

from collections.abc import Collection
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

_DEVICE = "Device Configuration"
_COLUMNS = (
	"name",
	"time_zone",
	"clock_offset",
	"clock_good_until",
	"clock_doubt_from",
	"clock_doubt_until",
	"clock_doubt_offset",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedClock:
	"""What is known of the clock of one terminal."""

	zone: tzinfo
	state: ClockState = field(default_factory=ClockState)

	def arrival(
		self,
		recorded_at: datetime,
		reading: ClockReading | None,
		good_until: datetime | None,
		rules: ClockRules,
	) -> tuple[datetime | None, timedelta]:
		"""What a punch is judged by beside the look that came with it: up to when the clock was right, and
		how wrong it may have been although it is right by now.

		:param good_until: aware; what whoever read the punch knew.
		"""
		if reading is None:
			return good_until, NO_TIME
		if not drift.is_right(reading, rules):
			return drift.good_until(reading, self.zone, rules, good_until), NO_TIME
		state = self.state.after(reading, rules)
		jumped_by = state.jumped_by(recorded_at)
		return (state.doubt.start if jumped_by and state.doubt else good_until), jumped_by


def clocks(devices: Collection[str]) -> dict[str, GuardedClock]:
	"""The clocks of some terminals, by name of the Device Configuration; one statement."""
	if not devices:
		return {}
	rows = frappe.get_all(
		_DEVICE, filters={"name": ("in", sorted(devices))}, fields=list(_COLUMNS), order_by=None
	)
	return {row.name: GuardedClock(zone=ZoneInfo(row.time_zone), state=_state(row)) for row in rows}


def clock(device: str) -> GuardedClock:
	"""That of one terminal.

	:raises KeyError: there is no such Device Configuration.
	"""
	return clocks([device])[device]


def looked(device: str, reading: ClockReading, rules: ClockRules) -> dict[str, Any]:
	"""A look at a clock: put it on record if it tells something new.

	:returns: the columns of Device Configuration after it.
	"""
	guarded = clock(device)
	_note_reading(device, reading, guarded.zone, rules)
	return _values(guarded.state.after(reading, rules))


def was_set(
	device: str, wrong: ClockReading, set_at: datetime, read_until: datetime | None, rules: ClockRules
) -> dict[str, Any]:
	"""We have set a clock; to be written before it is looked at again.

	:param read_until: aware; see `drift.doubt_after_setting`.
	:returns: the columns of Device Configuration after it.
	"""
	return _values(clock(device).state.after_setting(wrong, set_at, read_until, rules))


def forget(device: str) -> None:
	"""What was seen of a clock was seen by another zone's time."""
	frappe.db.set_value(_DEVICE, device, _values(ClockState()), update_modified=False)


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
	if drift.is_worth_noting(reading, rules, noted, moments.from_site(last.taken_at) if last else None):
		note(
			device,
			"Reading",
			taken_at=moments.to_site(reading.taken_at),
			clock_offset=reading.offset.total_seconds(),
			cause=_cause(reading, zone, rules),
		)


def _cause(reading: ClockReading, zone: tzinfo, rules: ClockRules | None = None) -> str | None:
	cause = drift.cause_of(reading, zone, rules or ClockRules())
	return cause.value if cause else None


def _state(row: Any) -> ClockState:
	doubt = None
	if row.clock_doubt_until:
		doubt = Doubt(
			start=moments.from_site(row.clock_doubt_from) if row.clock_doubt_from else None,
			end=moments.from_site(row.clock_doubt_until),
			offset=timedelta(seconds=row.clock_doubt_offset or 0.0),
		)
	return ClockState(
		offset=timedelta(seconds=row.clock_offset or 0.0),
		good_until=moments.from_site(row.clock_good_until) if row.clock_good_until else None,
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
