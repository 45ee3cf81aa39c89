"""Agents for tests: made on the site, and what they send."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import frappe

from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.core.punch import DeviceKey, Punch


def agent(number: int = 1, **values: Any) -> Any:
	"""A new Edge Agent with a user of its own; returns the document."""
	document = frappe.get_doc(
		{"doctype": "Edge Agent", "agent_name": f"{premises.MARK} Agent {number}", **values}
	)
	return document.insert(ignore_permissions=True)


def clear() -> None:
	"""Remove the agents of tests and their users. Commits."""
	frappe.db.rollback()
	frappe.set_user("Administrator")
	own = frappe.get_all(
		"Edge Agent", filters={"agent_name": ("like", f"{premises.MARK}%")}, fields=["name", "user"]
	)
	frappe.db.set_value(
		"Device Configuration", {"edge_agent": ("in", [row.name for row in own] or [""])}, "edge_agent", None
	)
	for row in own:
		frappe.delete_doc("Edge Agent", row.name, force=True, ignore_permissions=True)
		frappe.delete_doc("User", row.user, force=True, ignore_permissions=True, ignore_missing=True)
	frappe.db.commit()


def sent(
	user_id: str,
	wall_time: datetime,
	*,
	number: int = 1,
	key: DeviceKey = DeviceKey.UNDEFINED,
	**values: Any,
) -> dict[str, Any]:
	"""A punch at `terminals.silent(number)` as an agent sends it."""
	return spell(terminals.punch(user_id, wall_time, number=number, key=key), **values)


def spell(punch: Punch, **values: Any) -> dict[str, Any]:
	return {
		"punch_id": str(punch.punch_id),
		"device_serial": punch.device_serial,
		"device_user_id": punch.device_user_id,
		"wall_time": punch.wall_time.isoformat(),
		"fold": punch.occurred_at.fold,
		"time_zone": punch.occurred_at.tzinfo.key,
		"verify_mode": punch.verify_mode.value,
		"device_key": punch.device_key.value,
		"raw": punch.raw,
		"clock": None,
		**values,
	}
