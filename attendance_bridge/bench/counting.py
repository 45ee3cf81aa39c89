"""The terminal says so many, we hold so many: kept on its Device Configuration, and what is unexplained."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import frappe

from attendance_bridge.bench import devices, gaps, lasting, moments, push_commands
from attendance_bridge.bench.gaps import Count

_COUNTED_EVERY = timedelta(minutes=10)
_SENT_AGAIN_WITHIN = timedelta(hours=36)


def keep(device: str, counted: Count) -> None:
	"""Write down what a look has found; where nothing is missing, nothing is unexplained. Commits."""
	is_told = counted.there is not None
	values: dict[str, Any] = {
		"count_there": min(counted.there or 0, 2**31 - 1),
		"count_here": counted.here if is_told else 0,
		# One that does not say is not said to hold nothing.
		"counted_at": moments.now() if is_told else None,
	}
	if not _missing(counted):
		values |= {"gap": 0, "gap_since": None}
	_write(device, values)


def explain(device: str, counted: Count, read_again: int) -> int:
	"""After a terminal was read again to its end: keep how many punches are missing all the same. Commits.

	:param counted: the look after it.
	:param read_again: how many records it gave. It may hold one punch twice, which is one here: then it has
		given them all, and nothing is missing.
	:returns: how many are missing.
	"""
	keep(device, counted)
	missing = 0 if read_again >= (counted.there or 0) else _missing(counted)
	_set_gap(device, missing)
	return missing


def told(device: str, serial: str, there: int) -> None:
	"""A terminal that pushes has said how much it holds. What is missing is asked for once more; what is
	missing after that cannot be explained. Commits.

	:raises StoreError: it could not be written down.
	"""
	state = frappe.db.get_value(devices.DOCTYPE, device, ("counted_at", "count_there"), as_dict=True)
	now = moments.now()
	if state.counted_at and state.count_there == there and now - state.counted_at < _COUNTED_EVERY:
		return
	counted = Count(there=there, here=gaps.held(serial), window=None)
	keep(device, counted)
	missing = _missing(counted)
	if not missing:
		return
	last = frappe.db.get_value(
		push_commands.DOCTYPE,
		{"device": device, "command": "Send Again", "creation": (">", now - _SENT_AGAIN_WITHIN)},
		"state",
		order_by="creation desc",
	)
	if last is None:
		push_commands.queue(device, "Send Again")
	elif last not in ("Queued", "Sent"):
		_set_gap(device, missing)


def _missing(counted: Count) -> int:
	return max(0, (counted.there or 0) - counted.here)


def _set_gap(device: str, missing: int) -> None:
	since = frappe.db.get_value(devices.DOCTYPE, device, "gap_since")
	_write(device, {"gap": missing, "gap_since": (since or moments.now()) if missing else None})


def _write(device: str, values: dict[str, Any]) -> None:
	lasting.write(lambda: frappe.db.set_value(devices.DOCTYPE, device, values, update_modified=False))
