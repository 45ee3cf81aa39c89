"""Shifts whose attendance is held back: HRMS would judge them by now, and some punches may be missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import frappe

from attendance_bridge.bench import messages, moments, shifts
from attendance_bridge.bench.shifts import Holder, ShiftStanding

HELD_AFTER = timedelta(hours=1)
"""HRMS judges hourly: what is vouched for up to an hour ago holds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldShift:
	shift: str
	until: datetime | None
	"""Naive, in site time; None while nothing is vouched for."""
	device: str
	"""The terminal that holds it."""
	why: str
	"""In words."""


def held(at: datetime | None = None) -> list[HeldShift]:
	"""The shifts with auto attendance that are held at an aware moment, now by default; the longest first."""
	at = at or moments.utc_now()
	judged = set(
		frappe.get_all("Shift Type", filters={"enable_auto_attendance": 1}, pluck="name", order_by=None)
	)
	found = [
		_held_shift(standing)
		for standing in shifts.standings()
		if standing.shift in judged and _is_held(standing, at)
	]
	return sorted(found, key=_the_longest_first)


def count_judged() -> int:
	"""How many shifts HRMS judges by itself."""
	return int(frappe.db.count("Shift Type", {"enable_auto_attendance": 1}))


def why_held(shift: str) -> str:
	"""Why the attendance of one shift is held, in words; empty if it is not."""
	return next((each.why for each in held() if each.shift == shift), "")


def _the_longest_first(held: HeldShift) -> tuple[str, str]:
	return (held.until.isoformat() if held.until else "", held.shift)


def _is_held(standing: ShiftStanding, at: datetime) -> bool:
	if standing.holder is Holder.HRMS:
		return False  # nothing is held: HRMS judges whatever is here
	return standing.until is None or at - standing.until > HELD_AFTER


def _held_shift(standing: ShiftStanding) -> HeldShift:
	return HeldShift(
		shift=standing.shift,
		until=moments.to_site(standing.until) if standing.until else None,
		device=standing.device,
		why=messages.shift_standing(standing),
	)
