"""What Edge Agents bring: see docs/protocols/agent-api.md. Each endpoint: who is calling, then one act."""

from __future__ import annotations

from typing import Any

import frappe

from attendance_bridge.bench import agents, ingest
from attendance_bridge.bench.sent_fields import reading_body

# Arguments are `Any`: `bench.sent_fields` reads and refuses them, a bad punch without its neighbours.


@frappe.whitelist(methods=["POST"])
def punches(punches: Any = None) -> dict[str, Any]:
	"""Take a batch of punches; answers with a receipt for each."""
	agent = agents.calling()
	with reading_body():
		return {"receipts": ingest.take(agent, punches)}


@frappe.whitelist(methods=["POST"])
def unreadable(records: Any = None) -> dict[str, int]:
	"""Hold records that cannot be read as punches; answers how many were new."""
	agent = agents.calling()
	with reading_body():
		return {"held": ingest.take_unreadable(agent, records)}
