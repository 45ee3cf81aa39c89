"""What the board shows, gathered from the stores: facts with their words, ready to be drawn."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from attendance_bridge import drivers
from attendance_bridge.core.direction import Reason
from attendance_bridge.core.driver import Now
from attendance_bridge.core.errors import Code, DeviceError, UpstreamError
from attendance_bridge.core.projection import State
from attendance_bridge.core.relay import EDGE_CAMERA
from attendance_bridge.edge.messages import REASONS, sentence, spell_offset
from attendance_bridge.edge.poller import Progress
from attendance_bridge.edge.settings import Device
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.devices import DeviceBook, DeviceRecord
from attendance_bridge.stores.entered import BY_HAND, SOURCE
from attendance_bridge.stores.held import HeldPunch
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.stores.roster import Roster

ROWS = 60
"""How many of the latest punches and check-ins are listed."""

_STATES: dict[State, tuple[str, str]] = {
	State.RECEIVED: ("received", "wait"),
	State.PENDING: ("waiting", "wait"),
	State.DELIVERED: ("handed over", "good"),
	State.CHECKED_IN: ("checked in", "good"),
	State.DUPLICATE: ("duplicate", "quiet"),
	State.UNMAPPED: ("unmapped", "bad"),
	State.QUARANTINED: ("quarantined", "bad"),
	State.REJECTED: ("rejected", "bad"),
	State.IGNORED: ("ignored", "quiet"),
}
"""The word and the tone of each state."""
_FACTS = frozenset({"found", "expected", "camera", "seconds"})
_OWN_FACTS = frozenset({"place", "path", "why", "cause", "package", "extra"})
"""Of this machine, where nobody else has a say."""
STATE_WORDS = {state.value: words for state, words in _STATES.items()}


class Board:
	"""Reads one picture on demand; it is drawn many times a minute, so every query is bounded."""

	def __init__(
		self,
		*,
		devices: Callable[[], tuple[Device, ...]],
		punches: PunchStore,
		cursors: SqliteCursors,
		book: DeviceBook,
		roster: Roster,
		upstream_label: str,
		upstream_error: Callable[[], UpstreamError | None],
		progress: Callable[[], Mapping[str, Progress]],
		now: Now,
	) -> None:
		self._devices = devices
		self._punches = punches
		self._cursors = cursors
		self._book = book
		self._roster = roster
		self._upstream_label = upstream_label
		self._upstream_error = upstream_error
		self._progress = progress
		self._now = now
		# A draw must not cost more the more people there are, nor look for driver files.
		self._label_of = functools.cache(_label)
		self._names: tuple[datetime | None, dict[str, str]] = (None, {})

	def view(self) -> dict[str, Any]:
		"""The whole board as JSON-able data."""
		counts = self._punches.counts()
		records = {record.name: record for record in self._book.all()}
		names = {BY_HAND: SOURCE}
		names.update((record.serial, record.name) for record in records.values() if record.serial)
		people = self._people()
		return {
			"now": self._now().isoformat(),
			"upstream": self._upstream(),
			"totals": _totals(counts, self._punches.unreadable_count()),
			"devices": self._device_views(records),
			"checkins": [
				_checkin_view(held, people) for held in self._punches.held(state=State.CHECKED_IN, limit=ROWS)
			],
			"punches": [_punch_view(held, names) for held in self._punches.held(limit=ROWS)],
		}

	def _people(self) -> dict[str, str]:
		"""The name of each employee, read anew when the list has been."""
		read_at, names = self._names
		refreshed_at = self._roster.refreshed_at
		if refreshed_at != read_at:
			names = {person.employee: person.full_name for person in self._roster.people()}
			self._names = (refreshed_at, names)
		return names

	def _upstream(self) -> dict[str, str]:
		error = self._upstream_error()
		if error is None:
			return {"text": f"→ {self._upstream_label}", "tone": ""}
		return {"text": f"→ {self._upstream_label}: {sentence(error)}", "tone": "bad"}

	def _device_views(self, records: Mapping[str, DeviceRecord]) -> list[dict[str, Any]]:
		held = self._punches.counts_by_device()
		watermarks = self._cursors.watermarks()
		progress = self._progress()
		now = self._now()
		views = []
		for device in self._devices():
			name = device.settings.name
			record = records.get(name, DeviceRecord(name=name))
			view = _device_view(device, record, now)
			view["driver"] = self._label_of(device.settings.driver)
			here = sum(held.get(record.serial, {}).values())
			view["holds"] = _holds(record, here)
			view["watermark"] = _local(watermarks.get(record.serial), device.settings.timezone)
			if name in progress:
				view["done"], view["expected"] = progress[name].done, progress[name].expected
				view["state"], view["tone"] = "reading", "wait"
			views.append(view)
		return views


def _label(driver: str) -> str:
	return "Camera of this agent" if driver == EDGE_CAMERA else drivers.load(driver).spec.label


def _totals(counts: Mapping[State, int], unreadable: int) -> list[dict[str, Any]]:
	waiting = counts[State.RECEIVED] + counts[State.PENDING]
	boxes = (
		("punches", sum(counts.values()), ""),
		("check-ins", counts[State.CHECKED_IN], "good"),
		*([("handed over", counts[State.DELIVERED], "good")] if counts[State.DELIVERED] else []),
		("waiting", waiting, "wait" if waiting else ""),
		("duplicates", counts[State.DUPLICATE], ""),
		("unmapped", counts[State.UNMAPPED], "bad" if counts[State.UNMAPPED] else ""),
		("quarantined", counts[State.QUARANTINED], "bad" if counts[State.QUARANTINED] else ""),
		("rejected", counts[State.REJECTED], "bad" if counts[State.REJECTED] else ""),
		("unreadable", unreadable, "bad" if unreadable else ""),
	)
	return [{"label": label, "count": count, "tone": tone} for label, count, tone in boxes]


def _device_view(device: Device, record: DeviceRecord, now: datetime) -> dict[str, Any]:
	settings = device.settings
	state, tone = _state(settings.enabled, record, settings.poll_seconds, now)
	return {
		"name": settings.name,
		"serial": record.serial,
		"model": record.model,
		"state": state,
		"tone": tone,
		"last_seen": record.last_seen_at.isoformat() if record.last_seen_at else None,
		"clock": "" if record.clock_offset is None else spell_offset(record.clock_offset),
		"problem": problem(record, now) if settings.enabled else "",
	}


def _state(enabled: bool, record: DeviceRecord, poll_seconds: float, now: datetime) -> tuple[str, str]:
	if not enabled:
		return "switched off", "quiet"
	if record.last_error_code:
		locked = record.last_error_code in (Code.LOCKED_OUT.value, Code.AUTH_FAILED.value)
		return ("refused" if locked else "dark"), "bad"
	if record.last_seen_at is None:
		return "not seen yet", "wait"
	late = now - record.last_seen_at > timedelta(seconds=3 * poll_seconds + 60)
	return ("late", "wait") if late else ("online", "good")


def problem(record: DeviceRecord, now: datetime) -> str:
	"""What is wrong with a terminal and what to do, as a sentence; empty if nothing is."""
	if not record.last_error_code:
		return ""
	facts: dict[str, Any] = {"host": record.host, "port": record.port}
	for fact in record.last_error_details.split(", "):
		key, _, value = fact.partition("=")
		# Only what a sentence has a place for: some of it is a terminal's own words.
		if key in _FACTS or (record.driver == EDGE_CAMERA and key in _OWN_FACTS):
			facts[key] = value
	if record.open_until is not None:
		facts["unlock_seconds"] = max(0, round((record.open_until - now).total_seconds()))
	return sentence(DeviceError(Code(record.last_error_code), **facts))


def _holds(record: DeviceRecord, here: int) -> str:
	if record.punches_held is None:
		return _punches(here)
	capacity = f" of {record.punch_capacity}" if record.punch_capacity else ""
	return f"{_punches(here)}, {record.punches_held}{capacity} records there"


def _punches(here: int) -> str:
	return "1 punch here" if here == 1 else f"{here} punches here"


def _local(moment: datetime | None, zone: tzinfo) -> str:
	return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def _checkin_view(held: HeldPunch, people: Mapping[str, str]) -> dict[str, Any]:
	return {
		"punch_id": str(held.punch.punch_id),
		"time": held.punch.wall_time.isoformat(sep=" "),
		"person": people.get(held.employee) or held.employee,
		"log_type": held.log_type.value if held.log_type else "",
		"reason": _because_of(held.log_type_reason, held),
	}


def _punch_view(held: HeldPunch, names: Mapping[str, str]) -> dict[str, Any]:
	word, tone = _STATES[held.state]
	reason = held.error_code or held.state_reason or held.log_type_reason
	return {
		"punch_id": str(held.punch.punch_id),
		"time": held.punch.wall_time.isoformat(sep=" "),
		"device": names.get(held.punch.device_serial, held.punch.device_serial),
		"device_user_id": held.punch.device_user_id,
		"state": word,
		"tone": tone,
		"reason": _because_of(reason, held),
	}


def _because_of(reason: str, held: HeldPunch) -> str:
	if held.punch.device_serial == BY_HAND and reason == Reason.CORRECTED.value:
		return REASONS["by_hand"]
	return REASONS.get(reason, reason)
