# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now


class DeviceClockLog(Document):
	"""A look at the clock of a terminal that tells something new, or something that was done about it."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		cause: DF.Data | None
		clock_offset: DF.Float
		device: DF.Link | None
		kind: DF.Literal[
			"Reading", "Corrected", "Not Corrected", "Time Zone Changed", "Re-timed", "Re-timing Undone"
		]
		note: DF.SmallText | None
		offset_after: DF.Float
		punches: DF.Int
		requested_by: DF.Link | None
		taken_at: DF.Datetime | None
	# end: auto-generated types

	@staticmethod
	def clear_old_logs(days: int = 365) -> None:
		"""Called by Log Settings every day."""
		table = frappe.qb.DocType("Device Clock Log")
		frappe.db.delete(table, filters=(table.creation < (Now() - Interval(days=days))))


def on_doctype_update() -> None:
	frappe.db.add_index("Device Clock Log", ["creation"])
