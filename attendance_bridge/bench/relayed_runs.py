"""Readings of relayed terminals as rows of Device Sync Log: so they have failures and a budget like others.

An agent tells how a terminal stands, not each of its readings: what has changed since its last heartbeat is
one reading that ended well, or one that failed. At most one of each a heartbeat. A reading that somebody has
asked for has its row already (`bench.read_wishes`).
"""

from __future__ import annotations

from typing import Any

import frappe

from attendance_bridge.bench import devices, messages, moments
from attendance_bridge.bench.read_wishes import TRIGGER
from attendance_bridge.core.relay import DeviceReport, DeviceTrouble

DOCTYPE = "Device Sync Log"


def note(state: Any, report: DeviceReport) -> None:
	"""Put on record what an agent has read since it told last; call it before the report is kept.

	:param state: as the heartbeat before has left it: `name`, `read_wanted_at`, `last_pull`, `failures` and
		`last_error_code`.
	"""
	if state.read_wanted_at is not None:
		return
	trouble = report.trouble
	if trouble is not None and _is_news(state, trouble):
		words = messages.told_by_agent(trouble.code, devices.label_of(state.name))
		failed = {"status": "Failed", "error_code": trouble.code, "error": words}
		_insert(state.name, {**failed, "started_at": moments.to_site(trouble.at)})
	pulled = moments.to_site(report.last_pull) if report.last_pull else None
	if trouble is None and pulled is not None and (state.last_pull is None or pulled > state.last_pull):
		_insert(state.name, {"status": "Complete", "started_at": pulled})


def _is_news(state: Any, trouble: DeviceTrouble) -> bool:
	return trouble.failures != state.failures or trouble.code != state.last_error_code


def _insert(device: str, values: dict[str, Any]) -> None:
	document = frappe.get_doc({"doctype": DOCTYPE, "device": device, "trigger": TRIGGER, **values})
	document.flags.ignore_links = True
	document.insert(ignore_permissions=True)
