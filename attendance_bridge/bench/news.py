"""That there is something new, told in real time: no names, no punches.

It goes to those who may read that kind of document at all (the room of its doctype, which Frappe lets nobody
else into), and each of them asks for what they may see: `bench.live`.
"""

from __future__ import annotations

from enum import Enum

import frappe
from frappe.realtime import get_doctype_room

EVENT = "attendance_bridge_live"


class What(Enum):
	"""What there is news of: the doctype in whose room it is told."""

	PUNCHES = "Punch Log"
	DEVICES = "Device Configuration"
	ALERTS = "Attendance Bridge Alert"


def tell(what: What) -> None:
	"""There is something new, as soon as it is committed; once a transaction."""
	room = get_doctype_room(what.value)
	frappe.publish_realtime(EVENT, {"what": what.name.lower()}, room=room, after_commit=True)
