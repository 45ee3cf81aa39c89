"""What the Desk asks about Edge Agents. Each endpoint: permission, then one act."""

from __future__ import annotations

import frappe
from frappe.utils import get_url

from attendance_bridge.bench import agents


@frappe.whitelist(methods=["POST"])
def make_api_key(agent: str) -> dict[str, str]:
	"""A new key and secret for an agent, shown once; and the address under which it reaches this site."""
	frappe.only_for("System Manager")
	frappe.get_doc(agents.DOCTYPE, agent).check_permission("write")
	return {**agents.make_api_key(agent), "url": get_url()}
