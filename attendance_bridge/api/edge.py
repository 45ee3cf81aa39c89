"""What Edge Agents ask and tell: see docs/protocols/agent-api.md. Each: who is calling, then one act."""

from __future__ import annotations

from typing import Any

import frappe

from attendance_bridge.bench import agents, face_changes, face_templates, relayed, told_erasures
from attendance_bridge.bench import heartbeat as beats
from attendance_bridge.bench import roster as rosters
from attendance_bridge.bench.confidential import confidential
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
	agent = agents.calling()
	with confidential():
		return relayed.assignment(agent)


@frappe.whitelist(methods=["POST"])
def heartbeat(**told: Any) -> dict[str, Any]:
	"""How the agent and its terminals are; answers what is wanted of it."""
	agent = agents.calling()
	with reading_body():
		return beats.take(agent, told)


@frappe.whitelist(methods=["POST"])
def templates(**told: Any) -> dict[str, Any]:
	"""Take templates that were captured at the agent, and the consents under which they were."""
	agent = agents.calling()
	with confidential(), reading_body():
		return {"receipts": face_templates.take(agent, told)}


@frappe.whitelist(methods=["POST"])
def faces(**wanted: Any) -> dict[str, Any]:
	"""What the agent is to know of faces, and to erase: for TLS and for locked storage only."""
	agent = agents.calling()
	with confidential(), reading_body():
		return face_changes.page(agent, wanted)


@frappe.whitelist(methods=["POST"])
def erasures(**told: Any) -> dict[str, int]:
	"""Withdrawals and erasures made at the agent, and what it has erased for us."""
	agent = agents.calling()
	with confidential(), reading_body():
		return told_erasures.take(agent, told)
