"""How terminals and agents are, for whoever may read them. Each endpoint: permission, then one act."""

from __future__ import annotations

from typing import Any

import frappe

from attendance_bridge.bench import devices, health


@frappe.whitelist()
def device(device: str) -> dict[str, Any]:
	"""How a terminal is."""
	frappe.get_doc(devices.DOCTYPE, device).check_permission("read")
	return health.of_device(device)


@frappe.whitelist()
def agent(agent: str) -> dict[str, Any]:
	"""How an agent is."""
	frappe.get_doc("Edge Agent", agent).check_permission("read")
	return health.of_agent(agent)
