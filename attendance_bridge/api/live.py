"""What the live board asks: permission, then one act."""

from __future__ import annotations

from typing import Any

import frappe

from attendance_bridge.bench import live


@frappe.whitelist()
def board() -> dict[str, Any]:
	"""The board, as the user may see it."""
	frappe.has_permission("Punch Log", "read", throw=True)
	return live.board()
