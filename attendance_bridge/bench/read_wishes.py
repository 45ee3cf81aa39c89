"""Fetch Check-in on a terminal that an agent relays: a wish, which the agent's next heartbeats fulfil.

The wish stands on the Device Configuration (`read_wanted_at`) until its reading is over and nothing of it
waits at the agent any more; its Device Sync Log is Queued until then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import frappe

from attendance_bridge.bench import devices, messages, moments, sync_runs
from attendance_bridge.bench.agents import Agent
from attendance_bridge.core.relay import DeviceReport

TRIGGER = "Agent"
WITHDRAWN = "withdrawn"
"""Error code of a wish whose terminal went to another agent, or to none, or was disabled."""


def make(device: str, user: str) -> str | None:
	"""Ask for a terminal to be read; returns the name of the Device Sync Log, None if that was asked already.

	:param user: who gets the result.
	"""
	wanted_at = moments.now()
	frappe.db.sql(
		"UPDATE `tabDevice Configuration` SET `read_wanted_at` = %s"
		" WHERE `name` = %s AND `read_wanted_at` IS NULL",
		(wanted_at, device),
	)
	if not frappe.db._cursor.rowcount:
		return None
	frappe.clear_document_cache(devices.DOCTYPE, device)
	document = frappe.new_doc("Device Sync Log")
	document.update(
		{
			"device": device,
			"trigger": TRIGGER,
			"requested_by": user,
			"status": "Queued",
			"started_at": wanted_at,
		}
	)
	return str(document.insert(ignore_permissions=True).name)


def open_for(agent: Agent) -> list[str]:
	"""The terminals of an agent that are wanted and were not read since."""
	return frappe.db.sql_list(
		"SELECT `name` FROM `tabDevice Configuration` WHERE `edge_agent` = %s AND `enabled` = 1"
		" AND `read_wanted_at` IS NOT NULL AND (`last_pull` IS NULL OR `last_pull` <= `read_wanted_at`)"
		" ORDER BY `name`",
		agent.name,
	)


def withdraw(device: str) -> None:
	"""Nobody is there to fulfil a wish any more: the terminal is disabled, or another agent's or nobody's."""
	frappe.db.set_value(devices.DOCTYPE, device, "read_wanted_at", None, update_modified=False)
	frappe.db.set_value(
		"Device Sync Log",
		{"device": device, "trigger": TRIGGER, "status": "Queued"},
		{"status": "Failed", "error_code": WITHDRAWN, "error": messages.run_end(WITHDRAWN)},
	)


def answer(state: Any, report: DeviceReport, *, all_here: bool) -> None:
	"""Close the wish for a terminal if its agent has tried to read it since.

	:param state: with `name` and `read_wanted_at` (naive, in site time).
	:param all_here: no punch waits at the agent any more.
	"""
	if state.read_wanted_at is None:
		return
	wanted_at = moments.from_site(state.read_wanted_at)
	failed = report.trouble is not None and report.trouble.at > wanted_at
	read = report.last_pull is not None and report.last_pull > wanted_at
	if failed and report.trouble is not None:
		words = messages.told_by_agent(report.trouble.code, devices.label_of(state.name))
		_close(state, {"status": "Failed", "error_code": report.trouble.code, "error": words})
	elif read and all_here:
		_close(state, {"status": "Complete"})


def _close(state: Any, result: dict[str, Any]) -> None:
	frappe.db.set_value(devices.DOCTYPE, state.name, "read_wanted_at", None, update_modified=False)
	rows = frappe.get_all(
		"Device Sync Log",
		filters={"device": state.name, "trigger": TRIGGER, "status": "Queued"},
		fields=["name", "requested_by", "started_at"],
	)
	for row in rows:
		counts = _counts(state.name, row.started_at)
		duration = (moments.now() - row.started_at).total_seconds()
		frappe.db.set_value("Device Sync Log", row.name, {**result, **counts, "duration": duration})
		sync_runs.tell(row.requested_by, row.name, state.name, "done", status=result["status"])


def _counts(device: str, since: datetime) -> dict[str, int]:
	"""What has come of a terminal since a moment, and what became of it."""
	rows = frappe.db.sql(
		# Frappe has an index on `modified` or on `creation`, by its version.
		"SELECT `status`, COUNT(*) FROM `tabPunch Log`"
		" WHERE `device` = %s AND `creation` >= %s AND `modified` >= %s GROUP BY `status`",
		(device, since, since),
	)
	new = sum(count for _status, count in rows)
	return {"fetched": new, "new": new, **sync_runs.outcome_counts(rows)}
