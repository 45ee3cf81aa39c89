"""What Edge Agents ask and tell: see docs/protocols/agent-api.md. Each: who is calling, then one act."""

from __future__ import annotations

from typing import Any

import frappe

from attendance_bridge.bench import agents, relayed
from attendance_bridge.bench import heartbeat as beats
from attendance_bridge.bench import roster as rosters
from attendance_bridge.bench.sent_fields import reading_body


@frappe.whitelist(methods=["POST"])
def roster(token: Any = None, page_length: Any = None) -> dict[str, Any]:
	"""People, and what has changed about them since a token."""
	agent = agents.calling()
	with reading_body():
		return rosters.page(agent, token, page_length)


@frappe.whitelist(methods=["POST"])
def devices() -> dict[str, Any]:
	"""The terminals that the agent relays, with their secrets: for TLS and for memory only."""
	return relayed.assignment(agents.calling())


@frappe.whitelist(methods=["POST"])
def heartbeat(**told: Any) -> dict[str, Any]:
	"""How the agent and its terminals are; answers what is wanted of it."""
	agent = agents.calling()
	with reading_body():
		return beats.take(agent, told)
